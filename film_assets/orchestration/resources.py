"""The DuckDB files of the films as resources: the working file of a refresh, and the published snapshot for everybody else.

Belongs here: which files there are and how they are opened. Does not belong here: the steps of a refresh (``refresh``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from film_assets.common.database import attached, opening
from film_assets.engines import working_file as working
from film_assets.errors import HomeError
from film_assets.orchestration.duckdb_file import DuckDBFile, Steps
from film_assets.settings import Settings, load_settings


class WorkingFile(DuckDBFile):
    """The steps of a refresh, on the file that only they open; not the connection, as rows and state are written together."""

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file under the name that readers will know it by; whoever asks for it holds the home."""
        with attached(Path(self.database), self.connection_config) as connection:
            yield connection


class PublishedFilms(DuckDBFile):
    """The published snapshot films.duckdb, read only, as it is when it is opened: for assets and checks of your own."""

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The snapshot, whose tables go by ``films.titles``, ``films.metrics.title_success`` and so on.

        Raises:
            HomeError: There is none, or it cannot be opened.
        """
        path = Path(self.database)
        if not path.exists():
            raise HomeError(f"nothing is published in {path.parent} yet; materialize published/films first")
        # Attached, as a process that connects to a path twice shares one database: the one that lay there the first time.
        config = {name: value for name, value in self.connection_config.items() if name != "access_mode"}
        with opening(path, "if it is damaged, delete it and materialize published/films"):
            connection = attached(path, config, read_only=True)
        with connection:
            yield connection


def working_file(settings: Settings, steps: Steps) -> WorkingFile:
    """The working file of a home, and the steps on it."""
    home = settings.kept_in
    config = working.config(settings, home)
    return WorkingFile.handing_out(steps)(database=str(home.warehouse), connection_config=config)


def published_films(settings: Settings | None = None) -> PublishedFilms:
    """The published snapshot of a home, that of the environment if no settings are given.

    Raises:
        SettingsError: The environment has a setting without a valid value; the text names it.
    """
    films = (settings or load_settings()).kept_in.films
    return PublishedFilms(database=str(films), connection_config={"access_mode": "read_only"})
