"""Gives readers their snapshot: the working file becomes it by one atomic rename, and what was the snapshot the working file.

Readers who hold the old file keep it, whole; who opens the file afterwards sees the new one. Does not belong here: what is in the
tables, and how readers use them (``reader``).
"""

from pathlib import Path

from film_assets.engines.duckdb import changes
from film_assets.engines.duckdb.landed import slices
from film_assets.engines.duckdb.warehouse import Warehouse, attached, digest
from film_assets.home import Home
from film_assets.snapshot import files, indexes, macros
from film_assets.tables import BLOBS, COMPUTED, QUALITY, sql


def publish(warehouse: Warehouse, home: Home, *, force: bool = False) -> bool:
    """Publish a snapshot if anything in it is new since the last one, or the home has moved; whether it did.

    A crash leaves either the old file or the new one.
    """
    views = [*_raw_views(warehouse), *macros.statements()]
    wanted = digest(_contents(warehouse), views)
    if home.films.exists() and warehouse.published_version == wanted and not force:
        return False
    changes.forget(warehouse)
    with warehouse.released() as working:
        _finish(working, views)
        _swap(home)
    _remember(warehouse, wanted)
    return True


def _swap(home: Home) -> None:
    """Publish the working file, and make another of the file that was published before, most of which is the same."""
    for path in (home.spare, home.unpublished):
        path.unlink(missing_ok=True)
    if home.films.exists():
        files.link(home.films, home.spare)
    if not files.link(home.warehouse, home.unpublished):
        files.make_same(home.warehouse, home.unpublished)
    home.unpublished.replace(home.films)
    files.sync(home.folder)
    files.separate(home.warehouse, home.films, home.spare)


def _contents(warehouse: Warehouse) -> list[object]:
    """Everything that readers would see change."""
    versions = sorted((name, key, sorted(state.versions.items())) for (name, key), state in warehouse.ranges.items())
    return [versions, warehouse.rows("select * from state.slices order by all")]


def _raw_views(warehouse: Warehouse) -> list[str]:
    views = (f"create or replace view {sql.quoted(blob.name)} as from {slices(warehouse, blob)}" for blob in BLOBS)
    return ["create schema if not exists raw", *views]


def _finish(path: Path, views: list[str]) -> None:
    """What only readers use: the places of ids, views of the landed slices, macros, the words of the declarations."""
    comments = [
        *(statement for table in (*BLOBS, *QUALITY) for statement in sql.comments(table, "view")),
        *(statement for table in COMPUTED for statement in sql.comments(table, "table")),
    ]
    with attached(path) as connection:
        indexes.note_places(connection)
        for statement in (*views, *comments):
            connection.execute(statement)


def _remember(warehouse: Warehouse, wanted: str) -> None:
    """Note what was published, and delete the slices that were already out of use at the publication before."""
    with warehouse.transaction():
        retired = """select file from state.retired where retiredAt < (select max(publishedAt) from state.snapshot)
            and file not in (select file from state.slices)"""
        unused = [file for (file,) in warehouse.rows(retired)]
        warehouse.run("delete from state.retired where file in (select unnest(?))", [unused])
        warehouse.run("delete from state.snapshot")
        warehouse.run("insert into state.snapshot values (?, now() at time zone 'utc')", [wanted])
    for file in unused:
        (warehouse.landing / file).unlink(missing_ok=True)
