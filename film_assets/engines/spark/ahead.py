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

    def take(self, table: Table) -> Outcome | None:
        """What became of a table, which is not built here any more; what went wrong with it is raised.

        None if it was not built, as one that it is built from could not be.
        """
        try:
            return self._begun.pop(table.name).result()
        except _InputMissingError:
            return None

    def cancel(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def wait(self) -> None:
        """Wait until what was begun has ended."""
        self._threads.shutdown()

    def _build_after(self, table: Table, inputs: Sequence[Future[Outcome]]) -> Outcome:
        # They were submitted before this one, so no thread waits for one that nobody will run.
        if any(future.exception() for future in inputs):
            raise _InputMissingError
        return self._build(table)


class _InputMissingError(Exception):
    """A table that another one is built from could not be built."""
