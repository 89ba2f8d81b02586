"""Local files: those a blob is kept in while it arrives and until it is landed, and a range of any.

Belongs here: their names, checking and decompressing them, reading a range of one version, and what a full disk means. Does not
belong here: where the bytes come from (the sources), and what is in them (``landing``).
"""

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from film_assets.common.progress import Advance, Progress
from film_assets.errors import HomeError, SourceError, TransientError, disk_full, is_disk_full
from film_assets.sources.base import Listed, zip_refused

_GZIP_MAGIC, _ZIP_MAGIC = b"\x1f\x8b", b"PK\x03\x04"
_PIECE = 1 << 20


class LocalFiles:
    """Where one version of a blob lies in a folder; names are made of the short name and a digest, of nothing remote.

    Attributes:
        part: The bytes as they are at the source, as far as they have arrived.
        plain: The whole, checked and decompressed.
    """

    def __init__(self, folder: Path, listed: Listed, origin: str) -> None:
        digest = hashlib.sha256(f"{origin}\n{listed.file}\n{listed.version}".encode()).hexdigest()[:12]
        self._folder, self._listed, self._stem = folder, listed, f"{listed.blob}.{digest}"
        self.part = folder / f"{self._stem}.part"
        self.plain = folder / f"{self._stem}.tsv"

    def sweep(self) -> None:
        """Remove what is left of other versions of the blob."""
        ours = re.compile(re.escape(self._listed.blob) + r"\.[0-9a-f]{12}\.(part|tsv|tsv\.part)")
        for path in self._folder.iterdir():
            if ours.fullmatch(path.name) and not path.name.startswith(self._stem):
                path.unlink()

    def is_sound(self) -> bool:
        """Whether the part has the MD5 that the source has for the whole; true where it has none."""
        if self._listed.md5 is None:
            return True
        with self.part.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == self._listed.md5

    def finish(self, label: str, progress: Progress) -> None:
        """Make the plain file of the whole part, which is gone then.

        Raises:
            SourceError: The part is compressed and faulty, or a zip archive.
        """
        try:
            if not is_compressed(self.part, label, self._listed):
                self.part.replace(self.plain)
                return
            self.decompress(self.part, label, progress)
        except SourceError:
            self.part.unlink()  # or the next call would take it for a whole download
            raise
        self.part.unlink()

    def decompress(self, packed: Path, label: str, progress: Progress) -> None:
        """Make the plain file of a compressed one.

        Raises:
            SourceError: It cannot be read, or is no whole and sound gzip file.
        """
        unfinished = self.plain.with_name(f"{self.plain.name}.part")
        try:
            with unfinished.open("wb") as plain:
                for piece in self._unpacked(packed, label, progress):
                    plain.write(piece)
            unfinished.replace(self.plain)
        finally:
            unfinished.unlink(missing_ok=True)

    def _unpacked(self, packed: Path, label: str, progress: Progress) -> Iterator[bytes]:
        file = self._listed.file
        try:
            with packed.open("rb") as raw, progress.task(f"decompress {file}", self._listed.bytes, "bytes") as advance:
                yield from _pieces(raw, advance)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(
                f"{label}: the blob {self._listed.blob} cannot be decompressed from {file} ({error}); put a sound file there"
            ) from error


def is_compressed(path: Path, label: str, listed: Listed) -> bool:
    """Whether a file has to be decompressed; some are compressed without saying so in the name, and no TSV begins like that.

    Raises:
        SourceError: It is a zip archive, whatever it is called, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(len(_ZIP_MAGIC))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); mend its permissions") from error
    if begin == _ZIP_MAGIC:
        raise zip_refused(label, listed.file)
    return listed.file.endswith(".gz") or begin.startswith(_GZIP_MAGIC)


def file_version(state: os.stat_result) -> str:
    """What changes when a file is written: its time of modification, to the nanosecond, and its size."""
    return f"{state.st_mtime_ns}-{state.st_size}"


def read_range(path: Path, version: str, start: int, stop: int) -> bytes:
    """The bytes from ``start`` up to ``stop`` of that version of a file; may be called from several threads.

    Raises:
        TransientError: It is another version now, or gone.
        SourceError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = _read_at(file.fileno(), start, stop)
            found = file_version(os.fstat(file.fileno()))  # afterwards: it may be written while it is read
    except FileNotFoundError:
        found, data = "", b""
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); mend its permissions") from error
    if found != version or len(data) != stop - start:
        raise TransientError(f"{path} was changed or removed while it was read; run again when nobody writes to it")
    return data


def _read_at(file: int, start: int, stop: int) -> bytes:
    """The bytes there are; the system reads less than two GiB at once."""
    data = os.pread(file, stop - start, start)
    while len(data) < stop - start and (more := os.pread(file, stop - start - len(data), start + len(data))):
        data += more
    return data


@contextmanager
def home_faults(folder: Path) -> Iterator[None]:
    """Tell of a failure to write in the folder in words that say what to do.

    Raises:
        HomeError: In place of any OSError.
    """
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            fault = disk_full(folder)
        else:
            fault = HomeError(
                f"{folder}: cannot be written to ({error.strerror or error}); set FILM_ASSETS_HOME to a folder that can"
            )
        raise fault from error


def _pieces(raw: IO[bytes], advance: Advance) -> Iterator[bytes]:
    before = 0
    with gzip.open(raw) as stream:
        while piece := stream.read(_PIECE):
            yield piece
            advance(raw.tell() - before)
            before = raw.tell()
