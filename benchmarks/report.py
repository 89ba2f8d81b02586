"""Figures kept: as JSON, every run; as Markdown, medians, spread and ratios; as a chart.

Belongs here: how results are summed up and shown. Does not belong here: how they come about.
"""

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import duckdb
import polars as pl
import psutil

from film_assets.common import markdown
from notebooks import look

RESULTS = Path(__file__).parent / "results"
GB = 1e9


def machine() -> dict[str, Any]:
    """What was measured on."""
    return {
        "cores": os.cpu_count(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "polars": pl.__version__,
    }


def keep(
    name: str, rows: Sequence[Mapping[str, Any]], about: Sequence[str], table: pl.DataFrame, chart: alt.TopLevelMixin
) -> None:
    """Write the three files of a result; the first line of ``about`` says what was measured, the others explain it."""
    RESULTS.mkdir(exist_ok=True)
    measured_on = machine()
    document = {"about": list(about), "machine": measured_on, "runs": list(rows)}
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    on = ", ".join(f"{what} {value}" for what, value in measured_on.items())
    lines = [f"# {about[0]}", "", f"Whole processes on: {on}.", "", *_markdown(table), ""]
    lines += [*(f"- {line}" for line in about[1:]), "", f"![{about[0]}]({name}.png)"]
    (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    chart.save(RESULTS / f"{name}.png", scale_factor=2)
    print("\n".join(lines[:-2]))


def _markdown(table: pl.DataFrame) -> Iterable[str]:
    rows = ([_shown(value) for value in row] for row in table.rows())
    return markdown.lines(table.columns, rows, right=[name for name, dtype in table.schema.items() if dtype.is_numeric()])


def _shown(value: object) -> str:
    if isinstance(value, float):
        decimals = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:,.{min(decimals, 3)}f}"
    return "" if value is None else str(value)


def summary(rows: Sequence[Mapping[str, Any]], by: str, base: str) -> pl.DataFrame:
    """A row for each different value of ``by``, in the order of its first run: medians, spread, and the ratio to ``base``.

    The ratio is the median of those of each round, as a machine that slows down slows both; of a round without the base, to the
    median of the base.
    """
    runs = pl.DataFrame(rows)
    bases = runs.filter(pl.col(by) == base)
    paired = runs.join(bases.select("round", base="seconds"), on="round", how="left").with_columns(
        ratio=pl.col("seconds") / pl.coalesce("base", bases.select(pl.median("seconds")).item())
    )
    return paired.group_by(by, maintain_order=True).agg(
        pl.col("seconds").median(),
        fastest=pl.col("seconds").min(),
        slowest=pl.col("seconds").max(),
        ratio=pl.col("ratio").median(),
        cpu=pl.col("cpu").median(),
        peak_GB=pl.col("peak").max() / GB,
        disk_GB=pl.col("disk").max() / GB,
        ended=pl.col("ended").first(),
        runs=pl.len(),
    )


def speeds(rows: Sequence[Mapping[str, Any]], by: str, base: str, gigabytes: float) -> pl.DataFrame:
    """A row for each different value of ``by``: seconds, their spread, speed, and that of ``base`` beside it, by rounds."""
    runs = pl.DataFrame(rows)
    bases = runs.filter(pl.col(by) == base).select("round", base="seconds")
    seconds = pl.col("seconds")
    return (
        runs.join(bases, on="round")
        .group_by(by, maintain_order=True)
        .agg(
            seconds.median(),
            fastest=seconds.min(),
            slowest=seconds.max(),
            MB_per_second=1000 * gigabytes / seconds.median(),
            ratio=(seconds / pl.col("base")).median(),
            runs=pl.len(),
        )
    )


def rates(table: pl.DataFrame, by: str, title: str) -> alt.TopLevelMixin:
    """The speed of each, in MB a second."""
    rows = alt.Y(f"{by}:N", title=None, sort=table[by].to_list()).axis(labelColor=look.INK, labelLimit=320, grid=False)
    bars = alt.Chart(table).mark_bar(height=16, color=look.BLUE)
    return bars.encode(x=alt.X("MB_per_second:Q", title="MB a second, median"), y=rows).properties(title=title, width=420)


def shares(table: pl.DataFrame, title: str) -> alt.TopLevelMixin:
    """The seconds of each part, a panel for each kind of refresh."""
    panels = [
        alt.Chart(part)
        .mark_bar(height=12, color=look.BLUE)
        .encode(
            x=alt.X("seconds:Q", title="seconds").axis(tickCount=5),
            y=alt.Y("part:N", title=None, sort=part["part"].to_list()).axis(labelColor=look.INK, labelLimit=260, grid=False),
        )
        .properties(title=str(kind), width=420)
        for (kind,), part in table.partition_by("refresh", as_dict=True, maintain_order=True).items()
    ]
    return alt.vconcat(*panels).properties(title=title)


def bars(table: pl.DataFrame, by: str, title: str, subtitle: str, ratio_format: str) -> alt.TopLevelMixin:
    """Median times with their spread, the ratio beside them, and the peak memory."""
    rows = alt.Y(f"{by}:N", title=None, sort=table[by].to_list()).axis(labelColor=look.INK, labelLimit=260, grid=False)
    shown = table.with_columns(
        label=pl.struct("ratio", "ended").map_elements(
            lambda row: ratio_format.format(row["ratio"]) if row["ended"] == "well" else f"stopped: {row['ended']}",
            return_dtype=pl.String,
        )
    )
    base = alt.Chart(shown).encode(y=rows)
    seconds = alt.X("seconds:Q", title="seconds, median; line: fastest to slowest").axis(tickCount=6)
    times = (
        base.mark_bar(height=16, color=look.BLUE).encode(x=seconds)
        + base.mark_rule(strokeWidth=2, color=look.INK).encode(x="fastest:Q", x2="slowest:Q")
        + base.mark_text(align="left", dx=8, fontSize=12, color=look.INK).encode(x="slowest:Q", text="label:N")
    )
    memory = base.mark_bar(height=16, color=look.ORANGE).encode(
        x=alt.X("peak_GB:Q", title="GB of memory, peak").axis(tickCount=4), y=rows.axis(None)
    )
    size = {"height": alt.Step(34)}
    panels = alt.hconcat(times.properties(width=420, **size), memory.properties(width=180, **size), spacing=30)
    return panels.properties(title=alt.Title(title, subtitle=subtitle))


def lines(table: pl.DataFrame, title: str) -> alt.TopLevelMixin:
    """Seconds and memory over the scale, both logarithmic, a line for each contender."""
    color = alt.Color("contender:N", title=None, sort=table["contender"].unique(maintain_order=True).to_list())
    scale = alt.X("scale:Q", title="scale (1.0: 95 million rows)").scale(type="log", nice=False, padding=15)
    scale = scale.axis(values=table["scale"].unique().sort().to_list(), grid=False, format="~g")
    panels = [
        alt.Chart(table)
        .mark_line(point=alt.OverlayMarkDef(size=60), strokeWidth=2.5)
        .encode(
            x=scale,
            y=alt.Y(f"{column}:Q", title=name).scale(type="log", nice=False, padding=10).axis(tickCount=5),
            color=color.scale(range=[look.FAINT, look.BLUE, look.ORANGE, "#2a9d8f", "#8e6c8a"]).legend(orient="top"),
        )
        .properties(width=300, height=300)
        for column, name in (("seconds", "seconds"), ("peak_GB", "GB of memory, peak"))
    ]
    return alt.hconcat(*panels, spacing=40).properties(title=title)


def quantiles(table: pl.DataFrame, title: str) -> alt.TopLevelMixin:
    """The median and the 95th percentile of each look-up, and the most it may take."""
    rows = alt.Y("question:N", title=None, sort=table["question"].to_list()).axis(labelColor=look.INK, labelLimit=260, grid=False)
    base = alt.Chart(table).encode(y=rows)
    x = alt.X("p95:Q", title="milliseconds; bar: median, dot: 95th percentile, tick: at most")
    return (
        base.mark_bar(height=14, color=look.BLUE).encode(x="median:Q")
        + base.mark_circle(size=90, color=look.INK, opacity=1).encode(x=x)
        + base.mark_tick(color=look.ORANGE, thickness=3, size=26, opacity=1).encode(x="at_most:Q")
    ).properties(title=title, width=520, height=alt.Step(34))
