"""How the working file is opened, the DuckDB file of every engine that the snapshot is published from.

Belongs here: DuckDB's share of memory and threads, which is what is set, or what the machine or container of this process
allows; and where it spills. Does not belong here: what can be set (``settings``), and what is in the file (the engines).
"""

from functools import cache, partial
from typing import NamedTuple

import duckdb
import polars as pl

from film_assets.common.database import Connect, attached
from film_assets.home import Home
from film_assets.settings import Settings

_ENOUGH_GIB = 4
"""A refresh of the real data needs no more."""
_SHARE = 0.6
"""Of the memory setting; the rest is for reading pieces of blobs and for Python."""


def config(settings: Settings, home: Home) -> dict[str, str | int]:
    """DuckDB's settings of the connection to the working file of a home."""
    return {
        "memory_limit": memory_limit(settings),
        "threads": threads(settings),
        "temp_directory": str(home.scratch),
        "preserve_insertion_order": "false",
    }


def connect(settings: Settings, home: Home) -> Connect:
    """What opens the working file of a home, where nobody brings a connection of their own."""
    return partial(attached, home.warehouse, config(settings, home))


def memory_limit(settings: Settings) -> str:
    """DuckDB's share of the memory, in its own notation."""
    memory = settings.memory or min(_ENOUGH_GIB, _allowed().memory_gib)
    return f"{memory * _SHARE * 1024:.0f}MiB"


def threads(settings: Settings) -> int:
    """How many threads DuckDB may use.

    Where nothing is set, what both would take: DuckDB, which sees the quota of the control group, and Polars, which sees the
    affinity.
    """
    return settings.threads or min(_allowed().threads, pl.thread_pool_size())


class _Allowed(NamedTuple):
    """What DuckDB would take by itself: four fifths of the memory, and all threads, of the machine or of its control group."""

    memory_gib: float
    threads: int


@cache
def _allowed() -> _Allowed:
    query = "select parse_formatted_bytes(current_setting('memory_limit')), current_setting('threads')"
    with duckdb.connect() as connection:
        ((memory, threads),) = connection.execute(query).fetchall()
    return _Allowed(float(memory) / (1 << 30), int(threads))
