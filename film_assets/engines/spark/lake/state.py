"""What is known of the lake's tables, kept in the lake too, in Delta tables of the schema ``state``.

It is written after the rows it is about, and names the files that it is true of. So where a run was ended between the two, or
somebody else wrote to a table, the ranges whose files are others count as never built: that costs a rebuild, never a wrong row.
Belongs here: reading and writing it. Does not belong here: what follows from it (``engines.state``, ``rebuild``, ``landing``).
"""

import json
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from film_assets.common.dtypes import dtypes
from film_assets.engines.blobs import LandedBlobs, way_of_landing
from film_assets.engines.checks import Finding, Findings
from film_assets.engines.spark.lake.known import Known, LandedSlice, document_of, landed_blob, read_known
from film_assets.engines.spark.lake.storage import Storage
from film_assets.engines.spark.lake.table import File, LakeTable
from film_assets.engines.state import RangeState, digest
from film_assets.sources.base import Listed
from film_assets.tables import BLOBS, COMPUTED, Blob, Table

_TYPES = dtypes(pl)
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "tables": {"version": "BIGINT", "document": "VARCHAR", "writtenAt": "TIMESTAMP"},
    "checks": {"document": "VARCHAR"},
    "profiles": {"document": "VARCHAR"},
    "rejects": {
        "range": "VARCHAR",
        "digest": "VARCHAR",
        "line": "BIGINT",
        **dict.fromkeys(("column", "value", "reason", "text"), "VARCHAR"),
    },
    "refreshes": {"name": "VARCHAR", "version": "BIGINT", "publishedAt": "TIMESTAMP"},
}
"""Table of the schema ``state`` -> its columns but ``key``, by which it is partitioned: mostly the name of a table."""

_ALL = "all"
"""The only partition of what is not about one table."""


class State:
    """What is known of all tables of a lake.

    Attributes:
        tables: Name -> what is known of it, true of the files that are there.
        mended: The tables of which something was not true any more when it was read.
    """

    def __init__(self, storage: Storage, *, days: int) -> None:
        """Nothing is read yet.

        Args:
            storage: The lake.
            days: How long earlier versions of the tables can be read.
        """
        self._storage, self._days, self._writing = storage, days, threading.Lock()
        self.lake = {table.name: _lake_table(storage, table, days) for table in (*BLOBS, *COMPUTED)}
        self._own = {name: LakeTable(storage, f"state.{name}", columns, "key", days=days) for name, columns in _COLUMNS.items()}
        self.tables: dict[str, Known] = {name: Known() for name in self.lake}
        self.mended: list[str] = []

    def load(self) -> "State":
        """Read what is known, and leave out what is not true of the files that are there.

        Raises:
            HomeError: The lake cannot be read.
        """
        self._storage.check()
        documents = self._documents("tables")
        for lake in (*self.lake.values(), *self._own.values()):
            lake.open()
        for name, document in documents.items():
            if name in self.lake:
                known = read_known(document)
                self.tables[name] = known.true_of(self.lake[name].files())
                self.mended += [name] if len(self.tables[name].files) < len(known.files) else []
        return self

    def ranges(self) -> dict[tuple[str, str], RangeState]:
        """Table and range -> what is known of it."""
        return {(name, key): state for name, known in self.tables.items() for key, state in known.ranges.items()}

    def landed_blobs(self) -> LandedBlobs:
        """Which version of each blob is landed."""
        return {blob.short: landed_blob(blob, self.tables[blob.name]) for blob in BLOBS if self.tables[blob.name].blob}

    # ---- tables

    def write(
        self, table: Table, states: Mapping[str, RangeState], files: Iterable[tuple[str, File]], keys: Iterable[str]
    ) -> None:
        """Commit files in place of those of these ranges, and then the state of ranges.

        Raises:
            HomeError: The lake cannot be written to, or somebody else wrote to the table meanwhile.
        """
        self._commit(table, self.tables[table.name], states, files, list(keys))

    def write_blob(
        self,
        blob: Blob,
        listed: Listed,
        source: str,
        slices: Mapping[str, list[LandedSlice]],
        states: Mapping[str, RangeState],
        rejects: pl.DataFrame,
    ) -> None:
        """Take over the slices of a blob, with the version it was landed from.

        Args:
            blob: The blob.
            listed: Its version.
            source: The source it is from, without any secret.
            slices: Range -> its slices now.
            states: The state of the ranges that are new or other ones.
            rejects: Rejected rows with the range and the digest of their slice; those of slices known before are kept.

        Raises:
            HomeError: The lake cannot be written to, or somebody else wrote to the table meanwhile.
        """
        known, lake = self.tables[blob.name], self.lake[blob.name]
        # with those of the slices that were: they still are the current ones if the run ends before the state is written
        self._write("rejects", blob.name, _and_read(self.rejects(blob), rejects))
        version = {
            "source": source, "version": listed.version, "landing": way_of_landing(blob), "etag": listed.etag or listed.version,
            "bytes": listed.bytes, "lastModified": listed.last_modified and listed.last_modified.isoformat(),
            "landedAt": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        files = [
            (key, File(lake.within(one.path), one.size, one.rows, one.low or "", one.high or ""))
            for key, of in slices.items()
            for one in of
            if one.path
        ]
        there = lake.files()
        wanted = {key: sorted(one.path for one in of if one.path) for key, of in slices.items()}
        changed = [key for key, paths in wanted.items() if paths != there.get(key, [])]
        new = [(key, file) for key, file in files if key in changed]
        self._commit(blob, replace(known, slices=dict(slices), blob=version), states, new, changed)

    def _commit(
        self, table: Table, known: Known, states: Mapping[str, RangeState], files: Iterable[tuple[str, File]], keys: Sequence[str]
    ) -> None:
        lake = self.lake[table.name]
        if keys or lake.version < 0:
            lake.replace(keys, files)
        there = lake.files()
        now = {key: digest(there.get(key, [])) for key in {*known.files, *states}}
        known = replace(known, ranges={**known.ranges, **states}, files=now)
        self.tables[table.name] = known
        row = {"version": lake.version, "document": document_of(known), "writtenAt": datetime.now(UTC).replace(tzinfo=None)}
        self._write("tables", table.name, pl.DataFrame([row]))

    def rejects(self, blob: Blob) -> pl.DataFrame:
        """The rejected rows of the slices of a blob: columns range, digest, and those of ``REJECTS``, with lines of the slice."""
        return _of_slices(self._read("rejects", blob.name), self.tables[blob.name].slices)

    # ---- checks, profiles, refreshes

    def findings(self) -> Findings:
        """What checks found before."""
        documents = self._documents("checks")
        return {(name, rule, key): Finding(*found) for name, of in documents.items() for rule, key, *found in of}

    def keep_findings(self, found: Findings) -> None:
        """Keep what was found, in place of what was found there before."""
        for name, of in _by_table({**self.findings(), **found}).items():
            if any(name == place[0] for place in found):
                self._write_document("checks", name, of)

    def profile(self, blob: Blob) -> tuple[str, list[list[Any]]] | None:
        """The version of a raw table that was looked at last, and what its columns held; None where it never was."""
        found = self._documents("profiles").get(blob.name)
        return (found[0], found[1]) if found else None

    def keep_profile(self, blob: Blob, version: str, rows: Sequence[Sequence[Any]]) -> None:
        """Keep what the columns of a raw table hold."""
        self._write_document("profiles", blob.name, [version, rows])

    def note_refresh(self) -> None:
        """Write down which versions of all tables belong together.

        Raises:
            HomeError: The lake cannot be written to.
        """
        at = datetime.now(UTC).replace(tzinfo=None)
        rows = [
            {"name": name, "version": lake.version, "publishedAt": at} for name, lake in self.lake.items() if lake.version >= 0
        ]
        readable = self._read("refreshes", _ALL).filter(pl.col("publishedAt") > at - timedelta(days=self._days))
        self._write("refreshes", _ALL, pl.concat([readable, pl.DataFrame(rows, schema=readable.schema)]))

    def vacuum(self) -> None:
        """Delete the files that are older than the days and that neither a current version has nor what was published last.

        Raises:
            HomeError: The lake cannot be written to.
        """
        refreshes = self._read("refreshes", _ALL)
        last = dict(refreshes.filter(pl.col("publishedAt") == pl.col("publishedAt").max()).select("name", "version").rows())
        for name, lake in self.lake.items():
            lake.vacuum([last[name]] if name in last else [])
        for lake in self._own.values():
            lake.vacuum([])

    # ---- the state's own tables

    def _documents(self, table: str) -> dict[str, Any]:
        rows = self._read_all(table)
        return {key: json.loads(document) for key, document in rows.select("key", "document").rows()} if rows.height else {}

    def _write_document(self, table: str, key: str, document: Any) -> None:
        self._write(table, key, pl.DataFrame({"document": [json.dumps(document)]}))

    def _read_all(self, table: str) -> pl.DataFrame:
        found = [self._read(table, key).with_columns(key=pl.lit(key)) for key in self._own[table].files()]
        return pl.concat(found) if found else pl.DataFrame()

    def _read(self, table: str, key: str) -> pl.DataFrame:
        """The rows of one partition."""
        schema = {name: _TYPES[kind] for name, kind in _COLUMNS[table].items()}
        files = self._own[table].files().get(key, [])
        found = [pl.read_parquet(self._storage.read_whole(path)) for path in files]
        return pl.concat([pl.DataFrame(schema=schema), *(frame.cast(schema) for frame in found)])  # type: ignore[arg-type]

    def _write(self, table: str, key: str, rows: pl.DataFrame) -> None:
        lake, schema = self._own[table], {name: _TYPES[kind] for name, kind in _COLUMNS[table].items()}
        with self._writing:
            files = []
            if rows.height:
                path = f"key={key}/{uuid.uuid4().hex}.parquet"
                size = self._storage.write_frame(
                    lake.path(path), rows.select(pl.col(name).cast(kind) for name, kind in schema.items())
                )
                files = [(key, File(path, size, rows.height))]
            if files or lake.files().get(key):
                lake.replace([key], files)


def _lake_table(storage: Storage, table: Table, days: int) -> LakeTable:
    columns = {column.name: column.type for column in table.columns}
    return LakeTable(storage, table.name, columns, "range", days=days, sorted_by=table.range_column)


def rejects_of(slices: Mapping[str, Sequence[LandedSlice]], known: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """The rejected rows of slices: of those that were just read, and of the others as known before."""
    return _and_read(_of_slices(known, slices), read)


def _of_slices(rejects: pl.DataFrame, slices: Mapping[str, Sequence[LandedSlice]]) -> pl.DataFrame:
    current = [(key, one.digest) for key, of in slices.items() for one in of]
    schema = {"range": pl.String, "digest": pl.String}
    return rejects.join(pl.DataFrame(current, schema=schema, orient="row").unique(), on=["range", "digest"], how="semi")


def _and_read(known: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """The rejected rows of slices that were just read, and those known before of others."""
    return pl.concat([known.join(read, on=["range", "digest"], how="anti"), read])


def _by_table(found: Findings) -> dict[str, list[list[Any]]]:
    tables: dict[str, list[list[Any]]] = {}
    for (name, rule, key), finding in found.items():
        tables.setdefault(name, []).append([rule, key, finding.version, finding.looked, finding.failing, list(finding.examples)])
    return tables
