"""Where slices go, and for a while the parts of a blob that is not sorted: the interface, and a local folder.

Belongs here: putting bytes and rows where every worker finds them. Does not belong here: what is in them (``slices``,
``unsorted``), and which files are in use (``engines``).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import uuid4

import polars as pl

from film_assets.landing.content import Content


class SliceStore(Protocol):
    """Where slices go; can be pickled, and used by several threads and processes.

    A file or a name is only ever written with the same content; that two do so at the same time does no harm.
    """

    def write(self, file: str, frame: pl.DataFrame) -> Any:
        """Write rows as a Parquet file, which is whole whenever it is there.

        Returns:
            What the engine wants to know of it, kept as ``Written.stored``.
        """
        ...

    def stage(self, name: str, data: bytes) -> None:
        """Put bytes under a name, whole whenever they are there; the name begins with a folder, like that of a file."""
        ...

    def staged(self, name: str, size: int) -> Content:
        """The bytes that were put under a name, and how many they are."""
        ...

    def remove_staged(self, folder: str) -> None:
        """Remove everything that was put under names in this folder; there may be nothing."""
        ...


@dataclass(frozen=True)
class FolderStore:
    """Slices in a folder, which is made if it is not there."""

    path: Path

    def write(self, file: str, frame: pl.DataFrame) -> None:
        """Write rows as a Parquet file, which is on the disk when this returns."""
        with _whole(self.path / file) as out:
            frame.write_parquet(out, compression="lz4", statistics=True)
            out.flush()
            os.fsync(out.fileno())

    def stage(self, name: str, data: bytes) -> None:
        """Put bytes into a file of this name."""
        with _whole(self.path / name) as out:
            out.write(data)

    def staged(self, name: str, size: int) -> Content:
        """The bytes of a file of this name."""
        return _StagedFile(self.path / name, size)

    def remove_staged(self, folder: str) -> None:
        """Remove a folder and all in it."""
        if (self.path / folder).exists():
            shutil.rmtree(self.path / folder)


@dataclass(frozen=True)
class _StagedFile:
    """A file that may be written again meanwhile, with the same bytes."""

    path: Path
    size: int

    def read(self, start: int, stop: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file to be written that is whole whenever it is there, whoever else writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{uuid4().hex}.tmp")
    try:
        with unfinished.open("wb") as out:
            yield out
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
