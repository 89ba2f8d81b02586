"""What the tests of Spark share: a cluster, and a Spark Connect server on it."""

import os
from collections.abc import Iterator

import pytest

from film_assets.engines.spark.session.classic import find_java
from film_assets.errors import FilmAssetsError
from film_assets_tests.spark.cluster import Cluster
from film_assets_tests.spark.lakes import lake, moto

__all__ = ["lake", "moto"]


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
def connect_url(cluster: Cluster) -> str:
    """The address of a Spark Connect server on the cluster."""
    return cluster.start_connect().url
