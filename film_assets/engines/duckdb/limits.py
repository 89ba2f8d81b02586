"""How much memory and how many threads DuckDB may use: what is set, or what the machine or container of this process allows.

Belongs here: asking the libraries that find it out, and DuckDB's share. Does not belong here: what can be set (``settings``).
"""

import duckdb
import polars as pl

from film_assets.settings import Settings

_ENOUGH_GIB = 4
"""A refresh of the real data needs no more."""
_SHARE = 0.6
"""Of the memory setting; the rest is for reading pieces of blobs and for Python."""


def memory_limit(settings: Settings) -> str:
    """DuckDB's share of the memory, in its own notation."""
    memory = settings.memory or min(_ENOUGH_GIB, _memory_gib())
    return f"{memory * _SHARE * 1024:.0f}MiB"


def threads(settings: Settings) -> int:
    """How many threads DuckDB may use.

    Where nothing is set, what both would take: DuckDB, which sees the quota of the control group, and Polars, which sees the
    affinity.
    """
    return settings.threads or min(int(_setting("current_setting('threads')")), pl.thread_pool_size())


def _memory_gib() -> float:
    """What DuckDB would take by itself: four fifths of the memory there is, or of what the control group allows."""
    return float(_setting("parse_formatted_bytes(current_setting('memory_limit'))")) / (1 << 30)


def _setting(expression: str) -> str:
    with duckdb.connect() as connection:
        ((found,),) = connection.execute(f"select {expression}").fetchall()
        return str(found)
