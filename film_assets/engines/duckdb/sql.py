"""SQL text made from declarations: names come from there alone, and the only values in it are the bounds of ranges."""

from collections.abc import Iterable

from film_assets.ranges import RANGE_KEYS, UNCUT_KEYS, ranges_of
from film_assets.tables import Column, Table


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


def count_by_range(table: str, column: str, keys: Iterable[str]) -> str:
    """A query for the rows of each of these ranges: columns range and rows."""
    return " union all ".join(
        f"select {text(key)} as range, count(*) as rows from {quoted(table)} where {in_ranges(column, [key])}" for key in keys
    )


def fingerprints(table: Table, source: str, keys: Iterable[str]) -> str:
    """A query for the rows of each of these ranges in a source of a table's rows: columns range, rows, and a sum over the rows.

    Ranges with the same rows have the same sum, whatever their order.
    """
    rows = f"count(*) as rows, sum(hash({names(table.column_names)})) as fingerprint"
    return f"select {_range_of(table)} as range, {rows} from {source} where {in_ranges(table.range_column, keys)} group by all"


def _range_of(table: Table) -> str:
    """An expression for the range that a row is in."""
    if not table.range_column:
        return text(UNCUT_KEYS[0])
    *but_last, last = ranges_of(table.range_column).values()
    cases = (f"when {quoted(table.range_column)} < {text(item.upper or '')} then {text(item.key)}" for item in but_last)
    return f"case {' '.join(cases)} else {text(last.key)} end"


def difference(table: Table, old: str, new: str) -> str:
    """A query for how two queries' rows of a table differ: added, removed, changed, and per column whether a value changed.

    Rows are the same row where their key is.
    """
    key, columns = table.key, table.column_names
    equals = "=" if table.range_column else "is not distinct from"
    others = [column for column in columns if column not in key]
    both = "(old._there and new._there)"
    differs = {column: f"old.{quoted(column)} is distinct from new.{quoted(column)}" for column in others}
    any_differs = " or ".join(differs.values()) or "false"
    per_column = [f"coalesce(bool_or({both} and {test}), false) as {quoted(column)}" for column, test in differs.items()]
    on = " and ".join(f"old.{quoted(column)} {equals} new.{quoted(column)}" for column in key)
    counts = [
        "count(*) filter (old._there is null) as _added",
        "count(*) filter (new._there is null) as _removed",
        f"count(*) filter ({both} and ({any_differs})) as _changed",
    ]
    return (
        f"select {', '.join(counts + per_column)} from (select *, true as _there from ({old})) as old "
        f"full join (select *, true as _there from ({new})) as new on {on}"
    )
