"""Makes the slice of one piece: hash it, read it if it changed, write what was read as a Parquet file.

``read_piece`` depends on nothing but its arguments, which can all be pickled, so that it may run in any process that sees the
content and the landing folder. A slice carries the digest of its bytes in its name and is never written again: whoever reads one
keeps what it read. Does not belong here: which pieces there are (``cut``), and what the pieces of a blob come to (``land``).
"""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from film_assets.landing.content import Content
from film_assets.landing.cut import Lines, Piece
from film_assets.landing.dialect import Dialect
from film_assets.landing.read import Rows, read
from film_assets.tables import Blob
from film_assets.tables.ranges import RANGES

LANDING_VERSION = "3"
"""To be raised when the same bytes would land differently."""


@dataclass(frozen=True)
class Slice:
    """One id range of a blob as it was landed.

    Attributes:
        range_key: The id range.
        digest: Of the bytes it was read from, and of how; the same digest, the same slice.
        lines: How many lines it has.
        first_line: The line of the blob its first line is; 0 where its rejects count lines of the blob themselves, and as long as
            the slices before it are not known.
        written: The rows that were read and where they lie now; None where the digest was known.
    """

    range_key: str
    digest: str
    lines: int
    first_line: int
    written: "Written | None"


@dataclass(frozen=True)
class Written:
    """The Parquet file of a slice, with the rows it has and what was rejected.

    ``file`` is relative to the landing; ``rejected`` counts rows rejected whole, ``continued`` the lines that go on with the row
    of the line before; ``line`` of ``rejects`` counts from ``first_line``.
    """

    file: str
    rows: int
    rejected: int
    continued: int
    rejects: pl.DataFrame


class NotSortedError(Exception):
    """The blob is not sorted by id: a piece holds ids of another range."""


def read_piece(
    blob: Blob, dialect: Dialect, piece: Piece, content: Content, landing: Path, known: tuple[str, int] | None = None
) -> Slice:
    """Read one piece, and write its rows as a Parquet file into the landing folder.

    Args:
        blob: What the columns are.
        dialect: How the blob is written.
        piece: Which bytes of the content.
        content: Where they are read.
        landing: The folder slices are in; the file is put into the folder of the blob there.
        known: Digest and number of lines of the current slice, which is not read again if the bytes are the same.

    Returns:
        The slice, without the line of the blob it begins at.

    Raises:
        NotSortedError: The piece holds ids of another range.
        SourceError: The content cannot be read.
    """
    data = content.read(piece.start, piece.stop)
    digest = _digest(blob, dialect, piece, data)
    if known and known[0] == digest:
        return Slice(piece.range_key, digest, known[1], 0, None)
    rows = read(blob, dialect, data, piece.continued)
    del data  # there is no need for it while the rows are written
    _check_range(blob, piece, rows.frame)
    if piece.lines is not None:
        rows = _placed(blob, rows, piece.lines)
    file = f"{blob.short}/{piece.range_key}-{digest[:16]}.parquet"
    _write(rows.frame, landing / file)
    written = Written(file, rows.frame.height, rows.rejected, rows.continued, rows.rejects)
    return Slice(piece.range_key, digest, rows.lines, 0, written)


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


def _check_range(blob: Blob, piece: Piece, frame: pl.DataFrame) -> None:
    ids, bounds = frame[blob.range_column], RANGES[blob.range_column][piece.range_key]
    low, high = ids.min(), ids.max()
    if low is not None and (str(low) < (bounds.lower or "") or (bounds.upper is not None and str(high) >= bounds.upper)):
        raise NotSortedError


def _placed(blob: Blob, rows: Rows, lines: Lines) -> Rows:
    """The rows of a piece of an unsorted blob: sorted like those of a sorted one, rejects with the lines of the blob."""
    rejects = rows.rejects.with_columns(line=pl.Series(lines).gather(rows.rejects["line"]))
    return replace(rows, frame=rows.frame.sort(blob.key), rejects=rejects)


def _write(frame: pl.DataFrame, path: Path) -> None:
    """Write a file that is whole whenever it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("wb") as out:
        frame.write_parquet(out, compression="lz4", statistics=True)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
