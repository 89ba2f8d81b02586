"""Loads the attempts of a day: whole or not at all, and again without harm.

Belongs here: what goes into which table. Does not belong here: what makes a row valid (``attempts``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from film_assets.learning.attempts import ATTEMPTS, validate
from film_assets.learning.database import Database

BATCH = 20_000
"""Rows in memory at a time."""

_COLUMNS = ", ".join(ATTEMPTS.names())


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
        database.run(f"create temporary table incoming as select {_COLUMNS} from solutions where false")
        database.run("create temporary table refused as select reason, text from rejected_attempts where false")
        for batch in batches:
            found = validate(batch)
            database.append("incoming", found.attempts)
            database.append("refused", found.rejected)
            valid, rejected = valid + found.attempts.height, rejected + found.rejected.height
        new = database.run(f"insert into solutions ({_COLUMNS}) select {_COLUMNS} from incoming on conflict do nothing")
        insert = """insert into rejected_attempts (study_date, digest, reason, text)
            select cast($1 as date), md5(text), reason, text from refused on conflict do nothing"""
        newly_rejected = database.run(insert, [day])
        database.run("drop table incoming")
        database.run("drop table refused")
        loaded = Loaded(valid + rejected, valid, rejected, new, newly_rejected)
        _note(database, day, loaded)
    return loaded


def _note(database: Database, day: date, loaded: Loaded) -> None:
    """Write down what there is to report: the first load of a day, and whatever brings anything new after it."""
    insert = """insert into loads (study_date, loaded_at, rows_fetched, rows_valid, rows_rejected, rows_new)
        select cast($1 as date), localtimestamp, $2, $3, $4, $5
        where $6 or not exists (select 1 from loads where study_date = cast($1 as date))"""
    anything = bool(loaded.new or loaded.newly_rejected)
    database.run(insert, [day, loaded.fetched, loaded.valid, loaded.rejected, loaded.new, anything])
