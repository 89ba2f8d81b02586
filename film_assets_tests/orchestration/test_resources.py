"""What the web UI shows under *Resources*, and how the files behind it are opened."""

import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from dagster_duckdb import DuckDBResource

from film_assets.definitions import build_defs
from film_assets.learning.definitions import build_defs as build_learning_defs
from film_assets.learning.settings import LearningSettings
from film_assets.orchestration.duckdb_file import DuckDBFile
from film_assets.orchestration.resources import WorkingFile
from film_assets.settings import load_settings


def shown(resource: object) -> dict[str, object]:
    assert isinstance(resource, DuckDBResource)
    return {"database": resource.database, **resource.connection_config}


def test_the_working_file_shows_what_it_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "3")  # or the settings would set it, and nobody take it back
    settings = load_settings(home=tmp_path / "home", memory=5, threads=3)
    found = shown(build_defs(settings).resources["pipeline"])
    assert (
        found.items()
        >= {
            "database": str(tmp_path / "home" / "warehouse.duckdb"),
            "memory_limit": "3072MiB",
            "threads": 3,
            "temp_directory": str(tmp_path / "home" / "tmp"),
        }.items()
    )
    assert not (tmp_path / "home").exists(), "nothing is made by looking"


def test_the_snapshot_shows_that_it_is_read_only(tmp_path: Path) -> None:
    found = shown(build_defs(load_settings(home=tmp_path)).resources["films"])
    assert found == {"database": str(tmp_path / "films.duckdb"), "access_mode": "read_only"}


def test_the_web_ui_has_the_names_that_the_code_has(tmp_path: Path) -> None:
    resource = build_defs(load_settings(home=tmp_path)).resources["pipeline"]
    assert isinstance(resource, WorkingFile)
    assert type(resource).__qualname__ == WorkingFile.__qualname__
    assert resource.get_resource_definition().description == WorkingFile.__doc__


def test_learning_shows_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_ASSETS_HOME", str(tmp_path))
    found = shown(build_learning_defs(LearningSettings.load()).resources["learning"])
    assert found["database"] == str(tmp_path / "learning" / "learning.duckdb")


def test_learning_shows_nothing_of_another_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEARNING_DATABASE_URL", "postgresql://me:CANARY@127.0.0.1:9/x")
    resource = build_learning_defs().resources["learning"]
    assert not isinstance(resource, DuckDBResource)
    assert "PostgreSQL" in (resource.description or "")
    assert not resource.config_schema.default_provided


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever waits fails."""

    def sleep(seconds: float) -> None:
        pytest.fail(f"it waits for {seconds} s")

    monkeypatch.setattr(time, "sleep", sleep)


@pytest.mark.parametrize("kind", [DuckDBFile, WorkingFile])
def test_a_file_that_does_not_open_fails_at_once(kind: type[DuckDBFile], tmp_path: Path, impatient: None) -> None:
    file = tmp_path / "warehouse.duckdb"
    file.write_text("no database")
    with pytest.raises(duckdb.Error), kind(database=str(file)).get_connection():
        pass


@pytest.mark.parametrize("kind", [DuckDBFile, WorkingFile])
def test_a_file_is_closed_whatever_happens(kind: type[DuckDBFile], tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), kind(database=str(tmp_path / "a.duckdb")).get_connection() as connection:
        _ = 1 / 0
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("select 1")
