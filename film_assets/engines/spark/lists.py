"""Lists in a text column to rows, as Spark does it: ``tables.lists`` on Spark frames, classic and over Spark Connect alike.

Does not belong here: what the rows must be (``tables.lists``).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from narwhals import Implementation

from film_assets.engines import state
from film_assets.tables import lists

code_version = partial(state.code_version, Implementation.PYSPARK)
"""The version of the logic of what is derived, with that of the functions here where it uses them."""


def register() -> None:
    """Let tables be computed on Spark frames."""
    for implementation in (Implementation.PYSPARK, Implementation.PYSPARK_CONNECT):
        lists.register(implementation, lists.Native(_split, _json_strings))


def _split(frame: Any, column: str, element: str) -> Any:
    from pyspark.sql import functions as F  # noqa: N812  so everybody calls it

    rows = _rows(frame, column, element, lambda text: F.split(text, ",", -1))
    return rows.filter(F.array_position("_list", F.col(element)) == F.col("position")).drop("_list")


def _json_strings(frame: Any, column: str, element: str) -> Any:
    from pyspark.sql import functions as F  # noqa: N812

    return _rows(frame, column, element, lambda text: F.from_json(text, "array<string>")).drop("_list")


def _rows(frame: Any, column: str, element: str, strings: Callable[[Any], Any]) -> Any:
    """One row for each of the strings of a list, which is kept as ``_list``."""
    from pyspark.sql import functions as F  # noqa: N812

    others = [F.col(name) for name in frame.columns if name != column]
    listed = frame.select(*others, strings(F.col(column)).alias("_list"))
    return listed.select("*", F.posexplode("_list").alias("_place", element)).select(
        *others, "_list", element, (F.col("_place") + 1).cast("bigint").alias("position")
    )
