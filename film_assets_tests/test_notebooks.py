"""The notebooks, run as people run them, on a sample; what they show is computed anew in plain Polars."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from film_assets.sample import write_sample
from film_assets.settings import load_settings
from film_assets_tests.conftest import refresh
from film_assets_tests.expected import Frames, tables
from notebooks import pictures

pytestmark = pytest.mark.slow

CHARTS = {
    "tour": ["ratings", "careers"],
    "what_makes_films_succeed": ["genres", "pairs", "uplift", "votes", "known"],
}
KEEP = """
from pathlib import Path
for name, value in list(globals().items()):
    if isinstance(value, pl.DataFrame) and not name.startswith("_"):
        value.write_parquet(Path({folder!r}) / f"{{name}}.parquet")
"""


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough titles that directors and actors meet again."""
    folder = tmp_path_factory.mktemp("blobs")
    write_sample(folder, scale=0.006, seed=3, faults=False)
    return folder


@pytest.fixture(scope="module")
def wanted(blobs: Path) -> Frames:
    return tables(blobs)


@pytest.fixture(scope="module")
def shown(blobs: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Notebook -> its cells after it was run, and the frames it made by name."""
    home = tmp_path_factory.mktemp("home")
    refresh(load_settings(source=str(blobs), home=home))
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FILM_ASSETS_HOME", str(home))
        for notebook in pictures.notebooks():
            folder = tmp_path_factory.mktemp(notebook.stem)
            executed = pictures.run(notebook, after=KEEP.format(folder=str(folder)))
            found[notebook.stem] = executed, {file.stem: pl.read_parquet(file) for file in folder.iterdir()}
    return found


def test_every_notebook_is_known_and_kept_without_outputs():
    assert [notebook.stem for notebook in pictures.notebooks()] == list(CHARTS)
    for notebook in pictures.notebooks():
        assert '"outputs": []' in notebook.read_text(encoding="utf-8")
        assert "image/png" not in notebook.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CHARTS)
def test_notebooks_run_and_show_their_charts(shown, name):
    executed, frames = shown[name]
    outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
    assert {output["output_type"] for output in outputs} == {"execute_result"}
    charts = dict(pictures.charts(executed))
    assert list(charts) == CHARTS[name]
    for picture in charts.values():
        assert picture.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", picture[16:24])
        assert (width > 1000, height > 400) == (True, True)
    assert frames
    assert [key for key, frame in frames.items() if frame.is_empty()] == []


def test_the_tour_compares_the_directors_with_most_votes(shown, wanted):
    _, frames = shown["tour"]
    directed = wanted["metrics.director_performance"].join(wanted["films.titles"], on="tconst", how="left")
    directors = (
        directed.group_by("nconst")
        .agg(
            titles=pl.len(),
            averageRating=pl.mean("averageRating"),
            numVotes=pl.sum("numVotes"),
            firstYear=pl.min("startYear"),
            lastYear=pl.max("startYear"),
        )
        .filter(pl.col("titles") >= 5)
        .sort("numVotes", "nconst", descending=[True, False])
        .head(10)
    )
    same(frames["directors"], directors)
    two = directors["nconst"][:2].to_list()
    assert frames["people"]["nconst"].to_list() == two
    assert set(frames["found"]["id"]) & set(two[:1])

    careers = directed.filter(pl.col("nconst").is_in(two)).drop_nulls("startYear").select("tconst", "averageRating", "numVotes")
    same(frames["careers"].sort("tconst"), careers.sort("tconst"))


def test_genres_and_decades(shown, wanted):
    _, frames = shown["what_makes_films_succeed"]
    genres = (
        wanted["films.genres"]
        .join(wanted["films.titles"].filter(titleType="movie"), on="tconst")
        .join(wanted["films.ratings"], on="tconst")
        .drop_nulls("startYear")
        .group_by("genre", decade=pl.col("startYear") // 10 * 10)
        .agg(titles=pl.len(), averageRating=pl.mean("averageRating"))
        .filter(pl.col("titles") >= 5)
    )
    same(frames["genres"].sort("genre", "decade"), genres.sort("genre", "decade"))


def test_votes_against_rating(shown, wanted):
    _, frames = shown["what_makes_films_succeed"]
    rated = wanted["films.ratings"].filter(pl.col("numVotes") > 0)
    assert frames["votes"]["titles"].sum() == rated.height
    assert frames["votes"]["total"].sum() == pytest.approx(rated["averageRating"].sum())
    assert figure(frames, "correlation") == pytest.approx(rated.select(pl.corr("averageRating", pl.col("numVotes").log())).item())


def test_directors_with_actors_they_meet_again(shown, wanted):
    _, frames = shown["what_makes_films_succeed"]
    directed, acted = (
        wanted[f"metrics.{role}_performance"].select("tconst", "averageRating", pl.col("nconst").alias(role))
        for role in ("director", "actor")
    )
    pairs = (
        directed.join(acted.drop("averageRating"), on="tconst")
        .filter(pl.col("director") != pl.col("actor"))
        .group_by("director", "actor")
        .agg(titles=pl.len(), together=pl.mean("averageRating"))
        .filter(pl.col("titles") >= 2)
    )
    for role, frame in (("director", directed), ("actor", acted)):
        pairs = pairs.join(frame.group_by(role).agg(pl.mean("averageRating").alias(f"{role}Own")), on=role)
    uplift = pairs.select(
        director=pl.col("together") - pl.col("directorOwn"), actor=pl.col("together") - pl.col("actorOwn")
    ).filter(pl.all_horizontal(pl.all().abs() > 1e-9))
    assert frames["uplift"]["pairs"].sum() == uplift.height
    assert figure(frames, "mean uplift") == pytest.approx(uplift["director"].mean())


def test_known_for_against_the_whole_career(shown, wanted):
    _, frames = shown["what_makes_films_succeed"]
    both = (
        pl.concat(wanted[f"metrics.{role}_performance"] for role in ("director", "writer", "actor"))
        .unique(["nconst", "tconst"])
        .group_by("nconst")
        .agg(titles=pl.len(), averageRating=pl.mean("averageRating"))
        .filter(pl.col("titles") >= 5)
        .join(wanted["metrics.known_for_success"], on="nconst")
    )
    assert frames["known"]["people"].sum() == both.height
    assert figure(frames, "mean of known-for") == pytest.approx((both["knownAverageRating"] - both["averageRating"]).mean())


def figure(frames: Mapping[str, pl.DataFrame], beginning: str) -> float:
    """One of the figures in the last table."""
    value: float = frames["figures"].filter(pl.col("figure").str.starts_with(beginning))["value"].item()
    return value


def same(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    """The same rows in the same order, in the columns that are wanted."""
    assert_frame_equal(found.select(wanted.columns), wanted, check_dtypes=False, rel_tol=1e-9)
