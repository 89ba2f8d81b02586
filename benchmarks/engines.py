"""The engines side by side: the same refreshes of the same blobs by the embedded engine and by Spark, in turns.

Spark's driver, its executors and their Python are children of the process that is measured, as the master is ``local``: so all of
their time and memory counts. Belongs here: which refreshes. Does not belong here: how they are measured (``measure``).
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import contest, data
from benchmarks.changes import FIRST, NOTHING
from benchmarks.measure import Limits, Run, run, size

EMBEDDED, SPARK = "duckdb", "spark"
_CHANGE = next(change for change in data.CHANGES if change.blob == "ratings")


@dataclass(frozen=True)
class Refresh:
    """One measured refresh: by which engine, after what, in which round, what it took, and how many bytes its home then has."""

    engine: str
    change: str
    round: int
    run: Run
    home: int


def refreshes(folder: Path, scale: float, rounds: int, master: str) -> Iterator[Refresh]:
    """A first refresh, one with nothing changed, and one after a change of ratings, by each engine in every round.

    Args:
        folder: Where the work is kept.
        scale: Of the blobs.
        rounds: How often.
        master: Spark's, a local one.

    Raises:
        AssertionError: An engine left other tables than plain SQL makes.
        RuntimeError: A refresh failed.
    """
    blobs, limits = data.make_blobs(folder, scale), Limits.of_this_machine()
    for number in range(1, rounds + 1):
        for engine in (EMBEDDED, SPARK):
            source, home = data.Source(blobs, folder / "source"), folder / f"home-{engine}"
            shutil.rmtree(home, ignore_errors=True)
            command = contest.refresh(source.folder, home)
            environment = {"FILM_ASSETS_ENGINE": engine, "FILM_ASSETS_SPARK": master}
            for change in (FIRST, NOTHING, _CHANGE.name):
                if change == _CHANGE.name:
                    source.toggle(_CHANGE)
                yield Refresh(engine, change, number, run(command, limits, environment), size(home))
            contest.check(source.folder, folder, limits, home)
