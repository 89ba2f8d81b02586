"""Files that lie under a web address as a source, IMDb's own data sets among them.

Belongs here: how a web server is asked for properties and bytes, and which version an answer is of. Does not belong here:
resuming, verifying and giving up (``remote``).
"""

import base64
import binascii
import weakref
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from time import time_ns

import httpx2

from film_assets.errors import SourceError
from film_assets.sources.base import Entry, Files, Listed
from film_assets.sources.location import WebPlace
from film_assets.sources.remote import ChangedError, RemoteSource, part_sent, refusal, unreachable, wrong_range

_REMEDY = "check the address, and the login or token in it"
_NO_HEAD = {HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
_NOT_SATISFIABLE = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


class WebSource(RemoteSource):
    """The files under one address.

    A file's version is its ETag, else its time of modification and size. Where a server gives neither, the version differs at
    every listing, so that such a file is downloaded every time.
    """

    def __init__(self, place: WebPlace, files: Files) -> None:
        """Connect to nothing yet.

        Args:
            place: The address.
            files: The blobs by short name, with the names each may have.
        """
        super().__init__(place.url, files)
        self._place = place
        self._query = f"?{place.query}" if place.query else ""
        self._client = httpx2.Client(
            auth=place.login,
            follow_redirects=True,
            timeout=httpx2.Timeout(60, connect=20),
            headers={"Accept-Encoding": "identity"},  # sizes and ranges are those of the file as it is
        )
        weakref.finalize(self, self._client.close)

    def __reduce__(self) -> tuple[type["WebSource"], tuple[WebPlace, Files]]:
        return WebSource, (self._place, self._files)

    def _entries(self) -> Sequence[Entry]:
        raise SourceError(f"{self.label}: a web server does not tell which files it has; leave out --all")

    def _look(self, blob: str, name: str) -> Listed | None:
        response = self._headers("HEAD", name)
        if response.status_code in _NO_HEAD or (response.is_success and not _length(response)):
            response = self._headers("GET", name, {"Range": "bytes=0-0"})
        try:
            if response.status_code != _NOT_SATISFIABLE:  # an empty file has no first byte
                self._check(response)
        except ChangedError:
            return None
        if (size := _length(response)) is None:
            raise SourceError(f"{self.label}: the server does not tell how long {name} is; put the files on one that does")
        return _listed(blob, name, size, response.headers)

    def _read(self, listed: Listed, offset: int) -> Generator[tuple[int, bytes], None, None]:
        return self._stream(listed, _resumption(listed, offset), partial(_sent, self.label, listed))

    def _read_range(self, listed: Listed, start: int, stop: int) -> Generator[bytes, None, None]:
        """Asked for without a condition: the answer says which version it is of, and the whole of another one is not wanted."""
        check = partial(_check_sent, self.label, listed, (start, stop))
        for _, piece in self._stream(listed, {"Range": f"bytes={start}-{stop - 1}"}, check):
            yield piece

    def _stream(
        self, listed: Listed, headers: dict[str, str], sent: Callable[[httpx2.Response], tuple[int, int]]
    ) -> Generator[tuple[int, bytes], None, None]:
        """The body of an answer, each piece with its position in the file."""
        try:
            with self._client.stream("GET", self._url(listed.file), headers=headers) as response:
                self._check(response)
                position, _ = sent(response)
                for piece in response.iter_raw():
                    yield position, piece
                    position += len(piece)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            fault = self._fault(error)
        else:
            return
        raise fault  # not in the handler: the library's error may hold a secret

    def _headers(self, method: str, name: str, headers: dict[str, str] | None = None) -> httpx2.Response:
        """The answer without its body."""
        try:
            with self._client.stream(method, self._url(name), headers=headers) as response:
                return response
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            fault = self._fault(error)
        raise fault

    def _url(self, name: str) -> str:
        return f"{self.label}/{name}{self._query}"

    def _check(self, response: httpx2.Response) -> None:
        if not response.is_success:
            raise refusal(self.label, response.status_code, "", _REMEDY)

    def _fault(self, error: Exception) -> SourceError:
        if isinstance(error, httpx2.TimeoutException):
            return unreachable(self.label, TimeoutError("timed out"))
        if isinstance(error, httpx2.NetworkError | httpx2.RemoteProtocolError | httpx2.ProxyError):
            return unreachable(self.label, error)
        return SourceError(f"{self.label}: cannot be asked ({type(error).__name__}); check the address")


def _listed(blob: str, name: str, size: int, headers: httpx2.Headers) -> Listed:
    etag, modified = _etag(headers), _last_modified(headers)
    weaker = f"{modified:%Y%m%dT%H%M%SZ}-{size}" if modified else f"unknown-{time_ns()}"
    return Listed(blob=blob, file=name, bytes=size, version=etag or weaker, etag=etag, last_modified=modified, md5=_md5(headers))


def _etag(headers: httpx2.Headers) -> str | None:
    return headers.get("ETag", "").removeprefix("W/").strip('"') or None


def _last_modified(headers: httpx2.Headers) -> datetime | None:
    try:
        return parsedate_to_datetime(headers.get("Last-Modified", "")).astimezone(UTC)
    except ValueError:
        return None


def _md5(headers: httpx2.Headers) -> str | None:
    try:
        return base64.b64decode(headers.get("Content-MD5", ""), validate=True).hex() or None
    except binascii.Error:
        return None


def _length(response: httpx2.Response) -> int | None:
    """Length of the whole file, if the answer tells."""
    ranged = response.status_code in {HTTPStatus.PARTIAL_CONTENT, _NOT_SATISFIABLE}
    text = response.headers.get("Content-Range", "").rpartition("/")[2] if ranged else response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _resumption(listed: Listed, offset: int) -> dict[str, str]:
    """Headers that ask for the rest if it is still that version, and for the whole if not or if there is no telling.

    If-Range does that in one request, also for a weak ETag, which If-Match would never accept.
    """
    if not offset:
        return {}
    if listed.etag:
        return {"Range": f"bytes={offset}-", "If-Range": f'"{listed.etag}"'}
    if listed.last_modified:
        return {"Range": f"bytes={offset}-", "If-Range": format_datetime(listed.last_modified, usegmt=True)}
    return {}


def _is_same(listed: Listed, headers: httpx2.Headers) -> bool | None:
    """Whether an answer is of the listed version; None where it does not tell."""
    etag, modified = _etag(headers), _last_modified(headers)
    if etag and listed.etag:
        return etag == listed.etag
    return modified == listed.last_modified if modified else None


def _sent(label: str, listed: Listed, response: httpx2.Response) -> tuple[int, int]:
    """Where the answer's body begins and ends in the file.

    Raises:
        ChangedError: It is of another version than the listed one.
        TransientError: It does not tell which part of the file it is.
    """
    if _is_same(listed, response.headers) is not False:
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            return part_sent(label, listed, response.headers.get("Content-Range"))
        if _length(response) in {None, listed.bytes}:
            return 0, listed.bytes
    raise ChangedError("was changed while it was read")


def _check_sent(label: str, listed: Listed, asked: tuple[int, int], response: httpx2.Response) -> tuple[int, int]:
    """Where the answer's body begins and ends in the file: as was asked for.

    Raises:
        ChangedError: It is of another version than the listed one.
        TransientError: It is another part of the file.
        SourceError: It is the whole file, or does not tell of which version it is.
    """
    sent = _sent(label, listed, response)
    if sent != asked:
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            raise wrong_range(label, listed)
        raise SourceError(f"{label}: the server sends {listed.file} only as a whole; put it on one that sends ranges of bytes")
    if _is_same(listed, response.headers) is None:
        raise SourceError(
            f"{label}: the server does not tell which version of {listed.file} it sends; put it on one that sends ETags"
        )
    return sent
