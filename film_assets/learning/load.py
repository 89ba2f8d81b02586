"""Loads the attempts of a day: whole or not at all, and again without harm.

Belongs here: what goes into which table. Does not belong here: what makes a row valid (``attempts``).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from film_assets.learning.attempts import ATTEMPTS, validate
from film_assets.learning.database import Database

BATCH = 20_000
"""Rows in memory at a time."""


@dataclass(frozen=True)
class Loaded:
    """How many rows there were.

    Attributes:
        fetched: In the answer.
        valid: Of them, those that are attempts.
        rejected: Of them, those that are not.
        new: Of the attempts, those that were not loaded before.
        newly_rejected: Of the rejected, those that were not known before.
    """

    fetched: int
    valid: int
    rejected: int
    new: int
    newly_rejected: int


def load(database: Database, day: date, batches: Iterable[Iterable[str]]) -> Loaded:
    """Load the rows of a day, in one transaction.

    Args:
        database: Where to; with its schema.
        day: The day they were asked for.
        batches: The rows as JSON, so many at a time.
    """
    valid = rejected = 0
    with database.transaction():
        for table, of in (("incoming", "solutions"), ("refused", "rejected_attempts")):
            database.run(f"create temporary table {table} as select *, id as position from {of} where false")
        for batch in batches:
            found = validate(batch)
            database.append("incoming", found.attempts.with_row_index("position", valid))
            refused = found.rejected.with_row_index("position", rejected)
            database.append("refused", refused.with_columns(study_date=day, digest=_digests(refused["text"])))
            valid, rejected = valid + found.attempts.height, rejected + found.rejected.height
        new = database.insert_new("solutions", "incoming", ATTEMPTS.names(), ("user_id", "created_at"))
        columns = ("study_date", "digest", "reason", "text")
        newly_rejected = database.insert_new("rejected_attempts", "refused", columns, ("study_date", "digest"))
        database.run("drop table incoming")
        database.run("drop table refused")
        loaded = Loaded(valid + rejected, valid, rejected, new, newly_rejected)
        _note(database, day, loaded)
    return loaded


def _digests(texts: pl.Series) -> pl.Series:
    """What tells texts apart that may be too long for an index."""
    return pl.Series([hashlib.sha256(text.encode()).hexdigest() for text in texts], dtype=pl.String)


def _note(database: Database, day: date, loaded: Loaded) -> None:
    """Write down what there is to report: the first load of a day, and whatever brings anything new after it."""
    insert = """insert into loads (study_date, loaded_at, rows_fetched, rows_valid, rows_rejected, rows_new)
        select cast($1 as date), localtimestamp, $2, $3, $4, $5
        where $6 or not exists (select 1 from loads where study_date = cast($1 as date))"""
    anything = bool(loaded.new or loaded.newly_rejected)
    database.run(insert, [day, loaded.fetched, loaded.valid, loaded.rejected, loaded.new, anything])
