"""A glance at a table: its first rows, always the same ones, as Markdown."""

from collections.abc import Iterable, Sequence

from film_assets.engines.duckdb.landed import slices
from film_assets.engines.duckdb.warehouse import Warehouse
from film_assets.tables import Blob, Table, sql

_MAX_WIDTH = 60


def head(warehouse: Warehouse, table: Table, rows: int) -> str:
    """The first ``rows`` rows of a table, in the order of its key, as a Markdown table."""
    keys = table.range_keys
    key = next((key for key in keys if warehouse.row_count(table, [key])), keys[0])
    source = slices(warehouse, table, [key]) if isinstance(table, Blob) else sql.quoted(table.name)
    order = sql.names(table.key)
    query = f"select * from {source} where {sql.in_ranges(table.range_column, [key])} order by {order} limit {int(rows)}"
    return markdown(table.column_names, warehouse.rows(query))


def table_head(warehouse: Warehouse, name: str, rows: int) -> str:
    """The first rows of a small table or view, in the order of all its columns."""
    relation = warehouse.connection.sql(f"select * from {sql.quoted(name)} order by all limit {int(rows)}")
    return markdown(relation.columns, relation.fetchall())


def markdown(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; a long value is cut."""
    lines = [columns, ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    cut = text if len(text) <= _MAX_WIDTH else text[: _MAX_WIDTH - 1] + "…"
    return cut.replace("|", "\\|").replace("\n", " ")
