"""The metrics of success on the sample against another way of computing them: eager Polars, person by person and pair by pair."""

from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from film_assets.settings import load_settings
from film_assets.tables import TABLES
from film_assets_tests import expected
from film_assets_tests.conftest import refresh
from film_assets_tests.tables.chain import computed

NAMES = ("metrics.title_success", "metrics.person_success", "metrics.collaborations", "metrics.genre_success")
ROLES = ("director", "writer", "actor")


@pytest.fixture(scope="module")
def films(sample: Path) -> dict[str, pl.DataFrame]:
    return expected.tables(sample)


@pytest.fixture(scope="module")
def wanted(films: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    titles = _titles(films)
    people = _people(films, titles)
    return dict(zip(NAMES, (titles, people, _pairs(films, titles, people), _genres(films, titles)), strict=True))


def _titles(films):
    titles = films["films.ratings"].join(
        films["films.titles"].select("tconst", "titleType", "startYear"), on="tconst", how="left"
    )
    counts = {role: dict(films[f"films.{role}s"].group_by("tconst").len().iter_rows()) for role in ROLES}
    return titles.with_columns(
        (pl.col("averageRating") * pl.col("numVotes") / (pl.col("numVotes") + 1000) + 6900 / (pl.col("numVotes") + 1000)).alias(
            "weightedRating"
        ),
        (pl.col("startYear") - pl.col("startYear") % 10).alias("decade"),
        *(pl.Series(f"{role}Count", [counts[role].get(t, 0) for t in titles["tconst"]]) for role in ROLES),
    )


def _people(films, titles):
    of_title = {row["tconst"]: row for row in titles.iter_rows(named=True)}
    parts: dict[tuple[str, str], set[str]] = {}
    for role in ROLES:
        for tconst, nconst in films[f"films.{role}s"].select("tconst", "nconst").iter_rows():
            if tconst in of_title:
                parts.setdefault((nconst, role), set()).add(tconst)
                parts.setdefault((nconst, "any"), set()).add(tconst)
    return pl.DataFrame(
        [_person(*who, [of_title[t] for t in sorted(tconsts)]) for who, tconsts in parts.items()], infer_schema_length=None
    )


def _person(nconst, role, titles):
    votes = sum(title["numVotes"] for title in titles)
    years = [title["startYear"] for title in titles if title["startYear"] is not None]
    return {
        "nconst": nconst,
        "role": role,
        "titles": len(titles),
        "averageRating": sum(title["averageRating"] for title in titles) / len(titles),
        "voteWeightedRating": sum(title["averageRating"] * title["numVotes"] for title in titles) / votes if votes else None,
        "numVotes": votes,
        "hitShare": sum(title["weightedRating"] >= 7.5 - 1e-12 for title in titles) / len(titles),
        "bestTconst": max(titles, key=lambda title: round(title["weightedRating"], 9))["tconst"],
        "firstYear": min(years, default=None),
        "lastYear": max(years, default=None),
    }


def _pairs(films, titles, people):
    own = {(nconst, role): mean for nconst, role, mean in people.select("nconst", "role", "averageRating").iter_rows()}
    ratings = dict(titles.select("tconst", "averageRating").iter_rows())
    casts = dict(films["films.actors"].group_by("tconst").agg("nconst").iter_rows())
    together: dict[tuple[str, str], list[float]] = {}
    for tconst, director in films["films.directors"].select("tconst", "nconst").iter_rows():
        for actor in casts.get(tconst, ()) if tconst in ratings else ():
            together.setdefault((director, actor), []).append(ratings[tconst])
    return pl.DataFrame(
        [
            {
                "directorNconst": director,
                "actorNconst": actor,
                "titles": len(found),
                "averageRating": (mean := sum(found) / len(found)),
                "directorUplift": mean - own[director, "director"],
                "actorUplift": mean - own[actor, "actor"],
            }
            for (director, actor), found in together.items()
            if len(found) > 1 and director != actor
        ]
    )


def _genres(films, titles):
    of_title = {row["tconst"]: row for row in titles.iter_rows(named=True)}
    groups: dict[tuple[str, str, int | None], list[dict]] = {}
    for tconst, genre in films["films.genres"].select("tconst", "genre").iter_rows():
        if (title := of_title.get(tconst)) is not None:
            groups.setdefault((genre, title["titleType"], title["decade"]), []).append(title)
    return pl.DataFrame([_group(*key, found) for key, found in groups.items()], infer_schema_length=None)


def _group(genre, title_type, decade, titles):
    votes = sum(title["numVotes"] for title in titles)
    return {
        "genre": genre,
        "titleType": title_type,
        "decade": decade,
        "titles": len(titles),
        "averageRating": sum(title["averageRating"] for title in titles) / len(titles),
        "voteWeightedRating": sum(title["averageRating"] * title["numVotes"] for title in titles) / votes if votes else None,
        "numVotes": votes,
    }


@pytest.fixture(scope="module")
def on_polars(films: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return computed(films)


@pytest.fixture(scope="module")
def on_duckdb(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    settings = load_settings(source=str(sample), home=tmp_path_factory.mktemp("home"))
    refresh(settings)
    with duckdb.connect(settings.kept_in.films, read_only=True) as connection:
        return {name: connection.sql(f"from {name}").pl() for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("engine", ["on_polars", "on_duckdb"])
def test_rows_are_those_of_another_computation(request, wanted, engine, name):
    found = request.getfixturevalue(engine)[name]
    assert found.height > 0
    expected.assert_same(name, found, wanted[name], TABLES[name].key)


@pytest.mark.parametrize("name", NAMES)
def test_engines_agree_to_the_last_digit(on_polars, on_duckdb, name):
    key = TABLES[name].key
    assert_frame_equal(on_polars[name].sort(key), on_duckdb[name].sort(key), check_exact=True, check_dtypes=False)
