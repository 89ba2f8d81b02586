"""Dagster's event log in SQLite, with its connections kept open.

Dagster's own opens SQLite anew, several times, for every event: 20 ms each, and a first refresh has one for every id range of
every table. Belongs here: how the history is stored. Does not belong here: what is in it (``events``).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import sqlalchemy
from sqlalchemy.engine import Connection, Engine

from film_assets.orchestration.private import ConfigurableClassData, SqliteEventLogStorage

_BUSY_SECONDS = 60
"""How long a writer waits for another, as in Dagster's own."""


class EventLog(SqliteEventLogStorage):
    """The same files and the same tables as ``SqliteEventLogStorage``, so that either can be used on a history."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """The arguments of ``SqliteEventLogStorage``."""
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(*arguments, **options)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """As Dagster makes it from ``dagster.yaml``."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.get(shard) or self._open(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _open(self, shard: str) -> Engine:
        options = {"timeout": _BUSY_SECONDS, "check_same_thread": False}
        engine = sqlalchemy.create_engine(self.conn_string_for_shard(shard), connect_args=options)
        sqlalchemy.event.listen(engine, "connect", lambda connection, _: connection.execute("pragma synchronous = normal"))
        return self._engines.setdefault(shard, engine)

    def has_table(self, table_name: str) -> bool:
        """Whether there is such a table; Dagster asks for each event of a check, and a table that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def delete_events(self, run_id: str) -> None:
        """Delete the events of a run, and let go of its file."""
        super().delete_events(run_id)
        engine = self._engines.pop(run_id, None)
        if engine is not None:
            engine.dispose()

    def dispose(self) -> None:
        """Close every file."""
        super().dispose()
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
