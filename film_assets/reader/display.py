"""Answers as people read them: values as text, years without and counts with thousands apart.

Does not belong here: where they are shown (``terminal``, a notebook).
"""

from typing import Any

import polars as pl

_NAMES = ("primaryName", "primaryTitle")


def shown(value: Any, dtype: pl.DataType) -> str | None:
    """A value as text: 1899 (years are 16 bits wide), 391,118 and 7.66; None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:,.2f}"
    return str(value) if dtype == pl.Int16 or isinstance(value, bool) else f"{value:,}"


def texts(frame: pl.DataFrame) -> list[tuple[str | None, ...]]:
    """The rows of a frame as text."""
    dtypes = frame.dtypes
    return [tuple(shown(value, dtype) for value, dtype in zip(row, dtypes, strict=True)) for row in frame.rows()]


def side_by_side(frame: pl.DataFrame) -> pl.DataFrame:
    """One column for each row, under its name or where that is not its own its id; the first column says what the values are."""
    headings = _headings(frame)
    values = frame.drop(_NAMES, strict=False)
    columns = dict(zip(headings, texts(values), strict=True))
    return pl.DataFrame({"metric": values.columns, **columns}, schema_overrides=dict.fromkeys(headings, pl.String))


def _headings(frame: pl.DataFrame) -> list[str]:
    ids = frame.to_series(0).to_list()
    name = next((column for column in _NAMES if column in frame.columns), None)
    names = frame[name].to_list() if name else ids
    return [
        text if text and names.count(text) == 1 and text != "metric" else identity
        for text, identity in zip(names, ids, strict=True)
    ]
