"""What holds for the rows of a table, as data: the rules follow from the declarations.

A key is unique and not null, a value is one of those allowed, an id is one its own table has. Belongs here: which rules there
are. Does not belong here: how a rule is evaluated (the engines), when it is and what a broken one does (``orchestration``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from film_assets.tables import BLOBS, COMPUTED, TABLES
from film_assets.tables.declaration import Blob, Column, Table

TOLERATED_ORPHANS = 0.02
"""So many of a table's rows may name a title or person that is unknown: in the real data a few always do."""


@dataclass(frozen=True)
class Rule:
    """Something that holds for a table.

    Attributes:
        table: The table.
        name: What the rule is called; no other of the table is.
        check: The check that it is part of: an identifier that says what holds, the same for the same kind on every table.
        fatal: Whether what breaks it must not be published.
        tolerated: The share of rows that may break it.
        of_rows: Whether each row keeps or breaks it, so that it can be evaluated range by range; else it is about all of a table.
        expensive: Whether it takes long to evaluate.
    """

    table: Table
    name: str
    check: str
    fatal: bool = True
    tolerated: float = 0.0
    of_rows: ClassVar[bool] = True
    expensive: ClassVar[bool] = False

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Table -> the columns it is about."""
        return {self.table.name: self.table.column_names}


class Key(Rule):
    """No two rows have the same key, and none has a null in it where that is no group of its own."""

    expensive = True

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """The key."""
        return {self.table.name: self.table.key}


@dataclass(frozen=True)
class Values(Rule):
    """The values of a column are as declared, there or at the blob's column they are from; null is always allowed.

    Attributes:
        column: The column.
        allowed: The only values it may have, as text; any if there are none.
        minimum: The least it may have, where it is not about allowed ones.
        maximum: The most.
    """

    column: str = ""
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """The column."""
        return {self.table.name: (self.column,)}


@dataclass(frozen=True)
class Reference(Rule):
    """The titles and people that a column names are there.

    Attributes:
        column: The column of ids.
        parent: The table that must have them.
        parent_column: Its column of ids.
    """

    column: str = ""
    parent: str = ""
    parent_column: str = ""
    expensive = True

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """The ids here and there."""
        return {self.table.name: (self.column,), self.parent: (self.parent_column,)}


class Count(Rule):
    """A table has as many rows as were written to it."""

    of_rows = False


class Account(Rule):
    """Of the blob, rows read = rows loaded + rows rejected, and the rows loaded are in the raw table."""

    of_rows = False


class NothingDropped(Rule):
    """No value of the blob was dropped because it could not be loaded."""

    of_rows = False


class KnownFor(Rule):
    """No more people are known for something than the blob gives a list for; each has one title in the first position."""

    of_rows = False

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """The table, and the blob it is from."""
        return {name: TABLES[name].column_names for name in ("films.known_for", "raw.names")}


def _rules(table: Table) -> Iterator[Rule]:
    yield Key(table, f"key {', '.join(table.key)}", "key_is_unique_and_not_null")
    yield Count(table, "rows written", "row_count_is_as_written")
    if table.schema == "films":
        for column in table.columns:
            yield from _column_rules(table, column)
    if table.name == "films.known_for":
        yield KnownFor(table, "people in the blob", "known_for_people_are_in_the_blob")


def _blob_rules(blob: Blob) -> Iterator[Rule]:
    yield Account(blob, "every row accounted for", "rows_are_accounted_for")
    yield NothingDropped(blob, "no value dropped", "values_were_kept", fatal=False)


def _column_rules(table: Table, column: Column) -> Iterator[Rule]:
    source = _source(column)
    if column.allowed:
        words = f"known {column.name}"
        yield Values(table, words, "values_are_allowed", fatal=False, column=column.name, allowed=column.allowed)
    elif (source.minimum, source.maximum) != (None, None):
        words = f"{column.name} {source.form}"
        yield Values(table, words, "values_are_in_range", column=column.name, minimum=source.minimum, maximum=source.maximum)
    parent = column.references
    if parent and _is_its_own(table, column) and _blob(column) != f"raw.{parent.split('.')[1]}":
        there, _, parent_column = parent.rpartition(".")
        yield Reference(
            table,
            f"{column.name} in {there}",
            "references_exist",
            fatal=False,
            tolerated=TOLERATED_ORPHANS,
            column=column.name,
            parent=there,
            parent_column=parent_column,
        )


def _blob(column: Column) -> str:
    return column.sources[0].rpartition(".")[0]


def _source(column: Column) -> Column:
    """The column of the blob that a column of a films table is from."""
    return TABLES[_blob(column)].column(column.sources[0].rpartition(".")[2])


def _is_its_own(table: Table, column: Column) -> bool:
    """Whether no table is nearer to the blob: what holds for the ids of ``films.cast`` holds for the actors, taken from there."""
    nearest = TABLES.get(_blob(column).replace("raw.", "films."), table)
    return nearest == table or _source(column).name not in nearest.column_names


RULES: Mapping[str, Sequence[Rule]] = {
    **{blob.name: tuple(_blob_rules(blob)) for blob in BLOBS},
    **{table.name: tuple(_rules(table)) for table in COMPUTED},
}
"""Table -> the rules that hold for it."""
