"""What all sources on a network share: what is read goes on where it was cut, until it is whole and verified.

Belongs here: when to try again, when to begin anew, and when to give up. Does not belong here: how one service is asked for
properties and bytes (a module each).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import stamina

from film_assets.common.progress import Advance, Progress
from film_assets.common.retries import log_retries
from film_assets.errors import SourceError, TransientError
from film_assets.sources.base import DeniedError, Entry, Fetched, Files, Listed, check_range, find
from film_assets.sources.local import LocalFiles, home_faults

_STARTS = 3
"""How many versions of a blob are begun before it is given up as one that does not keep still."""

_LOOKERS = 4
"""Blobs that are looked for at a time, as each may have several names and each name takes a request."""

_CHANGED = {
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")
_REASONS = {
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted",
    "resolve": "the host is unknown",
    "Name or service": "the host is unknown",
    "nodename nor servname": "the host is unknown",
    "refused": "the connection is refused",
    "timed out": "no answer in time",
}


class ChangedError(Exception):
    """The blob at the source is not, or no longer, what was listed; its text says so as the rest of a sentence."""


_LISTING = stamina.RetryingCaller(attempts=4, timeout=None, wait_initial=0.5, wait_max=20, wait_jitter=0.5).on(TransientError)
_READING = stamina.RetryingCaller(attempts=8, timeout=None, wait_initial=0.5, wait_max=20, wait_jitter=0.5).on(TransientError)


log_retries()


class RemoteSource(ABC):
    """A source on a network.

    A service says how it is asked (``_look``, ``_read``, ``_read_range``), in terms of three errors: ``TransientError`` is
    tried again, ``ChangedError`` says that there is another version, and any other ``SourceError`` is final. None of them has the
    library's error as its cause or context, whose text may hold a secret.
    """

    def __init__(self, label: str, files: Files) -> None:
        self._label, self._files = label, files

    @property
    def label(self) -> str:
        """The address, without any secret."""
        return self._label

    def list(self) -> Mapping[str, Listed]:
        """Every blob there is, by short name.

        Raises:
            SourceError: The source cannot be read, or lacks a blob; the text says what to do.
        """
        with ThreadPoolExecutor(_LOOKERS, "look") as pool:
            return dict(zip(self._files, pool.map(self._find, self._files), strict=True))

    def entries(self) -> Sequence[Entry]:
        """Every file there is, the blobs among them, by name.

        Raises:
            SourceError: They cannot be listed, or the service does not tell which there are.
        """
        return _LISTING(self._entries)

    def fetch(self, listed: Listed, folder: Path, progress: Progress) -> Fetched:
        """The bytes of that blob, whole and verified; of a newer version if it has changed since it was listed.

        What has arrived stays in ``folder`` whatever happens, and the next call for the same version goes on from there.

        Args:
            listed: The blob, as listed.
            folder: Where its file is put; an existing folder.
            progress: Told of the download, and of decompressing; goes back where a download begins anew.

        Raises:
            SourceError: It cannot be read, or does not arrive whole after several tries.
            HomeError: ``folder`` cannot be written to, or the disk is full.
        """
        fault = ""
        with home_faults(folder):
            for _ in range(_STARTS):
                local = LocalFiles(folder, listed, self.label)
                try:
                    return self._fetch_version(listed, local, progress)
                except ChangedError as error:
                    fault = str(error)
                local.part.unlink(missing_ok=True)
                listed = self._find(listed.blob)
        raise TransientError(f"{self.label}: {listed.file} {fault}, {_STARTS} times over; try again when nobody writes to it")

    def read_range(self, listed: Listed, start: int, stop: int) -> bytes:
        """The bytes from ``start`` up to ``stop`` of that very version, as they are at the source: of a ``.gz`` the compressed.

        What was cut is asked for again from where it was cut, as in a download.

        Raises:
            SourceError: They cannot be read, or the service hands over whole files only; ``TransientError`` if that may pass, or
                if there is another version now.
            ValueError: The range does not lie within the blob.
        """
        check_range(listed, start, stop)
        arrived = BytesIO()
        try:
            while arrived.tell() < stop - start:
                _READING(self._gain_in_range, listed, start, stop, arrived)
        except ChangedError as error:
            fault = TransientError(f"{self.label}: {listed.file} {error}; run again when nobody writes to it")
        else:
            return arrived.getvalue()
        raise fault

    def _gain_in_range(self, listed: Listed, start: int, stop: int, arrived: BytesIO) -> None:
        """Read on; that it was cut counts as a failure only if nothing arrived."""
        before = arrived.tell()
        try:
            self._extend(listed, start, stop, arrived)
        except TransientError:
            if arrived.tell() == before:
                raise

    def _extend(self, listed: Listed, start: int, stop: int, arrived: BytesIO) -> None:
        before, wanted = arrived.tell(), stop - start
        with closing(self._read_range(listed, start + before, stop)) as pieces:
            for piece in pieces:
                if arrived.tell() + len(piece) > wanted:
                    arrived.seek(arrived.truncate(before))  # what came before may be as wrong
                    raise wrong_range(self.label, listed)
                arrived.write(piece)
        if arrived.tell() < wanted:
            raise _cut(self.label, listed)

    def _find(self, blob: str) -> Listed:
        return find(self.label, blob, self._files[blob], lambda short, name: _LISTING(self._look, short, name))

    def _fetch_version(self, listed: Listed, local: LocalFiles, progress: Progress) -> Fetched:
        local.sweep()
        if not local.plain.exists():
            self._download(listed, local.part, progress)
            if not local.is_sound():
                raise ChangedError("does not match the MD5 that stands with it")
            local.finish(self.label, progress)
        return Fetched(listed, local.plain, temporary=True)

    def _download(self, listed: Listed, part: Path, progress: Progress) -> None:
        part.touch()
        with progress.task(f"download {listed.file}", listed.bytes, "bytes") as advance:
            best = _size(part)
            advance(best)
            while best < listed.bytes:
                best = _READING(self._gain, listed, part, advance, best)
        if _size(part) > listed.bytes:
            raise ChangedError("is longer than the source says")

    def _gain(self, listed: Listed, part: Path, advance: Advance, best: int) -> int:
        """Download on, and tell how far; that it was cut counts as a failure only if it got no further than ever before."""
        try:
            self._append(listed, part, advance)
        except TransientError:
            if _size(part) <= best:
                raise
        return _size(part)

    def _append(self, listed: Listed, part: Path, advance: Advance) -> None:
        start = _size(part)
        with part.open("r+b") as file, closing(self._read(listed, start)) as pieces:
            file.seek(start)
            for position, piece in pieces:
                if position > file.tell():
                    raise wrong_range(self.label, listed)
                if position < file.tell():
                    advance(position - file.tell())
                    file.truncate(file.seek(position))
                file.write(piece)
                advance(len(piece))
                if file.tell() > listed.bytes:
                    raise ChangedError("is longer than the source says")
            if file.tell() < listed.bytes:
                raise _cut(self.label, listed)

    @abstractmethod
    def _entries(self) -> Sequence[Entry]:
        """Every file there is.

        Raises:
            SourceError: It cannot be told; ``TransientError`` if that may pass.
        """

    @abstractmethod
    def _look(self, blob: str, name: str) -> Listed | None:
        """The blob under that name, or None if there is none.

        Raises:
            SourceError: It cannot be told; ``TransientError`` if that may pass, ``DeniedError`` if it may not be read.
        """

    @abstractmethod
    def _read(self, listed: Listed, offset: int) -> Generator[tuple[int, bytes], None, None]:
        """The bytes of that version in order, from the offset on or from any place before it, each piece with its position.

        Raises:
            ChangedError: There is another version now, or none.
            SourceError: It cannot be read; ``TransientError`` if that may pass.
        """

    @abstractmethod
    def _read_range(self, listed: Listed, start: int, stop: int) -> Generator[bytes, None, None]:
        """The bytes of that version from ``start`` up to ``stop``, in order.

        Raises:
            ChangedError: There is another version now, or none.
            SourceError: They cannot be read; ``TransientError`` if that may pass.
        """


def part_sent(label: str, listed: Listed, content_range: str | None) -> tuple[int, int]:
    """Where the part of a file begins and ends that an answer has, by its ``Content-Range``.

    Raises:
        ChangedError: It is part of a file of another size.
        TransientError: The header is missing, or not well-formed.
    """
    match = _CONTENT_RANGE.fullmatch(content_range or "")
    if not match:
        raise wrong_range(label, listed)
    first, last, size = match.groups()
    if size not in {"*", str(listed.bytes)}:
        raise ChangedError("was changed while it was read")
    return int(first), int(last) + 1


def wrong_range(label: str, listed: Listed) -> TransientError:
    """An answer that has not the bytes that were asked for."""
    return TransientError(f"{label}: the service sends other bytes of {listed.file} than were asked for; try again later")


def refusal(label: str, status: int, detail: str, remedy: str) -> Exception:
    """What an answer that is not the one hoped for means.

    Args:
        label: The source.
        status: The HTTP status.
        detail: What the service says besides, from a fixed vocabulary; may be empty.
        remedy: What the user can do if reading is not permitted.

    Returns:
        The error to raise: one of the three kinds, or one that is final.
    """
    said = f"{status} {detail}".strip()
    if status in _CHANGED:
        return ChangedError("was changed or removed while it was read")
    if status in _DENIED:
        return DeniedError(f"{label}: reading is not permitted ({said}); {remedy}")
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(f"{label}: the service is not able to answer ({said}); try again later")
    return SourceError(f"{label}: the service refuses to answer ({said}); check the address")


def unreachable(label: str, error: Exception) -> TransientError:
    """No answer at all, said in words of our own: the library's may repeat the address with a secret in it."""
    text = str(error)
    reason = next((reason for mark, reason in _REASONS.items() if mark in text), "the connection failed")
    return TransientError(f"{label}: cannot be reached ({reason}); check the address and the network")


def _cut(label: str, listed: Listed) -> TransientError:
    return TransientError(f"{label}: {listed.file} ended before it was whole; check the connection and try again")


def _size(part: Path) -> int:
    return part.stat().st_size
