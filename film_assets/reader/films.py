"""Published films and people, to be compared, listed, searched and queried from a notebook or the command line.

Belongs here: the questions and the shape of the answers. Does not belong here: the SQL of the questions (``tables.macros``,
stored in the file itself), formulas (``tables.metrics``).
"""

import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import polars as pl

from film_assets.common.database import CATALOG
from film_assets.common.profiling import profile
from film_assets.errors import FilmAssetsError, UnknownNameError
from film_assets.home import Home
from film_assets.reader.display import side_by_side
from film_assets.reader.names import Kind, ensure_known, resolve
from film_assets.reader.snapshot import Snapshot

_EXPORTS = {".parquet": "format parquet, compression zstd", ".csv": "format csv, header", ".json": "format json"}
_PROFILES, _FIGURES = "quality.profiles", '"column", "rows", nulls, "distinct", minimum, maximum, mean'
_COMPARE: dict[Kind, str] = {"person": "compare_people", "title": "compare_titles"}


def open_films(home_or_file: str | Path | None = None) -> "Films":
    """Open the published data, read only; a refresh can go on meanwhile.

    Args:
        home_or_file: The home, or the file itself; without it the home of the settings (``FILM_ASSETS_HOME``).

    Raises:
        HomeError: Nothing is published there yet, or it cannot be opened.
    """
    if home_or_file is None:
        from film_assets.settings import load_settings

        return Films(load_settings().kept_in.films)
    path = Path(home_or_file).expanduser().absolute()
    return Films(Home(path).films if path.is_dir() or not path.suffix else path)


class Films:
    """The published data as it was when it was opened, until ``reopen`` is called.

    People and titles are given by id (``nm0000001``, ``tt0000001``) or by name, whatever its case and accents. What comes back
    is a Polars frame, but for ``table`` and ``sql``.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; ``open_films`` is the usual way."""
        self._snapshot = Snapshot(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        newer = "; a newer one is there, reopen() opens it" if self.is_stale else ""
        return f"<films published at {self.published_at:%Y-%m-%d %H:%M} UTC in {self.path}{newer}>"

    def close(self) -> None:
        """Let go of the file."""
        self._snapshot.connection.close()

    def reopen(self) -> Self:
        """Open what is published now, in place of what was; relations made before stay with the old."""
        opened = Snapshot(self.path)
        self.close()
        self._snapshot = opened
        return self

    @property
    def path(self) -> Path:
        """The file."""
        return self._snapshot.path

    @property
    def published_at(self) -> datetime:
        """When the data was published, in UTC."""
        return self._snapshot.published_at

    @property
    def is_stale(self) -> bool:
        """Whether newer data has been published since this was opened."""
        return self._snapshot.is_stale

    # ---- questions

    def compare(self, *who_or_what: str, metrics: Sequence[str] | None = None, transpose: bool = False) -> pl.DataFrame:
        """People beside people, or titles beside titles, in the order given.

        Args:
            who_or_what: Ids or names.
            metrics: Which metrics; ``metrics()`` lists them. Without it those that are shown by default.
            transpose: One column each, one row a metric, as text to be read.

        Returns:
            One row each: ``nconst`` or ``tconst``, then the metrics; null where there is nothing to say.

        Raises:
            UnknownNameError: Nobody and nothing goes by one of the names, or there is no such metric.
            AmbiguousNameError: Several go by one of the names; the text lists their ids.
            FilmAssetsError: People and titles are mixed.
        """
        if not who_or_what:
            raise FilmAssetsError("say who or what to compare: ids or names")
        kind, ids = resolve(self._snapshot, list(dict.fromkeys(who_or_what)))
        columns = ", ".join(f'"{name}"' for name in self._metric_names(kind, metrics))
        identity, name = ("nconst", "primaryName") if kind == "person" else ("tconst", "primaryTitle")
        query = f'select {identity}, {columns}, {name} is null as "_unnamed" from {_COMPARE[kind]}($ids)'
        frame = self._snapshot.frame(query, {"ids": list(dict.fromkeys(ids))})
        ensure_known(self._snapshot, kind, frame.filter("_unnamed")[identity].to_list())
        frame = frame.drop("_unnamed")
        return side_by_side(frame) if transpose else frame

    def metrics(self) -> pl.DataFrame:
        """What people and titles can be compared by: name, kind (person or title), description, isDefault."""
        return self._snapshot.frame("from comparable_metrics()")

    def credits(self, person: str) -> pl.DataFrame:
        """Every title a person has a part in, newest first.

        Returns:
            tconst, primaryTitle, titleType, startYear, roles, characters, averageRating, numVotes, weightedRating.

        Raises:
            UnknownNameError: Nobody goes by that id or name.
            AmbiguousNameError: Several people do.
        """
        _, (nconst,) = resolve(self._snapshot, [person], ["person"])
        return self._answer("from credits_of($id)", "person", nconst)

    def people(self, title: str) -> pl.DataFrame:
        """Everybody who has a part in a title, in the order of billing.

        Returns:
            nconst, primaryName, birthYear, roles, characters, knownAverageRating, knownNumVotes.

        Raises:
            UnknownNameError: No title goes by that id or name.
            AmbiguousNameError: Several titles do.
        """
        _, (tconst,) = resolve(self._snapshot, [title], ["title"])
        return self._answer("from people_of($id)", "title", tconst)

    def find(self, text: str, limit: int = 20) -> pl.DataFrame:
        """People and titles with that text in their name, whatever its case and accents; best known first.

        Returns:
            id, kind (person or title), name, year (of birth or release), about (the title a person is known for, or the type of a
            title), averageRating and numVotes (of a person: over the titles known for).
        """
        return self._snapshot.frame("from find_any($text, most := $limit)", {"text": text, "limit": limit})

    # ---- tables and SQL

    @property
    def tables(self) -> list[str]:
        """The names of all tables, as ``table`` takes them."""
        query = f"""
            select replace(schema_name, 'main', '{CATALOG}') || '.' || name from (
                select database_name, schema_name, table_name as name, false as internal from duckdb_tables()
                union all select database_name, schema_name, view_name, internal from duckdb_views())
            where database_name = '{CATALOG}' and schema_name not in ('state', 'lookup') and not internal order by all"""
        return [name for (name,) in self._snapshot.relation(query).fetchall()]

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """A table as a DuckDB relation: ``.pl()``, ``.df()``, ``.arrow()``, ``.filter(...)``.

        Args:
            name: As ``films.titles`` or ``metrics.person_success``.

        Raises:
            UnknownNameError: There is no such table.
        """
        return self._snapshot.relation(f"from {self._table_name(name)}")

    def profile(self, table: str) -> pl.DataFrame:
        """What each column of a table holds.

        Args:
            table: As ``raw.titles`` or ``metrics.person_success``. Of raw tables it is known, others are looked at now.

        Returns:
            column, rows, nulls, distinct (how many different values, to about 2 %), minimum and maximum as text, mean (null where
            it makes no sense).

        Raises:
            UnknownNameError: There is no such table.
        """
        name, (schema, _, short) = self._table_name(table), table.partition(".")
        if schema == "raw" and _PROFILES in self.tables:
            return self._snapshot.frame(
                f"select {_FIGURES} from {_PROFILES} where blob = $blob order by position", {"blob": short}
            )
        relation = self._snapshot.relation(f"from {name}")
        found = profile(name, dict(zip(relation.columns, map(str, relation.types), strict=True)))
        return self._snapshot.frame(f"select {_FIGURES} from ({found}) order by position")

    def sql(self, query: str, params: Any = None) -> duckdb.DuckDBPyRelation:
        """A query as a DuckDB relation.

        Args:
            query: DuckDB's SQL over ``films.titles``, ``metrics.person_success``, ..., with ``?`` or ``$name`` for values.
            params: The values: a list, or a dictionary by name.
        """
        return self._snapshot.relation(query, params)

    def export(self, table: str, file: str | Path) -> int:
        """Write a whole table to a file: Parquet, CSV or newline-delimited JSON, as its name ends.

        Returns:
            How many rows were written.

        Raises:
            UnknownNameError: There is no such table.
            FilmAssetsError: The name of the file ends in none of these, or it cannot be written.
        """
        path = Path(file)
        options = _EXPORTS.get(path.suffix.lower())
        if options is None:
            raise FilmAssetsError(f"cannot tell the format of {path}; let its name end in {', '.join(_EXPORTS)}")
        literal = str(path).replace("'", "''")
        try:
            copy = f"copy (from {self._table_name(table)}) to '{literal}' ({options})"
            ((count,),) = self._snapshot.connection.execute(copy).fetchall()
        except duckdb.IOException as error:
            raise FilmAssetsError(f"cannot write {path}: {str(error).splitlines()[0]}") from None
        return int(count)

    def _answer(self, query: str, kind: Kind, identity: str) -> pl.DataFrame:
        """What is told of one person or title, whose id must be known if there is nothing."""
        frame = self._snapshot.frame(query, {"id": identity})
        if frame.is_empty():
            ensure_known(self._snapshot, kind, [identity])
        return frame

    def _table_name(self, name: str) -> str:
        """The name of a table as an identifier, checked."""
        if name not in (names := self.tables):
            raise UnknownNameError(f"no table is called {name!r}{_near(name, names)}")
        return ".".join(f'"{part}"' for part in name.split("."))

    def _metric_names(self, kind: Kind, wanted: Sequence[str] | None) -> list[str]:
        known = [(name, is_default) for name, of, is_default in self._snapshot.comparable if of == kind]
        if wanted is None:
            return [name for name, is_default in known if is_default]
        names = [name for name, _ in known]
        for name in wanted:
            if name not in names:
                raise UnknownNameError(f"no metric of a {kind} is called {name!r}{_near(name, names)}")
        return list(dict.fromkeys(wanted))


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(names)}"
