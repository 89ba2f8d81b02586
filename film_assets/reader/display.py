"""Answers as people read them: every value as text.

Does not belong here: which text stands for a value (``common.values``), and where it is shown (``cli``, a notebook).
"""

import polars as pl

from film_assets.common import values

_NAMES = ("primaryName", "primaryTitle")
_YEAR = pl.Int16
"""What years are kept in, and besides them only small numbers."""


def texts(frame: pl.DataFrame) -> list[tuple[str | None, ...]]:
    """The rows of a frame as text; None for null."""
    years = [dtype == _YEAR for dtype in frame.dtypes]
    return [
        tuple(None if value is None else values.text(value, exact=year) for value, year in zip(row, years, strict=True))
        for row in frame.rows()
    ]


def side_by_side(frame: pl.DataFrame) -> pl.DataFrame:
    """One column for each row, under its name or where that is not its own its id; the first column says what the values are."""
    headings = _headings(frame)
    told = frame.drop(_NAMES, strict=False)
    columns = dict(zip(headings, texts(told), strict=True))
    return pl.DataFrame({"metric": told.columns, **columns}, schema_overrides=dict.fromkeys(headings, pl.String))


def _headings(frame: pl.DataFrame) -> list[str]:
    ids = frame.to_series(0).to_list()
    name = next((column for column in _NAMES if column in frame.columns), None)
    names = frame[name].to_list() if name else ids
    return [
        text if text and names.count(text) == 1 and text != "metric" else identity
        for text, identity in zip(names, ids, strict=True)
    ]
