"""WHAT: every table, a pure function from frames to a frame, with its declaration.

Adding a table is adding one function to ``films`` or ``metrics``: it is found here and gets its asset, its DDL, its
documentation and its place in the refresh by itself. Does not belong here: how tables are computed and stored (``engines``), when
(``orchestration``).
"""

from collections.abc import Mapping
from graphlib import TopologicalSorter
from types import ModuleType

from film_assets.tables import films, metrics, quality
from film_assets.tables.declaration import Blob, Column, Table
from film_assets.tables.raw import BLOBS

__all__ = ["BLOBS", "COMPUTED", "QUALITY", "TABLES", "Blob", "Column", "Table"]


def _declared(*modules: ModuleType) -> dict[str, Table]:
    return {item.name: item for module in modules for item in vars(module).values() if isinstance(item, Table)}


def _in_order(tables: Mapping[str, Table]) -> tuple[Table, ...]:
    order = TopologicalSorter({name: item.reads for name, item in tables.items()}).static_order()
    return tuple(tables[name] for name in order if name in tables)


COMPUTED: tuple[Table, ...] = _in_order(_declared(films, metrics))
"""The films and metrics tables, each after those it reads."""

QUALITY: tuple[Table, ...] = tuple(_declared(quality).values())
"""What the landing writes down about the blobs."""

TABLES: Mapping[str, Table] = {item.name: item for item in (*BLOBS, *COMPUTED, *QUALITY)}
"""Every table by name."""
