"""The working file: its tables, and the state that says what each id range was built from.

State and rows are written in one transaction, so whatever happens to a run, the state is true of the rows. Belongs here: opening,
the schema, the state. Does not belong here: computing rows (``rebuild``), what readers open (``snapshot``).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from film_assets.common.database import CATALOG, Connect, opening
from film_assets.engines.duckdb import layout, lists, migrations
from film_assets.engines.state import Ranges, RangeState
from film_assets.home import Home
from film_assets.tables import BLOBS, COMPUTED, QUALITY, Table, sql

_STATE = (
    "create schema if not exists state",
    """create table if not exists state.blobs (
        blob varchar, source varchar, version varchar, landing varchar, etag varchar, lastModified timestamp, bytes bigint,
        landedAt timestamp)""",
    """create table if not exists state.slices (
        blob varchar, range varchar, digest varchar, file varchar, lines bigint, rejected bigint, firstLine bigint)""",
    "alter table state.slices add column if not exists continued bigint default 0",
    "alter table state.slices add column if not exists part integer default 0",
    """create table if not exists state.rejects (
        blob varchar, range varchar, line bigint, "column" varchar, value varchar, reason varchar, text varchar)""",
    "alter table state.rejects add column if not exists part integer default 0",
    """create table if not exists state.ranges (
        name varchar, range varchar, own varchar, others varchar, versions map(varchar, varchar), rows bigint,
        builtAt timestamp)""",
    "alter table state.ranges add column if not exists loose bigint default 0",
    "alter table state.ranges add column if not exists read map(varchar, varchar)",
    """create table if not exists state.changes (
        name varchar, range varchar, before map(varchar, varchar), after map(varchar, varchar))""",
    "create table if not exists state.changed (name varchar, range varchar, tconst varchar, nconst varchar)",
    "create table if not exists state.retired (file varchar, retiredAt timestamp)",
    "create table if not exists state.snapshot (digest varchar, publishedAt timestamp)",
    "create table if not exists state.layout (version varchar)",
    "create table if not exists state.origin (origin varchar)",
    "create table if not exists state.migrations (name varchar)",
    """create table if not exists state.profiles (
        name varchar, version varchar, "position" smallint, "column" varchar, "rows" bigint, nulls bigint, "distinct" bigint,
        minimum varchar, maximum varchar, mean double)""",
)

_QUALITY_VIEWS = {
    "quality.blobs": """
        select blob, etag, lastModified, bytes, rowsRead, rowsLoaded, rowsRejected, landedAt
        from state.blobs
            join (select blob, sum(lines - continued)::bigint as rowsRead, sum(rejected)::bigint as rowsRejected
                from state.slices group by blob) using (blob)
            join (select split_part(name, '.', 2) as blob, sum(rows)::bigint as rowsLoaded
                from state.ranges where name like 'raw.%' group by all) using (blob)""",
    "quality.profiles": "select split_part(name, '.', 2) as blob, * from state.profiles",
    "quality.rejected_rows": """
        select blob, firstLine + line as line, "column", value, reason, text
        from state.rejects join state.slices using (blob, range, part)""",
}


_OF_TABLES = ("blobs", "slices", "rejects", "ranges", "changes", "changed", "profiles", "origin")
"""The tables of the schema ``state`` that are about tables."""

REMEDY = "close what has it open, or delete it to have it rebuilt from the source"
"""What to do about a working file that cannot be opened."""

_BY_DEFINITIONS = "code versions by definitions"


class Warehouse:
    """The open working file. One process has it open at a time.

    Attributes:
        landing: The folder of the slices its state speaks of.
        notices: What was found wrong with it when it was opened and how it was mended, one line each.
    """

    def __init__(self, home: Home, connect: Connect, origin: str = "") -> None:
        """Open the file of a home, made if it is not there, and bring its schema to what the tables declare.

        Args:
            home: Whose file it is.
            connect: Opens it.
            origin: Where the tables in it are computed; empty for this file itself. What is from elsewhere is not taken over.

        Raises:
            HomeError: It cannot be opened.
        """
        self._path = home.warehouse
        self.landing = home.landing
        self._open = connect
        self._origin = origin
        self._held = ExitStack()
        self.notices: list[str] = []
        self.ranges = Ranges(code_version=lists.code_version)
        self.connection = self._connect()
        try:
            with opening(self._path, REMEDY):  # a file that is damaged may let itself be connected to
                self._prepare()
                self.ranges |= self._load_ranges()
                self._migrate()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Write everything into the file and let go of it."""
        self._held.close()

    @contextmanager
    def released(self) -> Iterator[Path]:
        """The file closed and whole for as long as the block runs, then open again."""
        self.close()
        try:
            yield self._path
        finally:
            self.connection = self._connect()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that the block writes, or nothing of it."""
        before = dict(self.ranges)
        self.connection.begin()
        try:
            yield
        except BaseException:
            self.connection.rollback()
            self._restore(before)
            raise
        try:
            self.connection.commit()
        except BaseException:
            self._restore(before)
            raise

    def _restore(self, ranges: Mapping[tuple[str, str], RangeState]) -> None:
        """Know of the ranges what the file says, where nothing was written after all."""
        self.ranges.clear()
        self.ranges |= ranges

    def _connect(self) -> duckdb.DuckDBPyConnection:
        with opening(self._path, REMEDY):
            connection = self._held.enter_context(self._open())
        connection.execute("set enable_progress_bar = true; set enable_progress_bar_print = false")
        return connection

    # ---- schema

    def _prepare(self) -> None:
        for statement in _STATE:
            self.run(statement)
        for schema in sorted({table.schema for table in (*COMPUTED, *QUALITY)} - {CATALOG}):
            self.run(f"create schema if not exists {sql.quoted(schema)}")
        if self._origin != next((found for (found,) in self.rows("from state.origin")), ""):
            self._begin_anew()
        if self.rows("from state.layout") != [(layout.VERSION,)]:
            self._lay_out_anew()
        for table in COMPUTED:
            self._prepare_table(table)
        for table in QUALITY:
            columns = sql.names(table.column_names)
            self.run(f"create or replace view {sql.quoted(table.name)} as select {columns} from ({_QUALITY_VIEWS[table.name]})")
        gone = "delete from state.ranges where name not in (select unnest(?)) and name not like 'lookup.%'"
        self.run(gone, [[table.name for table in (*BLOBS, *COMPUTED)]])

    def _begin_anew(self) -> None:
        """Forget all tables, which another engine computed, or from which another one copied."""
        with self.transaction():
            if self.rows("from state.ranges limit 1"):
                self.notices.append("the tables in the home are of another engine or lake; all are built anew")
                self.retire("true")
            for table in COMPUTED:
                self.drop(table)
            self.run("drop schema if exists lookup cascade")
            self.run("drop table if exists state.checks")
            for name in _OF_TABLES:
                self.run(f"delete from state.{name}")
            self.run("insert into state.origin values (?)", [self._origin])

    def retire(self, condition: str, parameters: Any = None) -> None:
        """Note of the slices for which a condition holds that their files are out of use; not of those that lie elsewhere.

        What lies elsewhere, in a lake, is not the home's to delete.
        """
        here = "file <> '' and not starts_with(file, '/')"
        retired = f"select file, now() at time zone 'utc' from state.slices where {condition} and {here}"
        self.run(f"insert into state.retired {retired}", parameters)

    def drop(self, table: Table) -> None:
        """Drop a table, or a view in its place, if there is one."""
        self.run(f"drop {'view' if self.is_view(table) else 'table'} if exists {sql.quoted(table.name)}")

    def is_view(self, table: Table) -> bool:
        """Whether there is a view in place of a table."""
        query = "from duckdb_views() where database_name = ? and schema_name = ? and view_name = ?"
        return bool(self.rows(query, [CATALOG, "main" if table.schema == CATALOG else table.schema, table.short]))

    def _lay_out_anew(self) -> None:
        computed = "from state.ranges where name not like 'raw.%'"
        with self.transaction():
            if self.rows(f"{computed} limit 1"):
                self.notices.append("the tables are laid out differently now; all are rebuilt")
            for table in COMPUTED:
                self.drop(table)
            self.run("drop schema if exists lookup cascade")
            self.run(f"delete {computed}")
            self.run("delete from state.layout")
            self.run("insert into state.layout values (?)", [layout.VERSION])

    def _prepare_table(self, table: Table) -> None:
        query = f"""select column_name, data_type from duckdb_columns()
            where database_name = '{CATALOG}' and schema_name = ? and table_name = ?"""
        schema = "main" if table.schema == CATALOG else table.schema
        actual = dict(self.rows(query, [schema, table.short]))
        declared = {column.name: column.type for column in table.columns}
        if actual and actual != declared:
            names = sorted({name for name, _ in actual.items() ^ declared.items()})
            self.notices.append(f"{table.name}: column {', '.join(names)} is declared differently now; the table is rebuilt")
            with self.transaction():
                self.drop(table)
                self.run("delete from state.ranges where name = ?", [table.name])
        if actual != declared:
            self.run(layout.create_table(table))

    def _migrate(self) -> None:
        """Bring a state that an earlier release wrote to how it is written now."""
        if self.rows("from state.migrations where name = ?", [_BY_DEFINITIONS]):
            return
        changed = list(migrations.with_definitions(self.ranges))
        with self.transaction():
            for name, key, own in changed:
                self.run("update state.ranges set own = ? where name = ? and range = ?", [own, name, key])
                self.ranges[name, key] = replace(self.ranges[name, key], own=own)
            self.run("insert into state.migrations values (?)", [_BY_DEFINITIONS])

    # ---- running SQL

    def run(self, statement: str, parameters: Any = None) -> None:
        """Execute a statement to its end."""
        self.connection.execute(statement, parameters).fetchall()

    def rows(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(query, parameters).fetchall()

    def percent(self) -> float:
        """How far the statement is that is under way; 0 where none is. May be asked from any thread."""
        try:
            return max(0.0, self.connection.query_progress())
        except duckdb.Error:
            return 0.0  # it was closed meanwhile

    # ---- state of ranges

    def _load_ranges(self) -> dict[tuple[str, str], RangeState]:
        found = self.rows("select name, range, own, others, versions, rows, loose, coalesce(read, map()) from state.ranges")
        return {(name, key): RangeState(*state) for name, key, *state in found}

    def remember(self, name: str, states: Mapping[str, RangeState]) -> None:
        """Write down the state of these ranges of a table; within the transaction that writes their rows."""
        self.run("delete from state.ranges where name = ? and range in (select unnest(?))", [name, list(states)])
        rows = [
            {"name": name, "range": key, "own": state.own, "others": state.others, "rows": state.rows}
            | {"loose": state.out_of_order}  # so the column was called first, and homes keep it
            | {"versions": entries(state.versions), "read": entries(state.read)}
            for key, state in states.items()
        ]
        maps = "map_from_entries(versions) as versions, map_from_entries(read) as read"
        self.insert("state.ranges", rows, f"* replace ({maps}), now() at time zone 'utc' as builtAt")
        self.ranges |= {(name, key): state for key, state in states.items()}

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]] | pl.DataFrame, columns: str = "*") -> None:
        """Insert rows by the names of their columns; ``columns`` says what is selected from them."""
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, infer_schema_length=None)
        if frame.height:
            given = frame.to_arrow()  # noqa: F841  Found by its name; what is registered would stay in memory until the commit.
            self.connection.execute(f"insert into {table} by name select {columns} from given").fetchall()

    def count(self, table: Table) -> int:
        """The rows of a table or view, counted."""
        return int(self.rows(f"select count(*) from {sql.quoted(table.name)}")[0][0])


def entries(versions: Mapping[str, str]) -> list[dict[str, str]]:
    """Versions as a row to insert has them; SQL's ``map_from_entries`` makes a map of it."""
    return [{"key": column, "value": version} for column, version in versions.items()]
