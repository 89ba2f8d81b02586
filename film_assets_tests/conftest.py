"""What several tests share: sample data, homes, and Azurite."""

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from film_assets.refresh.pipeline import Pipeline, Report
from film_assets.sample import write_sample
from film_assets.settings import Settings, load_settings
from film_assets.tables import BLOBS, COMPUTED
from film_assets_tests.azurite import azurite

__all__ = ["azurite"]

SCALE = 0.002
_OWN = ("FILM_ASSETS_", "LEARNING_", "AZURE_STORAGE_", "DAGSTER_")


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the developer's own source, home, credentials or Dagster history."""
    for name in (name for name in os.environ if name.startswith(_OWN)):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sample blobs without faults; not to be written to."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, scale=SCALE, seed=7, faults=False)
    return folder


@pytest.fixture(scope="session")
def faulty_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the same blobs with a handful of bad rows each; not to be written to."""
    folder = tmp_path_factory.mktemp("faulty")
    write_sample(folder, scale=SCALE, seed=7, faults=True)
    return folder


@pytest.fixture
def settings(sample: Path, tmp_path: Path) -> Settings:
    """Settings with the sample as source and a new home."""
    return load_settings(source=str(sample), home=tmp_path / "home")


def refresh(settings: Settings, *, force: bool = False) -> Report:
    """All the steps of a refresh, without Dagster."""
    with Pipeline(settings) as pipeline:
        for blob in BLOBS:
            pipeline.land(blob, force=force)
        for table in COMPUTED:
            pipeline.rebuild(table, force=force)
        pipeline.build_indexes()
        pipeline.publish()
        return pipeline.report


def rebuilt(report: Report) -> dict[str, list[str]]:
    """Table -> ranges that were rebuilt, of the tables where any was."""
    return {name: list(outcome.rebuilt) for name, outcome in report.outcomes.items() if outcome.rebuilt}


def query(settings: Settings, text: str) -> list[tuple[object, ...]]:
    """The rows of a query over the published snapshot."""
    with duckdb.connect(settings.kept_in.films, read_only=True) as films:
        return films.sql(text).fetchall()


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a blob, without their ends."""
    yield from path.read_bytes().split(b"\n")
