"""The dialect of a blob: which columns stand where, whether fields are quoted, how lines end.

Two dialects are in the wild: IMDb's own, where a quote is an ordinary character, and files that a spreadsheet or dataframe tool
has saved again as RFC 4180, where a field with quotes in it is wrapped in quotes and they are doubled. Reading one as the other
shifts columns or loads wrong text in silence, so the dialect is decided from the file itself or the file is refused. Of a large
file only parts are looked at: its begin, and others all over it. Does not belong here: which values of a field are good.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from film_assets.errors import BlobError
from film_assets.landing.content import Content, whole_lines
from film_assets.tables import Blob

_BOM = b"\xef\xbb\xbf"
_MAX_HEADER = 64 * 1024
_WITNESSES = 2_000
"""How many fields with quotes are looked at before the dialect is decided."""
_WHOLE = 64 << 20
"""Larger files are not looked at as a whole, but at so many bytes in parts."""
_PART = 1 << 20
_PARTS = _WHOLE // _PART - 1  # beside the header

_WRAPPED = re.compile(rb'"(?:[^"]|"")*"')


@dataclass(frozen=True)
class Dialect:
    """How a blob is written.

    Attributes:
        columns: The column names of the header, in the file's order.
        quoted: Whether fields may be wrapped in quotes (RFC 4180).
        crlf: Whether lines end with CR LF.
        body: Offset of the first byte after the header line.
    """

    columns: tuple[str, ...]
    quoted: bool
    crlf: bool
    body: int


def recognise(blob: Blob, content: Content) -> Dialect:
    """The dialect of a blob, by at most 64 MiB of it.

    Raises:
        BlobError: It is empty, no TSV, lacks a column, or mixes the dialects; the text names blob and fault.
        SourceError: It cannot be read.
    """
    if content.size == 0:
        raise BlobError(f"{blob.short}: the blob is empty; upload it again")
    head = content.read(0, min(_MAX_HEADER, content.size))
    end = head.find(b"\n")
    line = head[: end if end >= 0 else _MAX_HEADER].removeprefix(_BOM)
    crlf = line.endswith(b"\r")
    header = _header(blob, line.removesuffix(b"\r"))
    if end < 0 or end + 1 >= content.size:
        raise BlobError(f"{blob.short}: there is no row after the header; upload the whole blob again")
    quoted = line.startswith(b'"') or _saved_as_rfc_4180(blob, content, end + 1)
    return Dialect(tuple(header), quoted=quoted, crlf=crlf, body=end + 1)


def _header(blob: Blob, line: bytes) -> list[str]:
    if not line.isascii() or b"\0" in line or b"\t" not in line:
        expected = ", ".join(blob.column_names)
        raise BlobError(f"{blob.short}: this is no tab-separated file with a header line; expected columns {expected}")
    header = [name.strip().strip('"') for name in line.decode().split("\t")]
    missing = [name for name in blob.column_names if name not in header]
    if missing:
        raise BlobError(f"{blob.short}: column {', '.join(missing)} is missing; the header has {', '.join(header)}")
    twice = [name for name in blob.column_names if header.count(name) > 1]
    if twice:
        raise BlobError(f"{blob.short}: column {', '.join(twice)} stands in the header more than once")
    return header


def _saved_as_rfc_4180(blob: Blob, content: Content, body: int) -> bool:
    """Whether the fields with quotes were wrapped by a writer; only those with quotes inside can tell."""
    votes = _all_votes(content, body) if content.size <= _WHOLE else _votes_of_parts(content, body)
    wrapped = sum(votes)
    if 0 < wrapped < len(votes) and min(wrapped, len(votes) - wrapped) * 10 > len(votes):
        raise BlobError(f"{blob.short}: some fields are quoted as in CSV (RFC 4180) and some are not; save it in one dialect")
    return wrapped * 2 > len(votes)


def _all_votes(content: Content, body: int) -> list[bool]:
    votes = (vote for lines in whole_lines(content, body, _PART) for vote in _votes(bytes(lines), 0, len(lines)))
    return list(islice(votes, _WITNESSES))


def _votes_of_parts(content: Content, body: int) -> list[bool]:
    """About as many from each part of a large file, the first of which follows the header."""
    votes: list[bool] = []
    for start in np.linspace(body, content.size - _PART, _PARTS, dtype=np.int64).tolist():
        data = content.read(start, start + _PART)
        first = 0 if start == body else data.find(b"\n") + 1
        votes += islice(_votes(data, first, data.rfind(b"\n") + 1), _WITNESSES // _PARTS + 1)
    return votes


def _votes(data: bytes, start: int, stop: int) -> Iterator[bool]:
    """For each field with quotes that can tell, of the whole lines there: whether it is wrapped with its inner quotes doubled."""
    at = data.find(b'"', start, stop)
    while at >= 0:
        begin = max(data.rfind(b"\t", start, at), data.rfind(b"\n", start, at), start - 1) + 1
        ends = [e for e in (data.find(b"\t", at, stop), data.find(b"\n", at, stop)) if e >= 0]
        end = min(ends, default=stop)
        field = data[begin:end].removesuffix(b"\r")
        inner = field[1:-1]
        if not _WRAPPED.fullmatch(field):
            yield False
        elif b'""' in inner and inner.replace(b'""', b""):
            yield True
        at = data.find(b'"', end, stop)
