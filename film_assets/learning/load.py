"""Loads the attempts of a day: whole or not at all, and again without harm.

Belongs here: what goes into which table. Does not belong here: what makes a row valid (``attempts``).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from film_assets.learning.attempts import ATTEMPTS, KEY, validate
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
        faulty: Of the attempts, those of which ``passback_params`` cannot be read.
        newly_faulty: Of them, those that were not loaded before.
    """

    fetched: int
    valid: int
    rejected: int
    new: int
    newly_rejected: int
    faulty: int = 0
    newly_faulty: int = 0


_INCOMING = {"incoming": "solutions", "refused": "rejected_attempts", "faulty": "passback_faults"}
"""Temporary table -> the one whose rows it takes first."""

_NO_NEW_ATTEMPT = (
    """delete from faulty where exists (select 1 from solutions as known
        where known.user_id = faulty.user_id and known.created_at = faulty.created_at)""",
    """delete from faulty where exists (select 1 from incoming as first
        where first.user_id = faulty.user_id and first.created_at = faulty.created_at and first.position < faulty.position)""",
)
"""Take away the faults of rows that are not loaded: the attempt is there already, or came before."""


def load(database: Database, day: date, batches: Iterable[Iterable[str]]) -> Loaded:
    """Load the rows of a day, in one transaction.

    Args:
        database: Where to; with its schema.
        day: The day they were asked for.
        batches: The rows as JSON, so many at a time.
    """
    valid = rejected = faulty = 0
    with database.transaction():
        for table, of in _INCOMING.items():
            database.run(f"create temporary table {table} as select *, id as position from {of} where false")
        for batch in batches:
            found = validate(batch)
            database.append("incoming", found.attempts.with_row_index("position", valid))
            refused = found.rejected.with_row_index("position", rejected)
            database.append("refused", refused.with_columns(study_date=day, digest=_digests(refused["text"])))
            database.append("faulty", found.faults.with_columns(pl.col("position") + valid, study_date=day))
            valid, rejected = valid + found.attempts.height, rejected + found.rejected.height
            faulty += found.faults.height
        for statement in _NO_NEW_ATTEMPT:
            database.run(statement)
        newly_faulty = database.insert_new("passback_faults", "faulty", ("study_date", *KEY, "reason", "text"), KEY)
        new = database.insert_new("solutions", "incoming", ATTEMPTS.names(), KEY)
        columns = ("study_date", "digest", "reason", "text")
        newly_rejected = database.insert_new("rejected_attempts", "refused", columns, ("study_date", "digest"))
        for table in _INCOMING:
            database.run(f"drop table {table}")
        loaded = Loaded(valid + rejected, valid, rejected, new, newly_rejected, faulty, newly_faulty)
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
