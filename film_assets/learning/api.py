"""Fetches attempts from the statistics API, into a file a day.

Belongs here: asking for a day or for several at once, trying again, giving up, telling whether the answer is whole, and which day
its rows are of. Does not belong here: what they mean (``attempts``).
"""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import stamina
from pydantic import SecretStr

from film_assets.common.retries import log_retries
from film_assets.errors import FilmAssetsError, SourceError, TransientError

if TYPE_CHECKING:
    import httpx2

_ANSWER, _PART, _PERIOD = SUFFIXES = (".json", ".part", ".period")
"""Of the files that there may be of a day: its answer, one that is just being written, and one of the days from this one on."""

_NAME = "the statistics API"
_TRIES = stamina.AsyncRetryingCaller(attempts=5, timeout=None, wait_initial=1, wait_max=30, wait_jitter=1).on(TransientError)
_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_TIME = "%Y-%m-%d %H:%M:%S.%f"
_DAY = timedelta(days=1)
_TAIL = 1024
_BATCH = 20_000
"""Rows in memory at a time."""

_LARGEST_ROW = 1 << 26
"""Bytes; the parser keeps room for twice that."""

_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)")
"""An escape in JSON; the group is half of a surrogate pair without the other half."""

_NO_CHARACTER = rb"\u0000"


@dataclass(frozen=True)
class Statistics:
    """Whom to ask, and how long.

    Attributes:
        url: The address of the API.
        client: Who asks.
        key: The client's key.
        deadline: Seconds for an answer, all tries together.
        most_days: How many days it may be asked for at once.
    """

    url: str
    client: str
    key: SecretStr
    deadline: float
    most_days: int = 1


@dataclass(frozen=True)
class Answer:
    """What the API answered.

    Attributes:
        rows: Day -> how many attempts there are of it.
        status: Of HTTP.
        seconds: How long it took, all tries together.
    """

    rows: Mapping[date, int]
    status: int
    seconds: float


def fetch(statistics: Statistics, day: date, file: Path) -> int:
    """Put the attempts of a day into a file, a JSON list; how many there are. The file is replaced once they are all there.

    Raises:
        SourceError: The API refuses, or does not answer with a list.
        TransientError: It has not answered rightly within the deadline, after several tries.
    """
    return _fetch(statistics, _Period(day, day), file).rows


def fetch_days(statistics: Statistics, days: Iterable[date], folder: Path) -> Iterator[Answer]:
    """Put the attempts of each day into a file of its own, like 2026-01-31.json; what was answered, in the order of the days.

    Days that follow one another are asked for together, as many as may be. A row goes to the day it was created on, or to the
    first if that is none of them or cannot be told. A day of which nothing came is asked for alone: some servers take a period
    and answer for a part of it.

    Raises:
        SourceError, TransientError: As ``fetch``.
    """
    for period in _periods(days, statistics.most_days):
        yield (answer := _answer(statistics, period, folder))
        for day in sorted(period.days - answer.rows.keys()):
            yield _answer(statistics, _Period(day, day), folder)


def texts(file: Path, batch: int) -> Iterator[list[str]]:
    """The elements of a fetched list, each as the JSON text it came as, so many at a time.

    Raises:
        SourceError: There is no such file.
    """
    if not file.exists():
        raise SourceError(f"the attempts of {file.stem} are not here any more; materialize attempts_raw for that day first")
    with closing(_opened(file, "json")) as rows:
        while found := rows.fetchmany(batch):
            yield [text for (text,) in found]


@dataclass(frozen=True)
class _Period:
    """Days that follow one another."""

    first: date
    last: date

    @property
    def days(self) -> set[date]:
        return {self.first + _DAY * index for index in range((self.last - self.first).days + 1)}

    @property
    def remedy(self) -> str:
        """What else may be done if they cannot be had."""
        return "" if self.first == self.last else ", or set LEARNING_API_DAYS to fewer days than are asked for at once"

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class _Fetched:
    """What is in a file now."""

    rows: int
    status: int


def _periods(days: Iterable[date], most: int) -> list[_Period]:
    periods: list[_Period] = []
    for day in sorted(days):
        last = periods[-1] if periods else None
        if last and day == last.last + _DAY and len(last.days) < most:
            periods[-1] = _Period(last.first, day)
        else:
            periods.append(_Period(day, day))
    return periods


def _answer(statistics: Statistics, period: _Period, folder: Path) -> Answer:
    """The days of the period that anything came of, and a single day always."""
    began = monotonic()
    file = folder / f"{period.first}{_ANSWER if period.first == period.last else _PERIOD}"
    fetched = _fetch(statistics, period, file)
    seconds = monotonic() - began
    rows = {period.first: fetched.rows} if period.first == period.last else _split(file, period)
    return Answer(rows, fetched.status, seconds)


def _split(file: Path, period: _Period) -> dict[date, int]:
    """Put each row of a file into that of its day; day -> how many there are. The file is taken away."""
    parts = {day: file.with_name(f"{day}{_PART}") for day in period.days}
    try:
        rows = _write_days(file, period, parts)
        for day in rows:
            parts[day].replace(parts[day].with_suffix(_ANSWER))
    finally:
        for left in (file, *parts.values()):
            left.unlink(missing_ok=True)
    return rows


def _write_days(file: Path, period: _Period, parts: Mapping[date, Path]) -> dict[date, int]:
    created = "try_cast(left(json ->> 'created_at', 10) as date)"
    which = f"if({created} between date '{period.first}' and date '{period.last}', {created}, date '{period.first}')"
    written: dict[date, int] = {}
    with ExitStack() as opened:
        files = {day: opened.enter_context(part.open("w", encoding="utf-8", newline="")) for day, part in parts.items()}
        rows = opened.enter_context(closing(_opened(file, f"{which}, json")))
        while found := rows.fetchmany(_BATCH):
            frame = pl.DataFrame(found, {"day": pl.Date, "text": pl.String}, orient="row")
            for (day,), some in frame.partition_by("day", as_dict=True).items():
                files[day].write(("," if day in written else "[") + ",".join(some["text"]))
                written[day] = written.get(day, 0) + some.height
        for whole in written:
            files[whole].write("]")
    return written


def _fetch(statistics: Statistics, period: _Period, file: Path) -> _Fetched:
    log_retries()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(_PART)
    try:
        fetched = asyncio.run(_within_deadline(statistics, period, part))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return fetched


async def _within_deadline(statistics: Statistics, period: _Period, part: Path) -> _Fetched:
    tried = _Tried()
    try:
        async with asyncio.timeout(statistics.deadline):
            return await _TRIES(_try, statistics, period, part, tried)
    except TimeoutError:
        fault = f"{_NAME} has not sent the attempts of {period} within {statistics.deadline:g} s{tried}; try again later"
    raise TransientError(f"{fault}{period.remedy}")


@dataclass
class _Tried:
    """What the last try that failed came to."""

    fault: str = ""

    def __str__(self) -> str:
        return f" ({self.fault})" if self.fault else ""


async def _try(statistics: Statistics, period: _Period, part: Path, tried: _Tried) -> _Fetched:
    import httpx2

    try:
        status = await _download(statistics, period, part)
        return _Fetched(_rows(part), status)
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        fault = TransientError(f"{_NAME} cannot be reached ({type(error).__name__}); check LEARNING_API_URL and the network")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SourceError(f"{_NAME} cannot be asked ({type(error).__name__}); check LEARNING_API_URL") from None
    except TransientError as error:
        fault = error
    tried.fault = str(fault)
    raise fault


async def _download(statistics: Statistics, period: _Period, part: Path) -> int:
    """The status of the answer, whose body is in the file then."""
    import httpx2

    parameters = {
        "client": statistics.client,
        "client_key": statistics.key.get_secret_value(),
        "start": datetime.combine(period.first, time.min).strftime(_TIME),
        "end": datetime.combine(period.last, time.max).strftime(_TIME),
    }
    async with (
        httpx2.AsyncClient(timeout=httpx2.Timeout(statistics.deadline, connect=20)) as client,
        client.stream("GET", statistics.url, params=parameters) as response,
    ):
        if not response.is_success:
            raise _refusal(response, period)
        with part.open("wb") as file:
            async for piece in response.aiter_bytes():
                file.write(piece)
        return int(response.status_code)


def _refusal(response: "httpx2.Response", period: _Period) -> FilmAssetsError:
    status = response.status_code
    if status in _DENIED:
        return SourceError(f"{_NAME} refuses the client ({status}); check LEARNING_API_CLIENT and LEARNING_API_CLIENT_KEY")
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(f"{_NAME} is not able to answer now ({status}); try again later")
    return SourceError(f"{_NAME} does not answer as it should ({status}); check LEARNING_API_URL{period.remedy}")


def _rows(part: Path) -> int:
    """The length of the list in a file.

    Raises:
        TransientError: It is cut.
        SourceError: It is something else.
    """
    fault = _count(part)
    if isinstance(fault, str) and "surrogate" in fault:
        part.write_bytes(_ESCAPE.sub(lambda match: _NO_CHARACTER if match[1] else match[0], part.read_bytes()))
        fault = _count(part)
    if isinstance(fault, int) and _last_byte(part) == b"]":
        return fault
    if _is_other_json(part):
        raise SourceError(f"{_NAME} answers with something else than a list of attempts; check LEARNING_API_URL")
    raise TransientError(f"{_NAME} has sent no whole list of attempts; try again later")


def _count(part: Path) -> int | str:
    """How many elements the list has, or what is wrong with it."""
    try:
        with closing(_opened(part, "count(*)")) as rows:
            return int(rows.fetchall()[0][0])
    except (duckdb.Error, UnicodeDecodeError) as error:  # the driver quotes the answer in its error, and decodes what it quotes
        return str(error)


def _opened(file: Path, what: str) -> duckdb.DuckDBPyConnection:
    """The elements of a list, read as they are asked for, so that a long one needs no more memory than a short one."""
    connection = duckdb.connect(config={"threads": 1})
    query = f"select {what} from read_json_objects($1, format = 'array', maximum_object_size = {_LARGEST_ROW})"
    return connection.execute(query, [str(file)])


def _last_byte(part: Path) -> bytes:
    with part.open("rb") as file:
        file.seek(max(part.stat().st_size - _TAIL, 0))
        return file.read().rstrip()[-1:]


def _is_other_json(part: Path) -> bool:
    if part.stat().st_size > _LARGEST_ROW:
        return False
    try:
        return not isinstance(json.loads(part.read_bytes()), list)
    except (ValueError, RecursionError):
        return False
