"""SQL text made from declarations: names come from there alone, and the only values in it are the bounds of ranges."""

from collections.abc import Iterable

from film_assets.tables import Column, Table
from film_assets.tables.ranges import RANGE_KEYS, RANGES, UNCUT_KEYS, ranges_of


def quoted(name: str) -> str:
    """A name as an identifier; every part of ``schema.table``."""
    return ".".join(f'"{part}"' for part in name.split("."))


def text(value: str) -> str:
    """A string as a literal."""
    return "'" + value.replace("'", "''") + "'"


def names(columns: Iterable[str]) -> str:
    """A list of columns."""
    return ", ".join(quoted(column) for column in columns)


def comments(table: Table, kind: str) -> list[str]:
    """The statements that put the declaration's words on a table or view and its columns."""

    def on_column(column: Column) -> str:
        return f"comment on column {quoted(table.name)}.{quoted(column.name)} is {text(column.text)}"

    return [f"comment on {kind} {quoted(table.name)} is {text(table.text)}", *(on_column(column) for column in table.columns)]


def in_ranges(column: str, keys: Iterable[str]) -> str:
    """A condition that holds for the ids of these ranges; neighbours are one interval, so that it prunes well."""
    wanted = set(keys)
    if wanted in (set(RANGE_KEYS), set(UNCUT_KEYS)):
        return "true"
    intervals: list[tuple[str | None, str | None]] = []
    for item in (item for key, item in ranges_of(column).items() if key in wanted):
        if intervals and intervals[-1][1] == item.lower:
            intervals[-1] = (intervals[-1][0], item.upper)
        else:
            intervals.append((item.lower, item.upper))
    return "(" + (" or ".join(_between(column, lower, upper) for lower, upper in intervals) or "false") + ")"


def _between(column: str, lower: str | None, upper: str | None) -> str:
    bounds = [f"{quoted(column)} >= {text(lower)}"] if lower is not None else []
    bounds += [f"{quoted(column)} < {text(upper)}"] if upper is not None else []
    return "(" + " and ".join(bounds) + ")"


def count_by_range(source: str, column: str, keys: Iterable[str], condition: str = "true") -> str:
    """A query for the rows of each of these ranges, of those for which the condition holds: columns range and rows."""
    return " union all ".join(
        f"select {text(key)} as range, count(*) as rows from {quoted(source)} where {in_ranges(column, [key])} and {condition}"
        for key in keys
    )


def fingerprints(table: Table, source: str, keys: Iterable[str]) -> str:
    """A query for the rows of each of these ranges in a source of a table's rows: columns range, rows, and a sum over the rows.

    Ranges with the same rows have the same sum, whatever their order.
    """
    rows = f"count(*) as rows, sum(hash({names(table.column_names)})) as fingerprint"
    wanted = in_ranges(table.range_column, keys)
    return f"select {range_of(table.range_column)} as range, {rows} from {source} where {wanted} group by all"


def range_of(range_column: str, value: str = "") -> str:
    """An expression for the key of the range that an id falls into: that of the range column, or another value's."""
    if not range_column:
        return text(UNCUT_KEYS[0])
    *but_last, last = ranges_of(range_column).values()
    cases = (f"when {value or quoted(range_column)} < {text(item.upper or '')} then {text(item.key)}" for item in but_last)
    return f"case {' '.join(cases)} else {text(last.key)} end"


def no_rows(table: Table) -> str:
    """A query with the columns of a table and no rows."""
    columns = ", ".join(f"null::{column.type} as {quoted(column.name)}" for column in table.columns)
    return f"select {columns} limit 0"


def ids_of(table: Table) -> list[str]:
    """Those of its columns that other tables are cut by."""
    return [column for column in RANGES if column in table.column_names]


def values_of(table: Table) -> list[str]:
    """Its columns beside the key."""
    return [column for column in table.column_names if column not in table.key]


def differing(table: Table, old: str, new: str) -> str:
    """A query for the rows of a table in which two queries for its rows differ; rows are the same row where their key is.

    Columns _range, _id (its range column), _added, _removed, _was_C and _is_C for each id column C, and for each column beside
    the key, under its name, whether the values differ.
    """
    equals = "=" if table.range_column else "is not distinct from"
    on = " and ".join(f"old.{quoted(column)} {equals} new.{quoted(column)}" for column in table.key)
    both = "(old._there is not null and new._there is not null)"
    unlike = {column: f"old.{quoted(column)} is distinct from new.{quoted(column)}" for column in values_of(table)}
    cut_by = quoted(table.range_column)
    columns = [
        f"{f'coalesce(old.{cut_by}, new.{cut_by})' if table.range_column else 'null'} as _id",
        "old._there is null as _added",
        "new._there is null as _removed",
        *(f"{side}.{quoted(column)} as _{verb}_{column}" for column in ids_of(table) for side, verb in _SIDES),
        *(f"{both} and {test} as {quoted(column)}" for column, test in unlike.items()),
    ]
    return (
        f"select {range_of(table.range_column, '_id')} as _range, * from ("
        f"select {', '.join(columns)} from (select *, true as _there from ({old})) as old "
        f"full join (select *, true as _there from ({new})) as new on {on} "
        f"where not {both} or {' or '.join(unlike.values()) or 'false'})"
    )


_SIDES = (("old", "was"), ("new", "is"))


def differences(table: Table, source: str, keys: Iterable[str]) -> str:
    """A query for how many of such rows were added, removed and changed in each of these ranges, and in which columns."""
    counts = [f"count(*) filter ({test})" for test in ("_added", "_removed", "not _added and not _removed")]
    columns = [f"bool_or({quoted(column)})" for column in values_of(table)]
    wanted = ", ".join(map(text, keys))
    return f"select _range, {', '.join(counts + columns)} from {source} where _range in ({wanted}) group by _range"


def ids_in(table: Table, source: str) -> str:
    """A query for the ids of such rows as they were and as they are: columns range, tconst, nconst."""
    own = ids_of(table)

    def side(verb: str, other: str) -> str:
        ids = ", ".join(f"{f'_{verb}_{column}' if column in own else 'null'} as {column}" for column in RANGES)
        return f"select _range as range, {ids} from {source} where not {other}"

    return f"select distinct * from ({side('was', '_added')} union all {side('is', '_removed')})"
