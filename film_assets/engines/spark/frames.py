"""Tables of the lake as Spark frames, and rows of a frame as files of the lake, with what their values are known by.

Belongs here: reading and writing rows with Spark. Does not belong here: which rows (``rebuild``), committing files (``lake``).
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from film_assets.engines.spark.lake.storage import Storage
from film_assets.engines.spark.lake.table import File, LakeTable
from film_assets.tables import Table, sql
from film_assets.tables.ranges import RANGE_KEYS, UNPARTITIONED_KEYS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TYPES = {
    "VARCHAR": "string", "BOOLEAN": "boolean", "SMALLINT": "smallint", "INTEGER": "int", "BIGINT": "bigint", "DOUBLE": "double",
}  # fmt: skip
_PRINT = "x1"
"""The way values are fingerprinted; to be raised when the same values would be known by something else."""


@dataclass
class Part:
    """The rows of one range as they were written.

    Attributes:
        rows: How many.
        versions: Column -> what its values are known by, together with the key: the same values, the same version.
        files: The files they are in.
    """

    rows: int
    versions: Mapping[str, str]
    files: list[File]


def read(spark: "SparkSession", storage: Storage, table: Table, files: Iterable[str]) -> "DataFrame":
    """The rows in these files of a table, which may be none."""
    listed = [storage.spark_url(file) for file in files]
    schema = _schema(table)
    if not listed:
        return spark.createDataFrame([], schema)
    return spark.read.schema(schema).option("recursiveFileLookup", "true").parquet(*listed)


def in_ranges(rows: "DataFrame", table: Table, keys: Sequence[str]) -> "DataFrame":
    """The rows with the column ``range``, of these ranges alone."""
    from pyspark.sql import functions as F  # noqa: N812  so everybody calls it

    placed = rows.withColumn("range", range_of(table.range_column))
    return placed if set(keys) == set(table.range_keys) else placed.filter(F.col("range").isin(list(keys)))


def range_of(column: str, value: str = "") -> Any:
    """The key of the range that an id falls into: that of a column of ids, or another column's value."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.expr(sql.range_of(column, f"`{value or column}`"))


def write(rows: "DataFrame", storage: Storage, lake: LakeTable, table: Table) -> Mapping[str, Part]:
    """Write rows, which have the column ``range``, as files beside a table; range -> its part, of those that have rows.

    Raises:
        HomeError: Some of the rows are not there, as they were written where this machine does not read.
    """
    from pyspark.sql import Observation, functions as F  # noqa: N812

    folder, observed = lake.path(uuid.uuid4().hex), Observation()
    together = rows.hint("rebalance", "range") if _is_shuffled(rows) else rows
    ordered = together.sortWithinPartitions("range", *table.key).observe(observed, F.count(F.lit(1)).alias("rows"))
    ordered.write.option("compression", "zstd").partitionBy("range").parquet(storage.spark_url(folder))
    parts = _parts(rows.sparkSession, storage, lake, table, folder)
    there = sum(part.rows for part in parts.values())
    if there != observed.get["rows"] and there != rows.count():  # tasks that were run twice may be observed twice
        raise storage.not_shared()
    return parts


def _parts(spark: "SparkSession", storage: Storage, lake: LakeTable, table: Table, folder: str) -> Mapping[str, Part]:
    """What was written, found out from the files themselves.

    A column is known by the XOR of a hash of key and value over all rows, and by their number: it does not depend on their order,
    and as a key stands once, nothing cancels out.
    """
    from pyspark.sql import functions as F  # noqa: N812

    rows = spark.read.schema(f"{_schema(table)}, range string").parquet(storage.spark_url(folder))
    key = [F.col(name) for name in table.key]
    ids = F.col(table.range_column) if table.range_column else F.lit("")
    prints = [
        F.bit_xor(F.xxhash64(*key, *([] if name in table.key else [F.col(name)]))).alias(f"_{name}")
        for name in table.column_names
    ]
    found = rows.groupBy("range", "_metadata.file_path", "_metadata.file_size").agg(
        F.count(F.lit(1)).alias("_rows"), F.min(ids).alias("_low"), F.max(ids).alias("_high"), *prints
    )
    written: dict[str, list[tuple[File, Sequence[int]]]] = {}
    for one in found.collect():
        path = lake.within(storage.path_of(one["file_path"]))
        file = File(path, one["file_size"], one["_rows"], one["_low"] or "", one["_high"] or "")
        written.setdefault(one["range"], []).append((file, [one[f"_{name}"] for name in table.column_names]))
    return {range_key: _part(table, of) for range_key, of in written.items()}


def _part(table: Table, files: Sequence[tuple[File, Sequence[int]]]) -> Part:
    together = [0] * len(table.column_names)
    for _, prints in files:
        together = [one ^ (other & (1 << 64) - 1) for one, other in zip(together, prints, strict=True)]
    count = sum(file.rows for file, _ in files)
    versions = {name: f"{_PRINT}:{count}:{one:016x}" for name, one in zip(table.column_names, together, strict=True)}
    return Part(count, versions, [file for file, _ in files])


def nothing(table: Table) -> Part:
    """A range without rows."""
    return _part(table, [])


def files_of(lake: LakeTable, table: Table, keys: Iterable[str]) -> list[str]:
    """The files of these ranges of a table, as they are in the current version."""
    files = lake.files()
    assert set(files) <= set(RANGE_KEYS if table.range_column else UNPARTITIONED_KEYS)
    return [path for key in keys for path in files.get(key, [])]


def _schema(table: Table) -> str:
    return ", ".join(f"`{column.name}` {_TYPES[column.type]}" for column in table.columns)


def _is_shuffled(rows: "DataFrame") -> bool:
    """Whether rows of a range come from many tasks, so that they are to be brought together: else each writes a small file."""
    spark, view = rows.sparkSession, f"plan_{uuid.uuid4().hex}"
    rows.createTempView(view)
    plan = spark.sql(f"explain select * from {view}").collect()[0][0]
    spark.catalog.dropTempView(view)
    return "Exchange" in plan
