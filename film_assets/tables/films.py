"""The normalised tables: ``films.*``, each from one blob, one row a key.

Belongs here: what the blobs say, in one fact a row, without the lists. Does not belong here: anything computed from several
tables (``metrics``).
"""

import narwhals as nw

from film_assets.tables import lists, raw
from film_assets.tables.declaration import Column, Frame, table

_TITLE = raw.titles.take("tconst")
_PERSON = raw.names.take("nconst")


@table(
    "films.titles",
    key=("tconst",),
    columns=(
        *raw.titles.take("tconst", "titleType", "primaryTitle", "originalTitle"),
        Column(
            "isAdult",
            "BOOLEAN",
            "Whether it is an adult title; one that does not say so counts as one.",
            ("raw.titles.isAdult",),
            allowed=("true", "false"),
        ),
        *raw.titles.take("startYear", "endYear", "runtimeMinutes"),
    ),
)
def titles(raw_titles: Frame) -> Frame:
    """Every title: films, series, their episodes, shorts, video games and the like."""
    return raw_titles.with_columns(isAdult=nw.col("isAdult").fill_null(1) != 0)


@table("films.names", key=("nconst",), columns=raw.names.take("nconst", "primaryName", "birthYear", "deathYear"))
def names(raw_names: Frame) -> Frame:
    """Every person."""
    return raw_names


@table("films.ratings", key=("tconst",), columns=raw.ratings.take("tconst", "averageRating", "numVotes"))
def ratings(raw_ratings: Frame) -> Frame:
    """The rating of each title that has one."""
    return raw_ratings


@table("films.cast", key=("tconst", "ordering"), columns=raw.cast.take("tconst", "ordering", "nconst", "category", "job"))
def cast(raw_cast: Frame) -> Frame:
    """The principal cast and crew of each title, in the order of their billing; a person can stand on a title several times."""
    return raw_cast


@table(
    "films.characters",
    key=("tconst", "ordering", "position"),
    columns=(
        *raw.cast.take("tconst", "ordering", "nconst"),
        Column("position", "SMALLINT", "Place of the character in the list of the row, from 1.", ("raw.cast.characters",)),
        Column("character", "VARCHAR", "The name of the character, as credited.", ("raw.cast.characters",)),
    ),
)
def characters(raw_cast: Frame) -> Frame:
    """Every character a cast row names, in order."""
    return lists.json_strings(raw_cast, "characters", "character")


@table(
    "films.actors",
    key=("tconst", "nconst"),
    columns=raw.cast.take("tconst", "nconst"),
    uses=("raw.cast.category",),
)
def actors(raw_cast: Frame) -> Frame:
    """Who acts in which title (categories actor and actress), once each."""
    acting = nw.col("category").is_in(["actor", "actress"]) & ~nw.col("nconst").is_null()
    return raw_cast.filter(acting).group_by("tconst", "nconst").agg()


def _crew_columns(job: str) -> tuple[Column, ...]:
    source = (f"raw.crew.{job}s",)
    return (
        *raw.crew.take("tconst"),
        Column("nconst", "VARCHAR", f"The {job}.", source, references="films.names.nconst"),
        Column("position", "SMALLINT", f"Place in the title's list of {job}s, from 1.", source),
    )


@table("films.directors", key=("tconst", "nconst"), columns=_crew_columns("director"))
def directors(raw_crew: Frame) -> Frame:
    """Who directed which title, once each, in the order of the list."""
    return lists.split(raw_crew, "directors", "nconst")


@table("films.writers", key=("tconst", "nconst"), columns=_crew_columns("writer"))
def writers(raw_crew: Frame) -> Frame:
    """Who wrote which title, once each, in the order of the list."""
    return lists.split(raw_crew, "writers", "nconst")


@table(
    "films.genres",
    key=("tconst", "genre"),
    columns=(*_TITLE, Column("genre", "VARCHAR", "One genre of the title.", ("raw.titles.genres",))),
)
def genres(raw_titles: Frame) -> Frame:
    """The genres of each title."""
    return lists.split(raw_titles, "genres", "genre")


@table(
    "films.professions",
    key=("nconst", "profession"),
    columns=(
        *_PERSON,
        Column("profession", "VARCHAR", "One profession of the person.", ("raw.names.primaryProfession",)),
        Column("position", "SMALLINT", "Place in the person's list, from 1: the foremost.", ("raw.names.primaryProfession",)),
    ),
)
def professions(raw_names: Frame) -> Frame:
    """The foremost professions of each person, in the order of the list."""
    return lists.split(raw_names, "primaryProfession", "profession")


@table(
    "films.known_for",
    key=("nconst", "tconst"),
    columns=(
        *_PERSON,
        Column(
            "tconst",
            "VARCHAR",
            "A title the person is known for.",
            ("raw.names.knownForTitles",),
            references="films.titles.tconst",
        ),
        Column("position", "SMALLINT", "Place in the person's list, from 1: the best known.", ("raw.names.knownForTitles",)),
    ),
)
def known_for(raw_names: Frame) -> Frame:
    """The titles each person is known for, in the order of the list."""
    return lists.split(raw_names, "knownForTitles", "tconst")
