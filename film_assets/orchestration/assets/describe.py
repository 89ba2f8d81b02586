"""What the web UI shows of a table, from its declaration: columns, lineage, where it lives."""

import inspect
from typing import Any

import dagster as dg

from film_assets.tables import Column, Table, raw


def key_of(name: str) -> dg.AssetKey:
    """The asset of ``schema.table``."""
    return dg.AssetKey(name.split("."))


def metadata_of(table: Table) -> dict[str, Any]:
    """Column schema, column lineage and table name, under the keys Dagster knows."""
    return {
        **_code(table),
        "dagster/table_name": table.name,
        "dagster/column_schema": dg.TableSchema([_column(table, column) for column in table.columns]),
        "dagster/column_lineage": dg.TableColumnLineage(
            {column.name: _sources(column) for column in table.columns if column.sources}
        ),
    }


def _code(table: Table) -> dict[str, Any]:
    """Where the table is declared, for the link in the web UI."""
    place = table.function
    file, line = (inspect.getfile(place), inspect.getsourcelines(place)[1]) if place else (raw.__file__, 1)
    reference = dg.LocalFileCodeReference(file_path=file, line_number=line, label=table.name)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def _column(table: Table, column: Column) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=not table.is_required(column), unique=table.key == (column.name,))
    return dg.TableColumn(column.name, column.type, column.text, constraints)


def _sources(column: Column) -> list[dg.TableColumnDep]:
    parts = (source.rpartition(".") for source in column.sources)
    return [dg.TableColumnDep(key_of(table), name) for table, _, name in parts]
