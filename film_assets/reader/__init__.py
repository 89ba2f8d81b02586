"""What notebooks import: ``open_films()``, and the published data of films and people behind it.

Belongs here: questions put to ``films.duckdb``. Does not belong here: how its tables come about. Importing it loads DuckDB and
Polars, but neither Dagster nor anything that reaches a network.
"""

from film_assets.reader.films import Films, open_films

__all__ = ["Films", "open_films"]
