"""A home that an earlier release wrote opens as it is: nothing is rebuilt that did not change."""

import tarfile
from pathlib import Path

import duckdb
import pytest

from film_assets.tables import BLOBS, COMPUTED
from film_assets_tests.blobs import change
from film_assets_tests.command import rebuilt, refresh

pytestmark = pytest.mark.slow

ARCHIVES = sorted((Path(__file__).parent / "homes").glob("*.tar.xz"))


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with ``blobs`` and ``home``, as that release left them."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def _contents(home: Path) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(home / "films.duckdb", read_only=True) as films:
        return {table.name: films.sql(f"from {table.name} order by all").fetchall() for table in COMPUTED}


def test_there_are_earlier_homes() -> None:
    assert ARCHIVES


def test_nothing_is_rebuilt_in_it(folder: Path) -> None:
    home = folder / "home"
    before = _contents(home)
    document = refresh(folder / "blobs", home)
    assert rebuilt(document) == {}
    assert document["notices"] == []
    assert not [name for name, index in document["indexes"].items() if index["rebuilt"]]
    assert document["blobs"]["titles"]["rowsRejected"] == 1
    assert set(document["blobs"]) == {blob.short for blob in BLOBS}
    # the slices may be read again, as their digests change with the way blobs are landed; they come out as they were
    assert _contents(home) == before


def test_a_change_is_followed_in_it(folder: Path) -> None:
    change(folder / "blobs", "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
    found = rebuilt(refresh(folder / "blobs", folder / "home"))
    assert found == {"raw.titles": ["00"], "films.genres": ["00"], "metrics.genre_success": ["all"]}
