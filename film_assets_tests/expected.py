"""Every table computed anew from the blobs, in plain eager Polars: what the pipeline must come to by its own way.

Nothing of the project is used here but the names of the columns.
"""

from pathlib import Path

import polars as pl
from polars import selectors as cs
from polars.testing import assert_frame_equal

NAMES = (
    *(f"films.{name}" for name in ("titles", "names", "ratings", "cast", "characters", "actors", "directors", "writers")),
    *(f"films.{name}" for name in ("genres", "professions", "known_for")),
    *(f"metrics.{name}" for name in ("known_for_success", "comparison")),
    *(f"metrics.{name}_performance" for name in ("actor", "director", "writer")),
)
"""The tables computed here."""

Frames = dict[str, pl.DataFrame]


def raw(folder: Path) -> Frames:
    """The blobs of a folder as text columns."""
    return {
        name: pl.read_csv(folder / f"{name}.tsv", separator="\t", quote_char=None, null_values="\\N", infer_schema=False)
        for name in ("titles", "names", "ratings", "crew", "cast")
    }


def tables(folder: Path) -> Frames:
    """Every films and metrics table by its full name."""
    blobs = raw(folder)
    titles, names, cast, crew = blobs["titles"], blobs["names"], blobs["cast"], blobs["crew"]
    ratings = blobs["ratings"].with_columns(pl.col("averageRating").cast(pl.Float64), pl.col("numVotes").cast(pl.Int64))
    cast = cast.with_columns(pl.col("ordering").cast(pl.Int64))
    films = {
        "films.titles": titles.drop("genres").with_columns(
            pl.col("isAdult").fill_null("1") == "1", pl.col("startYear", "endYear", "runtimeMinutes").cast(pl.Int64)
        ),
        "films.names": names.select("nconst", "primaryName", pl.col("birthYear", "deathYear").cast(pl.Int64)),
        "films.ratings": ratings,
        "films.cast": cast.drop("characters"),
        "films.characters": _exploded(
            cast.select("tconst", "ordering", "nconst", pl.col("characters").str.json_decode(pl.List(pl.String))),
            "characters",
            "character",
        ),
        "films.actors": cast.filter(pl.col("category").is_in(["actor", "actress"]))
        .select("tconst", "nconst")
        .drop_nulls()
        .unique(),
        "films.directors": _listed(crew.select("tconst", "directors"), "directors", "nconst"),
        "films.writers": _listed(crew.select("tconst", "writers"), "writers", "nconst"),
        "films.genres": _listed(titles.select("tconst", "genres"), "genres", "genre").drop("position"),
        "films.professions": _listed(names.select("nconst", "primaryProfession"), "primaryProfession", "profession"),
        "films.known_for": _listed(names.select("nconst", "knownForTitles"), "knownForTitles", "tconst"),
    }
    return films | _metrics(films)


def _metrics(films: Frames) -> Frames:
    ratings = films["films.ratings"]
    known = (
        films["films.known_for"]
        .join(ratings, on="tconst")
        .group_by("nconst")
        .agg(
            knownTitles=pl.len(),
            knownAverageRating=pl.col("averageRating").mean(),
            knownNumVotes=pl.col("numVotes").sum(),
        )
    )
    performances = {
        role: films[f"films.{role}s"].select("nconst", "tconst").join(ratings, on="tconst")
        for role in ("actor", "director", "writer")
    }
    everyone = pl.concat(frame.select("tconst", "nconst") for frame in performances.values()).unique()
    comparison = (
        everyone.join(ratings, on="tconst")
        .join(films["films.titles"].select("tconst", "primaryTitle"), on="tconst")
        .join(films["films.names"].select("nconst", "primaryName"), on="nconst")
        .join(known.drop("knownTitles"), on="nconst", how="left")
    )
    for role, frame in performances.items():
        flag = frame.select("tconst", "nconst", pl.lit(1).alias(role))
        comparison = comparison.join(flag, on=["tconst", "nconst"], how="left").with_columns(pl.col(role).fill_null(0))
    return {
        "metrics.known_for_success": known,
        "metrics.comparison": comparison,
        **{f"metrics.{role}_performance": frame for role, frame in performances.items()},
    }


def _listed(frame: pl.DataFrame, column: str, element: str) -> pl.DataFrame:
    rows = _exploded(frame.with_columns(pl.col(column).str.split(",")), column, element)
    return rows.unique([rows.columns[0], element], keep="first", maintain_order=True)


def _exploded(frame: pl.DataFrame, column: str, element: str) -> pl.DataFrame:
    present = frame.drop_nulls(column).filter(pl.col(column).list.len() > 0)
    positions = pl.int_ranges(1, pl.col(column).list.len() + 1).alias("position")
    return present.with_columns(positions).explode(column, "position").rename({column: element})


def assert_same(name: str, found: pl.DataFrame, wanted: pl.DataFrame, key: tuple[str, ...]) -> None:
    """The same rows, whatever their order; floats to nine digits."""
    comparable = [frame.select(found.columns).cast({cs.integer(): pl.Int64}).sort(key) for frame in (found, wanted)]
    try:
        assert_frame_equal(*comparable, rel_tol=1e-9)
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from None
