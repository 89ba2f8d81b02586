"""Makes the slice of one piece: hash it, read it if it changed, write what was read as a Parquet file.

``read_piece`` depends on nothing but its arguments, which can all be pickled, so that it may run in any process that sees the
content and the store. A slice carries the digest of its bytes in its name and is never written again: whoever reads one
keeps what it read. Does not belong here: which pieces there are (``cut``), and what the pieces of a blob come to (``land``).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from film_assets.landing.content import Content
from film_assets.landing.cut import Lines, Piece
from film_assets.landing.dialect import Dialect
from film_assets.landing.read import Rows, read
from film_assets.landing.store import SliceStore
from film_assets.tables import Blob
from film_assets.tables.ranges import RANGES

LANDING_VERSION = "3"
"""To be raised when the same bytes would land differently."""


@dataclass(frozen=True)
class Slice:
    """One id range of a blob, or a part of it, as it was landed.

    Attributes:
        range_key: The id range.
        digest: Of the bytes it was read from, and of how; the same digest, the same slice.
        lines: How many lines it has.
        first_line: The line of the blob its first line is; 0 where its rejects count lines of the blob themselves, and as long as
            the slices before it are not known.
        written: The rows that were read and where they lie now; None where the digest was known.
        part: Its number within the range.
        low: The smallest id; None if it has no rows, or where it was known and this was not.
        high: The largest id, likewise.
    """

    range_key: str
    digest: str
    lines: int
    first_line: int
    written: "Written | None"
    part: int = 0
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True)
class KnownSlice:
    """A current slice: its lines, and its smallest and largest id, which only engines need that have several slices a range."""

    lines: int
    low: str | None = None
    high: str | None = None


Known = Mapping[str, Mapping[str, KnownSlice]]
"""Range -> digest -> current slice."""


@dataclass(frozen=True)
class Written:
    """The Parquet file of a slice, with the rows it has and what was rejected.

    ``file`` is relative to the store; ``rejected`` counts rows rejected whole, ``continued`` the lines that go on with the row
    of the line before; ``line`` of ``rejects`` counts from ``first_line``; ``stored`` is what the store tells of the file.
    """

    file: str
    rows: int
    rejected: int
    continued: int
    rejects: pl.DataFrame
    stored: Any = None


class NotSortedError(Exception):
    """The blob is not sorted by id: a piece holds ids of another range."""


def read_piece(
    blob: Blob,
    dialect: Dialect,
    piece: Piece,
    content: Content,
    store: SliceStore,
    known: Mapping[str, KnownSlice] | None = None,
) -> Slice:
    """Read one piece, and write its rows as a Parquet file into the store.

    Args:
        blob: What the columns are.
        dialect: How the blob is written.
        piece: Which bytes of the content.
        content: Where they are read.
        store: Where slices are; the file is put into the folder of the blob there.
        known: The current slices of the range by their digests; one is not read again if the bytes are the same.

    Returns:
        The slice, without the line of the blob it begins at.

    Raises:
        NotSortedError: The piece holds ids of another range.
        SourceError: The content cannot be read.
    """
    data = content.read(piece.start, piece.stop)
    digest = _digest(blob, dialect, piece, data)
    if known and (same := known.get(digest)):
        return Slice(piece.range_key, digest, same.lines, 0, None, piece.part, same.low, same.high)
    rows = read(blob, dialect, data, piece.continued)
    del data  # there is no need for it while the rows are written
    low, high = _bounds(rows.frame[blob.range_column])
    _check_range(blob, piece, low, high)
    if piece.lines is not None:
        rows = _placed(blob, rows, piece.lines)
    file = f"{blob.short}/{piece.range_key}-{digest[:16]}.parquet"
    stored = store.write(file, rows.frame)
    written = Written(file, rows.frame.height, rows.rejected, rows.continued, rows.rejects, stored)
    return Slice(piece.range_key, digest, rows.lines, 0, written, piece.part, low, high)


def _digest(blob: Blob, dialect: Dialect, piece: Piece, data: bytes) -> str:
    how = (
        LANDING_VERSION,
        blob.code_version,
        dialect.columns,
        dialect.quoted,
        dialect.crlf,
        *(["escaped"] if dialect.escaped else []),
        *(["escaped bare"] if dialect.escaped_bare else []),
    )
    digest = hashlib.sha256(repr(how).encode())
    digest.update(data)
    if piece.lines is not None:
        digest.update(piece.lines.tobytes())
    if piece.continued is not None and piece.continued.any():
        digest.update(piece.continued.tobytes())
    return digest.hexdigest()


def _bounds(ids: pl.Series) -> tuple[str, str] | tuple[None, None]:
    """The smallest and the largest id; None where there is none."""
    return (str(ids.min()), str(ids.max())) if len(ids) else (None, None)


def _check_range(blob: Blob, piece: Piece, low: str | None, high: str | None) -> None:
    bounds = RANGES[blob.range_column][piece.range_key]
    if (
        low is not None
        and high is not None
        and (low < (bounds.lower or "") or (bounds.upper is not None and high >= bounds.upper))
    ):
        raise NotSortedError


def _placed(blob: Blob, rows: Rows, lines: Lines) -> Rows:
    """The rows of a piece of an unsorted blob: sorted like those of a sorted one, rejects with the lines of the blob."""
    rejects = rows.rejects.with_columns(line=pl.Series(lines).gather(rows.rejects["line"]))
    return replace(rows, frame=rows.frame.sort(blob.key), rejects=rejects)
