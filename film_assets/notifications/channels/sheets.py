"""Brings rows into a Google Sheet by their key, and leaves alone whatever people have put there besides.

Headers stand in row 1: missing ones are added, none is removed or moved. A row that is there by its key is brought up to date,
cell by cell; one that is not is appended below everything else. A date is written as what Sheets makes of one that is typed: days
since its day zero, shown as a date, whatever the locale of the sheet. All changes go in one request, which Google carries out
whole or not at all, and where nothing differs none is sent. Belongs here: everything Google. Does not belong here: which rows.
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import stamina

from film_assets.common.retries import log_retries
from film_assets.errors import DeliveryError, FilmAssetsError, TransientError

if TYPE_CHECKING:
    from gspread.http_client import HTTPClient

Cell = str | float | bool | None

_SCOPES = ["https://www.googleapis.com/auth/spreadsheets"]
_TIMEOUT = (10, 60)
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}
_DAY_ZERO = date(1899, 12, 30)
"""Sheets counts the days of a date from here."""

_VALUE, _FORMAT = "userEnteredValue", "userEnteredFormat"
_DATES = range((date.min - _DAY_ZERO).days, (date.max - _DAY_ZERO).days + 1)
_DATE_FORMAT = {"numberFormat": {"type": "DATE", "pattern": "yyyy-mm-dd"}}
"""What Sheets gives to a cell in which somebody types a date of this form."""

_NEW_SIZE = (1000, 26)
"""Rows and columns that a new worksheet has in the web page too."""

_PATIENTLY = stamina.RetryingCaller(attempts=6, timeout=180, wait_initial=2, wait_max=32, wait_jitter=1).on(TransientError)
"""The quota is counted by the minute, so the tries together last longer than one."""


@dataclass(frozen=True)
class SheetAccess:
    """Which spreadsheet, by what right.

    Attributes:
        service_account_file: The JSON key of a service account that the spreadsheet is shared with.
        spreadsheet_id: The id in its address.
    """

    service_account_file: Path
    spreadsheet_id: str


@dataclass(frozen=True)
class Written:
    """What became of the rows.

    Attributes:
        appended: Rows that were new.
        updated: Rows of which a cell differed.
        unchanged: Rows that were there as they are.
    """

    appended: int
    updated: int
    unchanged: int


def upsert(access: SheetAccess, worksheet: str, frame: pl.DataFrame, key: Sequence[str]) -> Written:
    """Bring the rows of a frame into a worksheet, which is made if there is none of that name.

    Args:
        access: Which spreadsheet, by what right.
        worksheet: The name on its tab.
        frame: The rows; the names of its columns are the headers.
        key: The columns that tell rows apart.

    Raises:
        DeliveryError: The spreadsheet is not to be written to as it is; the text says what to do.
        TransientError: Google is still not able to answer after several tries.
    """
    log_retries()
    cells = [[_cell(value) for value in row] for row in frame.rows()]
    dates = {name for name, kind in frame.schema.items() if kind == pl.Date}
    with _client(access) as client:
        return _PATIENTLY(_bring, client, access, worksheet, _Rows(frame.columns, cells, key, dates))


@dataclass(frozen=True)
class _Rows:
    """What is to be in the sheet."""

    columns: Sequence[str]
    cells: Sequence[Sequence[Cell]]
    key: Sequence[str]
    dates: Collection[str]


@dataclass(frozen=True)
class _Grid:
    """What is in a worksheet: its cells from the first to the last used one, and its size; no size if it is not there yet."""

    sheet_id: int
    cells: Sequence[Sequence[Cell]]
    size: tuple[int, int] | None

    def at(self, row: int, column: int, *, is_date: bool) -> Cell:
        """A cell; a date as text, whether it is one to Sheets or a text."""
        cells = self.cells[row]
        cell = cells[column] if column < len(cells) else None
        if is_date and isinstance(cell, int | float) and not isinstance(cell, bool) and int(cell) in _DATES:
            return (_DAY_ZERO + timedelta(days=int(cell))).isoformat()
        return cell if cell != "" else None


def _bring(client: "HTTPClient", access: SheetAccess, worksheet: str, rows: _Rows) -> Written:
    """One try: look and write. A try after one of which no answer came finds what that one did."""
    with _explained(access):
        grid = _look(client, access, worksheet)
        written, requests = _changes(grid, worksheet, rows)
        if requests:
            client.batch_update(access.spreadsheet_id, {"requests": requests})
        return written


def _look(client: "HTTPClient", access: SheetAccess, worksheet: str) -> _Grid:
    from gspread.utils import absolute_range_name

    sheets = [sheet["properties"] for sheet in client.fetch_sheet_metadata(access.spreadsheet_id)["sheets"]]
    found = next((sheet for sheet in sheets if sheet["title"] == worksheet), None)
    if found is None:
        taken = {sheet["sheetId"] for sheet in sheets}
        return _Grid(next(number for number in count(1) if number not in taken), [], None)
    answer = client.values_get(
        access.spreadsheet_id, absolute_range_name(worksheet), params={"valueRenderOption": "UNFORMATTED_VALUE"}
    )
    size = found["gridProperties"]["rowCount"], found["gridProperties"]["columnCount"]
    return _Grid(found["sheetId"], answer.get("values", []), size)


def _changes(grid: _Grid, worksheet: str, rows: _Rows) -> tuple[Written, list[dict[str, Any]]]:
    """What is to be done, as the requests of one batch."""
    width = max((len(row) for row in grid.cells), default=0)
    headers = [str(cell).strip() for cell in grid.cells[0]] if grid.cells else []
    _check_headers(headers, worksheet, rows.columns)
    missing = [name for name in rows.columns if name not in headers]
    places = {name: headers.index(name) if name in headers else width + missing.index(name) for name in rows.columns}
    known = _known_rows(grid, rows, places)
    keys = [rows.columns.index(name) for name in rows.key]
    dates = {places[name] for name in rows.dates}

    headings = dict(enumerate(missing, width))
    writes = [_write(grid, 0, run, [headings], ()) for run in _runs(headings, ())]
    appended, updated = [], 0
    for cells in rows.cells:
        row = known.get(tuple(_as_key(cells[index]) for index in keys))
        if row is None:
            appended.append(dict(zip(places.values(), cells, strict=True)))
        elif differing := _differing(grid, row, rows, places, cells):
            updated += 1
            writes += [_write(grid, row, run, [differing], dates) for run in _runs(differing, dates)]
    end = max(len(grid.cells), 1)
    if appended:
        writes += [_write(grid, end, run, appended, dates) for run in _runs(places.values(), dates)]
    needed = end + len(appended), width + len(missing)
    written = Written(len(appended), updated, len(rows.cells) - len(appended) - updated)
    return written, [*_room(grid, worksheet, needed), *writes] if writes else []


def _check_headers(headers: Sequence[str], worksheet: str, columns: Sequence[str]) -> None:
    """Those of people's own columns may repeat."""
    repeated = sorted({name for name in headers if name in columns and headers.count(name) > 1})
    if repeated:
        raise DeliveryError(
            f"worksheet {worksheet}: row 1 has the header {', '.join(repeated)} more than once; rename all but one of them"
        )


def _known_rows(grid: _Grid, rows: _Rows, places: Mapping[str, int]) -> dict[tuple[str, ...], int]:
    """Key -> the first row that has it."""
    known: dict[tuple[str, ...], int] = {}
    for row in range(1, len(grid.cells)):
        key = tuple(_as_key(grid.at(row, places[name], is_date=name in rows.dates)) for name in rows.key)
        known.setdefault(key, row)
    return known


def _differing(grid: _Grid, row: int, rows: _Rows, places: Mapping[str, int], cells: Sequence[Cell]) -> dict[int, Cell]:
    """Column -> what is to stand there, of those where something else does."""
    wanted = zip(places.items(), cells, strict=True)
    return {place: cell for (name, place), cell in wanted if not _same(cell, grid.at(row, place, is_date=name in rows.dates))}


def _runs(places: Iterable[int], dates: Collection[int]) -> list[list[int]]:
    """The places, in groups of those that stand side by side and are all of dates, or none."""
    runs: list[list[int]] = []
    for place in sorted(places):
        if runs and place == runs[-1][-1] + 1 and (place in dates) == (runs[-1][-1] in dates):
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _room(grid: _Grid, worksheet: str, needed: tuple[int, int]) -> list[dict[str, Any]]:
    """Requests that make the grid as large as it has to be."""
    if grid.size is None:
        rows, columns = (max(pair) for pair in zip(needed, _NEW_SIZE, strict=True))
        size = {"rowCount": rows, "columnCount": columns}
        return [{"addSheet": {"properties": {"sheetId": grid.sheet_id, "title": worksheet, "gridProperties": size}}}]
    return [
        {"appendDimension": {"sheetId": grid.sheet_id, "dimension": name, "length": wanted - there}}
        for name, wanted, there in zip(("ROWS", "COLUMNS"), needed, grid.size, strict=True)
        if wanted > there
    ]


def _write(
    grid: _Grid, row: int, run: Sequence[int], lines: Sequence[Mapping[int, Cell]], dates: Collection[int]
) -> dict[str, Any]:
    """A request that sets values, and of dates that they are shown as such: other formats, notes and the like stay."""
    value, fields = (
        (_date, "userEnteredValue,userEnteredFormat.numberFormat") if run[0] in dates else (_value, "userEnteredValue")
    )
    rows = [{"values": [value(line[place]) for place in run]} for line in lines]
    start = {"sheetId": grid.sheet_id, "rowIndex": row, "columnIndex": run[0]}
    return {"updateCells": {"start": start, "rows": rows, "fields": fields}}


def _value(cell: Cell) -> dict[str, Any]:
    if cell is None:
        return {}
    kind = "boolValue" if isinstance(cell, bool) else "stringValue" if isinstance(cell, str) else "numberValue"
    return {_VALUE: {kind: cell}}


def _date(cell: Cell) -> dict[str, Any]:
    days = None if cell is None else (date.fromisoformat(str(cell)) - _DAY_ZERO).days
    return {**_value(days), _FORMAT: _DATE_FORMAT}


def _cell(value: object) -> Cell:
    """What stands in the sheet for a value."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return float(value)
        case date():
            return value.isoformat()
    return str(value)


def _as_key(cell: Cell) -> str:
    """A cell as part of a key: the same for a number and for the text people typed it as."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _same(wanted: Cell, there: Cell) -> bool:
    return (wanted if wanted != "" else None) == there and isinstance(wanted, bool) == isinstance(there, bool)


@contextmanager
def _client(access: SheetAccess) -> Iterator["HTTPClient"]:
    from google.auth.transport.requests import AuthorizedSession
    from google.oauth2.service_account import Credentials
    from gspread.http_client import HTTPClient

    try:
        info = json.loads(access.service_account_file.read_text(encoding="utf-8"))
        credentials = Credentials.from_service_account_info(info, scopes=_SCOPES)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise DeliveryError(f"cannot read the service account file {access.service_account_file}: {error.strerror}") from None
    except (ValueError, TypeError, AttributeError):
        fault = f"{access.service_account_file} is no key file of a Google service account; download it anew as JSON"
    else:
        with AuthorizedSession(credentials, refresh_timeout=_TIMEOUT[1]) as session:  # type: ignore[no-untyped-call]
            client = HTTPClient(credentials, session)
            client.set_timeout(_TIMEOUT)
            yield client
        return
    raise DeliveryError(fault)  # not in the handler: the library's error may repeat a part of the key


@contextmanager
def _explained(access: SheetAccess) -> Iterator[None]:
    """Turns what the libraries raise into one line that says what to do."""
    from google.auth.exceptions import GoogleAuthError
    from gspread.exceptions import APIError
    from requests.exceptions import RequestException

    try:
        yield
    except APIError as error:
        fault = _refusal(error.response.status_code, str(error.error.get("message", "")), access)
    except GoogleAuthError as error:
        fault = _unauthorised(error, access)
    except RequestException as error:
        fault = TransientError(f"Google Sheets cannot be reached ({type(error).__name__}); check the network")
    else:
        return
    raise fault


def _refusal(status: int, message: str, access: SheetAccess) -> FilmAssetsError:
    sheet = f"spreadsheet {access.spreadsheet_id}"
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(f"{sheet}: Google is not able to answer now ({status}); try again later")
    if status == HTTPStatus.FORBIDDEN:
        return DeliveryError(f"{sheet}: not permitted; share it with the client_email in {access.service_account_file}, to edit")
    if status == HTTPStatus.NOT_FOUND:
        return DeliveryError(f"{sheet}: there is none of that id; copy the id from its address")
    return DeliveryError(f"{sheet}: Google refuses the change ({status} {' '.join(message.split())[:200]})")


def _unauthorised(error: Any, access: SheetAccess) -> FilmAssetsError:
    from google.auth.exceptions import TransportError

    if isinstance(error, TransportError) or error.retryable:
        return TransientError(f"Google's login service cannot be reached ({type(error).__name__}); check the network")
    return DeliveryError(f"Google does not accept the service account of {access.service_account_file}; download its key anew")
