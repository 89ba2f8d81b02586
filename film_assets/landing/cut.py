"""Cuts a blob at the bounds of the id ranges.

A blob sorted by id as a string is cut where it lies, by binary search in a few small parts of it. An unsorted one is first sorted
into its ranges in files of their own, a slower way to the same result. Does not belong here: what the fields of a line mean.
"""

import re
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from film_assets.common.progress import Advance
from film_assets.landing.content import Content, FileContent, whole_lines
from film_assets.landing.dialect import LONGEST, Dialect
from film_assets.landing.fields import Mask, Plain, plain
from film_assets.landing.rows import joined, unfinished
from film_assets.tables import Blob
from film_assets.tables.ranges import RANGES

_CHUNK = 32 << 20
_ID_WIDTH = 8
"""Bytes of an id that decide its range: more than any bound is long, fewer than any id has."""

_SAMPLES = 200
_WINDOW = 16 << 10
"""Bytes read at once to look at a line."""
_WINDOWS = 512
"""Windows that are kept, as the search comes back to them."""
_LARGEST = 1024
"""Windows read at once where no line with an id is found for long."""

Lines = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Piece:
    """The bytes of one id range in a content, and the line of the blob that each of its lines is.

    ``lines`` is None where they follow one another; where they do not, ``continued`` says which go on in the next one.
    """

    range_key: str
    start: int
    stop: int
    lines: Lines | None = None
    continued: Mask | None = None

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.stop - self.start


def in_place(blob: Blob, dialect: Dialect, content: Content) -> list[Piece] | None:
    """The pieces of a blob that is sorted; None if ids from places all over it do not stand in order.

    That they do is a good guess only: the pieces of a blob that is not sorted after all hold ids of other ranges.

    Raises:
        SourceError: The content cannot be read.
    """
    search = _Search(content, dialect, _id_pattern(blob, dialect))
    known = search.sample(dialect.body)
    if any(before.id > after.id for before, after in pairwise(known)):
        return None
    offsets = [dialect.body]
    for item in RANGES[blob.range_column].values():
        offsets.append(content.size if item.upper is None else search.cut(item.upper.encode(), known, offsets[-1]))
    return [Piece(key, *bounds) for key, bounds in zip(RANGES[blob.range_column], pairwise(offsets), strict=True)]


def sorted_into_ranges(
    blob: Blob, dialect: Dialect, content: Content, target: Path, advance: Advance
) -> list[tuple[Piece, FileContent]]:
    """The pieces of an unsorted blob, each with its file beside ``target``, to which its lines are written in their order.

    There, lines end with a line feed alone.

    Raises:
        SourceError: The content cannot be read.
    """
    keys = list(RANGES[blob.range_column])
    starts = np.array([item.lower or "" for item in RANGES[blob.range_column].values()], dtype=f"S{_ID_WIDTH}")
    field = dialect.columns.index(blob.range_column)
    parts = [target.with_name(f"{target.name}.{key}") for key in keys]
    numbers: list[list[Lines]] = [[np.empty(0, np.int64)] for _ in keys]
    continued: list[list[Mask]] = [[np.empty(0, np.bool_)] for _ in keys]
    for path in parts:
        path.write_bytes(b"")
    first_line = 2
    for data in _whole_rows(dialect, content):
        rows = joined(dialect, data)
        ends = np.flatnonzero(np.frombuffer(rows.data, np.uint8) == ord("\n")) + 1
        going_on = rows.going_on if len(rows.going_on) else np.zeros(len(ends), np.bool_)
        lines = np.diff(np.flatnonzero(~going_on), prepend=-1)
        ranges = np.searchsorted(starts, _id_prefixes(plain(dialect, rows.data, rows.line_break), field), "right") - 1
        for index in np.unique(ranges):
            chosen = ranges == index
            places = np.flatnonzero(np.repeat(chosen, lines))
            numbers[index].append(places + first_line)
            continued[index].append(going_on[places])
            with parts[index].open("ab") as out:
                out.write(np.frombuffer(data, np.uint8)[np.repeat(chosen, np.diff(ends, prepend=0))].tobytes())
        first_line += int(lines.sum())
        advance(len(data))
    return [
        (Piece(key, 0, path.stat().st_size, np.concatenate(lines), np.concatenate(marks)), FileContent(path))
        for key, path, lines, marks in zip(keys, parts, numbers, continued, strict=True)
    ]


def _id_pattern(blob: Blob, dialect: Dialect) -> re.Pattern[bytes]:
    """Matches where a line with a good id begins; group 1 is the id."""
    pattern = blob.column(blob.range_column).pattern
    skipped = dialect.columns.index(blob.range_column)
    quote = '"?' if dialect.quoted else ""
    return re.compile(rf"^(?:{dialect.field_pattern}\t){{{skipped}}}{quote}({pattern}){quote}[\t\r\n]".encode(), re.MULTILINE)


@dataclass(frozen=True)
class _Line:
    """A line with a good id: where it begins, where the next row does, and the id."""

    start: int
    stop: int
    id: bytes


class _Search:
    """Looks for single lines of a content, with few and small reads."""

    def __init__(self, content: Content, dialect: Dialect, id_pattern: re.Pattern[bytes]) -> None:
        self._content, self._dialect, self._id_pattern = content, dialect, id_pattern
        self._window = lru_cache(_WINDOWS)(partial(_window, content))
        self._without_ids = 0, 0  # where no line with a good id begins

    def sample(self, start: int) -> list[_Line]:
        """Lines with good ids from places all over the content from ``start`` on: the first at or after each."""
        found: list[_Line] = []
        for place in np.linspace(start, self._content.size - 1, _SAMPLES, dtype=np.int64).tolist():
            if found and place < found[-1].stop:
                continue
            line = self._first_with_id(self._begin_of_line(place), self._content.size)
            if line is None:
                break
            found.append(line)
        return found

    def cut(self, bound: bytes, known: list[_Line], low: int) -> int:
        """Where the last line with an id below the bound ends; ``low`` if there is none from there on.

        By bisection between the known lines around it, to which those are added that it comes upon: the ids of lines that begin
        before ``low`` are below the bound, those of lines from ``high`` on are not.
        """
        at = bisect_left(known, bound, key=attrgetter("id"))
        low = max(low, known[at - 1].stop) if at else low
        high = known[at].start if at < len(known) else self._content.size
        while low < high:
            middle = (low + high) // 2
            line = self._first_with_id(self._next_line(middle, high), high)
            if line:
                insort(known, line, key=attrgetter("id"))
            if line and line.id < bound:
                low = line.stop
            else:
                high = middle
        return low

    def _begin_of_line(self, place: int) -> int:
        """Where the line begins that has the byte at this place."""
        while place > 0:
            number = (place - 1) // _WINDOW
            found = self._window(number).rfind(b"\n", 0, place - number * _WINDOW)
            if found >= 0:
                return number * _WINDOW + found + 1
            place = number * _WINDOW
        return 0

    def _next_line(self, place: int, stop: int) -> int:
        """Where the first line begins at or after the place, or ``stop`` where none does before."""
        at = place - 1
        for block in self._blocks(at):
            if (found := block.find(b"\n")) >= 0:
                return min(at + found + 1, stop)
            at += len(block)
            if at >= stop:
                break
        return stop

    def _first_with_id(self, start: int, stop: int) -> _Line | None:
        """The first line with a good id of those that begin from ``start`` on, where one does, and before ``stop``."""
        known_start, known_stop = self._without_ids
        if known_start <= start and stop <= known_stop:
            return None
        line = self._read_to_id(start, stop)
        self._remember_without_ids(start, line.start if line else stop)
        return line

    def _remember_without_ids(self, start: int, stop: int) -> None:
        """Of places that do not touch each other the longest."""
        known_start, known_stop = self._without_ids
        if start <= known_stop and known_start <= stop:
            self._without_ids = min(start, known_start), max(stop, known_stop)
        elif stop - start > known_stop - known_start:
            self._without_ids = start, stop

    def _read_to_id(self, start: int, stop: int) -> _Line | None:
        text = b""
        for block in self._blocks(start) if start < stop else ():
            text += block
            whole = len(text) if start + len(text) == self._content.size else text.rfind(b"\n") + 1
            if match := self._id_pattern.search(text, 0, whole):
                end = self._dialect.end_of_row(text, match.start(), whole)
                if end is None and self._may_go_on(whole - match.start()) and start + whole < self._content.size:
                    start, text = start + match.start(), text[match.start() :]
                    continue
                end = end or text.find(b"\n", match.end() - 1, whole) + 1 or whole
                line = _Line(start + match.start(), start + end, match[1])
                return line if line.start < stop else None
            start, text = start + whole, text[whole:]
            if start >= stop:
                break
        return None

    def _may_go_on(self, size: int) -> bool:
        """Whether a row may be longer than so many bytes and have several lines."""
        return (self._dialect.quoted or self._dialect.escaped) and size < LONGEST

    def _blocks(self, start: int) -> Iterator[bytes]:
        """The bytes from ``start`` on: two windows, then ever more at once."""
        for number in (start // _WINDOW, start // _WINDOW + 1):
            yield self._window(number)[max(0, start - number * _WINDOW) :]
        start, windows = (start // _WINDOW + 2) * _WINDOW, 2
        while start < self._content.size:
            stop = min(start + windows * _WINDOW, self._content.size)
            yield self._content.read(start, stop)
            start, windows = stop, min(windows * 2, _LARGEST)


def _window(content: Content, number: int) -> bytes:
    start, stop = (min(at * _WINDOW, content.size) for at in (number, number + 1))
    return content.read(start, stop)


def _whole_rows(dialect: Dialect, content: Content) -> Iterator[bytes]:
    """The bytes in pieces of whole rows, each line ended by a line feed alone."""
    rest, done = b"", dialect.body
    for lines in whole_lines(content, dialect.body, _CHUNK):
        done += len(lines)
        data = rest + (bytes(lines).replace(b"\r\n", b"\n") if dialect.crlf else lines)
        if done == content.size:
            yield data if data.endswith(b"\n") else data + b"\n"
            return
        stop = unfinished(dialect, data)
        yield data[:stop]
        rest = data[stop:]


def _id_prefixes(text: Plain, field: int) -> npt.NDArray[np.bytes_]:
    """The first bytes of the given field of every line."""
    chars = np.frombuffer(text.data, np.uint8)
    at = np.concatenate(([0], np.flatnonzero(chars == ord("\n"))[:-1] + 1))
    if field:
        tabs = np.flatnonzero(chars == ord(text.separator))
        wanted = np.minimum(np.searchsorted(tabs, at) + field - 1, max(len(tabs) - 1, 0))
        at = tabs[wanted] + 1 if len(tabs) else at
    places = np.minimum(at[:, None] + np.arange(_ID_WIDTH), len(chars) - 1)
    return np.ascontiguousarray(chars[places]).view(f"S{_ID_WIDTH}").ravel()
