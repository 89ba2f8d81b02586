"""Small charts as PNG, for a message: drawn offline.

Belongs here: how a chart looks. Does not belong here: what it shows.
"""

from io import BytesIO

import altair as alt
import polars as pl

_WIDTH, _HEIGHT = 560, 180
_PIXELS = 2
"""Per pixel of the size, so that it is sharp on any screen."""

_COLOUR = "#3b6fb6"


def columns(frame: pl.DataFrame, across: str, up: str) -> bytes:
    """A chart of a column for each row.

    Args:
        frame: Its rows; few enough to be told apart.
        across: The column of the frame that names them, in the order of the rows.
        up: The column that says how high each is.
    """
    return _png(_bars(frame, alt.X(f"{across}:N", sort=None, title=None), alt.Y(f"{up}:Q", title=up.replace("_", " "))))


def bars(frame: pl.DataFrame, down: str, along: str) -> bytes:
    """The same lying down, for long names."""
    return _png(_bars(frame, alt.X(f"{along}:Q", title=along.replace("_", " ")), alt.Y(f"{down}:N", sort=None, title=None)))


def _bars(frame: pl.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    chart: alt.Chart = alt.Chart(frame).mark_bar(color=_COLOUR).encode(x, y)
    return chart


def _png(chart: alt.Chart) -> bytes:
    image = BytesIO()
    chart.properties(width=_WIDTH, height=_HEIGHT).save(image, format="png", scale_factor=_PIXELS)
    return image.getvalue()
