"""Which ids changed lately, so that what is derived from a table can be brought up to date for these ids alone.

Where few rows of a range come out different, their ids are written down in the transaction that writes the rows, with the
versions that the range had before and has now. A table that was built from just the earlier versions can differ only in
these ids; one that was built from any others is rebuilt whole. So a log that is lost or old costs time, no more.

Belongs here: how rows differ, the log of it, and what follows for what is derived from them. Does not belong here: computing and
writing rows (``rebuild``).
"""

from collections.abc import Iterator, Mapping, Sequence

from film_assets.engines.duckdb.differences import differences, differing, ids_in, values_of
from film_assets.engines.duckdb.warehouse import Warehouse, entries
from film_assets.engines.outcome import Difference
from film_assets.engines.state import Derived, Ranges, RangeState
from film_assets.tables import TABLES, Table, sql

_ONE_IN = 8
"""Few rows of a range are one in so many at most: it costs as much to write more one by one as to write them all."""


def _are_few(rows: int, state: RangeState) -> bool:
    """Whether so many rows of a range may be written by themselves, beside those that were since it was last written whole."""
    return (state.out_of_order + rows) * _ONE_IN <= state.rows


# ---- how rows differ


def begin(warehouse: Warehouse, table: Table) -> None:
    """Make the temporary table ``differing``, empty, for rows of this table that differ."""
    warehouse.run(f"create or replace temp table differing as {differing(table, *[sql.no_rows(table)] * 2)}")


def compare(warehouse: Warehouse, table: Table, keys: Sequence[str], old: str, new: str) -> dict[str, Difference]:
    """How the rows of the query ``new`` differ in each of these ranges from those of ``old``, by the key of the table.

    The rows themselves are added to ``differing``.
    """
    warehouse.run(f"insert into differing {differing(table, old, new)}")
    found = dict.fromkeys(keys, Difference())
    for key, added, removed, changed, *differs in warehouse.rows(differences(table, "differing", keys)):
        columns = [column for column, does in zip(values_of(table), differs, strict=True) if does]
        found[key] = Difference(added, removed, changed, table.column_names if added or removed else columns)
    return found


def keep_few(warehouse: Warehouse, table: Table, key: str, difference: Difference) -> bool:
    """Whether the rows that differ in a range have ids and are few; if not, it is forgotten which they are."""
    few = bool(table.range_column) and _are_few(difference.rows, warehouse.ranges[table.name, key])
    if not few:
        warehouse.run("delete from differing where _range = ?", [key])
    return few


def note(warehouse: Warehouse, table: Table, states: Mapping[str, RangeState]) -> None:
    """Write down the ids of the rows in ``differing``, between the versions of their ranges now and in these new states."""
    warehouse.run("delete from state.changed where name = ?", [table.name])
    warehouse.run("delete from state.changes where name = ?", [table.name])
    warehouse.run(f"insert into state.changed select {sql.text(table.name)}, * from ({ids_in(table, 'differing')})")
    steps = [
        {"name": table.name, "range": key, "before": entries(before.versions), "after": entries(states[key].versions)}
        for (key,) in warehouse.rows("select distinct _range from differing")
        if (before := warehouse.ranges.get((table.name, key)))
    ]
    maps = "map_from_entries(before) as before, map_from_entries(after) as after"
    warehouse.insert("state.changes", steps, f"* replace ({maps})")


def forget(warehouse: Warehouse) -> None:
    """Empty the log, as everything is built from what there is now."""
    with warehouse.transaction():
        for table in ("state.changed", "state.changes"):
            warehouse.run(f"delete from {table}")


# ---- what follows from it


def find_touched(warehouse: Warehouse, derived: Derived, keys: Sequence[str]) -> list[str]:
    """Those of these ranges whose rows can differ in few ids only, which are then in the temporary table ``touched``."""
    if not derived.range_column:
        return []
    earlier = _earlier(warehouse)
    before = warehouse.ranges.before(earlier)
    found = [key for key in keys if _was_built_from(warehouse, derived, key, before)]
    queries = list(_touched(warehouse, derived, found, earlier))
    if None in queries or not queries:
        return []
    parts = " union all ".join(query for query in queries if query)
    warehouse.run(f"create or replace temp table touched as select distinct id from ({parts}) where id is not null")
    ((ids,),) = warehouse.rows("select count(*) from touched")
    rows = sum(warehouse.ranges[derived.name, key].rows for key in found)
    return found if ids * _ONE_IN <= rows else []


_Earlier = Mapping[tuple[str, str], RangeState]


def _earlier(warehouse: Warehouse) -> _Earlier:
    """What the ranges were before they came to what they are now by a step that is in the log."""
    steps = warehouse.rows("select name, range, before, after from state.changes")
    now = {place: state.versions for place, state in warehouse.ranges.items()}
    return {(name, key): RangeState("", "", before, 0) for name, key, before, after in steps if now.get((name, key)) == after}


def _was_built_from(warehouse: Warehouse, derived: Derived, key: str, before: Ranges) -> bool:
    state = warehouse.ranges[derived.name, key]
    own, others = zip(warehouse.ranges.inputs(derived, key), before.inputs(derived, key), strict=True)
    return state.own in own and state.others in others and _are_few(0, state)


def _touched(warehouse: Warehouse, derived: Derived, keys: Sequence[str], earlier: _Earlier) -> Iterator[str | None]:
    """Queries for the ids whose rows may differ in these ranges; None where it cannot be told."""
    for name, columns in derived.reads.items():
        upstream = TABLES[name]
        looked_at = keys if upstream.range_column == derived.range_column else upstream.range_keys
        changed = [key for key in looked_at if _changed(warehouse, upstream, key, columns, earlier)]
        if changed:
            yield from _ids_touched(derived, upstream, changed)


def _changed(warehouse: Warehouse, table: Table, key: str, columns: Sequence[str], earlier: _Earlier) -> bool:
    before = earlier.get((table.name, key))
    return before is not None and before.version(columns) != warehouse.ranges.version(table, key, columns)


def _ids_touched(derived: Derived, upstream: Table, keys: Sequence[str]) -> Iterator[str | None]:
    """The ids in the log itself, or those that a table it is built from has beside the ids in the log."""
    wanted, known = derived.range_column, upstream.range_column
    ranges = ", ".join(map(sql.text, keys))
    log = f"state.changed where name = {sql.text(upstream.name)} and range in ({ranges})"
    if wanted in sql.ids_of(upstream):
        yield f"select {wanted} as id from {log}"
        return
    links = [name for name in derived.reads if {wanted, known} <= set(sql.ids_of(TABLES[name]))]
    if not links:
        yield None
    for name in links:
        yield f"select {wanted} as id from {sql.quoted(name)} where {known} in (select {known} from {log})"
