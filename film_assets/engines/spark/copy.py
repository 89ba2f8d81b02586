"""The copy of the lake that readers are given: the working file of the home, to which what changed is copied.

Belongs here: bringing the copy up to date, range by range. Does not belong here: how it becomes the snapshot (``snapshot``), and
the tables themselves (``lake``).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from film_assets.common.database import Connect
from film_assets.common.profiling import FIGURES
from film_assets.common.progress import Progress
from film_assets.engines.duckdb import layout
from film_assets.engines.duckdb.store import WarehouseStore
from film_assets.engines.spark.lake.known import LandedSlice
from film_assets.engines.spark.lake.state import State
from film_assets.engines.spark.lake.storage import Storage
from film_assets.engines.state import Ranges
from film_assets.errors import SettingsError
from film_assets.home import Home
from film_assets.tables import BLOBS, COMPUTED, Blob, Table, sql

COPYING = "copy the lake"

_FOUND_BY_PLACE = ("films.titles", "films.names")
"""Tables whose rows macros find by their places, which a view has none of."""


class LakeCopy(WarehouseStore):
    """The working file of a home, with a copy of the lake."""

    def __init__(self, home: Home, connect: Connect, storage: Storage, state: State, *, views: bool = False) -> None:
        """Open the file.

        Args:
            home: Whose file it is.
            connect: Opens it.
            storage: The lake.
            state: What is known of its tables.
            views: Whether the tables that can be are views of the files of the lake.

        Raises:
            SettingsError: There are to be views of a lake that readers do not reach.
        """
        if views and not storage.is_folder:
            raise SettingsError("FILM_ASSETS_SNAPSHOT=views needs a lake in a folder that readers reach; set it to tables")
        super().__init__(home, connect, origin=storage.uri)
        self._storage, self._state, self._scratch = storage, state, home.scratch
        self._views = {
            table.name for table in COMPUTED if views and table.schema == "films" and table.name not in _FOUND_BY_PLACE
        }

    def bring_up_to_date(self, ranges: Ranges, progress: Progress) -> None:
        """Copy what changed since the last time; a table at a time, each with its state in one transaction."""
        stale = {table.name: keys for table in (*BLOBS, *COMPUTED) if (keys := self._stale(table, ranges))}
        if not stale and not self._other_blobs():
            return
        rows = sum(ranges.rows(table, stale.get(table.name, [])) for table in COMPUTED)
        with progress.task(COPYING, rows, "rows") as advance:
            for blob in self._other_blobs():
                self._copy_blob(blob, ranges)
            for table in COMPUTED:
                if table.name in stale:
                    self._copy_table(table, stale[table.name], ranges)
                    advance(ranges.rows(table, stale[table.name]))

    def _stale(self, table: Table, ranges: Ranges) -> list[str]:
        """The ranges that are known by another state here than in the lake."""
        names = [(table.name, key) for key in table.range_keys]
        anew = self._is_other_kind(table)
        return [key for name, key in names if anew or ranges.get((name, key)) != self.ranges.get((name, key))]

    def _is_other_kind(self, table: Table) -> bool:
        """Whether it is a view and is to be a table, or the other way round."""
        return not isinstance(table, Blob) and self.is_view(table) != (table.name in self._views)

    def contents(self) -> object:
        """Everything that readers would see change."""
        return [super().contents(), sorted(self._views)]

    def note_published(self, digest: str) -> None:
        """Write down what was published, here and in the lake, and delete files of the lake that nobody needs any more."""
        super().note_published(digest)
        self._state.note_refresh()
        self._state.vacuum()

    # ---- blobs: where their slices are, what was rejected, which version it is

    def _other_blobs(self) -> list[Blob]:
        copied = dict(self.rows("select blob, landedAt from state.blobs"))
        return [blob for blob in BLOBS if (landed := self._landed_at(blob)) and landed != copied.get(blob.short)]

    def _landed_at(self, blob: Blob) -> datetime | None:
        known = self._state.tables[blob.name].blob
        return datetime.fromisoformat(known["landedAt"]).replace(tzinfo=None) if known else None

    def _copy_blob(self, blob: Blob, ranges: Ranges) -> None:
        known = self._state.tables[blob.name]
        slices = pl.DataFrame(
            [self._row(blob, key, part, one) for key, of in known.slices.items() for part, one in enumerate(of)]
        )
        parts = slices.unique(["range", "digest"]).select("range", "digest", "part")
        rejects = (
            self._state.rejects(blob).join(parts, on=["range", "digest"]).drop("digest").with_columns(blob=pl.lit(blob.short))
        )
        with self.transaction():
            self.retire("blob = ?", [blob.short])
            for name in ("slices", "rejects", "blobs"):
                self.run(f"delete from state.{name} where blob = ?", [blob.short])
            self.insert("state.slices", slices)
            self.insert("state.rejects", rejects)
            self.run("insert into state.blobs values (?, ?, ?, ?, ?, ?, ?, ?)", [blob.short, *self._version(known.blob, blob)])
            self._copy_profile(blob)
            self.remember(blob.name, {key: ranges[blob.name, key] for key in self._stale(blob, ranges)})

    def _row(self, blob: Blob, key: str, part: int, one: LandedSlice) -> dict[str, Any]:
        return {
            "blob": blob.short,
            "range": key,
            "part": part,
            "digest": one.digest,
            "file": self._file(blob, key, one),
            "lines": one.lines,
            "rejected": one.rejected,
            "firstLine": one.first_line,
            "continued": one.continued,
        }

    def _version(self, known: dict[str, Any], blob: Blob) -> list[Any]:
        modified = datetime.fromisoformat(known["lastModified"]).replace(tzinfo=None) if known["lastModified"] else None
        told = [known[name] for name in ("source", "version", "landing", "etag")]
        return [*told, modified, known["bytes"], self._landed_at(blob)]

    def _copy_profile(self, blob: Blob) -> None:
        found = self._state.profile(blob)
        self.run("delete from state.profiles where name = ?", [blob.name])
        if found:
            version, rows = found
            told = [dict(zip(FIGURES, row, strict=True)) for row in rows]
            self.insert(
                "state.profiles",
                [{"name": blob.name, "version": version, "position": at, **row} for at, row in enumerate(told, 1)],
            )

    def _file(self, blob: Blob, key: str, one: LandedSlice) -> str:
        """Where readers find a slice: in a lake that is a folder itself, of another one a copy in the home."""
        if not one.path or self._storage.is_folder:
            return one.path and self._storage.url(one.path)
        file = f"{blob.short}/{key}-{one.digest[:16]}.parquet"
        there = self.landing / file
        if not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            self._storage.fetch(one.path, there)
        return file

    # ---- tables

    def _copy_table(self, table: Table, keys: Sequence[str], ranges: Ranges) -> None:
        anew = self._is_other_kind(table)
        changed = [key for key in keys if anew or self._differs(table, key, ranges)]
        with self.transaction():
            if anew:
                self.drop(table)
            if changed and table.name in self._views:
                self._make_view(table)
            elif changed:
                self._copy_ranges(table, changed)
            self.remember(table.name, {key: ranges[table.name, key] for key in keys if (table.name, key) in ranges})

    def _make_view(self, table: Table) -> None:
        rows = sql.reading(table, [self._storage.url(file) for of in self._files(table).values() for file in of])
        self.run(f"create or replace view {sql.quoted(table.name)} as select {sql.names(table.column_names)} from {rows}")

    def _copy_ranges(self, table: Table, keys: Sequence[str]) -> None:
        self.run(layout.create_table(table))
        name, whole = sql.quoted(table.name), set(keys) == set(table.range_keys)
        self.run(f"truncate {name}" if whole else f"delete from {name} where {sql.in_ranges(table.range_column, keys)}")
        files = self._files(table)
        with self._local([file for key in keys for file in files.get(key, [])]) as there:
            rows = f"select {sql.names(table.column_names)} from {sql.reading(table, there)}"
            order = f" order by {sql.quoted(table.range_column)}" if table.range_column else ""
            self.run(f"insert into {name} by name {rows}{order}")

    def _files(self, table: Table) -> dict[str, list[str]]:
        return self._state.lake[table.name].files()

    def _differs(self, table: Table, key: str, ranges: Ranges) -> bool:
        now, here = (of.get((table.name, key)) for of in (ranges, self.ranges))
        return now is not None and (here is None or (now.versions, now.rows) != (here.versions, here.rows))

    @contextmanager
    def _local(self, files: Sequence[str]) -> Iterator[list[str]]:
        """Files of the lake where DuckDB reads them: a folder's where they lie, others fetched for as long as it takes."""
        if self._storage.is_folder:
            yield [self._storage.url(file) for file in files]
            return
        with TemporaryDirectory(dir=self._scratch) as folder:
            there = [Path(folder) / f"{at}.parquet" for at in range(len(files))]
            for file, target in zip(files, there, strict=True):
                self._storage.fetch(file, target)
            yield [str(path) for path in there]
