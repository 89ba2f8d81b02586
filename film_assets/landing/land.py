"""Lands a blob: recognise its dialect, cut it, read the pieces that changed, account for all of them.

How the pieces are read, one after the other or side by side, here or elsewhere, is the caller's choice. Which slices are current
is for the caller to remember; nothing here deletes any. Does not belong here: how one piece is read (``slices``), dividing a blob
that is not sorted (``unsorted``).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise

from film_assets.common.progress import Progress
from film_assets.errors import BlobError
from film_assets.landing.content import Content
from film_assets.landing.cut import Piece, in_place
from film_assets.landing.dialect import Dialect, recognise
from film_assets.landing.run import Run, in_threads
from film_assets.landing.slices import Known, NotSortedError, Slice, read_piece
from film_assets.landing.store import SliceStore
from film_assets.landing.unsorted import land_unsorted
from film_assets.tables import Blob


def land(
    blob: Blob,
    content: Content,
    store: SliceStore,
    known: Known,
    progress: Progress,
    *,
    run: Run = in_threads,
    piece_bytes: int | None = None,
) -> list[Slice]:
    """Land a blob as slices, one an id range or several, in the order of the ranges.

    Args:
        blob: What the columns are.
        content: The bytes of the blob, not compressed.
        store: Where slices are put, and the parts of an unsorted blob meanwhile.
        known: The current slices, which are not read again where their bytes are the same.
        progress: Told of the bytes that were read.
        run: How the pieces are read.
        piece_bytes: About how many bytes are read as one; larger ranges become several slices. None for a slice a range.

    Raises:
        BlobError: The blob is empty, no TSV, lacks a column, or no row of it can be read.
        SourceError: The content cannot be read.
    """
    dialect = recognise(blob, content)
    pieces = in_place(blob, dialect, content, piece_bytes)
    if pieces is not None:
        try:
            return account(blob, one_behind_the_other(_land(blob, dialect, content, pieces, store, known, progress, run)))
        except NotSortedError:
            pass
    try:
        return account(blob, land_unsorted(blob, dialect, content, store, known, progress, run, piece_bytes))
    except NotSortedError:
        raise BlobError(
            f"{blob.short}: rows cannot be told from lines within their fields; save it with one row a line"
        ) from None


def _land(
    blob: Blob,
    dialect: Dialect,
    content: Content,
    pieces: Sequence[Piece],
    store: SliceStore,
    known: Known,
    progress: Progress,
    run: Run,
) -> list[Slice]:
    readings = [partial(read_piece, blob, dialect, piece, content, store, known.get(piece.range_key)) for piece in pieces]
    slices = []
    with progress.task(f"land {blob.short}", sum(piece.size for piece in pieces), "bytes") as advance:
        for piece, landed in zip(pieces, run(readings), strict=True):
            slices.append(landed)
            advance(piece.size)
    return slices


def one_behind_the_other(slices: Sequence[Slice]) -> list[Slice]:
    """The slices of all pieces of a sorted blob, each with the line of the blob it begins at.

    Raises:
        NotSortedError: One has ids that are not behind those of the one before.
    """
    bounds = [(item.low, item.high) for item in slices if item.low is not None and item.high is not None]
    if any(low <= high for (_, high), (low, _) in pairwise(bounds)):
        raise NotSortedError
    first_lines = accumulate((item.lines for item in slices), initial=2)
    return [replace(item, first_line=line) for item, line in zip(slices, first_lines, strict=False)]


def account(blob: Blob, slices: Sequence[Slice]) -> list[Slice]:
    """The slices of all pieces of a blob, if there is anything in them.

    Raises:
        BlobError: No row of the blob can be read.
    """
    if not any(item.lines if item.written is None else item.written.rows for item in slices):
        raise BlobError(f"{blob.short}: {_why_nothing(slices)}")
    return list(slices)


def _why_nothing(slices: Sequence[Slice]) -> str:
    reasons = [reason for item in slices if item.written for reason in item.written.rejects["reason"].head(1)]
    return f"not one row of it can be read ({reasons[0].removeprefix('row rejected: ') if reasons else 'it has none'})"
