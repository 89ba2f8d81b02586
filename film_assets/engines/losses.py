"""What a blob would lose by a landing, and how much of it is too much to be taken over unasked: the same for every engine.

Belongs here: the counts, and the limits. Does not belong here: where an engine keeps them, and what a bad value is (``landing``).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from film_assets.engines.blobs import LandedBlobs
from film_assets.errors import BlobError
from film_assets.settings import Settings
from film_assets.tables import Blob

_FEW = 10
"""Fewer rows or values are never too many, as in a small blob they soon are most of it."""

_FILLED = "select path_in_schema, sum(num_values - stats_null_count)::bigint from parquet_metadata(?) group by all"


@dataclass(frozen=True)
class Dropped:
    """Values of a column that are null in the tables, as they could not be loaded, for one reason."""

    blob: str
    column: str
    reason: str
    values: int

    def __str__(self) -> str:
        were = "value of {} was" if self.values == 1 else "values of {} were"
        what = were.format(f"{self.blob}.{self.column}")
        return f"{self.values:,} {what} dropped: {self.reason.removeprefix('value dropped: ')}; see quality.rejected_rows"


@dataclass(frozen=True)
class Census:
    """What is landed of a blob.

    Attributes:
        rows: Its rows.
        filled: Column -> how many of them have a value there.
        dropped: Column -> how many values were dropped there.
        rejected: How many rows were rejected whole, beside its rows.
    """

    rows: int = 0
    filled: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    rejected: int = 0

    @property
    def rejected_share(self) -> float:
        """Of all rows that the blob has."""
        return self.rejected / max(self.rows + self.rejected, 1)

    def unread(self, column: str) -> int:
        """How many rows have no value there because it was dropped; of a list, some elements may be dropped and others stay."""
        return min(self.dropped.get(column, 0), self.rows - self.filled.get(column, 0))

    def unread_share(self, column: str) -> float:
        """Of the rows for which the blob gives a value."""
        return self.unread(column) / max(self.unread(column) + self.filled.get(column, 0), 1)


def census(rows: int, rejected: int, slices: Collection[Path], dropped: Iterable[tuple[str, int]]) -> Census:
    """Count what is landed; the Parquet files tell of themselves how many nulls they have.

    Args:
        rows: The rows of the blob.
        rejected: How many were rejected.
        slices: The files of its current slices.
        dropped: Columns, and how many values were dropped there.
    """
    files = [str(path) for path in slices if path.exists()]
    with duckdb.connect() as connection:
        filled = dict(connection.execute(_FILLED, [files]).fetchall()) if files else {}
    return Census(rows, filled, dict(dropped), rejected)


def by_column(blob: str, dropped: Iterable[Dropped], landed: LandedBlobs) -> tuple[int, Sequence[str]]:
    """How many values of a blob were dropped in all, and for each column how many and which share of its rows."""
    values: Counter[str] = Counter()
    for one in dropped:
        if one.blob == blob:
            values[one.column] += one.values
    texts = []
    for column, number in values.items():
        rows = landed[blob].rows_loaded
        texts.append(f"{blob}.{column} {number:,} of {rows:,} ({number / rows:.3%})")
    return values.total(), texts


def ensure_little_lost(blob: Blob, before: Census, now: Census, settings: Settings) -> None:
    """Let pass what has not lost most of what it had.

    Args:
        blob: The blob.
        before: What is landed of it; no rows where nothing is.
        now: What would be landed.
        settings: Which shares are too much.

    Raises:
        BlobError: Too many rows, or values of a column, are gone since the last landing, or too many cannot be read.
    """
    gone = before.rows - now.rows
    if _is_too_much(gone, before.rows, settings.max_lost_rows):
        raise _refused(blob, f"{gone:,} of {before.rows:,} rows are gone since the last landing", "ROWS")
    known = before.rejected_share > settings.max_lost_rows
    if not known and _is_too_much(now.rejected, now.rows + now.rejected, settings.max_lost_rows):
        raise _refused(blob, f"{now.rejected:,} rows cannot be read, and {now.rows:,} can", "ROWS")
    for column in blob.column_names:
        had, unread = before.filled.get(column, 0), now.unread(column)
        known = before.unread_share(column) > settings.max_lost_values
        if not known and _is_too_much(unread, unread + now.filled.get(column, 0), settings.max_lost_values):
            raise _refused(blob, f"{unread:,} values of {column} cannot be read, and {now.filled.get(column, 0):,} can", "VALUES")
        gone = had - now.filled.get(column, 0)
        if _is_too_much(gone, had, settings.max_lost_values):
            raise _refused(blob, f"{gone:,} of {had:,} values of {column} are gone since the last landing", "VALUES")


def _is_too_much(lost: int, of: int, share: float) -> bool:
    return lost >= _FEW and lost > of * share


def _refused(blob: Blob, what: str, setting: str) -> BlobError:
    return BlobError(
        f"{blob.short}: {what}; nothing was taken over: mend the blob, or if that is right, run `film-assets refresh "
        f"--accept-losses` or set FILM_ASSETS_MAX_LOST_{setting}=1 for a run"
    )
