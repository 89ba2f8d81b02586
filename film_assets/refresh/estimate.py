"""How long the rest of a refresh is likely to take.

The steps of a refresh are known, and how they compare: by the size of the blobs and by which columns a table is built from, as
the declarations say. The steps that are done tell how fast this one goes, whatever the size, the machine, and how much of it has
changed. Belongs here: the steps, and the reckoning. Does not belong here: how it is shown (``cli.terminal``).
"""

import time
from collections.abc import Callable, Mapping

from film_assets.tables import BLOBS, COMPUTED, TABLES, Blob, Table

CHECKS, INDEXES, PUBLISHING = "check the tables", "build the indexes", "publish films.duckdb"

_BY_STEP = 1.0
"""Seconds that every step takes at the real size, however little it has to do."""

_LANDING, _FROM_BLOBS, _FROM_TABLES = 11.0, 9.0, 2.5
"""Seconds a gigabyte takes, of what is read: to land it, to build a table of blobs, and one of tables, which is mostly a join."""

_CHECKING, _INDEXING, _PUBLISHING = 2.0, 13.0, 3.0
"""The same of what all blobs have together."""


def steps() -> dict[str, float]:
    """The steps of a refresh, and about how many seconds each takes in a first one of the real data; how they compare matters."""
    everything = sum(blob.bytes for blob in BLOBS) / 1e9
    last = {CHECKS: _CHECKING, INDEXES: _INDEXING, PUBLISHING: _PUBLISHING}
    return {
        **{table.name: _BY_STEP + _weight(table) for table in (*BLOBS, *COMPUTED)},
        **{name: _BY_STEP + seconds * everything for name, seconds in last.items()},
    }


def _weight(table: Table) -> float:
    if isinstance(table, Blob):
        return _LANDING * _gigabytes(table)
    from_blobs = any(isinstance(TABLES[name], Blob) for name in table.reads)
    return (_FROM_BLOBS if from_blobs else _FROM_TABLES) * _gigabytes(table)


def _gigabytes(table: Table) -> float:
    """How much is read for a table: of each input the share that its columns are of all."""
    if isinstance(table, Blob):
        return table.bytes / 1e9
    shares = ((TABLES[name], len(columns) / len(TABLES[name].columns)) for name, columns in table.reads.items())
    return sum(_gigabytes(upstream) * share for upstream, share in shares)


class Estimate:
    """Of steps that follow one another in any order, how many are done and how long the others will take.

    Attributes:
        done: The steps that are done.
    """

    def __init__(self, weights: Mapping[str, float], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Time counts from now on.

        Args:
            weights: Step -> how long it takes beside the others.
            clock: Tells the time in seconds.
        """
        self._weights, self._clock = weights, clock
        self._started = self._ended = clock()
        self.done: set[str] = set()

    @property
    def weight(self) -> float:
        """What the steps that are done weigh."""
        return sum(self._weights[name] for name in self.done)

    def end(self, step: str) -> None:
        """The step is done; what has been since the one before ended was this one."""
        self._ended = self._clock()
        self.done |= {step} & self._weights.keys()

    def left(self, running: str) -> float | None:
        """Seconds that are likely left while that step runs; None while no step is done that could tell."""
        if not self.weight:
            return None
        now, current = self._clock(), self._weights.get(running, 0)
        elapsed = now - self._ended
        pace = max((self._ended - self._started) / self.weight, (now - self._started) / (self.weight + current))
        others = sum(self._weights.values()) - self.weight - current
        return pace * others + max(0, pace * current - elapsed)
