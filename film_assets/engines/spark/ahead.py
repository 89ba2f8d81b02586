"""Builds tables side by side, before they are asked for: one table alone seldom keeps a cluster busy.

Belongs here: the order, and how many at once. Does not belong here: how a table is built (``rebuild``).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from film_assets.engines.outcome import Outcome
from film_assets.tables import Table

_AT_ONCE = 4
"""More jobs side by side make Spark's driver wait for itself."""


class Ahead:
    """Builds tables in the background, each after those it is built from."""

    def __init__(self, build: Callable[[Table], Outcome], tables: Sequence[Table]) -> None:
        """Begin.

        Args:
            build: Builds a table.
            tables: The tables, each after those of them that it is built from.
        """
        self._build, self._threads = build, ThreadPoolExecutor(_AT_ONCE, "tables")
        self._begun: dict[str, Future[Outcome]] = {}
        for table in tables:
            inputs = [self._begun[name] for name in table.reads if name in self._begun]
            self._begun[table.name] = self._threads.submit(self._build_after, table, inputs)

    def has(self, table: Table) -> bool:
        """Whether it is built here."""
        return table.name in self._begun

    def take(self, table: Table) -> Outcome:
        """What became of a table, which is not built here any more; what went wrong with it is raised."""
        return self._begun.pop(table.name).result()

    def stop(self) -> None:
        """Begin nothing more, and wait for what was begun."""
        self._threads.shutdown(cancel_futures=True)

    def _build_after(self, table: Table, inputs: Sequence[Future[Outcome]]) -> Outcome:
        for future in inputs:  # they were submitted before this one, so no thread waits for one that nobody will run
            future.result()
        return self._build(table)
