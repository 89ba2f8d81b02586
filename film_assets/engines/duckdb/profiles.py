"""What each column of a raw table holds, kept with the version of the table it was found in.

Does not belong here: which figures there are (``common.profiling``).
"""

from film_assets.common import profiling
from film_assets.engines.base import Head
from film_assets.engines.duckdb.slices import scan
from film_assets.engines.duckdb.warehouse import Warehouse
from film_assets.engines.state import digest
from film_assets.tables import Blob, sql


def profile(warehouse: Warehouse, blob: Blob) -> Head:
    """What each column of a raw table holds; it is not looked at again unless it changed."""
    version = digest([warehouse.ranges.version(blob, key) for key in blob.range_keys])
    if warehouse.rows("select distinct version from state.profiles where name = ?", [blob.name]) != [(version,)]:
        _look(warehouse, blob, version)
    kept = f"select {sql.names(profiling.FIGURES)} from state.profiles where name = ? order by position"
    return Head(profiling.FIGURES, warehouse.rows(kept, [blob.name]))


def _look(warehouse: Warehouse, blob: Blob, version: str) -> None:
    found = profiling.profile(scan(warehouse, blob), {column.name: column.type for column in blob.columns})
    with warehouse.transaction():
        warehouse.run("delete from state.profiles where name = ?", [blob.name])
        warehouse.run(
            f"insert into state.profiles by name select ? as name, ? as version, * from ({found})", [blob.name, version]
        )
