"""A small home whose every row is known: the real data's first rows and a few awkward ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from film_assets.reader import Films, open_films
from film_assets.settings import load_settings
from film_assets_tests.blobs import write_real_rows
from film_assets_tests.conftest import refresh
from film_assets_tests.engines.spark.lakes import lake, moto

__all__ = ["lake", "moto"]

HOSTILE = "'; drop table titles; --"

MORE = {
    "names": (
        ("nm0000010", "José Ñandú", "1970", "\\N", "\\N", "tt0000009"),
        ("nm0000011", "Maria Silva", "1950", "\\N", "\\N", "tt0000001"),
        ("nm0000012", "Maria Silva", "1960", "\\N", "\\N", "tt0000005"),
        ("nm0000013", "MARIA SILVA", "\\N", "\\N", "\\N", "\\N"),
        ("nm0000014", HOSTILE, "\\N", "\\N", "\\N", "\\N"),
        ("nm0000015", "100% 🎬", "\\N", "\\N", "\\N", "\\N"),
        ("nm0000016", "Miss Jerry", "\\N", "\\N", "\\N", "\\N"),
    ),
    "titles": (
        ("tt0000020", "movie", "Hamlet", "Hamlet", "0", "1948", "\\N", "\\N", "Drama"),
        ("tt0000021", "movie", "Hamlet", "Hamlet", "0", "1996", "\\N", "\\N", "Drama"),
    ),
    "ratings": (("tt0000021", "7.7", "40000"), ("tt7777777", "9.0", "10")),
    "crew": (("tt0000021", "nm7777777", "nm0000010"), ("tt7777777", "nm0005690,nm0000010", "\\N")),
    "cast": (("tt0000021", "1", "nm0000010", "actor", "\\N", '["Hamlet"]'),),
}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a published snapshot; not to be written to."""
    source = write_real_rows(tmp_path_factory.mktemp("known") / "blobs")
    for blob, rows in MORE.items():
        with (source / f"{blob}.tsv").open("a", encoding="utf-8") as file:
            file.writelines("\t".join(row) + "\n" for row in rows)
    settings = load_settings(source=str(source), home=tmp_path_factory.mktemp("home"))
    refresh(settings)
    return settings.kept_in.folder


@pytest.fixture
def films(home: Path) -> Iterator[Films]:
    with open_films(home) as opened:
        yield opened
