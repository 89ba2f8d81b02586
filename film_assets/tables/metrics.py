"""What films and people achieved: ``metrics.*``, computed from the normalised tables.

Belongs here: formulas, each with its definition. Every person metric counts a title once, however often the person stands on it;
where there is nothing to say, a value is null rather than 0. Does not belong here: facts a blob states (``films``).
"""

from dataclasses import replace

import narwhals as nw

from film_assets.tables import films
from film_assets.tables.declaration import Column, Frame, Table, table

_MICRO = 1_000_000
"""Ratings are added up as whole millionths: a sum of integers does not depend on the order of the rows, one of floats does."""


PRIOR_RATING = 6.9
"""C of the weighted rating: the mean of all averageRatings, which a title has until votes say otherwise. It is written down, not
computed, so that one changed title does not change all the others."""

PRIOR_VOTES = 1000
"""m of the weighted rating: as many votes as count as much as the prior. About one rated title in twenty has them. (IMDb takes
25,000 for its Top 250, which ranks the best known films only; with that, nearly all titles would be given C.)"""

HIT_RATING = 7.5
"""A title with this weightedRating or a higher one is a hit: one rated 8.0 by 1,200 votes is, one rated 9.0 by 400, and one rated
below 7.5 never. About one rated title in forty is a hit."""


def _millionths(rating: str) -> nw.Expr:
    return (nw.col(rating) * _MICRO).round().cast(nw.Int64)


def _weighted_rating() -> nw.Expr:
    """The Bayesian average (v * R + m * C) / (v + m) of rating R by v votes: the formula of IMDb's Top 250 list."""
    votes = nw.col("numVotes").cast(nw.Int64)
    total = _millionths("averageRating") * votes + round(PRIOR_RATING * _MICRO) * PRIOR_VOTES
    return _ratio(total, (votes + PRIOR_VOTES) * _MICRO)


def _total(rating: str) -> nw.Expr:
    return _millionths(rating).sum()


def _mean(total: str, count: str) -> nw.Expr:
    """The mean from a total of millionths; null where nothing was counted."""
    return nw.when(nw.col(count) > 0).then(_ratio(nw.col(total), nw.col(count).cast(nw.Int64) * _MICRO))


def _ratio(part: nw.Expr, whole: nw.Expr) -> nw.Expr:
    """Of two columns of whole numbers, so that equal ratios are equal numbers, and the same ones on every engine."""
    return part.cast(nw.Float64) / whole.cast(nw.Float64)


@table(
    "metrics.known_for_success",
    key=("nconst",),
    columns=(
        *films.known_for.take("nconst"),
        Column(
            "knownTitles",
            "INTEGER",
            "How many of the titles the person is known for have a rating.",
            ("films.known_for.tconst", "films.ratings.tconst"),
        ),
        Column(
            "knownAverageRating",
            "DOUBLE",
            "Mean of the averageRating of the titles the person is known for.",
            ("films.ratings.averageRating",),
        ),
        Column(
            "knownNumVotes", "BIGINT", "Sum of the numVotes of the titles the person is known for.", ("films.ratings.numVotes",)
        ),
    ),
)
def known_for_success(films_known_for: Frame, films_ratings: Frame) -> Frame:
    """How well the titles a person is known for did; people with no rated one among them are not here."""
    return (
        films_known_for.join(films_ratings, on="tconst")
        .group_by("nconst")
        .agg(
            knownTitles=nw.len(),
            total=_total("averageRating"),
            rated=nw.col("averageRating").count(),
            knownNumVotes=nw.col("numVotes").sum(),
        )
        .with_columns(knownAverageRating=_mean("total", "rated"))
    )


def _performance(credit: Table) -> tuple[Column, ...]:
    return (*credit.take("nconst", "tconst"), *films.ratings.take("averageRating", "numVotes"))


_RATED = ("films.ratings.tconst",)


@table(
    "metrics.actor_performance",
    key=("nconst", "tconst"),
    range_column="tconst",
    columns=_performance(films.actors),
    uses=_RATED,
)
def actor_performance(films_actors: Frame, films_ratings: Frame) -> Frame:
    """The rating of every rated title an actor or actress acted in."""
    return films_actors.join(films_ratings, on="tconst")


@table(
    "metrics.director_performance",
    key=("nconst", "tconst"),
    range_column="tconst",
    columns=_performance(films.directors),
    uses=_RATED,
)
def director_performance(films_directors: Frame, films_ratings: Frame) -> Frame:
    """The rating of every rated title a person directed."""
    return films_directors.join(films_ratings, on="tconst")


@table(
    "metrics.writer_performance",
    key=("nconst", "tconst"),
    range_column="tconst",
    columns=_performance(films.writers),
    uses=_RATED,
)
def writer_performance(films_writers: Frame, films_ratings: Frame) -> Frame:
    """The rating of every rated title a person wrote."""
    return films_writers.join(films_ratings, on="tconst")


CREDITS = ("director", "writer", "actor")
"""What a person can be of a title."""


def _role_columns() -> tuple[Column, ...]:
    return tuple(
        Column(role, "SMALLINT", f"1 where the person is {article} {role} of the title, else 0.", sources)
        for role, article in zip(CREDITS, ("a", "a", "an"), strict=True)
        for sources in [(f"metrics.{role}_performance.nconst", f"metrics.{role}_performance.tconst")]
    )


def _rating_columns() -> tuple[Column, ...]:
    tables = (director_performance, writer_performance, actor_performance)
    return tuple(
        replace(columns[0], sources=tuple(source for column in columns for source in column.sources))
        for columns in zip(*(item.take("averageRating", "numVotes") for item in tables), strict=True)
    )


@table(
    "metrics.comparison",
    key=("tconst", "nconst"),
    columns=(
        *films.titles.take("tconst"),
        *films.names.take("nconst", "primaryName"),
        *_role_columns(),
        *films.titles.take("primaryTitle"),
        *_rating_columns(),
        *known_for_success.take("knownAverageRating", "knownNumVotes"),
    ),
    uses=("metrics.known_for_success.nconst",),
)
def comparison(
    metrics_director_performance: Frame,
    metrics_writer_performance: Frame,
    metrics_actor_performance: Frame,
    films_titles: Frame,
    films_names: Frame,
    metrics_known_for_success: Frame,
) -> Frame:
    """Every credit of a rated title whose title and person are known: roles, rating, what the person is known for.

    The known-for columns are null for people who are known for no rated title.
    """
    performances = (metrics_director_performance, metrics_writer_performance, metrics_actor_performance)
    flagged = [
        frame.with_columns(nw.lit(int(role == flag)).alias(flag) for flag in CREDITS)
        for role, frame in zip(CREDITS, performances, strict=True)
    ]
    values = (*CREDITS, "averageRating", "numVotes")
    credits_ = nw.concat(flagged).group_by("tconst", "nconst").agg(nw.col(value).max() for value in values)
    return (
        credits_.join(films_titles, on="tconst")
        .join(films_names, on="nconst")
        .join(metrics_known_for_success, on="nconst", how="left")
    )


def _count_column(role: str) -> Column:
    return Column(f"{role}Count", "INTEGER", f"How many {role}s it has.", (f"metrics.{role}_performance.tconst",))


@table(
    "metrics.title_success",
    key=("tconst",),
    columns=(
        *films.ratings.take("tconst", "averageRating", "numVotes"),
        Column(
            "weightedRating",
            "DOUBLE",
            f"(v*R + m*C) / (v + m) of averageRating R and numVotes v: as if there were m = {PRIOR_VOTES} more votes "
            f"for C = {PRIOR_RATING}.",
            ("films.ratings.averageRating", "films.ratings.numVotes"),
        ),
        *films.titles.take("titleType", "startYear"),
        Column("decade", "SMALLINT", "First year of the decade of startYear.", ("films.titles.startYear",)),
        *(_count_column(role) for role in CREDITS),
    ),
    uses=("films.titles.tconst",),
)
def title_success(
    films_ratings: Frame,
    films_titles: Frame,
    metrics_director_performance: Frame,
    metrics_writer_performance: Frame,
    metrics_actor_performance: Frame,
) -> Frame:
    """How well every rated title did, and how many people made it."""
    performances = (metrics_director_performance, metrics_writer_performance, metrics_actor_performance)
    titles = films_ratings.join(films_titles, on="tconst", how="left").with_columns(
        weightedRating=_weighted_rating(), decade=nw.col("startYear") // 10 * 10
    )
    for role, performance in zip(CREDITS, performances, strict=True):
        counted = performance.group_by("tconst").agg(nw.len().alias(f"{role}Count"))
        titles = titles.join(counted, on="tconst", how="left").with_columns(nw.col(f"{role}Count").fill_null(0))
    return titles


ROLES = ("any", *CREDITS)
"""The roles of ``person_success``: ``any`` is the person's whole part, each title once, whatever the person did for it."""

_RATING, _VOTES = "metrics.title_success.averageRating", "metrics.title_success.numVotes"


def _performance_sources(column: str) -> tuple[str, ...]:
    return tuple(f"metrics.{role}_performance.{column}" for role in CREDITS)


def _success_columns(what: str) -> tuple[Column, ...]:
    """What is told of any set of titles; ``what`` says which."""
    return (
        Column("averageRating", "DOUBLE", f"Mean of the averageRating of {what}, each once.", (_RATING,)),
        Column(
            "voteWeightedRating",
            "DOUBLE",
            f"Mean of the averageRating of {what}, weighted by their numVotes: the mean of all votes.",
            (_RATING, _VOTES),
        ),
        Column("numVotes", "BIGINT", f"Sum of the numVotes of {what}.", (_VOTES,)),
    )


def _success() -> dict[str, nw.Expr]:
    """The parts of the columns above, to be added up within a group."""
    votes, rated = nw.col("numVotes").cast(nw.Int64), ~nw.col("averageRating").is_null()
    return {
        "titles": nw.len(),
        "total": _total("averageRating"),
        "rated": nw.col("averageRating").count(),
        "voteTotal": (_millionths("averageRating") * votes).sum(),
        "votes": nw.when(rated).then(votes).sum(),
        "numVotes": votes.sum(),
    }


def _means() -> dict[str, nw.Expr]:
    return {"averageRating": _mean("total", "rated"), "voteWeightedRating": _mean("voteTotal", "votes")}


@table(
    "metrics.person_success",
    key=("nconst", "role"),
    columns=(
        Column("nconst", "VARCHAR", "The person.", _performance_sources("nconst"), references="films.names.nconst"),
        Column(
            "role",
            "VARCHAR",
            "director, writer or actor; any: all of the person's titles, each once.",
            _performance_sources("tconst"),
        ),
        Column("titles", "INTEGER", "How many rated titles.", _performance_sources("tconst")),
        *_success_columns("the rated titles"),
        Column(
            "hitShare",
            "DOUBLE",
            f"Share of the rated titles that are hits, 0 to 1: those with a weightedRating of {HIT_RATING} or more.",
            ("metrics.title_success.weightedRating",),
        ),
        Column(
            "bestTconst",
            "VARCHAR",
            "The rated title with the highest weightedRating.",
            ("metrics.title_success.tconst", "metrics.title_success.weightedRating"),
            references="films.titles.tconst",
        ),
        Column("firstYear", "SMALLINT", "Earliest startYear of the rated titles.", ("metrics.title_success.startYear",)),
        Column("lastYear", "SMALLINT", "Latest startYear of the rated titles.", ("metrics.title_success.startYear",)),
    ),
)
def person_success(
    metrics_director_performance: Frame,
    metrics_writer_performance: Frame,
    metrics_actor_performance: Frame,
    metrics_title_success: Frame,
) -> Frame:
    """The part a person had in successful titles, in each role and over all; people without a rated title are not here."""
    performances = (metrics_director_performance, metrics_writer_performance, metrics_actor_performance)
    in_roles = [frame.select("nconst", "tconst", role=nw.lit(role)) for role, frame in zip(CREDITS, performances, strict=True)]
    in_any = nw.concat([frame.select("nconst", "tconst") for frame in performances]).group_by("nconst", "tconst").agg()
    weighted, year = nw.col("weightedRating"), nw.col("startYear")
    is_best = weighted == weighted.max().over("nconst", "role")
    return (
        nw.concat([in_any.with_columns(role=nw.lit("any")), *in_roles])
        .join(metrics_title_success, on="tconst")
        .with_columns(best=nw.when(is_best).then(nw.col("tconst")))
        .group_by("nconst", "role")
        .agg(
            **_success(),
            hits=nw.when(weighted >= HIT_RATING).then(1).count(),
            weighted=weighted.count(),
            bestTconst=nw.col("best").min(),
            firstYear=year.min(),
            lastYear=year.max(),
        )
        .with_columns(**_means(), hitShare=nw.when(nw.col("weighted") > 0).then(_ratio(nw.col("hits"), nw.col("weighted"))))
    )


@table(
    "metrics.genre_success",
    key=("genre", "titleType", "decade"),
    range_column="",
    columns=(
        *films.genres.take("genre"),
        *title_success.take("titleType", "decade"),
        Column("titles", "INTEGER", "How many rated titles.", ("films.genres.tconst", "metrics.title_success.tconst")),
        *_success_columns("the rated titles"),
    ),
)
def genre_success(films_genres: Frame, metrics_title_success: Frame) -> Frame:
    """How well the titles of a genre, type and decade did; a title counts in each of its genres.

    Titles without a year are the decade null, those that the titles blob lacks have no genre and are not here.
    """
    return (
        films_genres.join(metrics_title_success, on="tconst")
        .group_by("genre", "titleType", "decade")
        .agg(**_success())
        .with_columns(**_means())
    )


_TOGETHER = 2
"""From how many titles on two people are said to work together."""

_OWN_AVERAGE = "metrics.person_success.averageRating"


def _uplift(role: str, person: str) -> Column:
    return Column(
        f"{role}Uplift",
        "DOUBLE",
        f"averageRating less the {role}'s own over all titles {person}: above 0, they do better together.",
        (_RATING, _OWN_AVERAGE),
    )


@table(
    "metrics.collaborations",
    key=("directorNconst", "actorNconst"),
    columns=(
        Column(
            "directorNconst",
            "VARCHAR",
            "The director.",
            ("metrics.director_performance.nconst",),
            references="films.names.nconst",
        ),
        Column("actorNconst", "VARCHAR", "The actor.", ("metrics.actor_performance.nconst",), references="films.names.nconst"),
        Column(
            "titles",
            "INTEGER",
            "How many rated titles the one directed and the other acts in.",
            ("metrics.director_performance.tconst", "metrics.actor_performance.tconst"),
        ),
        *_success_columns("those titles")[:1],
        _uplift("director", "directed"),
        _uplift("actor", "acted in"),
    ),
    uses=("metrics.person_success.nconst", "metrics.person_success.role", "metrics.title_success.tconst"),
)
def collaborations(
    metrics_director_performance: Frame,
    metrics_actor_performance: Frame,
    metrics_title_success: Frame,
    metrics_person_success: Frame,
) -> Frame:
    """Directors and actors with two or more rated titles together, and whether these did better than their others.

    Nobody collaborates with themselves: who acts under their own direction is not here.
    """
    pairs = (
        metrics_director_performance.rename({"nconst": "directorNconst"})
        .join(metrics_actor_performance.rename({"nconst": "actorNconst"}), on="tconst")
        .filter(nw.col("directorNconst") != nw.col("actorNconst"))
        .join(metrics_title_success, on="tconst")
        .group_by("directorNconst", "actorNconst")
        .agg(titles=nw.len(), total=_total("averageRating"), rated=nw.col("averageRating").count())
        .filter(nw.col("titles") >= _TOGETHER)
        .with_columns(averageRating=_mean("total", "rated"))
    )
    for role in ("director", "actor"):
        own = metrics_person_success.filter(nw.col("role") == role).select(
            nw.col("nconst").alias(f"{role}Nconst"), nw.col("averageRating").alias("own")
        )
        pairs = pairs.join(own, on=f"{role}Nconst", how="left")
        pairs = pairs.with_columns((nw.col("averageRating") - nw.col("own")).alias(f"{role}Uplift")).drop("own")
    return pairs
