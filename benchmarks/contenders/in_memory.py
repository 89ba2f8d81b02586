"""All in memory, as a notebook does it: read, explode, join, keep every frame, then write. ``python in_memory.py BLOBS OUT``.

It makes the films tables and the five metrics that the pipeline began with, so less than the others.
"""

import sys
from pathlib import Path

import duckdb
import polars as pl
from columns import COLUMNS, DIALECT

blobs, out = map(Path, sys.argv[1:])
titles, names, ratings, crew, cast = (
    pl.read_csv(blobs / f"{blob}.tsv", schema=COLUMNS[blob], **DIALECT) for blob in ("titles", "names", "ratings", "crew", "cast")
)


def listed(frame: pl.DataFrame, key: str, column: str, element: str) -> pl.DataFrame:
    """A row for each element of a comma-separated list."""
    rows = frame.select(key, pl.col(column).str.split(",").alias(element)).drop_nulls(element).explode(element)
    return rows.unique(maintain_order=True)


def known() -> pl.DataFrame:
    """How well the titles did that each person is known for."""
    rated = tables["known_for"].join(ratings, on="tconst").group_by("nconst")
    return rated.agg(
        knownTitles=pl.len(), knownAverageRating=pl.mean("averageRating"), knownNumVotes=pl.col("numVotes").cast(pl.Int64).sum()
    )


def comparison() -> pl.DataFrame:
    """Every credit of a rated title, with what the person is known for."""
    roles = [
        tables[f"{role}_performance"].with_columns(pl.lit(int(role == flag)).alias(flag) for flag in ROLES) for role in ROLES
    ]
    credits_ = pl.concat(roles).group_by("tconst", "nconst").agg(pl.all().max())
    named = credits_.join(titles.select("tconst", "primaryTitle"), on="tconst").join(
        names.select("nconst", "primaryName"), on="nconst"
    )
    return named.join(tables["known_for_success"], on="nconst", how="left")


ROLES = ("director", "writer", "actor")

tables = {
    "titles": titles.drop("genres"),
    "genres": listed(titles, "tconst", "genres", "genre"),
    "names": names.select("nconst", "primaryName", "birthYear", "deathYear"),
    "professions": listed(names, "nconst", "primaryProfession", "profession"),
    "known_for": listed(names, "nconst", "knownForTitles", "tconst"),
    "ratings": ratings,
    "directors": listed(crew, "tconst", "directors", "nconst"),
    "writers": listed(crew, "tconst", "writers", "nconst"),
    "cast": cast.drop("characters"),
    "actors": cast.filter(pl.col("category").is_in(["actor", "actress"])).select("tconst", "nconst").drop_nulls().unique(),
    "characters": cast.select("tconst", "ordering", "nconst", character=pl.col("characters").str.json_decode(pl.List(pl.String)))
    .drop_nulls("character")
    .explode("character"),
}
for role in ROLES:
    tables[f"{role}_performance"] = tables[f"{role}s"].join(ratings, on="tconst")
tables["known_for_success"] = known()
tables["comparison"] = comparison()

with duckdb.connect(out / "in_memory.duckdb") as connection:
    for name, frame in tables.items():
        connection.register("frame", frame)
        connection.execute(f'create table "{name}" as from frame')
