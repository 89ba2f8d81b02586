"""Copies blobs from a source into a folder, for people who want the files alone.

Belongs here: which files are copied, and what they are called. Does not belong here: how a blob is fetched, resumed and verified
(``sources``).
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from film_assets.common.progress import Progress
from film_assets.errors import HomeError, UnknownNameError, disk_full, is_disk_full
from film_assets.refresh.source import choose
from film_assets.settings import Settings
from film_assets.sources.base import Fetched, Listed, Source
from film_assets.tables import BLOBS, Blob

_ARRIVING = ".arriving"
"""The folder in the folder that files are in until they are whole."""


@dataclass(frozen=True)
class Downloaded:
    """A blob in a folder.

    Attributes:
        blob: Its short name.
        path: The plain file.
        bytes: Its size, not compressed.
        is_new: Whether it was copied now, as there was none, or another version.
    """

    blob: str
    path: Path
    bytes: int
    is_new: bool


def download(settings: Settings, folder: Path, names: Sequence[str], progress: Progress) -> list[Downloaded]:
    """Copy these blobs, or all five, into a folder as plain files: ``titles.tsv``, ...

    A file that is there already and was written when the blob was at the source is left alone. What was cut goes on where it was
    cut, when it is called again.

    Args:
        settings: The source.
        folder: Where to; made if it is not there.
        names: Short names of blobs; none for all.
        progress: Told of every download.

    Raises:
        UnknownNameError: One is no blob; the text names those there are.
        SourceError: The source cannot be read, or lacks a blob.
        HomeError: The folder cannot be written to, or the disk is full.
    """
    known = {blob.short: blob for blob in sorted(BLOBS, key=lambda blob: blob.short)}
    if unknown := [name for name in names if name not in known]:
        raise UnknownNameError(f"no blob is called {', '.join(unknown)}; there are {', '.join(known)}")
    source = choose(settings).source
    listed = source.list()
    try:
        (folder / _ARRIVING).mkdir(parents=True, exist_ok=True)
        return list(_copied(source, [(known[name], listed[name]) for name in names or known], folder, progress))
    except OSError as error:
        fault = disk_full(folder) if is_disk_full(error) else HomeError(f"cannot write to {folder}: {error.strerror or error}")
        raise fault from None


def _copied(source: Source, wanted: Sequence[tuple[Blob, Listed]], folder: Path, progress: Progress) -> Iterator[Downloaded]:
    arriving = folder / _ARRIVING
    for blob, listed in wanted:
        path = folder / blob.files[0]
        is_new = not _is_current(path, listed)
        if is_new:
            _put(source.fetch(listed, arriving, progress), path)
        yield Downloaded(blob.short, path, path.stat().st_size, is_new)
    arriving.rmdir()


def _is_current(path: Path, listed: Listed) -> bool:
    """Whether the file was written when the blob was, to the second, as some sources tell no more."""
    if not path.exists() or listed.last_modified is None:
        return False
    return abs(datetime.fromtimestamp(path.stat().st_mtime, UTC) - listed.last_modified).total_seconds() < 1


def _put(fetched: Fetched, path: Path) -> None:
    """Put a whole file in its place, with the time of the blob."""
    whole = fetched.path
    if not fetched.temporary:
        if path.exists() and path.samefile(whole):
            return
        whole = path.with_name(f"{path.name}.new")
        shutil.copyfile(fetched.path, whole)
    if fetched.listed.last_modified:
        seconds = fetched.listed.last_modified.timestamp()
        os.utime(whole, (seconds, seconds))
    whole.replace(path)
