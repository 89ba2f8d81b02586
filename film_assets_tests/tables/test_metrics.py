"""The metrics of success, worked out by hand on a few rows."""

import narwhals as nw
import polars as pl
import pytest
from narwhals.exceptions import ColumnNotFoundError

from film_assets.tables import metrics
from film_assets_tests.tables.chain import blobs, computed

ANN, BOB, CAT, DAN = "nm0000001", "nm0000002", "nm0000003", "nm10000004"
HIT, NO_VOTES, FEW_VOTES, UNRATED = "tt0000001", "tt0000002", "tt10000003", "tt0000004"


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    """Ann directs, writes and plays in a hit, twice over; Bob plays in three titles; Cat and Dan have little to show."""
    return computed(
        blobs(
            titles=[
                {"tconst": HIT, "titleType": "movie", "startYear": 1994, "genres": "Drama,Comedy"},
                {"tconst": NO_VOTES, "titleType": "movie", "genres": "Drama"},
                {"tconst": FEW_VOTES, "titleType": "short", "startYear": 2001, "genres": "Drama"},
                {"tconst": UNRATED, "titleType": "movie", "startYear": 2005, "genres": "Drama"},
            ],
            ratings=[
                {"tconst": HIT, "averageRating": 8.0, "numVotes": 1200},
                {"tconst": NO_VOTES, "averageRating": 6.0, "numVotes": 0},
                {"tconst": FEW_VOTES, "averageRating": 9.0, "numVotes": 100},
            ],
            crew=[
                {"tconst": HIT, "directors": ANN, "writers": f"{ANN},{CAT}"},
                {"tconst": NO_VOTES, "directors": f"{ANN},{DAN}"},
                {"tconst": UNRATED, "directors": ANN, "writers": ANN},
            ],
            cast=[
                {"tconst": HIT, "ordering": 1, "nconst": ANN, "category": "actress", "characters": '["One"]'},
                {"tconst": HIT, "ordering": 2, "nconst": BOB, "category": "actor"},
                {"tconst": HIT, "ordering": 3, "nconst": ANN, "category": "actress", "characters": '["Other"]'},
                {"tconst": HIT, "ordering": 4, "nconst": ANN, "category": "self"},
                {"tconst": NO_VOTES, "ordering": 1, "nconst": BOB, "category": "actor"},
                {"tconst": FEW_VOTES, "ordering": 1, "nconst": BOB, "category": "actor"},
                {"tconst": UNRATED, "ordering": 1, "nconst": CAT, "category": "actress"},
            ],
            names=[
                {"nconst": ANN, "knownForTitles": f"{HIT},{UNRATED}"},
                {"nconst": CAT, "knownForTitles": UNRATED},
            ],
        )
    )


def _person(tables: dict[str, pl.DataFrame], nconst: str, role: str) -> dict[str, object]:
    (row,) = tables["metrics.person_success"].filter(nconst=nconst, role=role).drop("nconst", "role").to_dicts()
    return row


def test_title_success(tables):
    weighted = {HIT: (8.0 * 1200 + 6.9 * 1000) / 2200, NO_VOTES: 6.9, FEW_VOTES: (9.0 * 100 + 6.9 * 1000) / 1100}
    rows = tables["metrics.title_success"].rows()
    assert rows == [
        (HIT, 8.0, 1200, pytest.approx(weighted[HIT]), "movie", 1994, 1990, 1, 2, 2),
        (NO_VOTES, 6.0, 0, pytest.approx(weighted[NO_VOTES]), "movie", None, None, 2, 0, 1),
        (FEW_VOTES, 9.0, 100, pytest.approx(weighted[FEW_VOTES]), "short", 2001, 2000, 0, 0, 1),
    ]


def test_the_hit_is_one_by_a_hair(tables):
    assert tables["metrics.title_success"]["weightedRating"][0] == metrics.HIT_RATING


def test_title_that_the_titles_blob_lacks():
    tables = computed(blobs(ratings=[{"tconst": HIT, "averageRating": 5.0, "numVotes": 10}]))
    (row,) = tables["metrics.title_success"].select("titleType", "startYear", "decade", "directorCount").rows()
    assert row == (None, None, None, 0)


def test_person_of_all_trades_has_each_title_once(tables):
    assert _person(tables, ANN, "any") == {
        "titles": 2,
        "averageRating": 7.0,
        "voteWeightedRating": 8.0,
        "numVotes": 1200,
        "hitShare": 0.5,
        "bestTconst": HIT,
        "firstYear": 1994,
        "lastYear": 1994,
    }
    assert [_person(tables, ANN, role)["titles"] for role in ("director", "writer", "actor")] == [2, 1, 1]


def test_person_in_one_role(tables):
    everything = _person(tables, BOB, "actor")
    assert everything == {
        "titles": 3,
        "averageRating": pytest.approx(23 / 3),
        "voteWeightedRating": pytest.approx((8.0 * 1200 + 9.0 * 100) / 1300),
        "numVotes": 1300,
        "hitShare": pytest.approx(1 / 3),
        "bestTconst": HIT,
        "firstYear": 1994,
        "lastYear": 2001,
    }
    assert everything == _person(tables, BOB, "any")
    assert tables["metrics.person_success"].filter(nconst=BOB).height == 2


def test_nothing_to_say_is_null(tables):
    without_votes = _person(tables, DAN, "director")
    assert (without_votes["numVotes"], without_votes["voteWeightedRating"]) == (0, None)
    assert (without_votes["firstYear"], without_votes["lastYear"]) == (None, None)


def test_unrated_titles_count_for_nobody(tables):
    assert _person(tables, CAT, "any")["titles"] == 1
    assert tables["metrics.person_success"].filter(nconst=CAT)["role"].to_list() == ["any", "writer"]
    assert tables["metrics.known_for_success"].rows() == [(ANN, 1, 8.0, 1200)]


def test_best_of_equals_is_the_first(tables):
    frames = {name: frame for name, frame in tables.items() if name != "metrics.person_success"}
    frames["metrics.title_success"] = frames["metrics.title_success"].with_columns(weightedRating=7.0)
    assert _person(computed(frames), BOB, "any")["bestTconst"] == HIT


def test_rating_that_was_no_number():
    tables = computed(
        blobs(ratings=[{"tconst": HIT, "numVotes": 10}, {"tconst": UNRATED}], crew=[{"tconst": HIT, "directors": ANN}])
    )
    assert tables["metrics.title_success"]["weightedRating"].to_list() == [None, None]
    assert _person(tables, ANN, "any") == {
        "titles": 1,
        "averageRating": None,
        "voteWeightedRating": None,
        "numVotes": 10,
        "hitShare": None,
        "bestTconst": None,
        "firstYear": None,
        "lastYear": None,
    }


def test_collaborations(tables):
    assert tables["metrics.collaborations"].rows() == [(ANN, BOB, 2, 7.0, 0.0, pytest.approx(7.0 - 23 / 3))]


def test_genre_success(tables):
    assert sorted(tables["metrics.genre_success"].rows(), key=str) == [
        ("Comedy", "movie", 1990, 1, 8.0, 8.0, 1200),
        ("Drama", "movie", 1990, 1, 8.0, 8.0, 1200),
        ("Drama", "movie", None, 1, 6.0, None, 0),
        ("Drama", "short", 2000, 1, 9.0, 9.0, 100),
    ]


SUCCESS = (metrics.title_success, metrics.person_success, metrics.collaborations, metrics.genre_success)


@pytest.mark.parametrize("table", SUCCESS, ids=lambda t: t.name)
def test_no_column_is_read_for_nothing(tables, table):
    """One that is would have the table rebuilt when only that changed."""
    for name, columns in table.reads.items():
        for column in columns:
            given = {upstream: tables[upstream].select(wanted) for upstream, wanted in table.reads.items()}
            frames = {upstream: nw.from_native(frame.lazy()) for upstream, frame in given.items()}
            frames[name] = frames[name].drop(column)
            with pytest.raises((ColumnNotFoundError, pl.exceptions.ColumnNotFoundError)):
                table.compute(frames).collect()
