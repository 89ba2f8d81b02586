"""What the web UI shows of a table of any pipeline: its columns, their lineage, where it is made, and when it is late.

Belongs here: the form, under the keys Dagster knows. Does not belong here: the declarations it is made from (``tables``,
``learning.schema``).
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

LATE, _OVERDUE = timedelta(hours=30), timedelta(hours=50)
"""Late is when a daily run did not come, with time to run; overdue is when the next did not come either."""

DAILY = dg.FreshnessPolicy.time_window(fail_window=_OVERDUE, warn_window=LATE)
"""For what each good run of a daily job materializes, even one that finds nothing new."""


def key_of(name: str) -> dg.AssetKey:
    """The asset of ``schema.table``."""
    return dg.AssetKey(name.split("."))


def table_metadata(
    name: str | None, columns: Iterable[tuple[dg.TableColumn, Sequence[str]]], *, file: str, line: int
) -> dict[str, Any]:
    """Column schema, column lineage, table name and the link to the code, under the keys Dagster knows.

    Args:
        name: What it is called in its database; None where it is in none.
        columns: Each with the columns its values come from, as ``schema.table.column``; none where they come from no table.
        file: Where the table is declared, or made.
        line: The line there.
    """
    each = list(columns)
    reference = dg.LocalFileCodeReference(file_path=file, line_number=line, label=name)
    return {
        "dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference]),
        **({"dagster/table_name": name} if name else {}),
        "dagster/column_schema": dg.TableSchema([column for column, _ in each]),
        "dagster/column_lineage": dg.TableColumnLineage(
            {column.name: [_source(source) for source in sources] for column, sources in each if sources}
        ),
    }


def _source(path: str) -> dg.TableColumnDep:
    table, _, column = path.rpartition(".")
    return dg.TableColumnDep(key_of(table), column)
