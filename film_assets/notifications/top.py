"""The rows of a table that go into a sheet: the first so many by votes, with the names of who and what they are about.

Belongs here: which rows and columns. Does not belong here: how they get there (``channels.sheets``).
"""

from contextlib import closing
from pathlib import Path

import polars as pl

from film_assets.common.database import attached
from film_assets.errors import SettingsError
from film_assets.tables import COMPUTED, Table, sql

_MEASURES = ("numVotes", "knownNumVotes", "titles")
"""What rows are chosen by: the first of these that a table has."""

_NAMES = {"tconst": ("films.titles", "primaryTitle"), "nconst": ("films.names", "primaryName")}
"""Id -> the table and column in which its name stands."""


def chosen(names: list[str]) -> list[Table]:
    """The tables of these names.

    Raises:
        SettingsError: One is no table.
    """
    known = {table.name: table for table in COMPUTED}
    if unknown := [name for name in names if name not in known]:
        there = ", ".join(name for name in known if name.startswith("metrics."))
        raise SettingsError(f"FILM_ASSETS_SHEET_TABLES: there is no table {', '.join(unknown)}; there are {there}")
    return [known[name] for name in names]


def top(films: Path, table: Table, rows: int) -> pl.DataFrame:
    """Those rows of a table in a snapshot."""
    added = {id_: name for id_, name in _NAMES.items() if id_ in table.column_names and name[1] not in table.column_names}
    columns = [f"main_rows.{sql.quoted(name)}" for name in table.column_names]
    columns += [f"{id_}_names.{sql.quoted(column)}" for id_, (_, column) in added.items()]
    joins = " ".join(
        f"left join {sql.quoted(source)} as {id_}_names on {id_}_names.{id_} = main_rows.{id_}"
        for id_, (source, _) in added.items()
    )
    measures = [f"main_rows.{sql.quoted(name)} desc nulls last" for name in _MEASURES if name in table.column_names][:1]
    order = ", ".join([*measures, *(f"main_rows.{sql.quoted(name)}" for name in table.key)])
    query = f"select {', '.join(columns)} from {sql.quoted(table.name)} as main_rows {joins} order by {order} limit {int(rows)}"
    with closing(attached(films, read_only=True)) as connection:
        frame = connection.sql(query).pl()
    assert isinstance(frame, pl.DataFrame)
    return frame
