"""HOW: what turns blobs into typed slices (``landing``) and slices into tables (``duckdb``).

Does not belong here: which tables there are (``tables``), when they are refreshed (``assets``), where blobs come from
(``sources``).
"""
