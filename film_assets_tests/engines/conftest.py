"""What these tests refresh, a few real rows, and where they do it with Spark."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from film_assets.engines.spark.session.classic import find_java
from film_assets.errors import FilmAssetsError
from film_assets.settings import load_settings
from film_assets_tests.blobs import write_real_rows
from film_assets_tests.conftest import refresh
from film_assets_tests.engines.spark.cluster import Cluster
from film_assets_tests.engines.spark.lakes import lake, moto
from film_assets_tests.real_rows import blobs, settings

__all__ = ["blobs", "lake", "moto", "settings"]


@pytest.fixture(scope="session")
def java() -> None:
    """Java; without it tests are skipped, under CI they fail."""
    try:
        find_java()
    except FilmAssetsError as error:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(str(error))


@pytest.fixture(scope="session")
def cluster(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that gives each application two workers of one core; not to be harmed."""
    with Cluster(tmp_path_factory.mktemp("spark")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def spark_url(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Spark Connect server that computes by itself."""
    with Cluster(tmp_path_factory.mktemp("spark-connect"), workers=0) as alone:
        yield alone.start_connect().url


@pytest.fixture(scope="session")
def refreshed_by_spark(spark_url: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Gives a folder with a few real rows in ``blobs``, which Spark has refreshed into ``home``: each time as it was after that.

    It always is the same folder: what is kept there names its files by their whole paths.
    """
    folder = tmp_path_factory.mktemp("refreshed")
    there, kept = folder / "there", folder / "kept"
    source = write_real_rows(there / "blobs")
    refresh(load_settings(source=str(source), home=there / "home", engine="spark", spark=spark_url))
    there.rename(kept)

    def restored() -> Path:
        shutil.rmtree(there, ignore_errors=True)
        return Path(shutil.copytree(kept, there))

    return restored
