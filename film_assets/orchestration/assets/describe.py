"""What the web UI shows of a table, from its declaration: columns, lineage, where it lives; and how a description is written."""

import inspect
from typing import Any

import dagster as dg

from film_assets.orchestration.description import key_of, table_metadata
from film_assets.tables import Column, Table, raw

__all__ = ["key_of", "metadata_of"]


def metadata_of(table: Table) -> dict[str, Any]:
    """Column schema, column lineage, table name and the link to the declaration, under the keys Dagster knows."""
    place = table.function
    file, line = (inspect.getfile(place), inspect.getsourcelines(place)[1]) if place else (raw.__file__, 1)
    columns = ((_column(table, column), column.sources) for column in table.columns)
    return table_metadata(table.name, columns, file=file, line=line)


def below(line: str, text: str) -> str:
    """A description below a line that people must not miss, if there is one."""
    return f"**{line}**\n\n{text}" if line else text


def _column(table: Table, column: Column) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=not table.is_required(column), unique=table.key == (column.name,))
    return dg.TableColumn(column.name, column.type, column.text, constraints)
