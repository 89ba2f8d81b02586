"""The published file, opened: read only, and the version it was when it was opened, whatever is published meanwhile.

Does not belong here: what is asked of it (``films``).
"""

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from film_assets.common.database import attached
from film_assets.common.dtypes import dtypes
from film_assets.errors import HomeError

_DTYPES = dtypes(pl)
"""SQL type -> that of Polars, for a column that has no value to tell it by."""


class Snapshot:
    """A connection to a published file.

    Attributes:
        path: The file.
        connection: The connection, whose default catalog the file is.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            HomeError: There is none, or it cannot be opened.
        """
        self.path = path
        try:
            self._version = _version(path)
            self.connection = attached(path, read_only=True)
        except FileNotFoundError:
            raise HomeError(f"nothing is published in {path.parent} yet; run `film-assets refresh` first") from None
        except (OSError, duckdb.Error) as error:
            raise HomeError(
                f"cannot open {path}: {str(error).splitlines()[0]}; if it is damaged, delete it and run `film-assets refresh`"
            ) from None

    @property
    def published_at(self) -> datetime:
        """When the file was written, in UTC."""
        return datetime.fromtimestamp(self._version[1] / 1e9, UTC)

    @property
    def is_stale(self) -> bool:
        """Whether another file has taken its place since."""
        try:
            return _version(self.path) != self._version
        except OSError:
            return True

    @cached_property
    def comparable(self) -> list[tuple[str, str, bool]]:
        """What can be compared: name, kind, and whether it is shown by default."""
        return self.relation("select name, kind, isDefault from comparable_metrics()").fetchall()

    def relation(self, query: str, parameters: Any = None) -> duckdb.DuckDBPyRelation:
        """A query as a relation, computed when it is looked at."""
        return self.connection.sql(query, params=parameters)

    def frame(self, query: str, parameters: Any = None) -> pl.DataFrame:
        """The rows of a query."""
        # A relation would be bound once for its types and again to be computed, which takes as long as to compute it; and
        # Arrow would take PyArrow, which is slow to load.
        answer = self.connection.execute(query, parameters)
        schema = {name: _DTYPES.get(str(kind)) for name, kind, *_ in answer.description}
        return pl.DataFrame(answer.fetchall(), schema=schema, orient="row")


def _version(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns
