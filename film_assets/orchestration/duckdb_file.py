"""A DuckDB file as a resource, with its settings in the web UI under *Resources*.

Belongs here: what the resources of every pipeline share. Does not belong here: which files there are.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Self

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from film_assets.common.database import Connect

Steps = Callable[[Connect, dg.InitResourceContext], AbstractContextManager[Any]]
"""What a run works through, made of what opens the file; the run has it from its first step to its last."""


class DuckDBFile(DuckDBResource):
    """A DuckDB file, opened at once or not at all, and closed whatever happens.

    Dagster's own tries again for 100 s where a file cannot be opened, and leaves it open where the block fails.
    """

    @classmethod
    def handing_out(cls, steps: Steps) -> type[Self]:
        """This resource, which hands to assets not the connections but the steps that work through them.

        A class, as Dagster makes a new resource for each run from the configuration alone.
        """

        class Bound(cls):  # type: ignore[valid-type,misc]
            __doc__, __module__, __qualname__ = cls.__doc__, cls.__module__, cls.__qualname__  # what the web UI shows

            @contextmanager
            def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Any]:
                with steps(self.get_connection, context) as running:
                    yield running

        return Bound

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The open file, closed at the end of the block."""
        with duckdb.connect(self.database, config=self.connection_config) as connection:
            yield connection
