"""Evaluates rules on the tables of the lake.

Does not belong here: which rules there are (``tables.rules``), when one is evaluated again (``engines.checks``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import reduce
from typing import TYPE_CHECKING, Any

import polars as pl

from film_assets.common.dtypes import dtypes
from film_assets.engines.checks import EXAMPLES, Broken, Finding, Findings, check
from film_assets.engines.losses import by_column
from film_assets.engines.spark import frames
from film_assets.engines.spark.lake.state import State
from film_assets.engines.spark.lake.storage import Storage
from film_assets.engines.spark.landing import dropped_values
from film_assets.engines.state import Ranges, digest
from film_assets.tables import TABLES, Table
from film_assets.tables.rules import Account, Count, Key, KnownFor, NothingDropped, Reference, Rule, Values

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_POLARS = dtypes(pl)
_VERSION = "1"
"""To be raised when a rule would be evaluated otherwise."""


_AT_ONCE = 4
"""Rules evaluated side by side: most are a small job, which leaves a cluster idle."""

Verdict = tuple[Rule, Mapping[str, Finding]]


def check_side_by_side(evaluator: "LakeEvaluator", rules: Iterable[Rule], *, full: bool) -> list[Verdict]:
    """What each rule found, by range, as ``engines.checks.check`` says; what is new is kept in the lake."""
    begun: list[Future[list[Verdict]]] = []
    with ThreadPoolExecutor(_AT_ONCE, "checks") as threads:
        for rule in rules:  # one by one, as whoever gives them shows how far it is
            if len(begun) >= _AT_ONCE:
                begun[-_AT_ONCE].result()
            begun.append(threads.submit(check, evaluator, [rule], full=full))
        found = [verdict for future in begun for verdict in future.result()]
    evaluator.write_findings()
    return found


class LakeEvaluator:
    """Evaluates rules on the tables of the lake, which keeps what was found; several rules at a time."""

    def __init__(self, spark: Callable[[], "SparkSession"], storage: Storage, state: State, ranges: Ranges) -> None:
        """Nothing is evaluated yet; Spark is asked for where rows are to be looked at."""
        self._spark, self._storage, self._state, self.ranges = spark, storage, state, ranges
        self._known, self._found = state.findings(), dict[tuple[str, str, str], Finding]()

    def evaluate(self, rule: Rule, keys: Sequence[str]) -> Broken:
        """Look at every row of these ranges."""
        if rule.of_rows:
            return _by_range(rule.table, self._offending(rule, keys))
        return [(key, *self._whole(rule)) for key in keys]

    def rule_version(self, rule: Rule) -> str:
        """Changes when the rule would be evaluated otherwise, or the account it is about changes."""
        account = self._state.landed_blobs().get(rule.table.short) if isinstance(rule, Account | NothingDropped) else None
        return digest(_VERSION, type(rule).__name__, {**vars(rule), "table": rule.table.name}, account)

    def findings(self) -> Findings:
        """What was found before."""
        return self._known

    def keep_findings(self, found: Findings) -> None:
        """Take what was found, in place of what was found there before, to be written with all else."""
        self._found |= found

    def write_findings(self) -> None:
        """Write down what was found."""
        self._state.keep_findings(self._found)

    # ---- rules that each row keeps or breaks: rows with an id of the table's range column, and an example

    def _offending(self, rule: Rule, keys: Sequence[str]) -> "DataFrame":
        match rule:
            case Key():
                return _twice_or_null(rule.table, self._rows(rule.table, keys))
            case Values():
                return _other_values(rule, self._rows(rule.table, keys))
            case Reference():
                parent = TABLES[rule.parent]
                there = keys if rule.column == rule.table.range_column else parent.range_keys
                return _orphans(rule, self._rows(rule.table, keys), self._rows(parent, there))
        raise NotImplementedError(type(rule))

    def _rows(self, table: Table, keys: Sequence[str]) -> "DataFrame":
        return frames.read(self._spark(), self._storage, table, frames.files_of(self._state.lake[table.name], table, keys))

    # ---- rules about a table as a whole: how many rows too many or too few, and examples

    def _whole(self, rule: Rule) -> tuple[int, Sequence[str]]:
        match rule:
            case Count():
                return abs(self._count(rule.table) - self.ranges.rows(rule.table)), []
            case NothingDropped():
                return by_column(rule.table.short, dropped_values(self._state), self._state.landed_blobs())
            case Account():
                return self._account(rule.table)
            case KnownFor():
                first = self._rows(TABLES["films.known_for"], TABLES["films.known_for"].range_keys).filter("position = 1").count()
                slices = (one for of in self._state.tables["raw.names"].slices.values() for one in of)
                return max(0, first - sum(one.filled.get("knownForTitles", 0) for one in slices)), []
        raise NotImplementedError(type(rule))

    def _account(self, table: Table) -> tuple[int, Sequence[str]]:
        landed, there = self._state.landed_blobs()[table.short], self._count(table)
        if landed.rows_read == landed.rows_loaded + landed.rows_rejected and landed.rows_loaded == there:
            return 0, []
        told = (landed.blob, landed.rows_read, landed.rows_loaded, landed.rows_rejected, there)
        return 1, ["{}: {} read, {} loaded, {} rejected, {} there".format(*told)]

    def _count(self, table: Table) -> int:
        return count(self._storage, self._state, table)


def count(storage: Storage, state: State, table: Table) -> int:
    """The rows of a table, as its files tell."""
    files = frames.files_of(state.lake[table.name], table, table.range_keys)
    return int(scan(storage, table, files).select(pl.len()).collect().item())


def scan(storage: Storage, table: Table, files: Sequence[str]) -> pl.LazyFrame:
    """The rows in these files of a table, which may be none, read on this machine."""
    if not files:
        return pl.LazyFrame(schema={column.name: _POLARS[column.type] for column in table.columns})
    urls, options = [storage.url(file) for file in files], dict(storage.options) or None
    return pl.scan_parquet(urls, storage_options=options, hive_partitioning=False)


def _example(table: Table) -> "Column":
    """What names a row."""
    from pyspark.sql import functions as F  # noqa: N812  so everybody calls it

    return F.concat_ws(", ", *(F.col(name).cast("string") for name in table.key))


def _twice_or_null(table: Table, rows: "DataFrame") -> "DataFrame":
    """Keys that stand in several rows, once each, and those with a null."""
    from pyspark.sql import functions as F  # noqa: N812

    required = [F.col(column.name).isNull() for column in table.columns if table.is_required(column)]
    null = reduce(lambda one, other: one | other, required, F.lit(col=False))
    found = rows.groupBy(*table.key).agg(F.count(F.lit(1)).alias("_rows"), F.bool_or(null).alias("_null"))
    return found.filter("_rows > 1 or _null").select(
        F.col(table.range_column or table.key[0]).alias("id"), _example(table).alias("example")
    )


def _other_values(rule: Values, rows: "DataFrame") -> "DataFrame":
    """Rows with another value."""
    from pyspark.sql import functions as F  # noqa: N812

    value = F.col(rule.column)
    tests = [~value.cast("string").isin(list(rule.allowed))] if rule.allowed else []
    tests += [value < rule.minimum] if rule.minimum is not None else []
    tests += [value > rule.maximum] if rule.maximum is not None else []
    broken = reduce(lambda one, other: one | other, tests)
    example = F.concat(_example(rule.table), F.lit(": "), value.cast("string"))
    return rows.filter(broken).select(F.col(rule.table.range_column).alias("id"), example.alias("example"))


def _orphans(rule: Reference, rows: "DataFrame", parents: "DataFrame") -> "DataFrame":
    """Rows whose title or person is not there."""
    from pyspark.sql import functions as F  # noqa: N812

    named = rows.filter(F.col(rule.column).isNotNull())
    found = named.select(F.col(rule.table.range_column).alias("id"), F.col(rule.column).alias("example"))
    there = parents.select(F.col(rule.parent_column).alias("example"))
    return found.join(there, "example", "left_anti")


def _by_range(table: Table, offending: "DataFrame") -> list[tuple[Any, ...]]:
    """How many rows break a rule in each range, and the first few examples in their order."""
    from pyspark.sql import Window, functions as F  # noqa: N812

    in_range = Window.partitionBy("range")
    each = offending.withColumn("range", frames.range_of(table.range_column, "id")).groupBy("range", "example").count()
    ranked = each.select(
        "range",
        "example",
        F.sum("count").over(in_range).alias("_failing"),
        F.row_number().over(in_range.orderBy("example")).alias("_place"),
    )
    found: dict[str, tuple[int, list[str]]] = {}
    for row in ranked.filter(F.col("_place") <= EXAMPLES).orderBy("range", "_place").collect():
        found.setdefault(row["range"], (row["_failing"], []))[1].append(row["example"])
    return [(key, *of) for key, of in found.items()]
