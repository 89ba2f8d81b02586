"""Where the fields of lines end in each dialect, and the same lines as raw IMDb files have them: without quotes and escapes.

What is read needs no quoting then: fields are separated by a tab, or by a character that no field has where fields have tabs;
what stands for a line break is turned into one after reading. Does not belong here: which dialect a blob has (``dialect``),
which values are good (``read``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from film_assets.landing.dialect import Dialect

_TAB, _LF, _CR, _QUOTE, _BACKSLASH = (ord(c) for c in '\t\n\r"\\')
UNUSUAL = np.array([c for c in (*range(0x1F, 0, -1), 0x7F) if c not in (_TAB, _LF, _CR)], np.uint8)
"""Control characters, which hardly any text has."""

_ESCAPED = np.arange(256, dtype=np.uint8)
_ESCAPED[[ord(c) for c in "btvfZ0"]] = [ord(c) for c in "\b\t\v\f\x1a\0"]
"""What a character stands for after a backslash, but ``n`` and ``r``."""

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Plain:
    """Whole lines without quotes and escapes, one for one.

    Attributes:
        data: The lines.
        separator: What stands between fields.
        stand_ins: Characters that no line has, and what they stand for.
        faults: Which lines cannot be put so, each time with the reason; their text means nothing.
    """

    data: bytes
    separator: str = "\t"
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    faults: Sequence[tuple[Mask, str]] = ()


def plain(dialect: Dialect, data: bytes, line_break: str | None = None) -> Plain:
    """The lines, each ended by a line feed, without quotes and escapes; ``line_break`` stands for one within a field."""
    if not (dialect.quoted and b'"' in data) and not (dialect.escaped and not dialect.quoted and b"\\" in data):
        return Plain(data)
    chars = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(chars == _LF) + 1
    text = _unquoted(dialect, chars, ends) if dialect.quoted else _unescaped(chars, ends)
    return replace(text, stand_ins={line_break: "\n", **text.stand_ins}) if line_break else text


@dataclass(frozen=True)
class Quotes:
    """The quotes that open and close, in turn, on lines where each is closed; and which lines have one that is not."""

    places: Places
    unclosed: Mask


def quotes(chars: Bytes, ends: Places, *, escaped: bool) -> Quotes:
    """The quotes of the lines that end there."""
    found = chars == _QUOTE
    if escaped:
        found &= ~_after(chars, escapes(chars))
    places = np.flatnonzero(found)
    unclosed = np.diff(np.searchsorted(places, ends), prepend=0) % 2 == 1
    return Quotes(places[~unclosed[np.searchsorted(ends, places, "right")]], unclosed)


def _inside(chars: Bytes, quotes: Places) -> Mask:
    """Which bytes stand after a quote that opens, and not after the one that closes."""
    marks = np.zeros(len(chars), np.bool_)
    marks[quotes] = True
    return np.logical_xor.accumulate(marks)


def escapes(chars: Bytes) -> Places:
    """The backslashes that are not themselves escaped."""
    places = np.flatnonzero(chars == _BACKSLASH)
    begins = np.diff(places, prepend=-2) > 1
    first = np.maximum.accumulate(np.where(begins, places, 0))
    escapes: Places = places[(places - first) % 2 == 0]
    return escapes


def _after(chars: Bytes, places: Places) -> Mask:
    marks = np.zeros(len(chars) + 1, np.bool_)
    marks[places + 1] = True
    return marks[:-1]


def _unquoted(dialect: Dialect, chars: Bytes, ends: Places) -> Plain:
    found = quotes(chars, ends, escaped=dialect.escaped)
    inside = _inside(chars, found.places)
    opening, closing = found.places[::2], found.places[1::2]
    doubled = np.isin(closing + 1, opening)
    before, after = chars[opening - 1], chars[np.minimum(closing + 1, len(chars) - 1)]
    misplaced = np.zeros(len(ends), np.bool_)
    for places, wrong in (
        (opening, ~np.isin(before, [_TAB, _LF]) & ~np.isin(opening - 1, closing)),
        (closing, ~np.isin(after, [_TAB, _LF]) & ~doubled),
    ):
        misplaced[np.searchsorted(ends, places[wrong], "right")] = True
    dropped = [opening, closing[~doubled]]
    if dialect.escaped:
        backslashes = escapes(chars)
        here = inside[backslashes] | dialect.escaped_bare
        dropped.append(backslashes[here & np.isin(chars[backslashes + 1], [_QUOTE, _BACKSLASH])])
    faults = [
        (found.unclosed, "a quote is not closed on its line"),
        (misplaced, "a quote within a field that is not wrapped in quotes"),
    ]
    return _put(chars.copy(), ends, (chars == _TAB) & ~inside, np.concatenate(dropped), faults, {})


def _unescaped(chars: Bytes, ends: Places) -> Plain:
    backslashes = escapes(chars)
    meant = chars[backslashes + 1]
    broken = np.zeros(len(ends), np.bool_)
    broken[np.searchsorted(ends, backslashes[meant == _LF], "right")] = True
    between = (chars == _TAB) & ~_after(chars, backslashes)
    dropped = backslashes[(meant != ord("N")) & (meant != _LF)]
    out, stand_ins = chars.copy(), {}
    out[dropped + 1] = _ESCAPED[chars[dropped + 1]]
    faults = [(broken, "a line break in a field")]
    for letter, char, instead in zip("nr", "\n\r", _unusual(chars).tolist(), strict=False):
        places = backslashes[meant == ord(letter)] + 1
        if len(places):
            faults.append((_having(chars, ends, instead), "a control character in the line"))
            out[places] = instead
            stand_ins[chr(instead)] = char
    return _put(out, ends, between, dropped, faults, stand_ins)


def _unusual(chars: Bytes) -> Bytes:
    """Control characters, those first that the lines do not have."""
    counts = np.bincount(chars, minlength=256)[UNUSUAL]
    return UNUSUAL[np.argsort(counts, kind="stable")]


def _put(
    out: Bytes, ends: Places, between: Mask, dropped: Places, faults: list[tuple[Mask, str]], stand_ins: Mapping[str, str]
) -> Plain:
    """The lines without the dropped bytes, their fields separated by what none of them has."""
    used = [ord(c) for c in stand_ins]
    if np.any((out == _TAB) & ~between):
        separator = int(_unusual(out)[~np.isin(_unusual(out), used)][0])
        used.append(separator)
        faults.append((_having(out, ends, separator), "a control character in the line"))
        out[between] = separator
    else:
        separator = _TAB
    kept = np.ones(len(out), np.bool_)
    kept[dropped] = False
    return Plain(out[kept].tobytes(), chr(separator), stand_ins, [fault for fault in faults if fault[0].any()])


def _having(chars: Bytes, ends: Places, byte: int) -> Mask:
    found = np.zeros(len(ends), np.bool_)
    found[np.searchsorted(ends, np.flatnonzero(chars == byte), "right")] = True
    return found
