"""What notebooks import: ``open_films()``, the published data of films and people, and ``open_lake()``, that of a lake.

Belongs here: questions put to ``films.duckdb``, and reading a lake. Does not belong here: how its tables come about. Importing it
loads DuckDB and Polars, but neither Dagster nor anything that reaches a network.
"""

from film_assets.reader.films import Films, open_films
from film_assets.reader.lake import Lake, open_lake

__all__ = ["Films", "Lake", "open_films", "open_lake"]
