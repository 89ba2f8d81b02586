"""Whether the project's tables and those of plain SQL hold the same rows, before anybody asks which is faster.

Rows are compared by their number and by the sum of their hashes, which does not depend on their order and fits at any scale.
"""

from pathlib import Path

import duckdb

from film_assets.tables import COMPUTED, Table
from film_assets.tables.sql import quoted


def check(films: Path, plain: Path) -> list[str]:
    """The names of the tables that were compared.

    Raises:
        AssertionError: One of them does not hold the same rows in both files.
    """
    with duckdb.connect() as connection:
        for name, path in (("films", films), ("plain", plain)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        there = connection.execute("select schema_name || '.' || table_name from duckdb_tables() where database_name = 'plain'")
        names = {name.replace("main.", "films.") for (name,) in there.fetchall()}
        tables = [table for table in COMPUTED if table.name in names]
        for table in tables:
            found, wanted = _digest(connection, "films", table), _digest(connection, "plain", table)
            assert found == wanted, f"{table.name} holds {found[0]:,} rows, plain SQL makes {wanted[0]:,}, and they differ"
        return [table.name for table in tables]


def _digest(connection: duckdb.DuckDBPyConnection, catalog: str, table: Table) -> tuple[int, int]:
    schema = "main" if table.schema == "films" else table.schema
    values = ", ".join(f"{quoted(column.name)}::{column.type}" for column in table.columns)
    query = f"select count(*), sum(hash({values})) from {catalog}.{schema}.{quoted(table.short)}"
    ((count, total),) = connection.execute(query).fetchall()
    return count, total
