"""Divides a blob that is not sorted by its id ranges, in two rounds of functions that can be called anywhere.

In the first round each takes a chunk of the blob, puts its rows in the order of the ranges and stages them (``spread``); in the
second each takes one range, or a part of it where it is large, from all chunks and reads it as a piece (``read_staged``). A large
range is divided by a hash of the id, so that all rows of an id are in one part. Does not belong here: what the fields of a line
mean.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, pairwise
from math import ceil
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from film_assets.common.progress import Progress
from film_assets.landing import cut
from film_assets.landing.content import Content, Parts
from film_assets.landing.cut import Piece
from film_assets.landing.dialect import Dialect
from film_assets.landing.fields import Bytes, Places, Plain, plain
from film_assets.landing.rows import joined
from film_assets.landing.run import Run
from film_assets.landing.slices import Known, KnownSlice, Slice, read_piece
from film_assets.landing.store import SliceStore
from film_assets.tables import Blob
from film_assets.tables.ranges import RANGES

_CHUNK = 16 << 20
"""Bytes of a chunk where none are asked for."""
_AT_ONCE = 1 << 20
"""Bytes put in order at once."""
_FINER = 4
"""Buckets of a range for each part of it, as some hold more than others, and some ranges more than others."""

_RANGE_WIDTH = 8
"""Bytes of an id that decide its range: more than any bound is long, fewer than any id has."""
_ID_WIDTH = 16
"""Bytes of an id that decide its bucket; of longer ids those after them do not count."""
_SPREADING = [np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93)]
"""Odd numbers with about as many ones as zeros, the same everywhere as the buckets must be."""

_NUMBER = np.dtype("<u4")
"""A line of a chunk as it is staged: twice its number, and one more where it goes on in the next line."""


@dataclass(frozen=True)
class Spread:
    """A chunk as it was staged: the rows of all buckets, one bucket after the other, and behind them a number for each line.

    Attributes:
        name: What it is staged under.
        rows: How many bytes are before each bucket, and in all; ranges have equally many buckets, and stand in their order.
        lines: How many lines are before each bucket, and in all.
    """

    name: str
    rows: Places
    lines: Places


@dataclass(frozen=True)
class Staged:
    """What a chunk has of a part of a range: where its rows and numbers lie, and the line of the blob the chunk begins at."""

    name: str
    size: int
    rows: tuple[int, int]
    numbers: tuple[int, int]
    first_line: int


def land_unsorted(
    blob: Blob,
    dialect: Dialect,
    content: Content,
    store: SliceStore,
    known: Known,
    progress: Progress,
    run: Run,
    piece_bytes: int | None,
) -> list[Slice]:
    """Land a blob whose rows stand in any order; the slices are those of the ranges in their order.

    Raises:
        NotSortedError: Rows cannot be told from lines within their fields.
        SourceError: The content cannot be read.
    """
    folder = f"{blob.short}/unsorted"
    store.remove_staged(folder)
    try:
        chunks = _spread_all(blob, dialect, content, store, f"{folder}/{uuid4().hex}", progress, run, piece_bytes)
        parts = list(_parts(blob, chunks, piece_bytes))
        readings = [
            partial(read_staged, blob, replace(dialect, crlf=False), key, number, staged, store, known.get(key))
            for key, number, staged in parts
        ]
        slices = []
        with progress.task(f"land {blob.short}", content.size - dialect.body, "bytes") as advance:
            for (_, _, staged), landed in zip(parts, run(readings), strict=True):
                slices.append(landed)
                advance(sum(stop - start for start, stop in (item.rows for item in staged)))
        return slices
    finally:
        store.remove_staged(folder)


def _spread_all(
    blob: Blob,
    dialect: Dialect,
    content: Content,
    store: SliceStore,
    folder: str,
    progress: Progress,
    run: Run,
    piece_bytes: int | None,
) -> list[Spread]:
    bounds = cut.chunks(blob, dialect, content, piece_bytes or _CHUNK)
    buckets = ceil(_FINER * content.size / len(RANGES[blob.range_column]) / piece_bytes) if piece_bytes else 1
    spreading = [
        partial(spread, blob, dialect, content, bound, buckets, store, f"{folder}/{number}")
        for number, bound in enumerate(bounds)
    ]
    chunks = []
    with progress.task(f"sort {blob.short}", content.size - dialect.body, "bytes") as advance:
        for (start, stop), chunk in zip(bounds, run(spreading), strict=True):
            chunks.append(chunk)
            advance(stop - start)
    return chunks


def spread(
    blob: Blob, dialect: Dialect, content: Content, bounds: tuple[int, int], buckets: int, store: SliceStore, name: str
) -> Spread:
    """Stage the rows of a chunk, which begins and ends where rows do, in the order of the ranges and of the buckets of each.

    There, lines end with a line feed alone.

    Raises:
        SourceError: The content cannot be read.
    """
    data = content.read(*bounds)
    if dialect.crlf:
        data = data.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n"):
        data += b"\n"
    rows = joined(dialect, data)
    sizes = np.diff(np.flatnonzero(np.frombuffer(rows.data, np.uint8) == ord("\n")) + 1, prepend=0)
    going_on = rows.going_on if len(rows.going_on) else np.zeros(len(sizes), np.bool_)
    lines = np.diff(np.flatnonzero(~going_on), prepend=-1)
    places = _places(blob, dialect, plain(dialect, rows.data, rows.line_break), buckets)
    order = np.argsort(places, kind="stable")
    numbers = np.arange(len(going_on), dtype=_NUMBER) * 2 + going_on.astype(_NUMBER)
    in_order = [*_in_order(np.frombuffer(data, np.uint8), sizes, order), *_in_order(numbers, lines, order)]
    store.stage(name, b"".join(in_order))
    count = len(RANGES[blob.range_column]) * buckets
    return Spread(name, _begins(places, sizes, count), _begins(places, lines, count))


def read_staged(
    blob: Blob,
    dialect: Dialect,
    key: str,
    part: int,
    staged: Sequence[Staged],
    store: SliceStore,
    known: Mapping[str, KnownSlice] | None = None,
) -> Slice:
    """Read what all chunks have of a part of a range, as ``read_piece`` does.

    Raises:
        NotSortedError: Rows cannot be told from lines within their fields.
    """
    contents = [store.staged(item.name, item.size) for item in staged]
    raw = [
        np.frombuffer(content.read(*item.numbers), _NUMBER).astype(np.int64)
        for content, item in zip(contents, staged, strict=True)
    ]
    lines = np.concatenate(
        [np.empty(0, np.int64), *(some // 2 + item.first_line for some, item in zip(raw, staged, strict=True))]
    )
    continued = np.concatenate([np.empty(0, np.bool_), *(some % 2 == 1 for some in raw)])
    content = Parts([(content, *item.rows) for content, item in zip(contents, staged, strict=True)])
    return read_piece(blob, dialect, Piece(key, 0, content.size, lines, continued, part), content, store, known)


def _places(blob: Blob, dialect: Dialect, text: Plain, buckets: int) -> Places:
    """The bucket of each row, counted from the first one of the first range."""
    starts = np.array([item.lower or "" for item in RANGES[blob.range_column].values()], dtype=f"S{_RANGE_WIDTH}")
    ids = _ids(text, dialect.columns.index(blob.range_column), _ID_WIDTH if buckets > 1 else _RANGE_WIDTH)
    prefixes = np.ascontiguousarray(ids[:, :_RANGE_WIDTH]).view(f"S{_RANGE_WIDTH}").ravel()
    ranges = np.searchsorted(starts, prefixes, "right") - 1
    within = _buckets(ids, buckets) if buckets > 1 else np.zeros(len(ids), np.int64)
    places: Places = ranges * buckets + within
    return places


def _ids(text: Plain, field: int, width: int) -> Bytes:
    """The first bytes of the given field of every line, a row each."""
    chars = np.frombuffer(text.data, np.uint8)
    at = np.concatenate(([0], np.flatnonzero(chars == ord("\n"))[:-1] + 1))
    if field:
        tabs = np.flatnonzero(chars == ord(text.separator))
        wanted = np.minimum(np.searchsorted(tabs, at) + field - 1, max(len(tabs) - 1, 0))
        at = tabs[wanted] + 1 if len(tabs) else at
    padded = np.concatenate((chars, np.full(width, ord("\n"), np.uint8)))
    ids: Bytes = np.lib.stride_tricks.sliding_window_view(padded, width)[at]
    return ids


def _buckets(ids: Bytes, count: int) -> Places:
    """A bucket for each id by its letters and digits, of which good ones have no others."""
    letters = np.logical_and.accumulate((ids >= ord("0")) & (ids <= ord("z")), axis=1)
    first, second = np.where(letters, ids, np.uint8(0)).view("<u8").T
    mixed = first * _SPREADING[0] ^ second * _SPREADING[1]
    mixed = (mixed ^ (mixed >> np.uint64(32))) * _SPREADING[2]
    buckets: Places = ((mixed >> np.uint64(33)) % np.uint64(count)).astype(np.int64)
    return buckets


def _in_order(values: npt.NDArray[np.generic], sizes: Places, order: Places) -> Iterator[bytes]:
    """The bytes of values that belong together, so many each time, in another order."""
    starts = np.cumsum(sizes) - sizes
    for some in np.array_split(order, values.nbytes // _AT_ONCE + 1):
        chosen = sizes[some]
        steps = np.repeat(starts[some] - (np.cumsum(chosen) - chosen), chosen)
        yield values[steps + np.arange(len(steps))].tobytes()


def _begins(places: Places, amounts: Places, count: int) -> Places:
    """What the rows before each place come to, and all of them."""
    sums = np.zeros(count + 1, np.int64)
    np.add.at(sums, places + 1, amounts)
    return np.cumsum(sums)


def _parts(blob: Blob, chunks: Sequence[Spread], piece_bytes: int | None) -> Iterator[tuple[str, int, list[Staged]]]:
    """Range, number within it, and what there is of it, of every part to be read; a range without any row is one, too."""
    keys = list(RANGES[blob.range_column])
    totals = np.diff(np.sum([chunk.rows for chunk in chunks], axis=0)).reshape(len(keys), -1)
    first_lines = list(accumulate((int(chunk.lines[-1]) for chunk in chunks), initial=2))
    for index, key in enumerate(keys):
        bounds = index * totals.shape[1] + np.array(_together(totals[index], piece_bytes))
        for number, (start, stop) in enumerate(pairwise(bounds.tolist())):
            parts = (_staged(chunk, start, stop, line) for chunk, line in zip(chunks, first_lines, strict=False))
            yield key, number, [part for part in parts if part.rows[0] < part.rows[1]]


def _together(sizes: Places, piece_bytes: int | None) -> list[int]:
    """Where parts of about so many bytes begin and end among buckets of these sizes, none of them empty but a single one."""
    if piece_bytes is None or not sizes.any():
        return [0, len(sizes)]
    filled = np.flatnonzero(sizes)
    groups = (np.cumsum(sizes)[filled] - 1) // piece_bytes
    return [0, *(filled[1:][np.diff(groups) > 0]).tolist(), len(sizes)]


def _staged(chunk: Spread, start: int, stop: int, first_line: int) -> Staged:
    rows, lines = ([int(begins[at]) for at in (start, stop, -1)] for begins in (chunk.rows, chunk.lines))
    numbers, numbers_end, size = (rows[2] + count * _NUMBER.itemsize for count in lines)
    return Staged(chunk.name, size, (rows[0], rows[1]), (numbers, numbers_end), first_line)
