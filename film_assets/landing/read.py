"""Reads the bytes of one piece into typed columns, and says what became of every line.

A piece is read in chunks. A clean chunk is read strictly in one go; one with any fault in it is gone through line by line,
without a Python loop: whole rows are rejected for a wrong number of fields, a NUL byte, a stray carriage return, text that is not
UTF-8, a bad or a repeated key; a bad value in another column becomes null, a bad element of a list is left out of it. Each is
recorded with its reason. Does not belong here: where pieces come from.
"""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product

import numpy as np
import numpy.typing as npt
import polars as pl

from film_assets.common.dtypes import dtypes
from film_assets.landing.dialect import Dialect
from film_assets.landing.fields import Bytes, Mask, Plain, plain
from film_assets.landing.rows import Joined, joined
from film_assets.tables import Blob, Column

NULL = "\\N"
_NULL_WORDS = ("NA", "N/A", "<NA>", "NULL", "NaN", "None")
_SPELLINGS = ["".join(letters) for word in _NULL_WORDS for letters in product(*({c.lower(), c.upper()} for c in word))]
_BLANKS = " \t"
"""What may stand around a number; what else looks blank in Unicode is a sign of damage."""
_WINDOW = 1 << 20
_CHUNK = 4 << 20
"""Bytes read at once: one fault costs no more than going through so many by line, and more at once reads no faster."""

_LF, _CR, _NUL = (ord(c) for c in "\n\r\0")

POLARS = dtypes(pl)
REJECTS = {"line": pl.Int64, "column": pl.String, "value": pl.String, "reason": pl.String, "text": pl.String}


@dataclass(frozen=True)
class Rows:
    """What was read from a piece.

    Attributes:
        frame: The loaded rows, with the columns and types the blob declares.
        lines: How many lines the piece has.
        continued: How many of them go on with the row of the line before.
        rejected: How many rows were rejected whole.
        rejects: Columns of ``REJECTS``; ``line`` counts from 0 within the piece.
    """

    frame: pl.DataFrame
    lines: int
    rejected: int
    rejects: pl.DataFrame
    continued: int = 0


@dataclass(frozen=True)
class _Chunk:
    """What was read from a chunk of a piece, and the line of each row; lines count from 0 within the chunk, or the piece."""

    rows: Rows
    places: npt.NDArray[np.int64]

    def after(self, lines: int) -> "_Chunk":
        """The same where so many lines of the piece come before."""
        return _Chunk(replace(self.rows, rejects=self.rows.rejects.with_columns(pl.col("line") + lines)), self.places + lines)


def read(blob: Blob, dialect: Dialect, data: bytes, going_on: Mask | None = None) -> Rows:
    """The rows of a piece, which begins at the beginning of a line.

    Args:
        blob: What the columns are.
        dialect: How the blob is written.
        data: The bytes of the piece.
        going_on: Which of its lines go on in the next one, where that is known.
    """
    if dialect.crlf:
        data = data.replace(b"\r\n", b"\n")
    if data and not data.endswith(b"\n"):
        data += b"\n"
    one_a_line = joined(dialect, data, going_on)
    return _at_their_lines(one_a_line, _read(blob, dialect, one_a_line))


def _at_their_lines(one_a_line: Joined, rows: Rows) -> Rows:
    """The same rows with the lines they begin on, where some go over several."""
    if one_a_line.line_break is None:
        return rows
    text = pl.col("text").str.replace_all(one_a_line.line_break, "\n", literal=True)
    rejects = rows.rejects.with_columns(text, line=pl.Series(one_a_line.lines).gather(rows.rejects["line"]))
    return replace(rows, lines=rows.lines + one_a_line.continued, continued=one_a_line.continued, rejects=rejects)


def _read(blob: Blob, dialect: Dialect, one_a_line: Joined) -> Rows:
    data = one_a_line.data
    chunks: list[_Chunk] = []
    lines = 0
    for part in _whole_lines(data, _CHUNK):
        text = plain(dialect, part, one_a_line.line_break)
        chunk = _strictly(blob, dialect, text) or _line_by_line(blob, dialect, part, text)
        chunks.append(chunk.after(lines))
        lines += chunk.rows.lines
    rows = _together(blob, [chunk.rows for chunk in chunks])
    if _rising(rows.frame, blob.key):
        return replace(rows, frame=rows.frame.set_sorted(blob.key[0]))
    if not rows.frame.select(pl.struct(blob.key).is_duplicated().any()).item():
        return rows
    return _each_key_once(blob, rows, np.concatenate([chunk.places for chunk in chunks]), data)


def _whole_lines(data: bytes, size: int) -> Iterator[bytes]:
    """The bytes in pieces of whole lines, each of about that size or one longer line."""
    offset = 0
    while offset < len(data):
        stop = len(data) if offset + size >= len(data) else data.rfind(b"\n", offset, offset + size) + 1
        if stop <= offset:
            stop = data.find(b"\n", offset) + 1 or len(data)
        yield data[offset:stop]
        offset = stop


def _together(blob: Blob, chunks: Sequence[Rows]) -> Rows:
    return Rows(
        pl.concat(
            [pl.DataFrame(schema={column.name: POLARS[column.type] for column in blob.columns}), *(c.frame for c in chunks)]
        ),
        sum(rows.lines for rows in chunks),
        sum(rows.rejected for rows in chunks),
        pl.concat([pl.DataFrame(schema=REJECTS), *(rows.rejects for rows in chunks)]),
    )


def _each_key_once(blob: Blob, rows: Rows, places: npt.NDArray[np.int64], data: bytes) -> Rows:
    """Of rows with the same key the first."""
    first = pl.struct(blob.key).is_first_distinct()
    reason = pl.lit(f"row rejected: {' and '.join(blob.key)} stood on an earlier line")
    repeated = _reject(rows.frame.with_columns(line=pl.Series(places)).filter(~first), blob.key[0], reason)
    lines = _lines(np.frombuffer(data, np.uint8))
    chosen = np.zeros(rows.lines, np.bool_)
    chosen[repeated["line"].to_numpy()] = True
    refused = repeated.join(lines.texts(chosen), on="line")
    others = rows.rejects.join(refused, on="line", how="anti")
    rejects = pl.concat([others, refused.select(*REJECTS)]).sort("line", maintain_order=True)
    return Rows(rows.frame.filter(first), rows.lines, rows.rejected + refused.height, rejects)


def _count(chars: Bytes, byte: int) -> int:
    return sum(int(np.count_nonzero(chars[at : at + _WINDOW] == byte)) for at in range(0, len(chars), _WINDOW))


def _strictly(blob: Blob, dialect: Dialect, text: Plain) -> _Chunk | None:
    """All rows of a chunk, or None where anything at all is wrong with one of them."""
    data = text.data
    chars = np.frombuffer(data, np.uint8)
    lines = _count(chars, _LF)
    separators = _count(chars, ord(text.separator))
    if text.faults or separators != lines * (len(dialect.columns) - 1) or b"\0" in data or b"\r" in data:
        return None
    try:
        frame = _parse(blob, dialect, text, typed=True)
    except pl.exceptions.PolarsError:
        return None
    if frame.height != lines:
        return None
    keys_missing = (pl.col(key).is_null() for key in blob.key)
    faults = [fault for column in blob.columns if (fault := _outside(column, _few_of(blob, column))) is not None]
    counts = frame.select(pl.sum_horizontal(fault.sum() for fault in (*keys_missing, *faults)))
    if counts.item() not in (0, None):
        return None
    return _Chunk(Rows(frame, lines, 0, pl.DataFrame(schema=REJECTS)), np.arange(lines))


def _parse(
    blob: Blob, dialect: Dialect, text: Plain, *, typed: bool, lenient: bool = False, only: Sequence[str] = ()
) -> pl.DataFrame:
    """The fields of whole lines as values or as texts; ``lenient`` makes null of what is no value of its type."""
    types = {column.name: POLARS[column.type] if typed else pl.String for column in blob.columns}
    schema = {f"_{i}" if name not in types else name: types.get(name, pl.String) for i, name in enumerate(dialect.columns)}
    wanted = list(only or types)
    if not text.data:
        return pl.DataFrame(schema={name: types[name] for name in wanted})
    frame = pl.scan_csv(
        codecs.BOM_UTF8 + text.data if text.data.startswith(codecs.BOM_UTF8) else text.data,  # of which Polars takes one away
        separator=text.separator,
        has_header=False,
        schema=schema,
        quote_char=None,
        null_values=NULL,
        ignore_errors=lenient,
    )
    if text.stand_ins:
        frame = frame.with_columns(pl.col(pl.String).str.replace_many(text.stand_ins))
    return frame.select(wanted).collect()


def _rising(frame: pl.DataFrame, key: tuple[str, ...]) -> bool:
    """Whether the rows are in the order of their key, and so none stands twice."""
    *firsts, last = (pl.col(name) for name in key)
    rising = reduce(
        lambda inner, column: (column > column.shift()) | ((column == column.shift()) & inner),
        reversed(firsts),
        last > last.shift(),
    )
    return bool(frame.select(rising.all()).item())


def _few_of(blob: Blob, column: Column) -> pl.Expr:
    """What to look at of a column to find any bad value: labels of lists and repeated ids once."""
    value = pl.col(column.name)
    if column.label and column.elements:
        return value.unique()
    if column.name == blob.range_column and len(blob.key) > 1:
        return value.filter(value.ne_missing(value.shift()))
    return value


def _outside(column: Column, value: pl.Expr) -> pl.Expr | None:
    """Where a value of the right type is none that the declaration allows; None where it allows every one."""
    faults = [fault for fault, _ in _faults(column, value)]
    if column.elements is not None:
        faults = [~value.str.contains(f"^(?:{column.elements})(?:,(?:{column.elements}))*$")]
        if column.label:
            faults.append(value.str.contains(f"(?i)(?:^|,)(?:{'|'.join(_NULL_WORDS)})(?:,|$)"))
    return reduce(lambda left, right: left | right, faults) if faults else None


def _faults(column: Column, value: pl.Expr) -> list[tuple[pl.Expr, str]]:
    """Where a value, or an element of a list, is none that the declaration allows, each time in words."""
    form, pattern = (column.form, column.pattern) if column.elements is None else (column.element_form, column.elements)
    faults = [value.is_in(_SPELLINGS)] if column.label else []
    words = ["a word that stands for null"] if column.label else []
    if pattern is not None:
        faults.append(~value.str.contains(f"^(?:{pattern})$"))
    faults += [~(value >= column.minimum)] if column.minimum is not None else []
    faults += [~(value <= column.maximum)] if column.maximum is not None else []
    return list(zip(faults, [*words, *[f"not {form}"] * len(faults)], strict=False))


@dataclass(frozen=True)
class _Lines:
    """The lines of a piece, and where each begins and ends in its bytes."""

    chars: Bytes
    begins: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def count(self, places: Mask) -> npt.NDArray[np.int64]:
        """How many of the marked bytes are in each line."""
        upto: npt.NDArray[np.int64] = np.searchsorted(np.flatnonzero(places), self.ends)
        return np.diff(upto, prepend=0)

    def having(self, byte: int) -> Mask:
        """Which lines have this byte, which few do."""
        found = np.zeros(len(self.ends), np.bool_)
        found[np.searchsorted(self.ends, np.flatnonzero(self.chars == byte), "right")] = True
        return found

    def bytes(self, chosen: Mask) -> bytes:
        """The bytes of the chosen lines."""
        if chosen.all():
            return self.chars.tobytes()
        return self.chars[np.repeat(chosen, self.ends - self.begins)].tobytes()

    def texts(self, chosen: Mask) -> pl.DataFrame:
        """Columns line and text of the chosen lines; what is not UTF-8 stands as the replacement character."""
        text = self.bytes(chosen).decode(errors="replace").split("\n")[:-1]
        return pl.DataFrame({"line": np.flatnonzero(chosen), "text": text}, schema={"line": pl.Int64, "text": pl.String})


def _lines(chars: Bytes) -> _Lines:
    ends = np.flatnonzero(chars == _LF) + 1
    return _Lines(chars, np.concatenate(([0], ends[:-1])), ends)


def _line_by_line(blob: Blob, dialect: Dialect, data: bytes, text: Plain) -> _Chunk:
    """Take out the lines with anything wrong, go through those alone, and put what can be loaded of them back in its place."""
    lines = _lines(np.frombuffer(data, np.uint8))
    plain_lines = lines if text.data is data else _lines(np.frombuffer(text.data, np.uint8))
    sound = np.ones(len(lines.ends), np.bool_)
    broken = []
    for faulty, reason in _broken(lines, plain_lines, dialect, text):
        broken.append(lines.texts(faulty & sound).with_columns(reason=pl.lit(f"row rejected: {reason}")))
        sound &= ~faulty
    frame, suspicious = _leniently(blob, dialect, replace(text, data=plain_lines.bytes(sound)), sound)
    strings = _parse(blob, dialect, replace(text, data=plain_lines.bytes(suspicious)), typed=False)
    mended, refused = _refuse_keys(blob, _typed(blob, strings.with_columns(line=pl.Series(np.flatnonzero(suspicious)))))
    loaded = mended.select("line", *(pl.col(f"_typed_{name}").alias(name) for name in blob.column_names))
    loaded, elements = _good_elements(blob, loaded)
    bad = pl.concat([refused, *_bad_values(blob, mended), *elements]).join(lines.texts(suspicious), on="line", how="left")
    together = pl.concat([frame, loaded.select(frame.columns)]).sort("line")
    rejects = pl.concat([*broken, bad], how="diagonal").select(pl.col(name).cast(dtype) for name, dtype in REJECTS.items())
    rejected = int(np.count_nonzero(~sound)) + refused.height
    rows = Rows(together.drop("line"), len(lines.ends), rejected, rejects.sort("line", maintain_order=True))
    return _Chunk(rows, together["line"].to_numpy())


def _leniently(blob: Blob, dialect: Dialect, text: Plain, sound: Mask) -> tuple[pl.DataFrame, Mask]:
    """The rows of the sound lines in which every value is good, with their lines; and which of the sound lines are left over."""
    frame = _parse(blob, dialect, text, typed=True, lenient=True).with_columns(line=pl.Series(np.flatnonzero(sound)))
    numbers = [column.name for column in blob.columns if column.type != "VARCHAR"]
    texts = _parse(blob, dialect, text, typed=False, only=numbers)
    unread = [frame[name].is_null() & texts[name].is_not_null() for name in numbers]
    outside = [fault for column in blob.columns if (fault := _outside(column, pl.col(column.name))) is not None]
    missing = [pl.col(key).is_null() for key in blob.key]
    left = frame.select(pl.any_horizontal(*unread, *outside, *missing).fill_null(value=False)).to_series()
    suspicious = np.zeros(len(sound), np.bool_)
    suspicious[frame["line"].filter(left).to_numpy()] = True
    return frame.filter(~left), suspicious


def _broken(lines: _Lines, plain_lines: _Lines, dialect: Dialect, text: Plain) -> Iterator[tuple[Mask, str]]:
    """Which lines cannot be taken apart into fields, each time with the reason."""
    yield from text.faults
    fields = plain_lines.count(plain_lines.chars == ord(text.separator)) + 1
    for found in np.unique(fields[fields != len(dialect.columns)]):
        yield fields == found, f"{found} fields instead of {len(dialect.columns)}"
    yield plain_lines.having(_NUL), "a NUL byte in the line"
    yield lines.having(_CR), "a carriage return in the line"
    yield _not_utf8(lines), "not UTF-8"


def _not_utf8(lines: _Lines) -> Mask:
    found = np.zeros(len(lines.ends), np.bool_)
    start = 0
    while start < len(lines.chars):
        stop = int(lines.ends[min(int(np.searchsorted(lines.ends, start + _WINDOW)), len(lines.ends) - 1)])
        try:
            lines.chars[start:stop].tobytes().decode()
        except UnicodeDecodeError as error:
            line = int(np.searchsorted(lines.ends, start + error.start, "right"))
            found[line] = True
            stop = int(lines.ends[line])
        start = stop
    return found


def _typed(blob: Blob, strings: pl.DataFrame) -> pl.DataFrame:
    """The texts of the fields, beside each its value as ``_typed_NAME`` and what is wrong with it as ``_fault_NAME``."""
    numbers = [column.name for column in blob.columns if column.type != "VARCHAR"]
    texts = strings.with_columns(pl.col(numbers).str.strip_chars(_BLANKS).replace("", None))
    typed = texts.with_columns(_value(column).alias(f"_typed_{column.name}") for column in blob.columns)
    judged = typed.with_columns(_fault(column).alias(f"_fault_{column.name}") for column in blob.columns)
    return judged.with_columns(
        pl.when(pl.col(f"_fault_{name}").is_null()).then(f"_typed_{name}").alias(f"_typed_{name}") for name in blob.column_names
    )


def _value(column: Column) -> pl.Expr:
    """A text as a value of the column's type, null where it is none; a whole number may end in ``.0``."""
    text = pl.col(column.name)
    if column.type not in ("VARCHAR", "DOUBLE"):
        text = text.str.replace(r"^([+-]?[0-9]+)\.0+$", "$1")
    return text.cast(POLARS[column.type], strict=False)


def _fault(column: Column) -> pl.Expr:
    """What is wrong with a value, in words; null where nothing is, and for a list, whose elements are looked at one by one."""
    value = pl.col(f"_typed_{column.name}")
    unreadable = value.is_null() & pl.col(column.name).is_not_null()
    outside = _faults(column, value) if column.elements is None else []
    return _words([(unreadable, f"not of type {column.type}"), *outside])


def _words(faults: Sequence[tuple[pl.Expr, str]]) -> pl.Expr:
    """The words for the first of the faults that is there."""
    return pl.coalesce(pl.when(fault).then(pl.lit(words)) for fault, words in faults)


def _good_elements(blob: Blob, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The rows with the good elements of each list alone, without blanks around them, and what was left out, once a list."""
    refused = []
    for column in blob.columns:
        element = pl.col(column.name)
        unclean = _outside(column, element) if column.elements is not None else None
        if unclean is None or not rows.select(unclean.any()).item():
            continue
        each = rows.select("line", element.str.split(",")).explode(column.name).with_columns(element.str.strip_chars())
        judged = each.filter(element != "").with_columns(reason=_words(_faults(column, element)))
        bad = judged.filter(pl.col("reason").is_not_null()).unique(maintain_order=True)
        refused.append(_reject(bad, column.name, "value dropped: " + pl.col("reason")))
        good = judged.filter(pl.col("reason").is_null()).group_by("line", maintain_order=True).agg(element.str.join(","))
        rows = rows.drop(column.name).join(good, on="line", how="left")
    return rows, refused


def _refuse_keys(blob: Blob, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with good keys, and what was refused."""
    refused = []
    for key in blob.key:
        reason = pl.when(pl.col(key).is_null()).then(pl.lit(f"{key} is empty")).otherwise(pl.col(f"_fault_{key}"))
        refused.append(_reject(frame.filter(pl.col(f"_typed_{key}").is_null()), key, "row rejected: " + reason))
        frame = frame.filter(pl.col(f"_typed_{key}").is_not_null())
    return frame, pl.concat(refused)


def _bad_values(blob: Blob, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for name in blob.column_names:
        fault = pl.col(f"_fault_{name}")
        yield _reject(frame.filter(fault.is_not_null()), name, "value dropped: " + fault)


def _reject(rows: pl.DataFrame, column: str, reason: pl.Expr) -> pl.DataFrame:
    return rows.select("line", column=pl.lit(column), value=pl.col(column), reason=reason)
