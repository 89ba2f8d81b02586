"""Lists in a text column to rows, as DuckDB does it: ``tables.lists`` on relations.

Does not belong here: what the rows must be (``tables.lists``).
"""

from functools import partial

from duckdb import DuckDBPyRelation
from narwhals import Implementation

from film_assets.engines import state
from film_assets.tables import lists, sql

code_version = partial(state.code_version, Implementation.DUCKDB)
"""The version of the logic of what is derived, with that of the functions here where it uses them."""


def register() -> None:
    """Let tables be computed on relations."""
    lists.register(Implementation.DUCKDB, lists.Native(_split, _json_strings))


def _split(relation: DuckDBPyRelation, column: str, element: str) -> DuckDBPyRelation:
    rows = _rows(relation, column, element, f"string_split({sql.quoted(column)}, ',')")
    first = f"position = 1 or list_position(_list, {sql.quoted(element)}) = position"
    return rows.filter(first).project("* exclude _list")


def _json_strings(relation: DuckDBPyRelation, column: str, element: str) -> DuckDBPyRelation:
    return _rows(relation, column, element, sql.json_strings(sql.quoted(column))).project("* exclude _list")


def _rows(relation: DuckDBPyRelation, column: str, element: str, strings: str) -> DuckDBPyRelation:
    """One row for each of the strings of a list, which is kept as ``_list``."""
    return relation.project(f"* exclude {sql.quoted(column)}, {strings} as _list").project(
        f"*, unnest(_list) as {sql.quoted(element)}, generate_subscripts(_list, 1) as position"
    )
