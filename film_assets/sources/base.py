"""What a source is: a place that lists blobs and hands over the bytes of one, whole or a range of them.

Belongs here: the interface and what all sources share. Does not belong here: a particular service (a module each), nor what is
in a blob (``tables``) or how it is read (``engines``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from film_assets.common.progress import Progress
from film_assets.errors import SourceError

Files = Mapping[str, tuple[str, ...]]
"""Short name of each blob -> the names it may have at a source, each as it is or with ``.gz`` added."""

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Listed:
    """A blob as a source lists it.

    Attributes:
        blob: The short name: cast, crew, names, ratings or titles.
        file: Its name at the source, ``titles.tsv`` or ``title.basics.tsv.gz``.
        bytes: Its size there, compressed if it is.
        version: Changes when the content may have changed; never holds a secret. The ETag where there is one.
        etag: The ETag without quotes, where the source has one.
        last_modified: When it was last written, in UTC, where the source tells.
        md5: MD5 of its bytes there, in hex, where the source has one for the whole blob.
        left: The names of older files there that could have been the blob too.
    """

    blob: str
    file: str
    bytes: int
    version: str
    etag: str | None = None
    last_modified: datetime | None = None
    md5: str | None = None
    left: tuple[str, ...] = ()

    @property
    def choice(self) -> str | None:
        """One line that says which files were left; None where there was no choice."""
        if not self.left:
            return None
        others = " and ".join(self.left)
        return f"{self.blob}: {self.file} is taken, as it is newer than {others}; remove what is not wanted"


Look = Callable[[str, str], Listed | None]


@dataclass(frozen=True)
class Fetched:
    """The bytes of one version of a blob as a plain (not compressed) local file.

    ``temporary`` files lie in the folder given to ``fetch`` and are the caller's to delete; others belong to the user.
    """

    listed: Listed
    path: Path
    temporary: bool


@dataclass(frozen=True)
class Entry:
    """A file at a source, whatever it is: its name there, its size, and when it was written (UTC) where the source tells."""

    name: str
    bytes: int
    last_modified: datetime | None


class Source(Protocol):
    """A place five blobs come from.

    A source may be used from several threads, and be pickled for other processes: with the credentials it was given, so that the
    pickle is as secret as they are.
    """

    @property
    def label(self) -> str:
        """Where this is, fit to be shown: a URL or path without any secret."""
        ...

    def list(self) -> Mapping[str, Listed]:
        """Every blob there is, by short name.

        Raises:
            SourceError: The source cannot be read, or lacks a blob; the text says what to do.
        """
        ...

    def entries(self) -> Sequence[Entry]:
        """Every file there is, the blobs among them, by name.

        Raises:
            SourceError: The source cannot be read, or does not tell which files it has.
        """
        ...

    def fetch(self, listed: Listed, folder: Path, progress: Progress) -> Fetched:
        """The bytes of that blob, whole and verified; of a newer version if it has changed since it was listed.

        Raises:
            SourceError: It cannot be read, or does not arrive whole after several tries.
            HomeError: ``folder`` cannot be written to, or the disk is full.
        """
        ...

    def read_range(self, listed: Listed, start: int, stop: int) -> bytes:
        """The bytes from ``start`` up to ``stop`` of that very version, as they are at the source: of a ``.gz`` the compressed.

        Args:
            listed: The blob, as listed.
            start: Offset of the first byte.
            stop: Offset after the last byte.

        Returns:
            Exactly ``stop - start`` bytes.

        Raises:
            SourceError: They cannot be read, or the source hands over whole files only; ``TransientError`` if that may pass, or
                if there is another version now.
            ValueError: The range does not lie within the blob.
        """
        ...


class DeniedError(SourceError):
    """One name may not be read. Some services say so of names that do not exist, so other names are still tried."""


def check_range(listed: Listed, start: int, stop: int) -> None:
    """Let a range pass that lies within the blob.

    Raises:
        ValueError: It does not.
    """
    if not 0 <= start <= stop <= listed.bytes:
        raise ValueError(f"bytes {start} to {stop} do not lie within the {listed.bytes} of {listed.file}")


def find(label: str, blob: str, names: tuple[str, ...], look: Look, *, thorough: bool = False) -> Listed:
    """The newest of the files that are there under the names of a blob, each plain or compressed.

    Args:
        label: The source, for the error's text.
        blob: The short name.
        names: What it may be called.
        look: Given short name and name, tells of that file, or None if there is none.
        thorough: Whether files in a folder of such a name, as Kaggle unpacks them, are always looked for; else only where there
            is no other, as each look costs a request.

    Raises:
        SourceError: It is there under none of the names, may not be read, or is there several times and nothing tells which is
            newer.
    """
    plain = [candidate for name in names for candidate in (name, f"{name}.gz")]
    nested = [f"{name}/{file}" for name in names for file in ("data.tsv", name)]
    found, denied = _looked_for(blob, [*plain, *nested] if thorough else plain, look)
    if not found and not thorough:
        found, _ = _looked_for(blob, nested, look)
    if found:
        return _newest(label, found)
    zipped, _ = _looked_for(blob, [f"{name}.zip" for name in names], look)
    if zipped:
        raise zip_refused(label, zipped[0].file)
    fault = denied or f"{label}: the blob {blob} is not there"
    raise SourceError(f"{fault}; looked for {', '.join(plain)}")


def _looked_for(blob: str, candidates: Sequence[str], look: Look) -> tuple[Sequence[Listed], DeniedError | None]:
    """Those of the candidates that are there, and that the last of the others could not be told, if so."""
    found, denied = [], None
    for candidate in candidates:
        try:
            listed = look(blob, candidate)
        except DeniedError as error:
            denied = error
        else:
            found += [listed] if listed else []
    return found, denied


def _newest(label: str, found: Sequence[Listed]) -> Listed:
    if len(found) == 1:
        return found[0]
    newest, second, *_ = sorted(found, key=lambda listed: listed.last_modified or _EVER, reverse=True)
    if any(listed.last_modified is None for listed in found) or newest.last_modified == second.last_modified:
        raise SourceError(
            f"{label}: {newest.file} and {second.file} are both there, and nothing tells which is newer; remove one of them"
        )
    return replace(newest, left=tuple(listed.file for listed in found if listed is not newest))


def zip_refused(label: str, file: str) -> SourceError:
    """That a file is a zip archive, which may hold anything."""
    return SourceError(f"{label}: {file} is a zip archive; unpack it, and put the TSV file itself there, plain or as .gz")
