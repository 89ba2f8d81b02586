"""What every room may use, and which knows none of them.

Belongs here: progress, retries, secrets in log lines, reading settings, opening DuckDB files, values as text.
Does not belong here: anything about films.
"""
