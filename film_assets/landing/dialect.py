r"""The dialect of a blob: which columns stand where, how fields are quoted or escaped, how lines end.

Four ways to write a field are in the wild. IMDb's own, where a quote and a backslash are ordinary characters. RFC 4180, as
spreadsheets and dataframe tools save it, where a field with quotes in it is wrapped in quotes and they are doubled. The same
with the quotes escaped by a backslash, as Spark and R do. And the text of PostgreSQL's COPY and MySQL's OUTFILE, without
quotes, where a backslash escapes what a field cannot hold. Reading one as another shifts columns or loads wrong text in
silence, so the dialect is decided from the file itself or the file is refused. Of a large file only parts are looked at: its
begin, and others all over it.

Evidence is what one way of writing has and another cannot have: raw files never wrap an id, a number, a list or a type; a
writer that quotes never leaves quotes bare; COPY never leaves a backslash bare. Where there is none a file is raw, as most are:
``\t`` or ``\n`` in a title tells nothing, as raw text may hold it. R escapes no backslash, Spark and DuckDB do: where quotes are
escaped, two backslashes within quotes are one. Does not belong here: which values of a field are good, taking fields apart
(``fields``).
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from heapq import merge
from itertools import islice
from operator import itemgetter

import numpy as np

from film_assets.errors import BlobError
from film_assets.landing.content import Content, whole_lines
from film_assets.tables import Blob, Column

NULL = b"\\N"
_MAX_HEADER = 64 * 1024
_WITNESSES = 2_000
"""How many fields with quotes are looked at before the dialect is decided."""
_WHOLE = 64 << 20
"""Larger files are not looked at as a whole, but at so many bytes in parts."""
_PART = 1 << 20
_PARTS = _WHOLE // _PART - 1  # beside the header

LONGEST = 64 << 10
"""Bytes in which a row of several lines is looked for where only a part of the file is there."""
_LOOKED_THROUGH = 2 << 20
"""Bytes that are looked through for the ends of such rows."""
_LINES = 20_000
"""Lines with quotes or backslashes that are looked at in a part, even if they tell nothing."""

_LONE_AMONG = 4
"""One field of so many that disagrees is an odd text, and decides nothing."""

_SHOWN = 200
"""Characters of a file that an error shows at most."""
_DELIMITERS = {",": "commas", ";": "semicolons", "|": "bars"}

_DOUBLED = r'"(?:[^"\n]|"")*"'
_ESCAPED = r'"(?:[^"\\\n]|\\.)*"'
_DOUBLED_LINES = r'"(?:[^"]|"")*"'
_ESCAPED_LINES = r'"(?:[^"\\]|\\.)*"'
_BARE = r'[^"\t\n][^\t\n]*|'
_WRAPPED, _WRAPPED_ESCAPED = (re.compile(pattern.encode()) for pattern in (_DOUBLED, _ESCAPED))
_FIELDS = [re.compile(rf"(?:^|\t)({wrapped}|{_BARE})(?=\t|$)".encode()) for wrapped in (_DOUBLED, _ESCAPED)]
_LONE_QUOTES = re.compile(rb'(?:[^"]*[^\W"]""(?=[^\W"]))+[^"]*')
"""Where every doubled quote stands between letters: so raw text may be, too."""
_BACKSLASH = re.compile(rb"\\(.?)")
_ESCAPE_AT_END = re.compile(rb"(?<!\\)(?:\\\\)*\\$")
_LINE_BREAK = re.compile(rb"\\?\r?\n")
_BARE_ESCAPE = re.compile(rb"\\[^N]")


@dataclass(frozen=True)
class Dialect:
    """How a blob is written.

    Attributes:
        columns: The column names of the header, in the file's order.
        quoted: Whether fields may be wrapped in quotes.
        crlf: Whether lines end with CR LF.
        body: Offset of the first byte after the header line.
        escaped: Whether a backslash escapes: within quotes a quote and itself, in a file without quoting what no field can hold.
        escaped_bare: Whether it does so in fields of a quoted file that are not wrapped, too.
    """

    columns: tuple[str, ...]
    quoted: bool
    crlf: bool
    body: int
    escaped: bool = False
    escaped_bare: bool = False

    @property
    def field_pattern(self) -> str:
        """A regular expression for one field, as it is written on one line."""
        if self.quoted:
            return rf"(?:{_ESCAPED if self.escaped else _DOUBLED}|{_BARE})"
        return r"(?:[^\t\n\\]|\\.)*" if self.escaped else r"[^\t\n]*"

    @property
    def most_tabs(self) -> int:
        """A row has fewer tabs than two rows, so that two with a fault each are not taken for one of several lines."""
        return max(2 * len(self.columns) - 3, 0)

    def end_of_row(self, text: bytes, start: int, stop: int) -> int | None:
        """Where the row ends that begins at ``start``, on one line or several; None where none does that is whole.

        ``stop`` is where a line ends, or the file.
        """
        row = self._row_pattern.match(text, start, stop)
        return row.end() if row and text.count(b"\t", start, row.end()) <= self.most_tabs else None

    @cached_property
    def _row_pattern(self) -> re.Pattern[bytes]:
        field = r"(?:[^\t\n\\]|\\\r\n|\\.)*" if self.escaped else r"[^\t\n]*"
        if self.quoted:
            field = rf"(?:{_ESCAPED_LINES if self.escaped else _DOUBLED_LINES}|{_BARE})"
        return re.compile(rf"{field}(?:\t{field}){{{len(self.columns) - 1}}}(?:\r?\n|\Z)".encode(), re.DOTALL)


class _Vote(Enum):
    """What a field or a line tells of the dialect."""

    BARE_QUOTE = auto()
    """A quote that is not wrapped: no quoting."""
    WRAPPED = auto()
    """Quotes around what raw files have none around."""
    DOUBLED = auto()
    """Wrapped, with doubled quotes inside."""
    LONE = auto()
    """The same, or nothing inside, but raw text may look so."""
    ESCAPED = auto()
    """Wrapped, with quotes inside escaped by a backslash."""
    PAIRED = auto()
    """Wrapped, with pairs of backslashes."""
    UNPAIRED = auto()
    """Wrapped, with a backslash that escapes nothing."""
    DOUBLED_NULL = auto()
    """A null whose backslash is doubled."""
    BARE_BACKSLASH = auto()
    """A backslash that escapes nothing: no escapes."""
    COPIED = auto()
    """A field that only a writer without quotes and with escapes writes."""
    ESCAPED_BARE = auto()
    """One whose quotes are escaped without being wrapped, as Python's does that wraps fields with tabs and line breaks alone."""


_WITH_LINE_BREAKS = {(True, False): _Vote.WRAPPED, (True, True): _Vote.WRAPPED, (False, True): _Vote.COPIED}
"""Whether fields are quoted and a backslash escapes, where they may have line breaks -> what a row of several lines tells."""


def recognise(blob: Blob, content: Content) -> Dialect:
    """The dialect of a blob, by at most 64 MiB of it.

    Raises:
        BlobError: It is empty, no TSV, lacks a column, or mixes the dialects; the text names blob and fault.
        SourceError: It cannot be read.
    """
    if content.size == 0:
        raise BlobError(f"{blob.short}: the blob is empty; upload it again")
    head = content.read(0, min(_MAX_HEADER, content.size))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BlobError(f"{blob.short}: the blob is written in UTF-16; save it as UTF-8")
    end = head.find(b"\n")
    line = head[: end if end >= 0 else _MAX_HEADER].removeprefix(codecs.BOM_UTF8)
    crlf = line.endswith(b"\r")
    line = line.removesuffix(b"\r")
    if b"\r" in line and line.isascii():
        raise BlobError(f"{blob.short}: lines end with CR alone; save it with line feeds (LF) at the ends of lines")
    header = _header(blob, line)
    if end < 0 or end + 1 >= content.size:
        raise BlobError(f"{blob.short}: there is no row after the header; upload the whole blob again")
    found = Dialect(tuple(header), quoted=False, crlf=crlf, body=end + 1)
    votes = _all_votes(blob, found, content) if content.size <= _WHOLE else _votes_of_parts(blob, found, content)
    counts = Counter(votes)
    quoted = line.startswith(b'"') or _is_quoted(blob, counts)
    if not quoted:
        return replace(found, escaped=_is_copied(blob, counts))
    escaped = _is_escaped(blob, counts)
    if not escaped and _doubles_backslashes(counts):
        raise BlobError(f"{blob.short}: quotes are doubled and backslashes too; save it without an escape character")
    escaped_bare = escaped and counts[_Vote.ESCAPED_BARE] * 10 > counts[_Vote.ESCAPED]
    return replace(found, quoted=True, escaped=escaped, escaped_bare=escaped_bare)


def _header(blob: Blob, line: bytes) -> list[str]:
    if not line.isascii() or b"\0" in line or b"\t" not in line:
        raise BlobError(f"{blob.short}: {_no_tsv(blob, line)}")
    header = [name.strip().strip('"') for name in line.decode().split("\t")]
    missing = [name for name in blob.column_names if name not in header]
    if missing:
        has = ", ".join(header)
        shown = has if len(has) <= _SHOWN else f"{has[:_SHOWN]}..."
        raise BlobError(f"{blob.short}: column {', '.join(missing)} is missing; the header has {shown}")
    twice = [name for name in blob.column_names if header.count(name) > 1]
    if twice:
        raise BlobError(f"{blob.short}: column {', '.join(twice)} stands in the header more than once")
    return header


def _no_tsv(blob: Blob, line: bytes) -> str:
    for delimiter, words in _DELIMITERS.items():
        names = {name.strip().strip('"') for name in line.decode(errors="replace").split(delimiter)}
        if names.issuperset(blob.column_names):
            return f"the fields are separated by {words}; save it with tabs between them"
    return f"this is no tab-separated file with a header line; expected columns {', '.join(blob.column_names)}"


def _is_quoted(blob: Blob, votes: Counter[_Vote]) -> bool:
    """Whether fields with quotes were wrapped by a writer."""
    bare = votes[_Vote.BARE_QUOTE]
    wrapped = votes[_Vote.WRAPPED] + votes[_Vote.DOUBLED] + votes[_Vote.ESCAPED]
    if not bare + wrapped:
        return votes[_Vote.LONE] > 1
    _refuse_mixed(blob, wrapped, bare, "some fields are quoted as in CSV (RFC 4180) and some are not")
    return wrapped > bare


def _is_escaped(blob: Blob, votes: Counter[_Vote]) -> bool:
    """Whether a backslash escapes within quotes."""
    doubled, escaped = votes[_Vote.DOUBLED], votes[_Vote.ESCAPED] + votes[_Vote.ESCAPED_BARE]
    if not doubled + escaped:
        return votes[_Vote.PAIRED] > 0 and not votes[_Vote.UNPAIRED]
    _refuse_mixed(blob, doubled, escaped, "some quotes are doubled as in CSV (RFC 4180) and some escaped by a backslash")
    return escaped > doubled


def _doubles_backslashes(votes: Counter[_Vote]) -> bool:
    """Whether a writer that doubles quotes has doubled backslashes too."""
    doubled = votes[_Vote.PAIRED] + votes[_Vote.COPIED]
    single = votes[_Vote.UNPAIRED] + votes[_Vote.BARE_BACKSLASH]
    return votes[_Vote.DOUBLED_NULL] > 1 or (votes[_Vote.DOUBLED] > 0 and doubled > 1 and not single)


def _is_copied(blob: Blob, votes: Counter[_Vote]) -> bool:
    """Whether a backslash escapes in a file without quoting; whoever escapes quotes leaves none bare."""
    copied = votes[_Vote.COPIED] + (0 if votes[_Vote.BARE_QUOTE] else votes[_Vote.ESCAPED_BARE])
    bare = votes[_Vote.BARE_BACKSLASH]
    _refuse_mixed(blob, copied, bare, "some backslashes are doubled as COPY and OUTFILE write them and some are not")
    return copied > bare


def _refuse_mixed(blob: Blob, some: int, others: int, words: str) -> None:
    least, total = min(some, others), some + others
    is_lone = least == 1 and total >= _LONE_AMONG
    if least and least * 10 > total and not is_lone:
        raise BlobError(f"{blob.short}: {words}; save it in one dialect")


def _all_votes(blob: Blob, dialect: Dialect, content: Content) -> list[_Vote]:
    parts = whole_lines(content, dialect.body, _PART)
    votes = (vote for lines in parts for vote in _votes(blob, dialect, bytes(lines), 0, len(lines), escapes_in=len(lines)))
    return list(islice(votes, _WITNESSES))


def _votes_of_parts(blob: Blob, dialect: Dialect, content: Content) -> list[_Vote]:
    """About as many from each part of a large file, the first of which follows the header."""
    votes: list[_Vote] = []
    for start in np.linspace(dialect.body, content.size - _PART, _PARTS, dtype=np.int64).tolist():
        data = content.read(start, start + _PART)
        first = 0 if start == dialect.body else data.find(b"\n") + 1
        found = _votes(blob, dialect, data, first, data.rfind(b"\n") + 1, escapes_in=_PART // 4)  # to look for takes long
        votes += islice(found, _WITNESSES // _PARTS + 1)
    return votes


def _votes(blob: Blob, dialect: Dialect, data: bytes, start: int, stop: int, *, escapes_in: int) -> Iterator[_Vote]:
    """What the whole lines there tell that have a quote, or a backslash that is not of a null."""
    columns = [blob.column(name) if name in blob.column_names else None for name in dialect.columns]
    ways = {(quoted, escaped): replace(dialect, quoted=quoted, escaped=escaped) for quoted, escaped in _WITH_LINE_BREAKS}
    done, lines, budget = start, 0, _LOOKED_THROUGH
    escapes = (found.start() for found in _BARE_ESCAPE.finditer(data, start, min(stop, start + escapes_in)))
    for at in merge(_quotes(data, start, stop), escapes):  # a pattern for both takes ten times as long
        if at < done:
            continue
        begin = max(data.rfind(b"\n", start, at), start - 1) + 1
        done = data.find(b"\n", at, stop)
        done = stop if done < 0 else done
        lines += 1
        if lines > _LINES:
            return
        last = stop if stop <= begin + LONGEST else data.rfind(b"\n", begin, begin + LONGEST) + 1
        ends = {way: each.end_of_row(data, begin, last) or 0 for way, each in ways.items()} if budget > 0 else {(False, False): 0}
        way, end = max(ends.items(), key=itemgetter(1))
        budget -= max(0, (end or last) - done)
        if end > done + 1:  # a row of several lines
            yield _WITH_LINE_BREAKS[way]
            done = end - 1 if data[end - 1] == ord("\n") else end
        line = data[begin:done].removesuffix(b"\r")
        yield from _votes_of_line(columns, _LINE_BREAK.sub(b" ", line))


def _quotes(data: bytes, start: int, stop: int) -> Iterator[int]:
    at = data.find(b'"', start, stop)
    while at >= 0:
        yield at
        at = data.find(b'"', at + 1, stop)


def _votes_of_line(columns: Sequence[Column | None], line: bytes) -> Iterator[_Vote]:
    fields = line.split(b"\t")
    if _ESCAPE_AT_END.search(line):  # of a line break, or of a backslash in raw text
        return
    if len(fields) == len(columns):
        for column, field in zip(columns, fields, strict=True):
            yield from _votes_of_field(column, field)
        return
    for pattern in _FIELDS if b'"' in line else ():
        apart = pattern.findall(line)
        if len(apart) == len(columns) and len(b"\t".join(apart)) == len(line):
            yield _Vote.WRAPPED
            fields = apart
            break
    else:
        if _BACKSLASH.sub(b"", line).count(b"\t") + 1 == len(columns):
            yield _Vote.COPIED
            return
        if line.count(b'"') % 2:
            return
    for field in fields:
        yield from _votes_of_field(None, field)


def _votes_of_field(column: Column | None, field: bytes) -> Iterator[_Vote]:
    quotes, backslashes = b'"' in field, b"\\" in field
    if not quotes and (not backslashes or field == NULL):
        return
    inner = field[1:-1]
    if field.strip(b'"') == b"\\" + NULL:
        yield _Vote.DOUBLED_NULL
    if _WRAPPED.fullmatch(field):
        yield from _votes_of_wrapped(column, inner)
    elif _WRAPPED_ESCAPED.fullmatch(field):
        yield _Vote.ESCAPED
    else:
        yield from _votes_of_bare(column, field)


def _votes_of_wrapped(column: Column | None, inner: bytes) -> Iterator[_Vote]:
    if _is_text(column) and (not inner or _LONE_QUOTES.fullmatch(inner)):
        yield _Vote.LONE
    elif inner.replace(b'""', b"") and b'""' in inner:
        yield _Vote.DOUBLED
    elif not _is_text(column):
        yield _Vote.WRAPPED
    escapes = [] if inner == NULL else _BACKSLASH.findall(inner)
    if escapes:
        yield _Vote.PAIRED if set(escapes) == {b"\\"} else _Vote.UNPAIRED


def _votes_of_bare(column: Column | None, field: bytes) -> Iterator[_Vote]:
    escapes = _BACKSLASH.findall(field)
    if field.count(b'"') > escapes.count(b'"'):
        yield _Vote.BARE_QUOTE
    elif b'"' in field:
        yield _Vote.ESCAPED_BARE
    if not escapes:
        return
    if column is not None and column.pattern is not None:
        written, meant = (re.fullmatch(column.pattern.encode(), text) for text in (field, _BACKSLASH.sub(rb"\1", field)))
        if written and not meant:
            yield _Vote.BARE_BACKSLASH
        elif meant and not written and set(escapes) <= {b"\\", b'"'}:
            yield _Vote.COPIED
    elif any(char not in b'\\"tnrbfvZ0' or not char for char in escapes):
        yield _Vote.BARE_BACKSLASH
    elif b"\\" in escapes:
        yield _Vote.COPIED


def _is_text(column: Column | None) -> bool:
    """Whether raw files may have any text there, quotes around it included."""
    return column is None or (column.type == "VARCHAR" and not (column.pattern or column.elements or column.label))
