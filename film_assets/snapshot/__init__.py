"""``films.duckdb``, the file that readers open: its macros, its secondary indexes, its comments and views, and publishing it.

Does not belong here: what is in the tables (``tables``), and how they come about (``engines``).
"""
