"""What this machine, or the container this process is in, lets the process use.

Belongs here: asking the libraries that find it out. Does not belong here: how much of it is taken (``settings``).
"""


def memory_gib() -> float:
    """What DuckDB would take by itself: four fifths of the memory there is, or of what the control group allows."""
    import duckdb

    with duckdb.connect() as connection:
        found = connection.execute("select parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
    return float(found[0][0]) / (1 << 30)


def threads() -> int:
    """What both DuckDB, which sees the quota of the control group, and Polars, which sees the affinity, would take."""
    import duckdb
    import polars as pl

    with duckdb.connect() as connection:
        found = connection.execute("select current_setting('threads')").fetchall()
    return min(int(found[0][0]), pl.thread_pool_size())
