"""Whether two published snapshots say the same, to the last digit of a number."""

from pathlib import Path

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from film_assets.tables import BLOBS, COMPUTED

_NAMES = [*(table.name for table in (*BLOBS, *COMPUTED)), "quality.rejected_rows", "quality.blobs"]


def assert_alike(one: Path, other: Path) -> None:
    """The same rows in every table of two homes, whenever they were landed."""
    for name in _NAMES:
        assert_frame_equal(_rows(one, name), _rows(other, name), check_exact=True)


def _rows(home: Path, name: str) -> pl.DataFrame:
    with duckdb.connect(home / "films.duckdb", read_only=True) as films:
        return films.sql(f"from {name}").pl().drop("landedAt", strict=False).sort(pl.all())
