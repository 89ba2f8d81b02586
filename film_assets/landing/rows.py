"""Where rows end: a field that is wrapped in quotes, or whose line breaks are escaped, may hold line breaks.

A row of several lines is taken for one only where it has the fields of a row, all of them well written, and fewer tabs than two
rows have, so that a quote left open by mistake costs its own line and none after it. Does not belong here: the fields of a row
(``fields``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from film_assets.landing.dialect import Dialect
from film_assets.landing.fields import UNUSUAL, Bytes, Mask, Places, escapes, plain, quotes

_LF, _TAB = (ord(c) for c in "\n\t")
_MISTAKES = 16
"""Lines left open by mistake right before a row of several lines that do not keep it from being found."""


@dataclass(frozen=True)
class Joined:
    """Rows of one line each.

    Attributes:
        data: The rows, each ended by a line feed, byte for byte at the place it had.
        going_on: Which of the lines go on in the next one; empty where none can.
        line_break: What stands for a line break within a field; None where there is none.
    """

    data: bytes
    going_on: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    line_break: str | None = None

    @property
    def lines(self) -> Places:
        """The line that each row begins on."""
        return np.flatnonzero(~_shifted(self.going_on))

    @property
    def continued(self) -> int:
        """How many lines go on with the row of the line before."""
        return int(np.count_nonzero(self.going_on))


def joined(dialect: Dialect, data: bytes, going_on: Mask | None = None) -> Joined:
    """The rows of whole lines, each ended by a line feed; ``going_on`` says which of them go on in the next, if that is known."""
    if going_on is None and not (dialect.quoted or dialect.escaped):
        return Joined(data)
    chars = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(chars == _LF) + 1
    several = _going_on(dialect, chars, ends) if going_on is None else going_on
    if not several.any():
        return Joined(data, several)
    unused = UNUSUAL[np.bincount(chars, minlength=256)[UNUSUAL] == 0]
    if not len(unused):
        return Joined(data, np.zeros(len(ends), np.bool_))
    out = chars.copy()
    out[ends[several] - 1] = unused[0]
    return Joined(out.tobytes(), several, chr(int(unused[0])))


def _going_on(dialect: Dialect, chars: Bytes, ends: Places) -> Mask:
    """Of the lines that end there, those whose row goes on in the next one."""
    open_lines = np.flatnonzero(_left_open(dialect, chars, ends))
    good = partial(_good, dialect, chars, ends)
    firsts, lasts = _pairs(open_lines, good) if dialect.quoted else _runs(open_lines[open_lines < len(ends) - 1], good)
    return _spread(len(ends), firsts, lasts)


def _shifted(lines: Mask) -> Mask:
    """The lines after these."""
    return np.concatenate(([False], lines))[:-1]


def _left_open(dialect: Dialect, chars: Bytes, ends: Places) -> Mask:
    """Which lines leave a quote open, or end with a backslash that escapes."""
    if dialect.quoted:
        return quotes(chars, ends, escaped=dialect.escaped).unclosed
    found = np.zeros(len(ends), np.bool_)
    if dialect.escaped:
        places = escapes(chars)
        found[np.searchsorted(ends, places[chars[places + 1] == _LF], "right")] = True
    return found


def _pairs(unclosed: Places, is_good: Callable[[Places, Places], Mask]) -> tuple[Places, Places]:
    """First and last lines of the rows that begin with a line that leaves a quote open and end with the next such line."""
    good = np.zeros(max(len(unclosed) - 1, 0), np.bool_)
    for offset in (0, 1):  # of pairs that do not overlap each time; the others matter only where some line is faulty
        firsts, lasts = unclosed[offset:-1:2], unclosed[offset + 1 :: 2]
        if offset and good[::2].all():
            break
        good[offset::2] = is_good(firsts, lasts)
    places = np.flatnonzero(good)
    if not len(places):
        return places, places
    starts = np.maximum.accumulate(np.where(np.diff(places, prepend=-2) > 1, places, 0))
    chosen = places[(places - starts) % 2 == 0]  # a line ends one row or begins one
    return unclosed[chosen], unclosed[chosen + 1]


def _runs(open_lines: Places, is_good: Callable[[Places, Places], Mask]) -> tuple[Places, Places]:
    """First and last lines of the rows whose lines all but the last are left open; some before the first may be so by mistake."""
    begins = np.diff(open_lines, prepend=-2) > 1
    firsts, lasts = open_lines[begins], open_lines[np.roll(begins, -1)] + 1
    found = [np.empty((2, 0), np.int64)]
    for _ in range(_MISTAKES + 1):
        good = is_good(firsts, lasts)
        found.append(np.array([firsts[good], lasts[good]]))
        left = ~good & (firsts + 1 < lasts)
        firsts, lasts = firsts[left] + 1, lasts[left]
        if not len(firsts):
            break
    together = np.concatenate(found, axis=1)
    return together[0], together[1]


def _good(dialect: Dialect, chars: Bytes, ends: Places, firsts: Places, lasts: Places) -> Mask:
    """Which of the lines from a first to a last one, none of which overlap, are a row."""
    if not len(firsts):
        return np.zeros(0, np.bool_)
    begins = np.concatenate(([0], ends[:-1]))
    spans = np.zeros(len(chars) + 1, np.int8)
    spans[begins[firsts]] += 1
    spans[ends[lasts]] -= 1
    inside = np.cumsum(spans[:-1], dtype=np.int8).astype(np.bool_)
    rows = np.array(chars[inside])
    line_ends = np.flatnonzero(rows == _LF)
    last = np.cumsum(lasts - firsts + 1) - 1
    tabs = np.diff(np.searchsorted(np.flatnonzero(rows == _TAB), line_ends[last]), prepend=0)
    rows[np.delete(line_ends, last)] = ord(" ")
    text = plain(dialect, rows.tobytes())
    plain_chars = np.frombuffer(text.data, np.uint8)
    plain_ends = np.flatnonzero(plain_chars == _LF) + 1
    fields = np.diff(np.searchsorted(np.flatnonzero(plain_chars == ord(text.separator)), plain_ends), prepend=0) + 1
    wanted = len(dialect.columns)
    good: Mask = (fields == wanted) & (tabs <= dialect.most_tabs)
    for faulty, _ in text.faults:
        good &= ~faulty
    return good


def _spread(count: int, firsts: npt.NDArray[np.int64], lasts: npt.NDArray[np.int64]) -> Mask:
    """The lines from each first one to before its last."""
    steps = np.zeros(count + 1, np.int8)
    steps[firsts] += 1
    steps[lasts] -= 1
    return np.cumsum(steps[:-1], dtype=np.int8).astype(np.bool_)
