"""Lands a blob: recognise, cut, hash, read what changed, write Parquet slices.

The slices carry the digest of their bytes in their names and are never written again: whoever reads one keeps what it read. Which
slices are current is for the caller to remember; nothing here deletes any. Does not belong here: where that is remembered.
"""

import hashlib
import mmap
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from film_assets.common.progress import Progress
from film_assets.errors import BlobError
from film_assets.landing import cut
from film_assets.landing.cut import Piece
from film_assets.landing.dialect import Dialect, recognise
from film_assets.landing.read import Rows, read
from film_assets.tables import Blob
from film_assets.tables.ranges import RANGES

LANDING_VERSION = "1"
"""To be raised when the same bytes would land differently."""

_READERS = 2
"""Pieces read side by side; each holds its bytes and its rows in memory."""


@dataclass(frozen=True)
class Slice:
    """One id range of a blob as it was landed.

    Attributes:
        range_key: The id range.
        digest: Of the bytes it was read from, and of how; the same digest, the same slice.
        lines: How many lines it has.
        first_line: The line of the blob its first line is; 0 where its rejects count lines of the blob themselves.
        written: The rows that were read and where they lie now; None where the digest was known.
    """

    range_key: str
    digest: str
    lines: int
    first_line: int
    written: "Written | None"


@dataclass(frozen=True)
class Written:
    """The Parquet file of a slice, with the rows it has and what was rejected.

    ``file`` is relative to the landing; ``rejected`` counts rows rejected whole; ``line`` of ``rejects`` counts from
    ``first_line``.
    """

    file: str
    rows: int
    rejected: int
    rejects: pl.DataFrame


_Found = tuple[str, int, Written | None]
"""Digest, number of lines, and what was written for a piece."""


class _NotSortedError(Exception):
    """The blob is not sorted by id: a piece holds ids of another range."""


def land(blob: Blob, path: Path, landing: Path, known: Mapping[str, tuple[str, int]], progress: Progress) -> list[Slice]:
    """Land the plain file ``path`` as slices in the folder ``landing``, one an id range, in the order of the ranges.

    ``known`` maps a range to the digest and number of lines of its current slice, which is not read again if its bytes are
    the same.

    Raises:
        BlobError: It is empty, no TSV, lacks a column, or no row of it can be read.
    """
    folder = landing / blob.short
    folder.mkdir(parents=True, exist_ok=True)
    if path.stat().st_size == 0:
        raise BlobError(f"{blob.short}: the blob is empty; upload it again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        dialect = recognise(blob, data)
        if cut.looks_sorted(blob, dialect, data):
            try:
                return _land(blob, dialect, cut.in_place(blob, dialect, path, data), folder, known, progress)
            except _NotSortedError:
                pass
        return _land_unsorted(blob, dialect, data, folder, known, progress)


def _land_unsorted(
    blob: Blob, dialect: Dialect, data: mmap.mmap, folder: Path, known: Mapping[str, tuple[str, int]], progress: Progress
) -> list[Slice]:
    staged = folder / "unsorted"
    try:
        with progress.task(f"sort {blob.short}", len(data), "bytes") as advance:
            pieces = cut.sorted_into_ranges(blob, dialect, data, staged, advance)
        return _land(blob, dialect, pieces, folder, known, progress)
    finally:
        for path in folder.glob(f"{staged.name}.*"):
            path.unlink()


def _land(
    blob: Blob,
    dialect: Dialect,
    pieces: list[Piece],
    folder: Path,
    known: Mapping[str, tuple[str, int]],
    progress: Progress,
) -> list[Slice]:
    total = sum(piece.stop - piece.start for piece in pieces)
    with progress.task(f"land {blob.short}", total, "bytes") as advance, ThreadPoolExecutor(_READERS) as readers:

        def one(piece: Piece) -> _Found:
            found = _slice(blob, dialect, piece, folder, known.get(piece.range_key))
            advance(piece.stop - piece.start)
            return found

        found = _all(readers, one, pieces)
    if not any(lines if written is None else written.rows for _, lines, written in found):
        raise BlobError(f"{blob.short}: {_why_nothing(found)}")
    slices, first_line = [], 2
    for piece, (digest, lines, written) in zip(pieces, found, strict=True):
        slices.append(Slice(piece.range_key, digest, lines, first_line if piece.lines is None else 0, written))
        first_line += lines
    return slices


def _all(readers: ThreadPoolExecutor, one: Callable[[Piece], _Found], pieces: list[Piece]) -> list[_Found]:
    """Every result in order; the first error stops what has not begun."""
    futures = [readers.submit(one, piece) for piece in pieces]
    try:
        return [future.result() for future in futures]
    finally:
        readers.shutdown(cancel_futures=True)


def _why_nothing(found: list[_Found]) -> str:
    reasons = [reason for _, _, written in found if written for reason in written.rejects["reason"].head(1)]
    return f"not one row of it can be read ({reasons[0].removeprefix('row rejected: ') if reasons else 'it has none'})"


def _slice(blob: Blob, dialect: Dialect, piece: Piece, folder: Path, known: tuple[str, int] | None) -> _Found:
    data = _bytes(piece)
    digest = _digest(blob, dialect, piece, data)
    if known and known[0] == digest:
        return digest, known[1], None
    rows = read(blob, dialect, data)
    _check_range(blob, piece, rows.frame)
    if piece.lines is not None:
        rows = _placed(blob, piece, rows)
    path = folder / f"{piece.range_key}-{digest[:16]}.parquet"
    _write(rows.frame, path)
    file = str(path.relative_to(folder.parent))
    return digest, rows.lines, Written(file, rows.frame.height, rows.rejected, rows.rejects)


def _bytes(piece: Piece) -> bytes:
    with piece.path.open("rb") as file:
        file.seek(piece.start)
        return file.read(piece.stop - piece.start)


def _digest(blob: Blob, dialect: Dialect, piece: Piece, data: bytes) -> str:
    how = (LANDING_VERSION, blob.code_version, dialect.columns, dialect.quoted, dialect.crlf)
    digest = hashlib.sha256(repr(how).encode())
    digest.update(data)
    if piece.lines is not None:
        digest.update(piece.lines.tobytes())
    return digest.hexdigest()


def _check_range(blob: Blob, piece: Piece, frame: pl.DataFrame) -> None:
    ids, bounds = frame[blob.range_column], RANGES[blob.range_column][piece.range_key]
    low, high = ids.min(), ids.max()
    if low is not None and (str(low) < (bounds.lower or "") or (bounds.upper is not None and str(high) >= bounds.upper)):
        raise _NotSortedError


def _placed(blob: Blob, piece: Piece, rows: Rows) -> Rows:
    """The rows of a piece of an unsorted blob: sorted like those of a sorted one, rejects with the lines of the blob."""
    lines = pl.Series(piece.lines)
    rejects = rows.rejects.with_columns(line=lines.gather(rows.rejects["line"]))
    return replace(rows, frame=rows.frame.sort(blob.key), rejects=rejects)


def _write(frame: pl.DataFrame, path: Path) -> None:
    """Write a file that is whole whenever it is there."""
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("wb") as out:
        frame.write_parquet(out, compression="lz4", statistics=True)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
