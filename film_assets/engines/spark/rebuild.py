"""Brings the id ranges of a table up to date: those whose inputs changed are computed, and committed where they differ.

Rows are written aside and known by fingerprints, so a range that comes out as it was keeps its files and its version, column by
column, and nothing that depends on it is touched. Does not belong here: files and fingerprints (``frames``).
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import narwhals as nw

from film_assets.engines.outcome import Difference, Outcome, outcome, rebuilt
from film_assets.engines.spark import frames
from film_assets.engines.spark.differences import difference
from film_assets.engines.spark.lake.state import State
from film_assets.engines.spark.lake.storage import Storage
from film_assets.engines.state import Plan, Ranges, RangeState
from film_assets.tables import TABLES, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def rebuild(
    spark: "SparkSession", storage: Storage, state: State, ranges: Ranges, table: Table, plan: Plan, *, force: bool = False
) -> Outcome:
    """Build the ranges of a plan that are out of date; with ``force`` what comes out the same is written too."""
    started, rows_before, keys = time.monotonic(), ranges.rows(table), plan.stale
    lake = state.lake[table.name]
    written = frames.write(_computed(spark, storage, state, table, keys), storage, lake, table)
    before = {key: ranges[table.name, key] for key in plan.known}
    parts = {key: written.get(key, frames.nothing(table)) for key in keys}
    differences = {
        key: difference(table, before[key], part.versions, part.rows) if key in before else Difference(added=part.rows)
        for key, part in parts.items()
    }
    after = {key: RangeState(*plan.inputs[key], part.versions, part.rows, 0, plan.read[key]) for key, part in parts.items()}
    new = [key for key in keys if force or key not in before or differences[key]]
    state.write(table, after, [(key, file) for key in new for file in parts[key].files], new)
    storage.delete(lake.path(file.path) for key in keys if key not in new for file in parts[key].files)
    ranges |= {(table.name, key): one for key, one in after.items()}
    done = rebuilt(table, plan, differences, before, after)
    return outcome(ranges, table, done, plan.keys, rows_before, started)


def _computed(spark: "SparkSession", storage: Storage, state: State, table: Table, keys: Sequence[str]) -> "DataFrame":
    """The rows of these ranges, with the column ``range``."""
    inputs = {}
    for name, columns in table.reads.items():
        upstream = TABLES[name]
        wanted = keys if upstream.range_column == table.range_column else upstream.range_keys
        rows = frames.read(spark, storage, upstream, frames.files_of(state.lake[name], upstream, wanted))
        inputs[name] = nw.from_native(rows.select(*columns))
    return frames.in_ranges(table.compute(inputs).to_native(), table, keys)
