"""What a home has, asked without holding it: of the working file, or while a refresh has that, of the snapshot.

Belongs here: reading the state alone. Does not belong here: whatever writes (``warehouse``).
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import duckdb

from film_assets.common.database import attached, opening
from film_assets.engines.blobs import LandedBlob, LandedBlobs
from film_assets.engines.duckdb import layout, lists, migrations
from film_assets.engines.duckdb.slices import LANDED
from film_assets.engines.duckdb.warehouse import REMEDY
from film_assets.engines.state import Ranges, RangeState
from film_assets.errors import HomeError
from film_assets.home import Home
from film_assets.settings import Settings

T = TypeVar("T")


def peek(settings: Settings, home: Home) -> LandedBlobs:  # noqa: ARG001
    """Which version of each blob is landed.

    Raises:
        HomeError: The file cannot be opened.
    """
    return _read(home, _landed, {})


def peek_ranges(settings: Settings, home: Home) -> Ranges:  # noqa: ARG001
    """The state of every range that the tables of this release can be built on.

    Raises:
        HomeError: The file cannot be opened.
    """
    return _read(home, _ranges, Ranges(code_version=lists.code_version))


def _read(home: Home, read: Callable[[duckdb.DuckDBPyConnection], T], nothing: T) -> T:
    if not home.warehouse.exists():
        return nothing
    with ExitStack() as held:
        try:
            held.enter_context(home.locked())
        except HomeError:
            return _read_file(home.films, read, nothing)
        return _read_file(home.warehouse, read, nothing)


def _read_file(path: Path, read: Callable[[duckdb.DuckDBPyConnection], T], nothing: T) -> T:
    if not path.exists():
        return nothing
    with opening(path, REMEDY), attached(path, read_only=True) as connection:
        try:
            return nothing if _is_copy(connection) else read(connection)
        except duckdb.CatalogException:
            return nothing  # a file in which nothing was ever landed has no such tables


def _is_copy(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the tables in a file are of another engine, which copied them there."""
    known = connection.sql("from duckdb_tables() where schema_name = 'state' and table_name = 'origin'").fetchall()
    return bool(known and connection.sql("from state.origin where origin <> ''").fetchall())


def _landed(connection: duckdb.DuckDBPyConnection) -> LandedBlobs:
    return {blob: LandedBlob(blob, *rest) for blob, *rest in connection.sql(LANDED).fetchall()}


def _ranges(connection: duckdb.DuckDBPyConnection) -> Ranges:
    ranges = Ranges(code_version=lists.code_version)
    kept = "" if connection.sql("from state.layout").fetchall() == [(layout.VERSION,)] else " where name like 'raw.%'"
    found = connection.sql(f"from state.ranges{kept}")
    for row in (dict(zip(found.columns, values, strict=True)) for values in found.fetchall()):
        state = RangeState(row["own"], row["others"], row["versions"], row["rows"], row["loose"], row.get("read") or {})
        ranges[row["name"], row["range"]] = state
    for name, key, own in migrations.with_definitions(ranges):
        ranges[name, key] = replace(ranges[name, key], own=own)
    return ranges
