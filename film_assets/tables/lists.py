"""Lists in a text column to rows, one a list element, with positions: the one thing Narwhals does not do well everywhere.

Its own ``explode`` gives no position, and on a DuckDB relation scans the input twice; it does not parse JSON at all. So each
engine has a native version here. Does not belong here: any other difference between engines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl
from narwhals import Implementation

from film_assets.tables.declaration import Frame


@dataclass(frozen=True)
class _Notation:
    """How a list is written in a text value: the parser of each engine, which gives a list of strings."""

    duckdb: str
    polars: Callable[[Any], Any]


_COMMAS = _Notation("string_split({}, ',')", lambda text: text.str.split(","))


def _json_in_polars(text: Any) -> Any:
    return text.str.json_decode(pl.List(pl.String))


def duckdb_strings(text: str) -> str:
    """DuckDB's expression for the list of strings that a JSON array is."""
    return f"""from_json({text}, '["VARCHAR"]')"""


_JSON = _Notation(duckdb_strings("{}"), _json_in_polars)


def split(frame: Frame, column: str, element: str) -> Frame:
    """One row for each different element of a comma-separated list, in columns ``element`` and ``position`` (from 1).

    An element that stands in the list more than once is taken at its first position; empty ones and null lists give no row.
    The other columns are repeated; ``column`` itself is gone.
    """
    return _rows(frame, column, element, _COMMAS, distinct=True).filter(nw.col(element) != "")


def json_strings(frame: Frame, column: str, element: str) -> Frame:
    """One row for each element of a JSON array of strings, in columns ``element`` and ``position`` (from 1).

    Every element is kept, in order; a null array gives no row. The other columns are repeated; ``column`` itself is gone.
    """
    return _rows(frame, column, element, _JSON, distinct=False)


def _rows(frame: Frame, column: str, element: str, notation: _Notation, *, distinct: bool) -> Frame:
    present = frame.filter(~nw.col(column).is_null())
    rows: Frame = nw.from_native(_NATIVE[present.implementation](present.to_native(), column, element, notation, distinct))
    return rows


def _duckdb_rows(relation: Any, column: str, element: str, notation: _Notation, distinct: bool) -> Any:
    rows = relation.project(f'* exclude "{column}", {notation.duckdb.format(_quoted(column))} as _list').project(
        f"*, unnest(_list) as {_quoted(element)}, generate_subscripts(_list, 1) as position"
    )
    if distinct:
        rows = rows.filter(f"position = 1 or list_position(_list, {_quoted(element)}) = position")
    return rows.project("* exclude _list")


def _polars_rows(frame: Any, column: str, element: str, notation: _Notation, distinct: bool) -> Any:
    rows = (
        frame.lazy()
        .with_row_index("_row")
        .with_columns(notation.polars(pl.col(column)).alias(element))
        .with_columns(pl.int_ranges(1, pl.col(element).list.len() + 1).alias("position"))
        .filter(pl.col(element).list.len() > 0)
        .explode(element, "position")
    )
    if distinct:
        rows = rows.unique(["_row", element], keep="first", maintain_order=True)
    return rows.drop("_row", column)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_NATIVE: Mapping[Implementation, Callable[[Any, str, str, _Notation, bool], Any]] = {
    Implementation.DUCKDB: _duckdb_rows,
    Implementation.POLARS: _polars_rows,
}
