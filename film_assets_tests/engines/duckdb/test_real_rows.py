"""Rows as they are in the real data come out in the tables as they should."""

from pathlib import Path

import duckdb
import pytest

from film_assets.settings import load_settings
from film_assets_tests.blobs import write_real_rows
from film_assets_tests.conftest import refresh


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    folder: Path = tmp_path_factory.mktemp("real")
    settings = load_settings(source=str(write_real_rows(folder / "blobs")), home=folder / "home")
    refresh(settings)
    return duckdb.connect(settings.kept_in.films, read_only=True)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (
            "select titleType, primaryTitle, isAdult, startYear, runtimeMinutes from films.titles where tconst = 'tt0000001'",
            [("short", "Carmencita", False, 1894, 1)],
        ),
        ("select primaryTitle from films.titles where tconst = 'tt10233364'", [('"Rolling in the Deep Dish',)]),
        ("select isAdult, startYear from films.titles where tconst = 'tt9999999'", [(True, None)]),
        ("select genre from films.genres where tconst = 'tt0000001' order by all", [("Documentary",), ("Short",)]),
        ("select averageRating, numVotes from films.ratings where tconst = 'tt0000001'", [(5.7, 2024)]),
        ("select nconst, position from films.directors where tconst = 'tt0000001'", [("nm0005690", 1)]),
        ("select nconst from films.actors where tconst = 'tt0000005' order by all", [("nm0443482",), ("nm0653042",)]),
        (
            "select nconst, position from films.writers where tconst = 'tt10233364' order by position",
            [("nm9993709", 1), ("nm0000001", 2)],
        ),
        ("select job from films.cast where tconst = 'tt0000009'", [('"Picturized By", i.e., screenplay',)]),
        (
            "select ordering, position, character from films.characters where tconst = 'tt0000005' order by all",
            [(1, 1, "Blacksmith"), (2, 1, "Assistant"), (2, 2, 'The "Other", Smith'), (3, 1, "Assistant")],
        ),
        ("select birthYear, deathYear from films.names where primaryName = 'Fred Astaire'", [(1899, 1987)]),
        (
            "select profession, position from films.professions where nconst = 'nm0000001' order by position",
            [("actor", 1), ("miscellaneous", 2), ("producer", 3)],
        ),
        ("select tconst from films.known_for where nconst = 'nm0000001' order by position", [("tt0000005",), ("tt9999999",)]),
        ("select * exclude nconst from metrics.known_for_success where nconst = 'nm0000001'", [(1, 6.2, 2727)]),
        ("select * exclude nconst from metrics.known_for_success where nconst = 'nm0005690'", [(2, 5.95, 4751)]),
        (
            "select tconst, nconst, averageRating, numVotes from metrics.director_performance order by all",
            [
                ("tt0000001", "nm0005690", 5.7, 2024),
                ("tt0000005", "nm0005690", 6.2, 2727),
                ("tt0000009", "nm0085156", 5.3, 209),
            ],
        ),
        (
            "select * exclude (tconst, nconst) from metrics.comparison where tconst = 'tt0000009'",
            [("Alexander Black", 1, 1, 0, "Miss Jerry", 5.3, 209, 5.3, 209)],
        ),
        ("select count(*) from metrics.comparison", [(5,)]),
        ("select count(*) from quality.rejected_rows", [(0,)]),
        ("select count(*) from raw.cast", [(6,)]),
        ("select sum(rowsRead), sum(rowsLoaded) from quality.blobs", [(25, 25)]),
    ],
)
def test_the_tables_say(films: duckdb.DuckDBPyConnection, query: str, rows: list[tuple[object, ...]]) -> None:
    found = [
        tuple(round(value, 9) if isinstance(value, float) else value for value in row) for row in films.sql(query).fetchall()
    ]
    assert found == rows
