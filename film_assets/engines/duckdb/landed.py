"""The landed slices of the blobs as the warehouse knows them: which are current, and what was rejected.

Does not belong here: how a slice is made (``landing``).
"""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from film_assets.engines.duckdb import changes
from film_assets.engines.duckdb.warehouse import RangeState, Warehouse, attached
from film_assets.engines.outcome import Difference, Outcome, Rebuilt, outcome
from film_assets.errors import BlobError
from film_assets.landing import LANDING_VERSION, Slice, Written
from film_assets.sources.base import Listed
from film_assets.tables import Blob, sql
from film_assets.tables.ranges import RANGE_KEYS

_FIRST_LINES = """update state.slices set firstLine = now.firstLine
    from (select unnest(?) as range, unnest(?) as firstLine) as now where slices.range = now.range and slices.blob = ?"""


def slices(warehouse: Warehouse, blob: Blob, keys: Iterable[str] = RANGE_KEYS) -> str:
    """What stands after ``from`` to read the current slices of a blob, which may be none."""
    return _reading(blob, files(warehouse, blob, keys))


def files(warehouse: Warehouse, blob: Blob, keys: Iterable[str]) -> list[str]:
    """The files of the current slices of a blob."""
    query = "select file from state.slices where blob = ? and range in (select unnest(?)) order by range"
    return [str(warehouse.landing / file) for (file,) in warehouse.rows(query, [blob.short, list(keys)])]


def known_slices(warehouse: Warehouse, blob: Blob) -> dict[str, tuple[str, int]]:
    """Range -> digest and number of lines of the current slice."""
    found = warehouse.rows("select range, digest, lines from state.slices where blob = ?", [blob.short])
    return {key: (digest, lines) for key, digest, lines in found}


def is_landed(warehouse: Warehouse, blob: Blob, listed: Listed, source: str) -> bool:
    """Whether this very version is what is landed, the way blobs are landed now."""
    query = "select source, version, landing from state.blobs where blob = ?"
    return warehouse.rows(query, [blob.short]) == [identity(blob, listed, source)]


def identity(blob: Blob, listed: Listed, source: str) -> tuple[str, str, str]:
    """What must be the same for a blob not to be landed again: its source, its version, and how blobs are landed."""
    return source, listed.version, f"{LANDING_VERSION}:{blob.code_version}"


def record(warehouse: Warehouse, blob: Blob, listed: Listed, source: str, landed: Sequence[Slice]) -> Outcome:
    """Take over the slices of a blob, with the version it was landed from, in one transaction."""
    started, before = time.monotonic(), warehouse.row_count(blob)
    written = [(item, item.written) for item in landed if item.written is not None]
    with warehouse.transaction():
        states, rebuilt = _compare(warehouse, blob, written)
        _replace_slices(warehouse, blob, written)
        warehouse.remember(blob.name, states)
        first_lines = [[item.range_key for item in landed], [item.first_line for item in landed], blob.short]
        warehouse.run(_FIRST_LINES, first_lines)
        _record_version(warehouse, blob, listed, source)
        _account(warehouse, blob)
    return outcome(warehouse, blob, rebuilt, RANGE_KEYS, before, started)


def account(warehouse: Warehouse, blob: str) -> dict[str, Any]:
    """What ``quality.blobs`` says of a landed blob: its version, and the rows read, loaded and rejected."""
    relation = warehouse.connection.sql(
        "select etag, bytes, rowsRead, rowsLoaded, rowsRejected from quality.blobs where blob = ?", params=[blob]
    )
    return dict(zip(relation.columns, relation.fetchall()[0], strict=True))


def landed_blobs(path: Path) -> dict[str, dict[str, Any]]:
    """Blob -> source, version and rows of what is landed, from the working file or a snapshot; empty where that is not there."""
    if not path.exists():
        return {}
    with attached(path, read_only=True) as connection:
        relation = connection.sql(
            "select blob, source, version, landing, rowsLoaded, rowsRejected from state.blobs join quality.blobs using (blob)"
        )
        return {row[0]: dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()}


def _record_version(warehouse: Warehouse, blob: Blob, listed: Listed, source: str) -> None:
    warehouse.run("delete from state.blobs where blob = ?", [blob.short])
    modified = listed.last_modified and listed.last_modified.replace(tzinfo=None)
    row = [blob.short, *identity(blob, listed, source), listed.etag or listed.version, modified, listed.bytes]
    warehouse.run("insert into state.blobs values (?, ?, ?, ?, ?, ?, ?, now() at time zone 'utc')", row)


def _account(warehouse: Warehouse, blob: Blob) -> None:
    """Every line of the blob is loaded or rejected, or nothing is recorded."""
    query = "select rowsRead, rowsLoaded, rowsRejected from quality.blobs where blob = ?"
    ((read, loaded, rejected),) = warehouse.rows(query, [blob.short])
    if read != loaded + rejected:
        raise BlobError(f"{blob.short}: of {read} rows, {loaded} were loaded and {rejected} rejected; nothing was taken over")


def _compare(
    warehouse: Warehouse, blob: Blob, written: Sequence[tuple[Slice, Written]]
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
            old = f"from {slices(warehouse, blob, [key])}"
            fresh = f"from {_reading(blob, [str(warehouse.landing / new.file)])}"
            difference = changes.compare(warehouse, blob, [key], old, fresh)[key]
            versions = difference.versions(before, item.digest)
            changes.keep_few(warehouse, blob, key, difference)
        states[key] = RangeState(item.digest, "", versions, new.rows)
        if difference or before is None:
            rebuilt[key] = Rebuilt(new.rows, difference, states[key].version(blob.column_names))
    changes.note(warehouse, blob, states)
    return states, rebuilt


def _replace_slices(warehouse: Warehouse, blob: Blob, written: Sequence[tuple[Slice, Written]]) -> None:
    here = "where blob = ? and range in (select unnest(?))"
    which = [blob.short, [item.range_key for item, _ in written]]
    warehouse.run(f"insert into state.retired select file, now() at time zone 'utc' from state.slices {here}", which)
    warehouse.run(f"delete from state.slices {here}", which)
    warehouse.run(f"delete from state.rejects {here}", which)
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
    }


def _reading(blob: Blob, paths: Iterable[str]) -> str:
    listed = ", ".join(sql.text(path) for path in paths)
    if listed:
        return f"read_parquet([{listed}])"
    return f"({sql.no_rows(blob)})"
