"""Lists in a text column to rows, one a list element, with positions: the one thing Narwhals does not do well everywhere.

Its own ``explode`` gives no position, and on a DuckDB relation scans the input twice; it does not parse JSON at all. So each
engine has a native version, which it registers here; what these must do, Polars' shows. Belongs here: what the rows are, and
Polars' version. Does not belong here: the versions of other engines (``engines``), any other difference between engines.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl
from narwhals import Implementation

from film_assets.tables.declaration import CODE, Frame


@dataclass(frozen=True)
class Native:
    """An engine's own ``split`` and ``json_strings``, on its kind of frame.

    Each is given the frame, without null lists, the name of the column and that of the element.
    """

    split: Callable[[Any, str, str], Any]
    json_strings: Callable[[Any, str, str], Any]


_NATIVE: dict[Implementation, Native] = {}


def register(engine: Implementation, native: Native) -> None:
    """Make an engine's versions known."""
    _NATIVE[engine] = native


def native_version(engine: Implementation) -> str:
    """A digest of the code of an engine's versions; part of the version of each table that ``uses_lists``, on that engine.

    Raises:
        LookupError: The engine has registered none.
    """
    return hashlib.sha256(CODE.of(_native(engine)).text.encode()).hexdigest()[:16]


def split(frame: Frame, column: str, element: str) -> Frame:
    """One row for each different element of a comma-separated list, in columns ``element`` and ``position`` (from 1).

    An element that stands in the list more than once is taken at its first position; empty ones and null lists give no row.
    The other columns are repeated; ``column`` itself is gone.

    Raises:
        LookupError: The frame is of an engine that has registered no version.
    """
    rows: Frame = nw.from_native(_native(frame.implementation).split(_present(frame, column), column, element))
    return rows.filter(nw.col(element) != "")


def json_strings(frame: Frame, column: str, element: str) -> Frame:
    """One row for each element of a JSON array of strings, in columns ``element`` and ``position`` (from 1).

    Every element is kept, in order; a null array gives no row. The other columns are repeated; ``column`` itself is gone.

    Raises:
        LookupError: The frame is of an engine that has registered no version.
    """
    rows: Frame = nw.from_native(_native(frame.implementation).json_strings(_present(frame, column), column, element))
    return rows


def _present(frame: Frame, column: str) -> Any:
    return frame.filter(~nw.col(column).is_null()).to_native()


def _native(engine: Implementation) -> Native:
    if engine not in _NATIVE:
        raise LookupError(f"{engine} has no version of lists: import the engine's package, which registers it")
    return _NATIVE[engine]


# ---- Polars


def _polars_split(frame: Any, column: str, element: str) -> Any:
    rows = _polars_rows(frame, column, element, pl.col(column).str.split(","))
    return rows.unique(["_row", element], keep="first", maintain_order=True).drop("_row")


def _polars_json_strings(frame: Any, column: str, element: str) -> Any:
    return _polars_rows(frame, column, element, pl.col(column).str.json_decode(pl.List(pl.String))).drop("_row")


def _polars_rows(frame: Any, column: str, element: str, strings: pl.Expr) -> Any:
    return (
        frame.lazy()
        .with_row_index("_row")
        .with_columns(strings.alias(element))
        .with_columns(pl.int_ranges(1, pl.col(element).list.len() + 1).alias("position"))
        .filter(pl.col(element).list.len() > 0)
        .explode(element, "position")
        .drop(column)
    )


register(Implementation.POLARS, Native(_polars_split, _polars_json_strings))
