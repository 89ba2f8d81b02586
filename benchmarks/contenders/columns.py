"""The columns of the five blobs as Polars reads them. Does not belong here: film_assets, which is measured beside it."""

import polars as pl

TEXT, SMALL, WHOLE, REAL = pl.String, pl.Int16, pl.Int32, pl.Float64

COLUMNS: dict[str, dict[str, type[pl.DataType]]] = {
    "ratings": {"tconst": TEXT, "averageRating": REAL, "numVotes": WHOLE},
    "titles": {
        "tconst": TEXT,
        "titleType": TEXT,
        "primaryTitle": TEXT,
        "originalTitle": TEXT,
        "isAdult": SMALL,
        "startYear": SMALL,
        "endYear": SMALL,
        "runtimeMinutes": WHOLE,
        "genres": TEXT,
    },
    "crew": {"tconst": TEXT, "directors": TEXT, "writers": TEXT},
    "names": {
        "nconst": TEXT,
        "primaryName": TEXT,
        "birthYear": SMALL,
        "deathYear": SMALL,
        "primaryProfession": TEXT,
        "knownForTitles": TEXT,
    },
    "cast": {"tconst": TEXT, "ordering": SMALL, "nconst": TEXT, "category": TEXT, "job": TEXT, "characters": TEXT},
}
"""Blob -> its columns and their types."""

DIALECT = {"separator": "\t", "quote_char": None, "null_values": ["\\N", ""]}
