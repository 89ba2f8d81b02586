"""The slices of the blobs as the warehouse knows them: which are current, what was rejected, and which version they are of.

Does not belong here: how a slice is made (``landing``).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from film_assets.engines.blobs import LandedBlob, LandedBlobs, way_of_landing
from film_assets.engines.duckdb import changes
from film_assets.engines.duckdb.warehouse import Warehouse
from film_assets.engines.losses import Census, Dropped, census
from film_assets.engines.outcome import Difference, Outcome, Rebuilt, outcome
from film_assets.engines.reasons import Reason, Why
from film_assets.engines.state import RangeState
from film_assets.landing import KnownSlice, Slice, Written
from film_assets.sources.base import Listed
from film_assets.tables import Blob, sql
from film_assets.tables.ranges import RANGE_KEYS

_FIRST_LINES = """update state.slices set firstLine = now.firstLine
    from (select unnest(?) as range, unnest(?) as firstLine) as now where slices.range = now.range and slices.blob = ?"""


_DROPPED = """from state.rejects where "column" is not null and not starts_with(reason, 'row rejected')"""

LANDED = """select blob, source, version, landing, quality.blobs.etag, quality.blobs.bytes, rowsRead, rowsLoaded, rowsRejected
    from state.blobs join quality.blobs using (blob)"""
"""The fields of ``LandedBlob``."""


def scan(warehouse: Warehouse, blob: Blob, keys: Iterable[str] = RANGE_KEYS) -> str:
    """What stands after ``from`` to read the current slices of a blob, which may be none."""
    return sql.reading(blob, files(warehouse, blob, keys))


def files(warehouse: Warehouse, blob: Blob, keys: Iterable[str]) -> list[str]:
    """The files of the current slices of a blob."""
    query = "select file from state.slices where blob = ? and range in (select unnest(?)) and file <> '' order by range, part"
    return [str(warehouse.landing / file) for (file,) in warehouse.rows(query, [blob.short, list(keys)])]


def known(warehouse: Warehouse, blob: Blob) -> dict[str, dict[str, KnownSlice]]:
    """Range -> digest -> current slice, of which there is one."""
    found = warehouse.rows("select range, digest, lines from state.slices where blob = ?", [blob.short])
    return {key: {digest: KnownSlice(lines)} for key, digest, lines in found}


def landed_blobs(warehouse: Warehouse) -> LandedBlobs:
    """Which version of each blob is landed."""
    return {blob: LandedBlob(blob, *rest) for blob, *rest in warehouse.rows(LANDED)}


def dropped_values(warehouse: Warehouse) -> list[Dropped]:
    """The values that were dropped, by blob, column and reason."""
    return [
        Dropped(*row) for row in warehouse.rows(f'select blob, "column", reason, count(*) {_DROPPED} group by all order by all')
    ]


def census_of(warehouse: Warehouse, blob: Blob) -> Census:
    """What is landed of a blob, or in a transaction would be."""
    dropped = warehouse.rows(f'select "column", count(*) {_DROPPED} and blob = ? group by all', [blob.short])
    slices = [Path(file) for file in files(warehouse, blob, RANGE_KEYS)]
    ((rejected,),) = warehouse.rows("select coalesce(sum(rejected), 0)::bigint from state.slices where blob = ?", [blob.short])
    return census(warehouse.ranges.rows(blob), rejected, slices, dropped)


def record(
    warehouse: Warehouse,
    blob: Blob,
    listed: Listed,
    source: str,
    found: Sequence[Slice],
    verify: Callable[[], None] = lambda: None,
    *,
    force: bool = False,
) -> Outcome:
    """Take over the slices of a blob, with the version it was landed from, in one transaction.

    ``verify`` is called at its end, and raises if it is not to be. With ``force`` all count as rebuilt, equal ones too.
    """
    started, before = time.monotonic(), warehouse.ranges.rows(blob)
    written = [(item, item.written) for item in found if item.written is not None]
    with warehouse.transaction():
        states, rebuilt = _compare(warehouse, blob, written, force=force)
        _replace_slices(warehouse, blob, written)
        warehouse.remember(blob.name, states)
        first_lines = [[item.range_key for item in found], [item.first_line for item in found], blob.short]
        warehouse.run(_FIRST_LINES, first_lines)
        _record_version(warehouse, blob, listed, source)
        landed_blobs(warehouse)[blob.short].ensure_accounted_for()
        verify()
    return outcome(warehouse.ranges, blob, rebuilt, RANGE_KEYS, before, started)


def _record_version(warehouse: Warehouse, blob: Blob, listed: Listed, source: str) -> None:
    warehouse.run("delete from state.blobs where blob = ?", [blob.short])
    modified = listed.last_modified and listed.last_modified.replace(tzinfo=None)
    row = [blob.short, source, listed.version, way_of_landing(blob), listed.etag or listed.version, modified, listed.bytes]
    warehouse.run("insert into state.blobs values (?, ?, ?, ?, ?, ?, ?, now() at time zone 'utc')", row)


def _compare(
    warehouse: Warehouse, blob: Blob, written: Sequence[tuple[Slice, Written]], *, force: bool
) -> tuple[dict[str, RangeState], dict[str, Rebuilt]]:
    """The new state of the ranges that were written, and how the rows of those that differ from before do so."""
    states, rebuilt = {}, {}
    changes.begin(warehouse, blob)
    for item, new in written:
        key, before = item.range_key, warehouse.ranges.get((blob.name, item.range_key))
        if before is None:
            difference = Difference(added=new.rows, columns=blob.column_names)
            versions = dict.fromkeys(blob.column_names, item.digest)
        else:
            old = f"from {scan(warehouse, blob, [key])}"
            fresh = f"from {sql.reading(blob, [str(warehouse.landing / new.file)])}"
            difference = changes.compare(warehouse, blob, [key], old, fresh)[key]
            versions = difference.versions(before, item.digest)
            changes.keep_few(warehouse, blob, key, difference)
        states[key] = RangeState(item.digest, "", versions, new.rows)
        if difference or before is None or force:
            why = Why(Reason.FIRST if before is None else Reason.FORCED if force else Reason.BYTES)
            rebuilt[key] = Rebuilt(new.rows, difference, states[key].version(blob.column_names), why)
    changes.note(warehouse, blob, states)
    return states, rebuilt


def forget_retired(warehouse: Warehouse) -> list[Path]:
    """The slices that were out of use at the last publication already; they are in nobody's state any more."""
    retired = """select file from state.retired where retiredAt < (select max(publishedAt) from state.snapshot)
        and file not in (select file from state.slices)"""
    unused = [file for (file,) in warehouse.rows(retired)]
    warehouse.run("delete from state.retired where file in (select unnest(?))", [unused])
    return [warehouse.landing / file for file in unused]


def _replace_slices(warehouse: Warehouse, blob: Blob, written: Sequence[tuple[Slice, Written]]) -> None:
    here = "blob = ? and range in (select unnest(?))"
    which = [blob.short, [item.range_key for item, _ in written]]
    warehouse.retire(here, which)
    warehouse.run(f"delete from state.slices where {here}", which)
    warehouse.run(f"delete from state.rejects where {here}", which)
    warehouse.insert("state.slices", [_row(blob, item, new) for item, new in written])
    for item, new in written:
        place = (pl.lit(blob.short).alias("blob"), pl.lit(item.range_key).alias("range"))
        warehouse.insert("state.rejects", new.rejects.with_columns(*place))


def _row(blob: Blob, item: Slice, written: Written) -> dict[str, Any]:
    return {
        "blob": blob.short,
        "range": item.range_key,
        "digest": item.digest,
        "file": written.file,
        "lines": item.lines,
        "rejected": written.rejected,
        "continued": written.continued,
    }
