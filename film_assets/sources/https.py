"""Files that lie under a web address as a source, IMDb's own data sets among them.

Belongs here: how a web server is asked for properties and bytes. Does not belong here: resuming, verifying and giving up
(``remote``).
"""

import base64
import binascii
import weakref
from collections.abc import Generator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from time import time_ns

import httpx2

from film_assets.errors import SourceError
from film_assets.sources.base import Files, Listed
from film_assets.sources.location import WebPlace
from film_assets.sources.remote import ChangedError, RemoteSource, refusal, unreachable

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
        self._query = f"?{place.query}" if place.query else ""
        self._client = httpx2.Client(
            auth=place.login,
            follow_redirects=True,
            timeout=httpx2.Timeout(60, connect=20),
            headers={"Accept-Encoding": "identity"},  # sizes and ranges are those of the file as it is
        )
        weakref.finalize(self, self._client.close)

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
        try:
            with self._client.stream("GET", self._url(listed.file), headers=_resumption(listed, offset)) as response:
                self._check(response)
                position = _position(listed, response)
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


def _position(listed: Listed, response: httpx2.Response) -> int:
    """Where the answer's body begins in the file.

    Raises:
        ChangedError: The answer is of another version than the listed one.
    """
    etag, modified, size = _etag(response.headers), _last_modified(response.headers), _length(response)
    same = etag == listed.etag if etag and listed.etag else modified in {None, listed.last_modified}
    if not same or size not in {None, listed.bytes}:
        raise ChangedError("was changed while it was read")
    if response.status_code != HTTPStatus.PARTIAL_CONTENT:
        return 0
    return int(response.headers["Content-Range"].removeprefix("bytes ").partition("-")[0])
