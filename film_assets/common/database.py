"""Opening DuckDB files under the name that every query knows them by, and what DuckDB's errors mean to a user.

Belongs here: connections. Does not belong here: what is in the files.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from film_assets.errors import HomeError, disk_full, is_disk_full

CATALOG = "films"
"""The name a file ``films.duckdb`` goes by in SQL, whatever it is called. ``films.titles`` is the table ``titles`` of its default
schema: DuckDB finds the name ambiguous if there is a schema of the catalog's name too."""

Connect = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]
"""Opens a file, which is closed at the end of the block."""


def attached(path: Path, config: Mapping[str, Any] | None = None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the file whose default catalog it is, as ``films``."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", **(config or {})})
    literal = str(path).replace("'", "''")
    connection.execute(f"attach '{literal}' as {CATALOG}{' (read_only)' if read_only else ''}")
    connection.execute(f"use {CATALOG}")
    return connection


@contextmanager
def opening(path: Path, remedy: str) -> Iterator[None]:
    """Turns what a file raises that cannot be opened, whatever is wrong with it, into one line.

    Raises:
        HomeError: In place of DuckDB's errors; the text names the file, the reason and the remedy.
    """
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise HomeError(f"cannot open {path}: {str(error).splitlines()[0]}; {remedy}") from None


@contextmanager
def readable_faults(folder: Path) -> Iterator[None]:
    """Turns what a full disk or too little memory raises while files in the folder are written into one line.

    Raises:
        HomeError: In place of those errors; the text says what to free or set.
    """
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise disk_full(folder) from None
    except duckdb.OutOfMemoryException as error:
        reason = str(error).splitlines()[0]
        raise HomeError(f"DuckDB ran out of memory ({reason}); set FILM_ASSETS_MEMORY to more GiB") from None
    except duckdb.IOException as error:
        if "No space left" not in str(error):
            raise
        raise disk_full(folder) from None
