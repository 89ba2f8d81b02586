"""What there is to tell of the attempts: the metrics of each day, and what was loaded and has not been reported yet.

Belongs here: reading the database for people. Does not belong here: how it reaches them (``notifications.channels``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from film_assets.learning.api import Answer
from film_assets.learning.database import Database
from film_assets.learning.schema import METRICS, Table
from film_assets.notifications.channels.digest import Digest, Section, duration
from film_assets.notifications.channels.sheets import Written

_COUNTS = ("rows_fetched", "rows_valid", "rows_rejected", "rows_new")
_CHART_DAYS = 30
_MOST_REASONS = 10


def study_metrics(database: Database) -> pl.DataFrame:
    """The metrics of each day, in order."""
    day, *counts = METRICS.column_names
    rows = database.rows(f"select {', '.join([day, *counts])} from {METRICS.short} order by {day}")
    return pl.DataFrame(rows, {day: pl.Date} | dict.fromkeys(counts, pl.Int64), orient="row")


def row_count(database: Database, table: Table) -> int:
    """How many rows a table has."""
    ((rows,),) = database.rows(f"select count(*) from {table.short}")
    return int(rows)


def newest(database: Database, table: Table, rows: int) -> list[tuple[Any, ...]]:
    """The rows of a table that were loaded last, in the columns that may be shown."""
    return database.rows(f"select {', '.join(table.shown)} from {table.short} order by id desc limit {rows}")


@dataclass(frozen=True)
class Unreported:
    """The loads of which no digest was sent.

    Attributes:
        ids: Their ids, in order.
        first: The first day they are of.
        last: The last day they are of.
        counts: What is counted -> how many rows; a day that was loaded several times counts as it was the last time.
        rejected: Reason -> how many rows of these days.
        faults: What is wrong with ``passback_params`` -> how many attempts of these days.
    """

    ids: Sequence[int]
    first: date
    last: date
    counts: dict[str, int]
    rejected: Sequence[tuple[str, int]]
    faults: Sequence[tuple[str, int]]


def unreported(database: Database) -> Unreported | None:
    """What there is to report, or None."""
    names = ("id", "study_date", *_COUNTS)
    rows = database.rows(f"select {', '.join(names)} from loads where not reported order by id")
    if not rows:
        return None
    loads = pl.DataFrame(rows, list(names), orient="row")
    days = loads.group_by("study_date").agg(pl.last("rows_fetched", "rows_valid", "rows_rejected"), pl.sum("rows_new"))
    first, last = min(loads["study_date"]), max(loads["study_date"])
    counts = {name: int(days[name].sum()) for name in _COUNTS}
    rejected, faults = (_reasons(database, table, first, last) for table in ("rejected_attempts", "passback_faults"))
    return Unreported(loads["id"].to_list(), first, last, counts, rejected, faults)


def _reasons(database: Database, table: str, first: date, last: date) -> Sequence[tuple[str, int]]:
    """Reason -> how many rows of a period, the most frequent ones."""
    query = f"""select reason, count(*) from {table} where study_date between $1 and $2
        group by reason order by count(*) desc, reason limit $3"""
    return [(reason, found) for reason, found in database.rows(query, [first, last, _MOST_REASONS])]


def mark_reported(database: Database, loads: Unreported) -> None:
    """Never report these again."""
    database.run("update loads set reported = true where id between $1 and $2", [loads.ids[0], loads.ids[-1]])


@dataclass(frozen=True)
class Done:
    """What a run has done so far.

    Attributes:
        answers: What the API answered.
        written: What became of the rows in the sheet; None if it was not brought up to date.
        seconds: How long the run has taken.
    """

    answers: Sequence[Answer]
    written: Written | None
    seconds: float

    @property
    def sheet_updated(self) -> str:
        """Whether the sheet was, in words."""
        match self.written:
            case None:
                return "no, not in this run"
            case Written(appended=0, updated=0):
                return "no, it was up to date"
            case Written(appended, updated):
                return f"yes, {appended:,} rows appended and {updated:,} updated"

    @property
    def api_status(self) -> str:
        """Of the API, in words."""
        return ", ".join(str(status) for status in sorted({answer.status for answer in self.answers})) or "not asked in this run"

    @property
    def api_duration(self) -> str:
        """How long the API took to answer, in words."""
        return f"{sum(answer.seconds for answer in self.answers):.1f} s, {len(self.answers):,} requests"


def digest(loads: Unreported, metrics: pl.DataFrame, done: Done) -> Digest:
    """What was loaded, as a message.

    Args:
        loads: What was loaded.
        metrics: The metrics of all days.
        done: What the run has done.
    """
    from film_assets.notifications.channels import charts

    period = str(loads.first) if loads.first == loads.last else f"{loads.first} to {loads.last}"
    days = metrics.filter(pl.col("study_date").is_between(loads.first, loads.last)).tail(_CHART_DAYS)
    shown = (
        metrics.filter(pl.col("study_date") <= loads.last).tail(_CHART_DAYS).with_columns(pl.col("study_date").cast(pl.String))
    )
    facts = {"period": period, **{name.replace("_", " "): found for name, found in loads.counts.items()}}
    facts |= {
        "run time": duration(done.seconds),
        "passback faults": sum(found for _, found in loads.faults),
        "rows prepared": metrics.height,
        "sheet updated": done.sheet_updated,
        "API status": done.api_status,
        "API duration": done.api_duration,
    }
    sections = [Section("metrics", [name.replace("_", " ") for name in metrics.columns], days.rows())]
    if loads.rejected:
        sections.append(Section("rejected because", ("reason", "rows"), loads.rejected))
    if loads.faults:
        sections.append(Section("passback_params not read because", ("reason", "attempts"), loads.faults))
    return Digest(
        subject=f"Study metrics of {period}: {loads.counts['rows_new']:,} new attempts",
        id=f"learning.{loads.ids[0]}-{loads.ids[-1]}",
        facts=facts,
        sections=sections,
        chart=charts.columns(shown, "study_date", "attempts_per_day_total"),
        chart_says=f"attempts per day up to {loads.last}",
    )


def failure(run_id: str, step: str, reason: str, seconds: float, now: datetime) -> Digest:
    """That a run failed, as a message."""
    facts = {"step": step, "reason": reason, "run": run_id, "time": f"{now:%Y-%m-%d %H:%M} UTC", "run time": duration(seconds)}
    return Digest(subject=f"The learning pipeline failed in {step}", id=f"learning.failure.{run_id}.{step}", facts=facts)
