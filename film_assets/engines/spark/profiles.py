"""What each column of a raw table holds, kept with the version of the table it was found in.

Does not belong here: which figures there are (``common.profiling``).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from film_assets.common.profiling import FIGURES, NUMBERS
from film_assets.engines.base import Head
from film_assets.engines.spark import frames
from film_assets.engines.spark.lake.state import State
from film_assets.engines.spark.lake.storage import Storage
from film_assets.engines.state import Ranges, digest
from film_assets.tables import Blob, Column

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def profile(spark: Callable[[], "SparkSession"], storage: Storage, state: State, ranges: Ranges, blob: Blob) -> Head:
    """What each column of a raw table holds; it is not looked at again unless it changed."""
    version = digest([ranges.version(blob, key) for key in blob.range_keys])
    kept = state.profile(blob)
    if kept is None or kept[0] != version:
        state.keep_profile(blob, version, _look(spark(), storage, state, blob))
        kept = state.profile(blob)
        assert kept
    return Head(FIGURES, [tuple(row) for row in kept[1]])


def _look(spark: "SparkSession", storage: Storage, state: State, blob: Blob) -> list[list[Any]]:
    """One row a column, in their order."""
    from pyspark.sql import functions as F  # noqa: N812  so everybody calls it

    rows = frames.read(spark, storage, blob, frames.files_of(state.lake[blob.name], blob, blob.range_keys))
    figures = [
        figure.alias(f"{at}_{place}") for at, column in enumerate(blob.columns) for place, figure in enumerate(_figures(column))
    ]
    found = rows.agg(F.count(F.lit(1)).alias("rows"), *figures).collect()[0]
    return [
        [column.name, found["rows"], *(found[f"{at}_{place}"] for place in range(5))] for at, column in enumerate(blob.columns)
    ]


def _figures(column: Column) -> list[Any]:
    """Nulls, different values, the least and the greatest as text, and the mean."""
    from pyspark.sql import functions as F  # noqa: N812

    value = F.col(column.name)
    return [
        F.count_if(value.isNull()),
        F.approx_count_distinct(value, 0.02),
        F.min(value).cast("string"),
        F.max(value).cast("string"),
        F.avg(value) if column.type in NUMBERS else F.lit(None).cast("double"),
    ]
