"""A first look at a table in DuckDB: what each column holds, in one query.

Belongs here: which figures there are. Does not belong here: when they are computed, and where they are kept.
"""

from collections.abc import Mapping

NUMBERS = {"SMALLINT", "INTEGER", "BIGINT", "DOUBLE"}
"""The types of which there is a mean."""

FIGURES = ("column", "rows", "nulls", "distinct", "minimum", "maximum", "mean")
"""What is known of a column, its place apart."""


def profile(source: str, columns: Mapping[str, str]) -> str:
    """A query for one row a column, in their order.

    Its columns: position (from 1), column, rows, nulls, distinct (how many different values, to about 2 %, by
    HyperLogLog), minimum and maximum as text, and mean, which is null where it makes no sense.

    Args:
        source: What stands after ``from``.
        columns: Column -> its SQL type.
    """
    return " union all ".join(_column(source, at, name, kind) for at, (name, kind) in enumerate(columns.items(), 1))


def _column(source: str, position: int, name: str, kind: str) -> str:
    column, literal = '"' + name.replace('"', '""') + '"', "'" + name.replace("'", "''") + "'"
    mean = f"avg({column})" if kind in NUMBERS else "null::double"
    return f"""select {position} as "position", {literal} as "column", count(*) as "rows", count(*) - count({column}) as nulls,
        approx_count_distinct({column}) as "distinct", min({column})::varchar as minimum, max({column})::varchar as maximum,
        {mean} as mean from {source}"""
