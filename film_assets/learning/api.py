"""Fetches a day's attempts from the statistics API into a file.

Belongs here: asking, trying again, giving up, and telling whether the answer is whole. Does not belong here: what its rows mean
(``attempts``).
"""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import stamina
from pydantic import SecretStr

from film_assets.common.retries import log_retries
from film_assets.errors import FilmAssetsError, SourceError, TransientError

if TYPE_CHECKING:
    import httpx2

SUFFIXES = (".json", ".part")
"""Of the files that there may be of a day: its answer, and one that is just being written."""

_NAME = "the statistics API"
_TRIES = stamina.AsyncRetryingCaller(attempts=5, timeout=None, wait_initial=1, wait_max=30, wait_jitter=1).on(TransientError)
_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_TIME = "%Y-%m-%d %H:%M:%S.%f"
_TAIL = 1024
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
        deadline: Seconds for a whole day's answer, all tries together.
    """

    url: str
    client: str
    key: SecretStr
    deadline: float


def fetch(statistics: Statistics, day: date, file: Path) -> int:
    """Put the attempts of a day into a file, a JSON list; how many there are. The file is replaced once they are all there.

    Raises:
        SourceError: The API refuses, or does not answer with a list.
        TransientError: It has not answered rightly within the deadline, after several tries.
    """
    log_retries()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(SUFFIXES[1])
    try:
        rows = asyncio.run(_within_deadline(statistics, day, part))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return rows


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


async def _within_deadline(statistics: Statistics, day: date, part: Path) -> int:
    tried = _Tried()
    try:
        async with asyncio.timeout(statistics.deadline):
            return await _TRIES(_try, statistics, day, part, tried)
    except TimeoutError:
        fault = f"{_NAME} has not sent the attempts of {day} within {statistics.deadline:g} s{tried}; try again later"
    raise TransientError(fault)


@dataclass
class _Tried:
    """What the last try that failed came to."""

    fault: str = ""

    def __str__(self) -> str:
        return f" ({self.fault})" if self.fault else ""


async def _try(statistics: Statistics, day: date, part: Path, tried: _Tried) -> int:
    import httpx2

    try:
        await _download(statistics, day, part)
        return _rows(part)
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        fault = TransientError(f"{_NAME} cannot be reached ({type(error).__name__}); check LEARNING_API_URL and the network")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SourceError(f"{_NAME} cannot be asked ({type(error).__name__}); check LEARNING_API_URL") from None
    except TransientError as error:
        fault = error
    tried.fault = str(fault)
    raise fault


async def _download(statistics: Statistics, day: date, part: Path) -> None:
    import httpx2

    parameters = {
        "client": statistics.client,
        "client_key": statistics.key.get_secret_value(),
        "start": datetime.combine(day, time.min).strftime(_TIME),
        "end": datetime.combine(day, time.max).strftime(_TIME),
    }
    async with (
        httpx2.AsyncClient(timeout=httpx2.Timeout(statistics.deadline, connect=20)) as client,
        client.stream("GET", statistics.url, params=parameters) as response,
    ):
        if not response.is_success:
            raise _refusal(response)
        with part.open("wb") as file:
            async for piece in response.aiter_bytes():
                file.write(piece)


def _refusal(response: "httpx2.Response") -> FilmAssetsError:
    status = response.status_code
    if status in _DENIED:
        return SourceError(f"{_NAME} refuses the client ({status}); check LEARNING_API_CLIENT and LEARNING_API_CLIENT_KEY")
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(f"{_NAME} is not able to answer now ({status}); try again later")
    return SourceError(f"{_NAME} does not answer as it should ({status}); check LEARNING_API_URL")


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
