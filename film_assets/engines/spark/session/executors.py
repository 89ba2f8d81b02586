"""What executors must have: this Python, the libraries a blob is landed with, and the package itself.

Belongs here: finding out on the executors, and saying what to do. Does not belong here: sending the package (``classic``,
``connect``).
"""

import json
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from film_assets.errors import FilmAssetsError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_NEEDED = ("polars", "pyarrow", "numpy", "narwhals", "obstore")
_IMPORTED = ("film_assets.engines.spark.tasks", "film_assets.sources")
_PROBES = 4
"""How many tasks ask; at least one an executor in a small cluster, and a sample of a large one."""


def check_executors(spark: "SparkSession") -> None:
    """Run a tiny job that looks whether executors can land blobs.

    A function that takes and gives plain values, and no Arrow: it runs where pyarrow is missing too.

    Raises:
        FilmAssetsError: They cannot; the text says what to do.
        Exception: What Spark raises.
    """
    from pyspark.sql.functions import col, udf

    ask = udf(_question(_NEEDED, _IMPORTED), "string", useArrow=False)
    rows = spark.range(0, _PROBES, 1, _PROBES).select(ask(col("id")).alias("found")).collect()
    for found in {row["found"] for row in rows}:
        if fault := _fault(json.loads(found)):
            raise FilmAssetsError(fault)


def _question(needed: Iterable[str], imported: Iterable[str]) -> Callable[[int], str]:
    """The function to be run there; a nested one, because a task gets such a one whole and not as a name to be imported."""

    def found(_: int) -> str:
        import json
        import platform
        import socket
        from importlib import import_module
        from importlib.metadata import version
        from importlib.util import find_spec

        missing = [name for name in needed if find_spec(name) is None]
        fault = ""
        if not missing:
            try:
                for name in imported:
                    import_module(name)
            except Exception as error:  # noqa: BLE001
                fault = f"{type(error).__name__}: {error}"
        polars = "" if "polars" in missing else version("polars")
        return json.dumps(
            {
                "host": socket.gethostname(),
                "python": platform.python_version(),
                "missing": missing,
                "polars": polars,
                "fault": fault,
            }
        )

    return found


def _fault(found: dict[str, Any]) -> str:
    """What is wrong with an executor and what to do; empty if nothing is."""
    there = f"the Python {found['python']} of the executors (on {found['host']})"
    minor = ".".join(found["python"].split(".")[:2])
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if minor != here:
        return f"{there} is not {here} as this one: set PYSPARK_PYTHON to a Python {here}"
    if found["missing"]:
        names = ", ".join(found["missing"])
        return f"{there} has no {names}: pip install 'film-assets[spark]' there, or set PYSPARK_PYTHON to a Python that has it"
    if found["polars"] != version("polars"):
        here = version("polars")
        return f"{there} has Polars {found['polars']}, this one {here}: pip install polars=={here} there"
    if found["fault"]:
        return f"{there} cannot import film_assets: {found['fault']}"
    return ""
