"""Brings the id ranges of a table up to date: those whose inputs changed are rebuilt, in one transaction with their state.

Where the inputs changed in few ids only, the rows of these are computed and no others. A range that comes out as it was keeps
its version, column by column, so nothing that depends on it is touched. Where only inputs changed that are partitioned by other
ids, the ranges are computed, but only those that come out different are written and count as rebuilt.
"""

import time
from collections.abc import Iterable, Sequence
from functools import reduce

import duckdb
import narwhals as nw

from film_assets.engines.duckdb import changes, layout
from film_assets.engines.duckdb.differences import fingerprints
from film_assets.engines.duckdb.slices import scan
from film_assets.engines.duckdb.warehouse import Warehouse
from film_assets.engines.outcome import Difference, Outcome, Rebuilt, first_state, next_state, outcome, rebuilt
from film_assets.engines.state import Plan
from film_assets.tables import TABLES, Blob, Table, sql

_MANY_ROWS = 1_000_000


def rebuild(warehouse: Warehouse, table: Table, keys: Sequence[str], *, force: bool = False) -> Outcome:
    """Rebuild those of the given ranges of a computed table that are out of date, or all of them with ``force``."""
    started, before = time.monotonic(), warehouse.ranges.rows(table)
    plan = warehouse.ranges.plan(table, keys, force=force)
    done: dict[str, Rebuilt] = {}
    if plan.stale:
        with warehouse.transaction():
            done |= _fill(warehouse, table, plan) if plan.new else {}
            done |= _replace(warehouse, table, plan, force=force) if plan.known else {}
        warehouse.ranges.rejected -= {(table.name, key) for key in plan.stale}
    return outcome(warehouse.ranges, table, done, keys, before, started)


def _fill(warehouse: Warehouse, table: Table, plan: Plan) -> dict[str, Rebuilt]:
    """Ranges that have no rows yet: computed straight into the table."""
    keys = plan.new
    wanted = f"select * from computed where {sql.in_ranges(table.range_column, keys)}{layout.order(table)}"
    _compute(warehouse, table, keys, f"insert into {sql.quoted(table.name)} by name {wanted}")
    counts = dict(warehouse.rows(sql.count_by_range(table.name, table.range_column, keys)))
    states = {key: first_state(table, plan, key, counts[key]) for key in keys}
    warehouse.remember(table.name, states)
    return rebuilt(table, plan, {key: Difference(added=rows) for key, rows in counts.items()}, {}, states)


# ---- ranges that have rows: computed beside the table, compared, and written where they differ


def _replace(warehouse: Warehouse, table: Table, plan: Plan, *, force: bool) -> dict[str, Rebuilt]:
    keys = plan.known
    changes.begin(warehouse, table)
    touched = [] if force else changes.find_touched(warehouse, table, keys)
    whole = [key for key in keys if key not in touched]
    found = _amend(warehouse, table, touched) if touched else {}
    found |= _renew(warehouse, table, whole, force=force) if whole else {}
    before = {key: warehouse.ranges[table.name, key] for key in keys}
    states = {key: next_state(before[key], plan, key, *found[key]) for key in keys}
    changes.note(warehouse, table, states)
    warehouse.remember(table.name, states)
    for temporary in ("fresh", "differing", "touched"):
        warehouse.run(f"drop table if exists temp.{temporary}")
    return rebuilt(table, plan, {key: difference for key, (difference, _) in found.items()}, before, states)


_Found = dict[str, tuple[Difference, int | None]]
"""Range -> how its rows differ from those before, and how many are out of order now; None where nothing was written."""


def _amend(warehouse: Warehouse, table: Table, keys: list[str]) -> _Found:
    """Ranges that can differ in the ids that are ``touched`` alone: no others are computed."""
    wanted = f"{sql.in_ranges(table.range_column, keys)} and {_touched(table)}"
    _compute(warehouse, table, keys, f"create or replace temp table fresh as select * from computed where {wanted}", touched=True)
    found = changes.compare(warehouse, table, keys, f"from {sql.quoted(table.name)} where {wanted}", "from fresh")
    out_of_order = _write_by_id(warehouse, table, [key for key in keys if found[key]])
    return {key: (difference, out_of_order.get(key)) for key, difference in found.items()}


def _renew(warehouse: Warehouse, table: Table, keys: list[str], *, force: bool) -> _Found:
    """Ranges of which every row is computed.

    Most come out as they were, which a sum over all rows tells in a tenth of the time of looking at each row.
    """
    name, wanted = sql.quoted(table.name), sql.in_ranges(table.range_column, keys)
    _compute(warehouse, table, keys, f"create or replace temp table fresh as select * from computed where {wanted}")
    now, past = ({key: rest for key, *rest in warehouse.rows(fingerprints(table, rows, keys))} for rows in ("fresh", name))
    found = dict.fromkeys(keys, Difference())
    few = []
    for key in (key for key in keys if now.get(key) != past.get(key)):
        condition = sql.in_ranges(table.range_column, [key])
        found |= changes.compare(warehouse, table, [key], *(f"from {rows} where {condition}" for rows in (name, "fresh")))
        if changes.keep_few(warehouse, table, key, found[key]):
            few.append(key)
    whole = [key for key in keys if force or (found[key] and key not in few)]
    out_of_order = _write_by_id(warehouse, table, [key for key in few if key not in whole])
    out_of_order |= _write_whole(warehouse, table, whole)
    return {key: (difference, out_of_order.get(key)) for key, difference in found.items()}


def _touched(table: Table) -> str:
    return f"{sql.quoted(table.range_column)} in (select id from touched)"


def _write_by_id(warehouse: Warehouse, table: Table, keys: list[str]) -> dict[str, int]:
    """Write the rows of the ids that differ, behind all others; range -> how many of its rows are out of order now."""
    if not keys:
        return {}
    name, column = sql.quoted(table.name), table.range_column
    ids = f"{sql.quoted(column)} in (select _id from differing)"
    condition = f"{sql.in_ranges(column, keys)} and {ids}"
    warehouse.run(f"delete from {name} where {condition}")
    warehouse.run(f"insert into {name} by name select * from fresh where {condition}{layout.order(table)}")
    written = warehouse.rows(sql.count_by_range("fresh", column, keys, ids))
    return {key: warehouse.ranges[table.name, key].out_of_order + rows for key, rows in written}


def _write_whole(warehouse: Warehouse, table: Table, keys: list[str]) -> dict[str, int]:
    if keys:
        name, condition = sql.quoted(table.name), sql.in_ranges(table.range_column, keys)
        warehouse.run(f"truncate {name}" if set(keys) == set(table.range_keys) else f"delete from {name} where {condition}")
        warehouse.run(f"insert into {name} by name select * from fresh where {condition}{layout.order(table)}")
    return dict.fromkeys(keys, 0)


def _compute(warehouse: Warehouse, table: Table, keys: list[str], statement: str, *, touched: bool = False) -> None:
    """Run a statement on the rows of these ranges, or of the ids in them that are touched, which it knows as ``computed``."""
    rows = _rows(warehouse, table, keys, touched=touched)
    if not touched and _is_grouped_at_length(warehouse, table, keys, rows):
        rows = reduce(duckdb.DuckDBPyRelation.union, (_rows(warehouse, table, [key]) for key in keys))
    rows.query("computed", statement)


def _is_grouped_at_length(warehouse: Warehouse, table: Table, keys: Sequence[str], rows: duckdb.DuckDBPyRelation) -> bool:
    """Whether many rows are grouped that could be range by range: many small hash tables take half the time of a large one."""
    aligned = all(TABLES[name].range_column == table.range_column for name in table.reads)
    count = sum(warehouse.ranges.rows(TABLES[name], keys) for name in table.reads)
    return aligned and count > _MANY_ROWS and "Group By" in rows.explain()


def _rows(warehouse: Warehouse, table: Table, keys: Sequence[str], *, touched: bool = False) -> duckdb.DuckDBPyRelation:
    """The computed rows of these ranges, or where every input is partitioned by other ids, of all.

    With ``touched`` the inputs have only the rows of these ids, if they have ids of this kind; the result may have others too.
    """
    frames = {}
    for name, columns in table.reads.items():
        upstream = TABLES[name]
        wanted = keys if upstream.range_column == table.range_column else upstream.range_keys
        condition = _touched(table) if touched and table.range_column in upstream.column_names else "true"
        frames[name] = nw.from_native(_relation(warehouse, upstream, columns, wanted, condition))
    result: duckdb.DuckDBPyRelation = table.compute(frames).to_native()
    return result


def _relation(
    warehouse: Warehouse, table: Table, columns: Iterable[str], keys: Sequence[str], condition: str
) -> duckdb.DuckDBPyRelation:
    if isinstance(table, Blob):
        rows = f"{scan(warehouse, table, keys)} where {condition}"
    else:
        rows = f"{sql.quoted(table.name)} where {sql.in_ranges(table.range_column, keys)} and {condition}"
    return warehouse.connection.sql(f"select {sql.names(columns)} from {rows}")
