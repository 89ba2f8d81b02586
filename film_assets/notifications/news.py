"""What is new in a snapshot since the one before, as a digest.

Belongs here: what is told. Does not belong here: how a digest looks and is sent (``channels``).
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from film_assets.common.database import CATALOG, attached
from film_assets.notifications.channels.digest import Digest, Section, duration
from film_assets.tables import sql

_MOST = 10
_ENOUGH_VOTES = 100
"""A title with fewer votes moves in rating by every single one."""

_BEFORE = "before"
_MOVED = f"""
    select coalesce(primaryTitle, tconst) as title, tconst, new.numVotes - old.numVotes as moreVotes, new.numVotes,
        round(new.averageRating - old.averageRating, 2) as ratingChange, new.averageRating
    from {CATALOG}.main.ratings as new join {_BEFORE}.main.ratings as old using (tconst)
        left join {CATALOG}.main.titles using (tconst)"""
_BY_VOTES = f"{_MOVED} where new.numVotes <> old.numVotes order by abs(moreVotes) desc, tconst limit {_MOST}"
_BY_RATING = f"""{_MOVED}
    where new.averageRating <> old.averageRating and least(new.numVotes, old.numVotes) >= {_ENOUGH_VOTES}
    order by abs(ratingChange) desc, new.numVotes desc, tconst limit {_MOST}"""
_CHANGED = f"""
    select name as "table", count(*) filter (new.versions is distinct from old.versions) as "ranges changed",
        coalesce(sum(old.rows), 0)::bigint as "rows before", sum(new.rows)::bigint as "rows"
    from {CATALOG}.state.ranges as new left join {_BEFORE}.state.ranges as old using (name, range)
    group by name having "ranges changed" > 0 order by name"""
_REJECTED = f"""
    select blob, coalesce("column", '') as "column", reason, count(*) as "rows" from (
        select blob, "column", reason, text from {CATALOG}.quality.rejected_rows
        except all select blob, "column", reason, text from {_BEFORE}.quality.rejected_rows)
    group by all order by count(*) desc, blob, reason limit {_MOST}"""


_FIRST = f"""
    select name as "table", count(*) as "ranges changed", 0 as "rows before", sum(rows)::bigint as "rows"
    from {CATALOG}.state.ranges group by name order by name"""


@dataclass(frozen=True)
class News:
    """What differs between two snapshots.

    Attributes:
        is_first: Whether there was no other before; then only ``tables`` tells anything.
        tables: The tables of which rows changed, with in how many of their ranges.
        votes: The titles whose votes changed the most.
        ratings: The titles whose rating changed the most, of those with enough votes.
        rejected: Rows that are rejected now and were not before, counted by reason.
    """

    is_first: bool
    tables: pl.DataFrame
    votes: pl.DataFrame
    ratings: pl.DataFrame
    rejected: pl.DataFrame


def news(films: Path, previous: Path | None) -> News:
    """What is new in a snapshot since the one before, or in the first."""
    with closing(attached(films, read_only=True)) as connection:
        if previous is None:
            return News(True, _frame(connection, _FIRST), pl.DataFrame(), pl.DataFrame(), pl.DataFrame())
        connection.execute(f"attach {sql.text(str(previous))} as {_BEFORE} (read_only)")
        return News(False, *(_frame(connection, query) for query in (_CHANGED, _BY_VOTES, _BY_RATING, _REJECTED)))


def digest(version: str, found: News, failing: Sequence[tuple[str, str]], seconds: float) -> Digest:
    """It as a message.

    Args:
        version: Of the snapshot.
        found: What is new in it.
        failing: Of each check that fails, the table and what does not hold there.
        seconds: How long the run has taken so far.
    """
    frames = {
        "What changed": found.tables,
        "Movers in votes": found.votes,
        "Movers in rating": found.ratings,
        "Newly rejected rows": found.rejected,
    }
    sections = [Section(heading, frame.columns, frame.rows()) for heading, frame in frames.items() if frame.height]
    if failing:
        sections.append(Section("Checks that fail", ("table", "does not hold"), failing))
    return Digest(
        subject="Films: the first snapshot" if found.is_first else f"Films: news in {found.tables.height} tables",
        id=f"films.{version}",
        facts={
            "tables with news": found.tables.height,
            "newly rejected rows": int(found.rejected["rows"].sum()) if found.rejected.height else 0,
            "tables with a failing check": len({table for table, _ in failing}),
            "run time": duration(seconds),
        },
        sections=sections,
        chart=_chart(found.votes),
        chart_says="the titles whose votes changed the most",
    )


def _chart(votes: pl.DataFrame) -> bytes:
    if votes.is_empty():
        return b""
    from film_assets.notifications.channels import charts

    return charts.bars(votes.select("title", more_votes="moreVotes"), "title", "more_votes")


def _frame(connection: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    frame = connection.sql(query).pl()
    assert isinstance(frame, pl.DataFrame)
    return frame
