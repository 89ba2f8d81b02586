"""How the charts of the notebooks look; importing it is all.

They are shown as pictures, which every viewer can show, offline too; ``alt.renderers.enable("default")`` makes them interactive.
Does not belong here: what a chart shows (the notebooks).
"""

import altair as alt

INK, FAINT, GRID = "#1f2933", "#616e7c", "#e4e7eb"
PAIR = ("#2a6f97", "#e76f51")
"""The colours of two people side by side."""

BLUE, ORANGE = PAIR
BELOW_TO_ABOVE = (ORANGE, "#f3f3f1", BLUE)
"""The colours of what is below, at and above a mean."""


@alt.theme.register("film_assets", enable=True)
def _theme() -> alt.theme.ThemeConfig:
    font = "Liberation Sans, Arial, Helvetica, sans-serif"
    labels = {"labelFont": font, "titleFont": font, "labelColor": FAINT, "titleColor": FAINT, "labelFontSize": 12}
    return {
        "background": "white",
        "padding": 16,
        "config": {
            "font": font,
            "view": {"continuousWidth": 620, "continuousHeight": 340, "stroke": None},
            "title": {
                "anchor": "start",
                "frame": "group",
                "fontSize": 18,
                "color": INK,
                "subtitleFontSize": 13,
                "subtitleColor": FAINT,
                "subtitlePadding": 6,
                "offset": 16,
            },
            "axis": {
                **labels,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "titlePadding": 10,
                "domain": False,
                "ticks": False,
                "labelPadding": 6,
                "gridColor": GRID,
            },
            "legend": {**labels, "titleFontSize": 12, "titleFontWeight": "normal", "symbolStrokeWidth": 0},
            "point": {"filled": True},
        },
    }


alt.renderers.enable("png", scale_factor=2)
