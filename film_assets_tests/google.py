"""A stand-in for Google's login service and Sheets, for tests: the part of the v4 REST API that is used, over real HTTP and TLS.

It is a web proxy that takes connections to Google's hosts upon itself, with certificates of the tests' own authority. So the
product's libraries talk to it as they are, by the environment alone. Belongs here: what Google does. Does not belong here: what
is tested.
"""

import json
import re
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

GOOD, LOST = 200, -1
"""No fault; and the one that a request is carried out, but its answer is lost."""

LOGIN, SHEETS = "oauth2.googleapis.com", "sheets.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/spreadsheets"
_LONGEST_CELL = 50_000
_PATH = re.compile(r"/v4/spreadsheets/(?P<id>[^/:]+)(/values/(?P<range>[^:]+))?(?P<verb>:batchUpdate)?")
_DAY_ZERO = date(1899, 12, 30)
_VALUE, _NUMBER_FORMAT = "userEnteredValue", "userEnteredFormat.numberFormat"
_NUMBER_TYPES = {"TEXT", "NUMBER", "PERCENT", "CURRENCY", "DATE", "TIME", "DATE_TIME", "SCIENTIFIC"}
_KINDS = {"stringValue": str, "numberValue": (int, float), "boolValue": bool}

Cell = str | float | bool


@dataclass
class Worksheet:
    """A tab: its size, what stands where, both counted from 0, and in which number format; a date is a number of days."""

    title: str
    sheet_id: int
    rows: int = 1000
    columns: int = 26
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    formats: dict[tuple[int, int], dict[str, str]] = field(default_factory=dict)

    def put(self, *lines: list[Cell | None]) -> None:
        """Type these lines in, from the top left."""
        for row, line in enumerate(lines):
            self.cells |= {(row, column): cell for column, cell in enumerate(line) if cell is not None}

    def type_date(self, row: int, column: int, day: date, pattern: str = "yyyy-mm-dd") -> None:
        """What becomes of a date that a person types, by a pattern of the locale."""
        self.cells[row, column] = (day - _DAY_ZERO).days
        self.formats[row, column] = {"type": "DATE", "pattern": pattern}

    def is_date(self, row: int, column: int) -> bool:
        """Whether Sheets takes a cell for a date."""
        number = isinstance(self.cells.get((row, column)), int | float)
        return number and self.formats.get((row, column), {}).get("type") == "DATE"

    def values(self) -> list[list[Cell]]:
        """What people see there, without empty cells at the end of lines and empty lines at the end."""
        return self._lines({at: self._shown(at) for at in self.cells})

    def unformatted(self) -> list[list[Cell]]:
        """What stands there, a date as a number, without the same."""
        return self._lines(self.cells)

    def _shown(self, at: tuple[int, int]) -> Cell:
        cell = self.cells[at]
        if not self.is_date(*at):
            return cell
        day, text = _DAY_ZERO + timedelta(days=int(cell)), self.formats[at]["pattern"]
        for mark, code in (("yyyy", "%Y"), ("mm", "%m"), ("dd", "%d")):
            text = text.replace(mark, code)
        return day.strftime(text)

    @staticmethod
    def _lines(cells: dict[tuple[int, int], Cell]) -> list[list[Cell]]:
        found = []
        for row in range(max((row for row, _ in cells), default=-1) + 1):
            width = max((column for at, column in cells if at == row), default=-1) + 1
            found.append([cells.get((row, column), "") for column in range(width)])
        return found

    def properties(self) -> dict[str, Any]:
        size = {"rowCount": self.rows, "columnCount": self.columns}
        return {"properties": {"sheetId": self.sheet_id, "title": self.title, "sheetType": "GRID", "gridProperties": size}}


class ApiError(Exception):
    """What the API answers instead."""

    def __init__(self, code: int, message: str, status: str = "INVALID_ARGUMENT") -> None:
        super().__init__(message)
        self.code, self.body = code, {"error": {"code": code, "message": message, "status": status}}


class Google:
    """Spreadsheets, and a service account that may write to them.

    Attributes:
        spreadsheets: Id -> worksheets by title.
        requests: Method and path of each request to the sheets, in order; ``writes`` the bodies of those that write.
        hosts: The hosts that were asked for.
        faults: What happens to the next requests to the sheets, in order: an HTTP status, or ``LOST``.
        on_write: Called before anything is written.
        quota: How many writes a minute are permitted.
    """

    def __init__(self, authority: trustme.CA, folder: Path) -> None:
        self.spreadsheets: dict[str, dict[str, Worksheet]] = {}
        self.requests: list[tuple[str, str]] = []
        self.writes: list[list[dict[str, Any]]] = []
        self.hosts: set[str] = set()
        self.faults: list[int] = []
        self.on_write: Callable[[], object] = lambda: None
        self.quota = 60
        self.lock = threading.Lock()
        self._written_at: list[float] = []
        self._tokens: set[str] = set()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(LOGIN, SHEETS).configure_cert(self.tls)
        self.service_account_file = folder / "service-account.json"
        self.service_account_file.write_text(json.dumps(self._service_account()))

    def _service_account(self) -> dict[str, str]:
        return {
            "type": "service_account",
            "project_id": "tests",
            "private_key_id": "k1",
            "private_key": self.private_key,
            "client_email": "publisher@tests.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"https://{LOGIN}/token",
        }

    @property
    def private_key(self) -> str:
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self._key.private_bytes(*form).decode()

    def spreadsheet(self, spreadsheet_id: str, *titles: str) -> dict[str, Worksheet]:
        """A new spreadsheet with these worksheets."""
        made = {title: Worksheet(title, index) for index, title in enumerate(titles)}
        return self.spreadsheets.setdefault(spreadsheet_id, made)

    # ---- what it answers

    def log_in(self, body: bytes) -> tuple[int, dict[str, Any]]:
        assertion = parse_qs(body.decode())["assertion"][0]
        try:
            claims = jwt.decode(assertion, self._key.public_key(), algorithms=["RS256"], audience=f"https://{LOGIN}/token")
        except jwt.PyJWTError as error:
            return 400, {"error": "invalid_grant", "error_description": str(error)}
        if _SCOPE not in claims["scope"].split():
            return 400, {"error": "invalid_scope"}
        token = f"CANARY-TOKEN-{uuid.uuid4().hex}"
        self._tokens.add(token)
        return 200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def answer(self, method: str, target: str, token: str, body: bytes) -> dict[str, Any]:
        path = unquote(urlsplit(target).path)
        self.requests.append((method, path))
        if token.removeprefix("Bearer ") not in self._tokens:
            raise ApiError(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
        match = _PATH.fullmatch(path)
        assert match, path
        if match["id"] not in self.spreadsheets:
            raise ApiError(404, "Requested entity was not found.", "NOT_FOUND")
        sheets = self.spreadsheets[match["id"]]
        if match["verb"]:
            assert method == "POST"
            return self._batch_update(match["id"], json.loads(body)["requests"])
        assert method == "GET"
        if match["range"]:
            return _values(sheets, match["range"], parse_qs(urlsplit(target).query))
        return {"spreadsheetId": match["id"], "sheets": [sheet.properties() for sheet in sheets.values()]}

    def _batch_update(self, spreadsheet_id: str, requests: list[dict[str, Any]]) -> dict[str, Any]:
        """All of them, or none."""
        self.on_write()
        now = time.monotonic()
        self._written_at = [at for at in self._written_at if now - at < 60]
        if len(self._written_at) >= self.quota:
            raise ApiError(429, "Quota exceeded for quota metric 'Write requests'", "RESOURCE_EXHAUSTED")
        self._written_at.append(now)
        changed = deepcopy(self.spreadsheets[spreadsheet_id])
        for index, request in enumerate(requests):
            ((kind, what),) = request.items()
            _KINDS_OF_REQUEST[kind](changed, what, f"Invalid requests[{index}].{kind}")
        self.spreadsheets[spreadsheet_id] = changed
        self.writes.append(requests)
        return {"spreadsheetId": spreadsheet_id, "replies": [{} for _ in requests]}


def _values(sheets: dict[str, Worksheet], wanted: str, query: dict[str, list[str]]) -> dict[str, Any]:
    assert query["valueRenderOption"] == ["UNFORMATTED_VALUE"]
    title = wanted.removeprefix("'").removesuffix("'").replace("''", "'")
    if title not in sheets:
        raise ApiError(400, f"Unable to parse range: {wanted}")
    found = sheets[title].unformatted()
    return {"range": f"{wanted}!A1:Z1000", "majorDimension": "ROWS", **({"values": found} if found else {})}


def _by_id(sheets: dict[str, Worksheet], sheet_id: int, where: str) -> Worksheet:
    found = next((sheet for sheet in sheets.values() if sheet.sheet_id == sheet_id), None)
    if found is None:
        raise ApiError(400, f"{where}: No grid with id: {sheet_id}")
    return found


def _add_sheet(sheets: dict[str, Worksheet], what: dict[str, Any], where: str) -> None:
    properties = what["properties"]
    if properties["title"] in sheets or any(sheet.sheet_id == properties["sheetId"] for sheet in sheets.values()):
        raise ApiError(400, f"{where}: A sheet with that name or id already exists.")
    size = properties["gridProperties"]
    sheets[properties["title"]] = Worksheet(properties["title"], properties["sheetId"], size["rowCount"], size["columnCount"])


def _append_dimension(sheets: dict[str, Worksheet], what: dict[str, Any], where: str) -> None:
    sheet = _by_id(sheets, what["sheetId"], where)
    if what["length"] < 1:
        raise ApiError(400, f"{where}: length must be positive")
    name = {"ROWS": "rows", "COLUMNS": "columns"}[what["dimension"]]
    setattr(sheet, name, getattr(sheet, name) + what["length"])


def _update_cells(sheets: dict[str, Worksheet], what: dict[str, Any], where: str) -> None:
    fields = set(what["fields"].split(","))
    if not fields <= {_VALUE, _NUMBER_FORMAT}:
        raise ApiError(400, f"{where}: only values and number formats may be changed in these tests")
    start = what["start"]
    sheet = _by_id(sheets, start["sheetId"], where)
    for row, line in enumerate(what["rows"], start["rowIndex"]):
        for column, cell in enumerate(line["values"], start["columnIndex"]):
            if row >= sheet.rows or column >= sheet.columns:
                raise ApiError(400, f"{where}: Attempting to write row: {row}, column: {column}, beyond the last one")
            if _VALUE in fields:
                _set(sheet, (row, column), cell.get("userEnteredValue"), where)
            if _NUMBER_FORMAT in fields:
                _set_format(sheet, (row, column), cell.get("userEnteredFormat", {}).get("numberFormat"), where)


def _set(sheet: Worksheet, at: tuple[int, int], entered: dict[str, Any] | None, where: str) -> None:
    if not entered:
        sheet.cells.pop(at, None)
        return
    ((kind, value),) = entered.items()
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, str) and len(value) > _LONGEST_CELL):
        raise ApiError(400, f"{where}: {kind} cannot be {value!r}")
    if value == "":
        sheet.cells.pop(at, None)
    else:
        sheet.cells[at] = value


def _set_format(sheet: Worksheet, at: tuple[int, int], number_format: dict[str, str] | None, where: str) -> None:
    """A format that is named among the fields and not given is taken away."""
    if number_format is None:
        sheet.formats.pop(at, None)
        return
    if number_format.get("type") not in _NUMBER_TYPES:
        raise ApiError(400, f"{where}: there is no such number format: {number_format}")
    sheet.formats[at] = number_format


_KINDS_OF_REQUEST = {"addSheet": _add_sheet, "appendDimension": _append_dimension, "updateCells": _update_cells}


class _Connection(BaseHTTPRequestHandler):
    """A connection to the proxy, and within it one to a host of Google's."""

    protocol_version = "HTTP/1.1"
    google: Google
    host = ""

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def do_CONNECT(self) -> None:
        self.host = self.path.partition(":")[0]
        self.google.hosts.add(self.host)
        if self.host not in {LOGIN, SHEETS}:
            self.send_error(403)
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.connection = self.google.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.google.lock:
            answer = self.google.log_in(body) if self.host == LOGIN else self._sheets(body)
        if answer:
            code, document = answer
            content = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def _sheets(self, body: bytes) -> tuple[int, dict[str, Any]] | None:
        fault = self.google.faults.pop(0) if self.google.faults else GOOD
        if fault not in {GOOD, LOST}:
            return fault, ApiError(fault, "injected", "UNAVAILABLE").body
        try:
            document = self.google.answer(self.command, self.path, self.headers.get("authorization", ""), body)
        except ApiError as error:
            return error.code, error.body
        if fault == LOST:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        return 200, document


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up, as one does that does not trust the certificate."""

    def handle_error(self, *_whose: object) -> None: ...


@contextmanager
def running(authority: trustme.CA, folder: Path) -> Iterator[Google]:
    """A Google of its own for as long as the block runs, reached by all who respect the environment's proxy."""
    google = Google(authority, folder)
    handler = type("Handler", (_Connection,), {"google": google})
    with pytest.MonkeyPatch.context() as environment, _Server(("127.0.0.1", 0), handler) as server:
        for name in ("HTTPS_PROXY", "https_proxy"):
            environment.setenv(name, f"http://127.0.0.1:{server.server_port}")
        for name in ("NO_PROXY", "no_proxy", "GOOGLE_CLOUD_UNIVERSE_DOMAIN"):
            environment.delenv(name, raising=False)
        environment.setenv("REQUESTS_CA_BUNDLE", str(folder / "authority.pem"))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield google
        finally:
            server.shutdown()
            thread.join()
