"""SQL text made from declarations: names come from there alone, and the only values in it are the bounds of ranges."""

from collections.abc import Iterable

from film_assets.tables import Column, Table
from film_assets.tables.ranges import RANGE_KEYS, RANGES, UNPARTITIONED_KEYS, ranges_of


def quoted(name: str) -> str:
    """A name as an identifier; every part of ``schema.table``."""
    return ".".join(f'"{part}"' for part in name.split("."))


def text(value: str) -> str:
    """A string as a literal."""
    return "'" + value.replace("'", "''") + "'"


def names(columns: Iterable[str]) -> str:
    """A list of columns."""
    return ", ".join(quoted(column) for column in columns)


def json_strings(text: str) -> str:
    """An expression for the list of strings that a JSON array is."""
    return f"""from_json({text}, '["VARCHAR"]')"""


def comments(table: Table, kind: str) -> list[str]:
    """The statements that put the declaration's words on a table or view and its columns."""

    def on_column(column: Column) -> str:
        return f"comment on column {quoted(table.name)}.{quoted(column.name)} is {text(column.text)}"

    return [f"comment on {kind} {quoted(table.name)} is {text(table.text)}", *(on_column(column) for column in table.columns)]


def in_ranges(column: str, keys: Iterable[str]) -> str:
    """A condition that holds for the ids of these ranges; neighbours are one interval, so that it prunes well."""
    wanted = set(keys)
    if wanted in (set(RANGE_KEYS), set(UNPARTITIONED_KEYS)):
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


def range_of(range_column: str, value: str = "") -> str:
    """An expression for the key of the range that an id falls into: that of the range column, or another value's."""
    if not range_column:
        return text(UNPARTITIONED_KEYS[0])
    *but_last, last = ranges_of(range_column).values()
    cases = (f"when {value or quoted(range_column)} < {text(item.upper or '')} then {text(item.key)}" for item in but_last)
    return f"case {' '.join(cases)} else {text(last.key)} end"


def no_rows(table: Table) -> str:
    """A query with the columns of a table and no rows."""
    columns = ", ".join(f"null::{column.type} as {quoted(column.name)}" for column in table.columns)
    return f"select {columns} limit 0"


def ids_of(table: Table) -> list[str]:
    """Those of its columns that other tables are partitioned by."""
    return [column for column in RANGES if column in table.column_names]


def reading(table: Table, files: Iterable[str]) -> str:
    """What stands after ``from`` to read the Parquet files of a table, which may be none."""
    listed = ", ".join(text(file) for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false)" if listed else f"({no_rows(table)})"
