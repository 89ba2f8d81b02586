"""The database of the learning pipeline: PostgreSQL by an address, or a DuckDB file. Here, and only here, they differ.

Both understand the same SQL, with parameters as ``$1``. SQLAlchemy would not make them more alike: bulk loading, inserting what
is new, and what errors mean it leaves to the drivers, and no dialect of it is released for DuckDB 2. Belongs here: opening,
transactions, bulk loading, and what errors mean. Does not belong here: the tables (``schema``) and what is done with them
(``load``, ``reports``).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import duckdb
import polars as pl
import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from film_assets.common.database import Connect
from film_assets.errors import DatabaseError, FilmAssetsError, TransientError
from film_assets.learning.settings import LearningSettings

_CONNECT_SECONDS = 15
DUCKDB_CONFIG: dict[str, Any] = {"memory_limit": "1GiB", "autoinstall_known_extensions": "false"}
"""How the file is opened, where no other database is set."""

_LOST = "08006"
"""What there is no code for: the connection was lost."""

_PASSING = {"08", "40", "53", "57"}
"""Classes of codes: connection, conflict with others, too little of something, and the server going down or stopping the work."""

_REFUSALS = {
    "password authentication failed": "user and password are not accepted",
    "does not exist": "there is no such database or user",
    "no pg_hba.conf entry": "this machine is not let in",
}
"""What a server says that turns a connection down -> what that means."""


class Database(ABC):
    """An open database."""

    identity: str
    """The definition of a column ``id`` that numbers rows by itself; ``{table}`` stands for the table."""

    prelude: str
    """What must be there before a table with such a column; ``{table}`` stands for the table."""

    exclusive: str
    """A statement after which nobody else prepares the schema until the transaction has ended."""

    @abstractmethod
    def run(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Execute a statement that gives no rows; how many it wrote."""

    @abstractmethod
    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""

    @abstractmethod
    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Put all rows of a frame into the columns of a table that have their names."""

    @abstractmethod
    def insert_new(self, table: str, source: str, columns: Sequence[str], key: Sequence[str]) -> int:
        """Insert the rows whose key is not there yet, of several with one key the first; how many.

        Args:
            table: Where to; its key is unique.
            source: A table with these columns, and ``position``, which says what is first.
            columns: What is inserted.
            key: What tells rows apart.
        """

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All that the block writes, or nothing of it."""


@contextmanager
def opened(settings: LearningSettings, connect: Connect | None = None) -> Iterator[Database]:
    """The database that the settings name, for as long as the block runs.

    Args:
        settings: Which it is.
        connect: Opens the file, where no other database is set; None opens it as ``DUCKDB_CONFIG`` says.

    Raises:
        DatabaseError: It cannot be opened, or not written to as it is.
        TransientError: It cannot be reached now.
    """
    file = settings.database_file
    by_default = partial(duckdb.connect, file, config=DUCKDB_CONFIG)
    kind = _postgresql(settings.database_url) if settings.database_url else _duckdb(file, connect or by_default)
    with kind as database:
        yield database


# ---- PostgreSQL


class _PostgreSql(Database):
    identity = "id bigint generated always as identity primary key"
    prelude = "select 1"
    exclusive = "select pg_advisory_xact_lock(hashtext('learning schema'))"

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        return self._execute(statement, parameters).rowcount

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._execute(query, parameters).fetchall()

    def append(self, table: str, frame: pl.DataFrame) -> None:
        statement = f"copy {table} ({', '.join(frame.columns)}) from stdin (format csv)"
        with psycopg.RawCursor(self._connection) as cursor, cursor.copy(statement) as copy:
            copy.write(frame.write_csv(include_header=False, quote_style="non_numeric"))

    def insert_new(self, table: str, source: str, columns: Sequence[str], key: Sequence[str]) -> int:
        names = ", ".join(columns)
        ordered = f"select {names} from {source} order by position"
        return self.run(f"insert into {table} ({names}) {ordered} on conflict ({', '.join(key)}) do nothing")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._connection.transaction():
            yield

    def _execute(self, statement: str, parameters: Sequence[Any]) -> psycopg.RawCursor[tuple[Any, ...]]:
        cursor = psycopg.RawCursor(self._connection)
        return cursor.execute(statement, parameters or None)


@contextmanager
def _postgresql(address: SecretStr) -> Iterator[Database]:
    try:
        with _connected(address) as connection:
            yield _PostgreSql(connection)
    except psycopg.Error as error:
        fault = _broken(error)
    else:
        return
    raise fault


def _connected(address: SecretStr) -> psycopg.Connection:
    try:
        parameters = {"connect_timeout": _CONNECT_SECONDS, **conninfo_to_dict(address.get_secret_value())}
        return psycopg.connect(**cast("dict[str, Any]", parameters), autocommit=True)
    except psycopg.ProgrammingError:
        fault: FilmAssetsError = DatabaseError("LEARNING_DATABASE_URL is none: it is like postgresql://USER:PASSWORD@HOST/NAME")
    except psycopg.OperationalError as error:
        fault = _unreachable(str(error))
    raise fault  # not in the handler: what the library says may repeat a part of the address


def _broken(error: psycopg.Error) -> FilmAssetsError:
    state = error.sqlstate or _LOST
    said = f"PostgreSQL: {error.diag.message_primary or type(error).__name__} ({state})"
    return TransientError(f"{said}; try again later") if state[:2] in _PASSING else DatabaseError(said)


def _unreachable(said: str) -> FilmAssetsError:
    for mark, meaning in _REFUSALS.items():
        if mark in said:
            return DatabaseError(f"PostgreSQL cannot be opened: {meaning}; check LEARNING_DATABASE_URL")
    return TransientError("PostgreSQL cannot be reached; check LEARNING_DATABASE_URL, and whether the server is up")


# ---- DuckDB


class _DuckDb(Database):
    identity = "id bigint primary key default nextval('{table}_id')"
    prelude = "create sequence if not exists {table}_id"
    exclusive = "select 1"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        found = self._connection.execute(statement, parameters).fetchall()
        return int(found[0][0]) if found else 0

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, parameters).fetchall()

    def append(self, table: str, frame: pl.DataFrame) -> None:
        self._connection.register("given", frame.to_arrow())
        self._connection.execute(f"insert into {table} by name select * from given").fetchall()
        self._connection.unregister("given")

    def insert_new(self, table: str, source: str, columns: Sequence[str], key: Sequence[str]) -> int:
        # Not by "on conflict", which takes time by the square of the rows that are there already.
        names, same = ", ".join(columns), " and ".join(f"known.{name} = first.{name}" for name in key)
        first = f"select {names} from {source} qualify row_number() over (partition by {', '.join(key)} order by position) = 1"
        new = f"where not exists (select 1 from {table} as known where {same})"
        return self.run(f"insert into {table} ({names}) select {names} from ({first}) as first {new}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()


@contextmanager
def _duckdb(file: Path, connect: Connect) -> Iterator[Database]:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with connect() as connection:
            yield _DuckDb(connection)
    except duckdb.IOException as error:
        reason = str(error).splitlines()[0]
        raise DatabaseError(f"cannot write to {file}: {reason}; close what has it open, and see that the disk has room") from None
    except duckdb.Error as error:
        raise DatabaseError(f"{file}: {str(error).splitlines()[0]}") from None
