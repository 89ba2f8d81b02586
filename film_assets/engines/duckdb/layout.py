"""How a table lies in the file: how its columns are compressed, and in which order its rows are written.

DuckDB tries all the ways to compress a column and takes the smallest result, which is mostly right. Not where trying takes longer
than writing: names and titles come out as small with zstd in two thirds of the time. And not where single rows are asked for by
their id: ids that are left as they are take half the time to find. Belongs here: what makes the file small and quick to write and
to look up in. Does not belong here: what is in the tables (``tables``).
"""

from film_assets.tables import TABLES, Blob, Column, Table, sql

VERSION = "3"
"""To be raised when the same rows would lie in the file otherwise, those of the indexes too: all are then rebuilt."""

_AS_THEY_ARE = ("metrics.title_success.tconst", "metrics.person_success.nconst")


def create_table(table: Table) -> str:
    """The statement that makes an empty table."""
    columns = ", ".join(f"{sql.quoted(c.name)} {c.type}{_compression(table, c)}" for c in table.columns)
    return f"create table if not exists {sql.quoted(table.name)} ({columns})"


def _compression(table: Table, column: Column) -> str:
    if column.prose:
        return " using compression zstd"
    return " using compression uncompressed" if f"{table.name}.{column.name}" in _AS_THEY_ARE else ""


def order(table: Table) -> str:
    """What stands at the end of a query for rows of a table, so that they are written in the order of their ids.

    Rows made from a blob come in its order; those made from other tables come as it happens.
    """
    if not table.range_column or any(isinstance(TABLES[name], Blob) for name in table.reads):
        return ""
    return f" order by {sql.quoted(table.range_column)}"
