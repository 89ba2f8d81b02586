"""Gives readers their snapshot: the working file becomes it by one atomic rename, and what was the snapshot the working file.

Readers who hold the old file keep it, whole; who opens the file afterwards sees the new one. Does not belong here: what is in the
tables, and how readers use them (``reader``).
"""

from pathlib import Path

from film_assets.common.database import CATALOG, attached
from film_assets.engines.base import Store
from film_assets.engines.state import digest
from film_assets.home import Home
from film_assets.snapshot import files, indexes, macros
from film_assets.tables import BLOBS, COMPUTED, QUALITY, Blob, Table, sql
from film_assets.tables.ranges import RANGE_KEYS

_VIEWS = f"select schema_name, view_name from duckdb_views() where database_name = '{CATALOG}'"


def publish(store: Store, home: Home, *, force: bool = False) -> bool:
    """Publish a snapshot if anything in it is new since the last one, or the home has moved; whether it did.

    A crash leaves either the old file or the new one.
    """
    views = [*_raw_views(store), *macros.statements()]
    wanted = digest(store.contents(), views)
    if home.films.exists() and store.published_version == wanted and not force:
        return False
    with store.released() as working:
        _finish(working, views)
        _swap(home)
    store.note_published(wanted)
    return True


def settle(home: Home) -> None:
    """Make good what a publication that was killed left: the working file gets bytes of its own, and half-made files go.

    To be called in a home that is held alone, before its working file is opened.
    """
    home.spare.unlink(missing_ok=True)  # nobody knows what is in it
    files.separate(home.warehouse, home.films, home.spare)


def keep(home: Home, name: Path) -> None:
    """Keep the snapshot under another name too, whatever is published; it takes no room until it is replaced."""
    if home.films.exists():
        name.parent.mkdir(exist_ok=True)
        if not files.link(home.films, name):
            files.copy(home.films, name)


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


def _raw_views(store: Store) -> list[str]:
    views = (f"create or replace view {sql.quoted(blob.name)} as from {_slices(store, blob)}" for blob in BLOBS)
    return ["create schema if not exists raw", *views]


def _called(table: Table) -> str:
    """How DuckDB calls a table in the file."""
    return f"{'main' if table.schema == CATALOG else table.schema}.{table.short}"


def _slices(store: Store, blob: Blob) -> str:
    return sql.reading(blob, store.slice_files(blob, RANGE_KEYS))


def _finish(path: Path, views: list[str]) -> None:
    """What only readers use: the places of ids, views of the landed slices, macros, the words of the declarations."""
    comments = [
        *(statement for table in (*BLOBS, *QUALITY) for statement in sql.comments(table, "view")),
    ]
    with attached(path) as connection:
        viewed = {f"{schema}.{name}" for schema, name in connection.sql(_VIEWS).fetchall()}
        comments += [text for table in COMPUTED for text in sql.comments(table, "view" if _called(table) in viewed else "table")]
        indexes.note_places(connection)
        for statement in (*views, *comments):
            connection.execute(statement)
