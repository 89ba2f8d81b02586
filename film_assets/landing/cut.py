"""Cuts a blob at the bounds of the id ranges, and finer.

A blob sorted by id as a string is cut where it lies, by binary search in a few small parts of it. Does not belong here: blobs
that are not sorted (``unsorted``), what the fields of a line mean.
"""

import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from film_assets.landing.content import Content
from film_assets.landing.dialect import LONGEST, Dialect
from film_assets.landing.fields import Mask
from film_assets.tables import Blob
from film_assets.tables.ranges import RANGES

_LAST = 1.5
"""How much longer than others the last piece or chunk may be."""

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
    """The bytes of one id range in a content, or of a part of it, and the line of the blob that each of its lines is.

    ``lines`` is None where they follow one another; where they do not, ``continued`` says which go on in the next one. ``part``
    is its number within the range.
    """

    range_key: str
    start: int
    stop: int
    lines: Lines | None = None
    continued: Mask | None = None
    part: int = 0

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.stop - self.start


def in_place(blob: Blob, dialect: Dialect, content: Content, piece_bytes: int | None = None) -> list[Piece] | None:
    """The pieces of a blob that is sorted; None if ids from places all over it do not stand in order.

    That they do is a good guess only: the pieces of a blob that is not sorted after all hold ids of other ranges, or of pieces
    before. With ``piece_bytes`` a range that is longer is cut into several pieces of about so many bytes; an id stays whole.

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
    pieces = [Piece(key, *bounds) for key, bounds in zip(RANGES[blob.range_column], pairwise(offsets), strict=True)]
    return [part for piece in pieces for part in _finer(search, piece, piece_bytes)]


def chunks(blob: Blob, dialect: Dialect, content: Content, size: int) -> list[tuple[int, int]]:
    """Where chunks of the rows of a blob in any order begin and end, of about so many bytes each, always where a row ends.

    Raises:
        SourceError: The content cannot be read.
    """
    search = _Search(content, dialect, _id_pattern(blob, dialect))
    offsets = [dialect.body]
    while content.size - offsets[-1] > size * _LAST:
        offsets.append(search.end_of_row(offsets[-1] + size, content.size))
    return list(pairwise([*offsets, content.size] if offsets[-1] < content.size else offsets))


def _finer(search: "_Search", piece: Piece, size: int | None) -> list[Piece]:
    """The piece cut where the id changes, into ones of about so many bytes, at places that depend on its bytes alone."""
    offsets = [piece.start]
    while size and piece.stop - offsets[-1] > size * _LAST:
        offsets.append(search.end_of_id(offsets[-1] + size, piece.stop))
    if offsets[-1] < piece.stop or len(offsets) == 1:
        offsets.append(piece.stop)
    return [Piece(piece.range_key, *bounds, part=part) for part, bounds in enumerate(pairwise(offsets))]


def _id_pattern(blob: Blob, dialect: Dialect) -> re.Pattern[bytes]:
    """Matches where a line with a good id begins; group 1 is the id."""
    pattern = blob.column(blob.range_column).pattern
    skipped = dialect.columns.index(blob.range_column)
    quote = '"?' if dialect.quoted else ""
    return re.compile(rf"^(?:{dialect.field_pattern}\t){{{skipped}}}{quote}({pattern}){quote}[\t\r\n]".encode(), re.MULTILINE)


@dataclass(frozen=True)
class _Line:
    """A line with a good id: where it begins, where the next row does, the id, and whether the row is surely all of it."""

    start: int
    stop: int
    id: bytes
    whole: bool


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
        return self._last_below(bound, low, high, partial(self._first_and_keep, known))

    def _first_and_keep(self, known: list[_Line], place: int, stop: int) -> _Line | None:
        line = self._first_with_id(self._next_line(place, stop), stop)
        if line:
            insort(known, line, key=attrgetter("id"))
        return line

    def _last_below(self, bound: bytes, low: int, high: int, first: Callable[[int, int], _Line | None]) -> int:
        while low < high:
            middle = (low + high) // 2
            line = first(middle, high)
            if line and line.id < bound:
                low = line.stop
            else:
                high = middle
        return low

    def end_of_row(self, place: int, stop: int) -> int:
        """Where the first whole row with a good id ends of those that begin at or after the place; ``stop`` if there is none."""
        line = self._first_whole(place, stop)
        return line.stop if line else stop

    def end_of_id(self, place: int, stop: int) -> int:
        """Where the last whole row ends that has the id of the first one at or after the place; ``stop`` if there is none.

        By ever larger steps, as most ids have few rows, and then by bisection.
        """
        first = self._first_whole(place, stop)
        if first is None:
            return stop
        low, step = first.stop, 0
        while (line := self._first_whole(low + step, stop)) and line.id <= first.id:
            low, step = line.stop, step * 2 or _WINDOW
        return self._last_below(first.id + b"\0", low, line.start if line else stop, self._first_whole)

    def _first_whole(self, place: int, stop: int) -> _Line | None:
        """The first whole row with a good id of those that begin at or after the place, and before ``stop``."""
        line = self._first_with_id(self._next_line(place, stop), stop)
        while line and not line.whole:
            line = self._first_with_id(line.stop, stop)
        return line

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
                is_whole = end is not None or not self._several_lines
                end = end or text.find(b"\n", match.end() - 1, whole) + 1 or whole
                line = _Line(start + match.start(), start + end, match[1], is_whole)
                return line if line.start < stop else None
            start, text = start + whole, text[whole:]
            if start >= stop:
                break
        return None

    def _may_go_on(self, size: int) -> bool:
        """Whether a row may be longer than so many bytes and have several lines."""
        return self._several_lines and size < LONGEST

    @property
    def _several_lines(self) -> bool:
        """Whether a row may have them."""
        return self._dialect.quoted or self._dialect.escaped

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
