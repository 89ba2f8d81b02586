"""What a source is: a place that lists blobs and hands over the bytes of one, whole or a range of them.

Belongs here: the interface and what all sources share. Does not belong here: a particular service (a module each), nor what is
in a blob (``tables``) or how it is read (``engines``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from film_assets.common.progress import Progress
from film_assets.errors import SourceError

Files = Mapping[str, tuple[str, ...]]
"""Short name of each blob -> the names it may have at a source, best first, each as it is or with ``.gz`` added."""


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
    """

    blob: str
    file: str
    bytes: int
    version: str
    etag: str | None = None
    last_modified: datetime | None = None
    md5: str | None = None


@dataclass(frozen=True)
class Fetched:
    """The bytes of one version of a blob as a plain (not compressed) local file.

    ``temporary`` files lie in the folder given to ``fetch`` and are the caller's to delete; others belong to the user.
    """

    listed: Listed
    path: Path
    temporary: bool


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
    """One name may not be read. Some services say so of names that do not exist, so the next name is still tried."""


def check_range(listed: Listed, start: int, stop: int) -> None:
    """Let a range pass that lies within the blob.

    Raises:
        ValueError: It does not.
    """
    if not 0 <= start <= stop <= listed.bytes:
        raise ValueError(f"bytes {start} to {stop} do not lie within the {listed.bytes} of {listed.file}")


def find(label: str, blob: str, names: tuple[str, ...], look: Callable[[str, str], Listed | None]) -> Listed:
    """The blob under the first of its names that is there: in the order of ``names``, each plain before compressed.

    Args:
        label: The source, for the error's text.
        blob: The short name.
        names: What it may be called.
        look: Given short name and name, tells of that file, or None if there is none.

    Raises:
        SourceError: It is there under none of the names, or may not be read.
    """
    candidates = [candidate for name in names for candidate in (name, f"{name}.gz")]
    denied: DeniedError | None = None
    for candidate in candidates:
        try:
            listed = look(blob, candidate)
        except DeniedError as error:
            denied = error
        else:
            if listed:
                return listed
    fault = denied or f"{label}: the blob {blob} is not there"
    raise SourceError(f"{fault}; looked for {', '.join(candidates)}")
