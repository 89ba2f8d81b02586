"""Cuts a blob at the bounds of the id ranges.

A blob sorted by id as a string is cut where it lies, by binary search in its bytes. An unsorted one is first sorted
into its ranges in a file of its own, a slower way to the same result. Does not belong here: what the fields of a line mean.
"""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from film_assets.common.progress import Advance
from film_assets.landing.dialect import Dialect
from film_assets.tables import Blob
from film_assets.tables.ranges import RANGES

_CHUNK = 32 << 20
_ID_WIDTH = 8
"""Bytes of an id that decide its range: more than any bound is long, fewer than any id has."""

_SAMPLES = 200

Lines = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Piece:
    """The bytes of one id range: where they are, and the line of the blob that each of its lines is.

    ``lines`` is None where they follow one another.
    """

    range_key: str
    path: Path
    start: int
    stop: int
    lines: Lines | None = None


def in_place(blob: Blob, dialect: Dialect, path: Path, data: mmap.mmap) -> list[Piece]:
    """The pieces of a blob that is sorted; where it is not, they hold ids of other ranges."""
    find_id = _finder(blob, dialect)
    bounds = [item.upper.encode() for item in RANGES[blob.range_column].values() if item.upper is not None]
    offsets = [dialect.body]
    for bound in bounds:
        offsets.append(_first_at_or_after(data, find_id, bound, offsets[-1]))
    offsets.append(len(data))
    return [
        Piece(key, path, start, stop) for key, start, stop in zip(RANGES[blob.range_column], offsets, offsets[1:], strict=False)
    ]


def looks_sorted(blob: Blob, dialect: Dialect, data: mmap.mmap) -> bool:
    """Whether ids taken from places all over the blob stand in order: False is certain, True a good guess."""
    find_id = _finder(blob, dialect)
    places = np.linspace(dialect.body, len(data) - 1, _SAMPLES, dtype=np.int64)
    found = [match[1] for place in places if (match := _line_with_id(data, find_id, data.rfind(b"\n", 0, int(place)) + 1))]
    return found == sorted(found)


def sorted_into_ranges(blob: Blob, dialect: Dialect, data: mmap.mmap, target: Path, advance: Advance) -> list[Piece]:
    """The pieces of an unsorted blob, whose lines are written to ``target`` range by range, in their order in the blob."""
    keys = list(RANGES[blob.range_column])
    starts = np.array([item.lower or "" for item in RANGES[blob.range_column].values()], dtype=f"S{_ID_WIDTH}")
    field = dialect.columns.index(blob.range_column)
    parts = [target.with_name(f"{target.name}.{key}") for key in keys]
    numbers: list[list[Lines]] = [[] for _ in keys]
    for path in parts:
        path.write_bytes(b"")
    for first_line, chunk in _chunks(data, dialect.body):
        begins, ends = _line_bounds(chunk)
        ranges = np.searchsorted(starts, _id_prefixes(chunk, begins, field, quoted=dialect.quoted), "right") - 1
        for index in np.unique(ranges):
            chosen = ranges == index
            numbers[index].append(np.flatnonzero(chosen) + first_line)
            with parts[index].open("ab") as out:
                out.write(chunk[np.repeat(chosen, ends - begins)].tobytes())
        advance(len(chunk))
    return [
        Piece(key, path, 0, path.stat().st_size, np.concatenate([np.empty(0, np.int64), *lines]))
        for key, path, lines in zip(keys, parts, numbers, strict=True)
    ]


def _finder(blob: Blob, dialect: Dialect) -> re.Pattern[bytes]:
    """Matches a line with a good id; group 1 is the id."""
    pattern = blob.column(blob.range_column).pattern
    skipped = dialect.columns.index(blob.range_column)
    quote = '"?' if dialect.quoted else ""
    return re.compile(rf"(?:[^\t\n]*\t){{{skipped}}}{quote}({pattern}){quote}[\t\r\n]".encode())


def _line_with_id(data: mmap.mmap, find_id: re.Pattern[bytes], offset: int) -> re.Match[bytes] | None:
    """The first line with a good id that begins at or after the offset, which is the beginning of a line."""
    while offset < len(data):
        if match := find_id.match(data, offset):
            return match
        following = data.find(b"\n", offset)
        if following < 0:
            return None
        offset = following + 1
    return None


def _first_at_or_after(data: mmap.mmap, find_id: re.Pattern[bytes], bound: bytes, low: int) -> int:
    """Offset of the first line whose id is not below the bound, by bisection between ``low`` and the end."""
    high = len(data)
    while low < high:
        middle = data.find(b"\n", (low + high) // 2, high) + 1
        if middle <= 0 or middle >= high:
            break
        match = _line_with_id(data, find_id, middle)
        if match and match[1] < bound:
            low = match.start()
        else:
            high = middle
    while low < high and (match := _line_with_id(data, find_id, low)) and match[1] < bound:
        following = data.find(b"\n", match.start())
        low = following + 1 if following >= 0 else len(data)
    return low


def whole_lines(data: bytes | mmap.mmap, offset: int, size: int) -> Iterator[bytes]:
    """The bytes from the offset on in pieces of whole lines, each of about that size or one longer line."""
    while offset < len(data):
        stop = len(data) if offset + size >= len(data) else data.rfind(b"\n", offset, offset + size) + 1
        if stop <= offset:
            stop = data.find(b"\n", offset) + 1 or len(data)
        yield data[offset:stop]
        offset = stop


def _chunks(data: mmap.mmap, offset: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """The bytes from the offset on in chunks of whole lines, each ended by a line feed, with the number of its first line."""
    line = 2
    for chunk in whole_lines(data, offset, _CHUNK):
        ended = chunk if chunk.endswith(b"\n") else chunk + b"\n"
        yield line, np.frombuffer(ended, np.uint8)
        line += ended.count(b"\n")


def _line_bounds(chunk: npt.NDArray[np.uint8]) -> tuple[Lines, Lines]:
    ends = np.flatnonzero(chunk == ord("\n")) + 1
    return np.concatenate(([0], ends[:-1])), ends


def _id_prefixes(chunk: npt.NDArray[np.uint8], begins: Lines, field: int, *, quoted: bool) -> npt.NDArray[np.bytes_]:
    """The first bytes of the given field of every line."""
    at = begins
    if field:
        tabs = np.flatnonzero(chunk == ord("\t"))
        wanted = np.minimum(np.searchsorted(tabs, begins) + field - 1, max(len(tabs) - 1, 0))
        at = tabs[wanted] + 1 if len(tabs) else begins
    if quoted:
        at = at + (chunk[np.minimum(at, len(chunk) - 1)] == ord('"'))
    places = np.minimum(at[:, None] + np.arange(_ID_WIDTH), len(chunk) - 1)
    return np.ascontiguousarray(chunk[places]).view(f"S{_ID_WIDTH}").ravel()
