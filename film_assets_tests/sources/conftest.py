"""What the tests of all sources share: no waiting between tries, two blobs, and a folder to fetch into."""

import pytest
import stamina

FILES = {
    "titles": ("titles.tsv", "title.basics.tsv"),
    "ratings": ("ratings.tsv", "title.ratings.tsv"),
}


@pytest.fixture(autouse=True)
def no_waiting():
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def files():
    return FILES


@pytest.fixture
def folder(tmp_path):
    """Where fetched files are put."""
    path = tmp_path / "fetched"
    path.mkdir()
    return path
