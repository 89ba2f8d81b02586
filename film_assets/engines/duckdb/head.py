"""A glance at a table: its first rows, always the same ones."""

from film_assets.engines.base import Head
from film_assets.engines.duckdb.slices import scan
from film_assets.engines.duckdb.warehouse import Warehouse
from film_assets.tables import Blob, Table, sql


def head(warehouse: Warehouse, table: Table, rows: int) -> Head:
    """The first ``rows`` rows of a table, in the order of its key."""
    keys = table.range_keys
    key = next((key for key in keys if warehouse.ranges.rows(table, [key])), keys[0])
    source = scan(warehouse, table, [key]) if isinstance(table, Blob) else sql.quoted(table.name)
    wanted = sql.in_ranges(table.range_column, [key])
    query = f"select * from {source} where {wanted} order by {sql.names(table.key)} limit {int(rows)}"
    return Head(table.column_names, warehouse.rows(query))
