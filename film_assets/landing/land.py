"""Lands a blob: recognise its dialect, cut it, read the pieces that changed, account for all of them.

How the pieces are read, one after the other or side by side, here or elsewhere, is the caller's choice. Which slices are current
is for the caller to remember; nothing here deletes any. Does not belong here: how one piece is read (``slices``).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from film_assets.common.progress import Progress
from film_assets.errors import BlobError
from film_assets.landing import cut
from film_assets.landing.content import Content
from film_assets.landing.cut import Piece
from film_assets.landing.dialect import Dialect, recognise
from film_assets.landing.slices import NotSortedError, Slice, read_piece
from film_assets.tables import Blob

_READERS = 2
"""Pieces read side by side; each holds its bytes and its rows in memory."""

Known = Mapping[str, tuple[str, int]]
"""Range -> digest and number of lines of its current slice."""
Run = Callable[[Sequence[Callable[[], Slice]]], Iterable[Slice]]
"""Calls every one of the functions, which can be pickled, wherever it likes, and gives what they return in the same order.

What one of them raises it raises too; the others need not be called then.
"""


def in_threads(readings: Sequence[Callable[[], Slice]]) -> Iterator[Slice]:
    """Call two at a time in this process; the first error stops what has not begun."""
    readers = ThreadPoolExecutor(_READERS, "landing")
    try:
        futures = [readers.submit(reading) for reading in readings]
        for future in futures:
            yield future.result()
    finally:
        readers.shutdown(cancel_futures=True)


def land(blob: Blob, content: Content, landing: Path, known: Known, progress: Progress, *, run: Run = in_threads) -> list[Slice]:
    """Land a blob as slices in the folder ``landing``, one an id range, in the order of the ranges.

    Args:
        blob: What the columns are.
        content: The bytes of the blob, not compressed.
        landing: The folder slices are put into, and an unsorted blob meanwhile; made if it is not there.
        known: The current slices, which are not read again where their bytes are the same.
        progress: Told of the bytes that were read.
        run: How the pieces are read.

    Raises:
        BlobError: The blob is empty, no TSV, lacks a column, or no row of it can be read.
        SourceError: The content cannot be read.
    """
    dialect = recognise(blob, content)
    pieces = cut.in_place(blob, dialect, content)
    if pieces is not None:
        try:
            return _land(blob, dialect, [(piece, content) for piece in pieces], landing, known, progress, run)
        except NotSortedError:
            pass
    return _land_unsorted(blob, dialect, content, landing, known, progress, run)


def _land_unsorted(
    blob: Blob, dialect: Dialect, content: Content, landing: Path, known: Known, progress: Progress, run: Run
) -> list[Slice]:
    staged = landing / blob.short / "unsorted"
    staged.parent.mkdir(parents=True, exist_ok=True)
    try:
        with progress.task(f"sort {blob.short}", content.size, "bytes") as advance:
            pieces = cut.sorted_into_ranges(blob, dialect, content, staged, advance)
        return _land(blob, replace(dialect, crlf=False), pieces, landing, known, progress, run)
    except NotSortedError:
        raise BlobError(
            f"{blob.short}: rows cannot be told from lines within their fields; save it with one row a line"
        ) from None
    finally:
        for path in staged.parent.glob(f"{staged.name}.*"):
            path.unlink()


def _land(
    blob: Blob,
    dialect: Dialect,
    pieces: Sequence[tuple[Piece, Content]],
    landing: Path,
    known: Known,
    progress: Progress,
    run: Run,
) -> list[Slice]:
    readings = [partial(read_piece, blob, dialect, piece, where, landing, known.get(piece.range_key)) for piece, where in pieces]
    slices = []
    with progress.task(f"land {blob.short}", sum(piece.size for piece, _ in pieces), "bytes") as advance:
        for (piece, _), landed in zip(pieces, run(readings), strict=True):
            slices.append(landed)
            advance(piece.size)
    return account(blob, [piece for piece, _ in pieces], slices)


def account(blob: Blob, pieces: Sequence[Piece], slices: Sequence[Slice]) -> list[Slice]:
    """The slices of all pieces of a blob, each with the line of the blob it begins at.

    Raises:
        BlobError: No row of the blob can be read.
    """
    if not any(item.lines if item.written is None else item.written.rows for item in slices):
        raise BlobError(f"{blob.short}: {_why_nothing(slices)}")
    placed, first_line = [], 2
    for piece, item in zip(pieces, slices, strict=True):
        placed.append(replace(item, first_line=first_line if piece.lines is None else 0))
        first_line += item.lines
    return placed


def _why_nothing(slices: Sequence[Slice]) -> str:
    reasons = [reason for item in slices if item.written for reason in item.written.rejects["reason"].head(1)]
    return f"not one row of it can be read ({reasons[0].removeprefix('row rejected: ') if reasons else 'it has none'})"
