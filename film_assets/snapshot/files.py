"""Database files as files: what is done to the working file and the snapshot as a whole.

DuckDB writes a file in blocks of one size behind a header, each with a checksum of its bytes in front, so where two files have
the same checksum they have the same block. Does not belong here: anything that is in a database.
"""

import fcntl
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

HEADER = 3 * 4096
"""Bytes before the first block."""

BLOCK = 1 << 18
"""Bytes of a block, unless a database was told otherwise."""


def copy(source: Path, target: Path) -> None:
    """Copy a file; the copy is whole whenever it is there."""
    unfinished = target.with_name(f"{target.name}.new")
    shutil.copyfile(source, unfinished)
    unfinished.replace(target)


def link(path: Path, name: Path) -> bool:
    """Give a file one more name; whether its file system can."""
    try:
        os.link(path, name)
    except OSError:
        return False
    return True


def is_free(path: Path) -> bool:
    """Whether a file has no other name and nobody has it open, whoever and for whatever.

    The kernel grants a lease for writing on no other file (Linux, ``fcntl(2)``). Where it grants none, no file is free.
    """
    with path.open("r+b") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except (OSError, AttributeError):
            return False
        return os.fstat(file.fileno()).st_nlink == 1


def separate(working: Path, snapshot: Path, spare: Path) -> None:
    """Give the working file bytes of its own, if it is the same file as the snapshot: those of a spare one, made the same.

    A spare file that somebody reads is left to them.
    """
    if working.exists() and snapshot.exists() and working.samefile(snapshot):
        if spare.exists() and not is_free(spare):
            spare.unlink()
        make_same(snapshot, spare)
        spare.replace(working)
    spare.unlink(missing_ok=True)


def make_same(source: Path, target: Path) -> None:
    """Make a database file the same as another, if it is one already by writing what differs, and see it on the disk."""
    if target.exists() and all(_is_in_blocks(path) for path in (source, target)):
        _write_differing(source, target)
    else:
        shutil.copyfile(source, target)
    sync(target)


def sync(path: Path) -> None:
    """See what was written to a file or folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_in_blocks(path: Path) -> bool:
    size = path.stat().st_size
    return size > HEADER and (size - HEADER) % BLOCK == 0


def _write_differing(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("r+b") as written:
        written.truncate(source.stat().st_size)
        written.write(read.read(HEADER))
        for block in np.flatnonzero(_checksums(source) != _checksums(target)).tolist():
            at = HEADER + block * BLOCK
            os.pwrite(written.fileno(), os.pread(read.fileno(), BLOCK, at), at)


def _checksums(path: Path) -> npt.NDArray[np.uint64]:
    blocks = np.memmap(path, np.uint8, "r", HEADER).reshape(-1, BLOCK)
    found: npt.NDArray[np.uint64] = np.ascontiguousarray(blocks[:, : np.uint64().nbytes]).view(np.uint64).ravel()
    return found
