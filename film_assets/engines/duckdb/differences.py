"""SQL for how the rows of a table differ from those it had: by a sum over all rows, or row by row.

Does not belong here: what follows from it (``changes``, ``rebuild``).
"""

from collections.abc import Iterable

from film_assets.tables import Table, sql
from film_assets.tables.ranges import RANGES


def fingerprints(table: Table, source: str, keys: Iterable[str]) -> str:
    """A query for the rows of each of these ranges in a source of a table's rows: columns range, rows, and a sum over the rows.

    Ranges with the same rows have the same sum, whatever their order.
    """
    rows = f"count(*) as rows, sum(hash({sql.names(table.column_names)})) as fingerprint"
    wanted = sql.in_ranges(table.range_column, keys)
    return f"select {sql.range_of(table.range_column)} as range, {rows} from {source} where {wanted} group by all"


def values_of(table: Table) -> list[str]:
    """Its columns beside the key."""
    return [column for column in table.column_names if column not in table.key]


def differing(table: Table, old: str, new: str) -> str:
    """A query for the rows of a table in which two queries for its rows differ; rows are the same row where their key is.

    Columns _range, _id (its range column), _added, _removed, _was_C and _is_C for each id column C, and for each column beside
    the key, under its name, whether the values differ.
    """
    equals = "=" if table.range_column else "is not distinct from"
    on = " and ".join(f"old.{sql.quoted(column)} {equals} new.{sql.quoted(column)}" for column in table.key)
    both = "(old._there is not null and new._there is not null)"
    unlike = {column: f"old.{sql.quoted(column)} is distinct from new.{sql.quoted(column)}" for column in values_of(table)}
    cut_by = sql.quoted(table.range_column)
    columns = [
        f"{f'coalesce(old.{cut_by}, new.{cut_by})' if table.range_column else 'null'} as _id",
        "old._there is null as _added",
        "new._there is null as _removed",
        *(f"{side}.{sql.quoted(column)} as _{verb}_{column}" for column in sql.ids_of(table) for side, verb in _SIDES),
        *(f"{both} and {test} as {sql.quoted(column)}" for column, test in unlike.items()),
    ]
    return (
        f"select {sql.range_of(table.range_column, '_id')} as _range, * from ("
        f"select {', '.join(columns)} from (select *, true as _there from ({old})) as old "
        f"full join (select *, true as _there from ({new})) as new on {on} "
        f"where not {both} or {' or '.join(unlike.values()) or 'false'})"
    )


_SIDES = (("old", "was"), ("new", "is"))


def differences(table: Table, source: str, keys: Iterable[str]) -> str:
    """A query for how many of such rows were added, removed and changed in each of these ranges, and in which columns."""
    counts = [f"count(*) filter ({test})" for test in ("_added", "_removed", "not _added and not _removed")]
    columns = [f"bool_or({sql.quoted(column)})" for column in values_of(table)]
    wanted = ", ".join(map(sql.text, keys))
    return f"select _range, {', '.join(counts + columns)} from {source} where _range in ({wanted}) group by _range"


def ids_in(table: Table, source: str) -> str:
    """A query for the ids of such rows as they were and as they are: columns range, tconst, nconst."""
    own = sql.ids_of(table)

    def side(verb: str, other: str) -> str:
        ids = ", ".join(f"{f'_{verb}_{column}' if column in own else 'null'} as {column}" for column in RANGES)
        return f"select _range as range, {ids} from {source} where not {other}"

    return f"select distinct * from ({side('was', '_added')} union all {side('is', '_removed')})"
