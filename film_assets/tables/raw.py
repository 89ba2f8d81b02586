"""The five blobs as they are delivered: ``raw.*``, IMDb's columns with their types.

Belongs here: what a blob is called, its columns, and which of their values are good. Does not belong here: how a blob is read
(``engines``), where it comes from (``sources``), and what is made of it (``films``).
"""

from film_assets.tables.declaration import Blob, Column

_TITLE_ID = "tt[0-9]{7,}"
_PERSON_ID = "nm[0-9]{7,}"
_LABEL = r"""[^\s,;|"'\[\]{}()](?:[^,;|"'\[\]{}()]*[^\s,;|"'\[\]{}()])?"""
_LABEL_FORM = "a word without bracket, brace, quote, semicolon and pipe"
_TITLE_ID_FORM = "tt and at least seven digits"
_PERSON_ID_FORM = "nm and at least seven digits"
_JSON_STRING = (
    r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]'
    r"|\\u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})"
    r'|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*"'
)
_JSON_STRINGS = rf"\[\s*(?:{_JSON_STRING}\s*(?:,\s*{_JSON_STRING}\s*)*)?\]"
"""A JSON array of strings (RFC 8259), with no lone surrogate, which not every engine can hold."""

_TITLE_TYPES = (
    *("short", "movie", "tvEpisode", "tvSeries", "tvMiniSeries", "tvMovie", "tvSpecial", "tvShort", "tvPilot"),
    *("video", "videoGame"),
)
_CATEGORIES = (
    *("actor", "actress", "self", "director", "writer", "producer", "composer", "editor", "cinematographer"),
    *("production_designer", "archive_footage", "archive_sound", "casting_director"),
)

_TCONST = Column(
    "tconst",
    "VARCHAR",
    "The title.",
    pattern=_TITLE_ID,
    form=_TITLE_ID_FORM,
    references="films.titles.tconst",
)
_NCONST = Column(
    "nconst",
    "VARCHAR",
    "The person.",
    pattern=_PERSON_ID,
    form=_PERSON_ID_FORM,
    references="films.names.nconst",
)

cast = Blob(
    name="raw.cast",
    bytes=2_668_643_291,
    files=("cast.tsv", "title.principals.tsv"),
    key=("tconst", "ordering"),
    range_column="tconst",
    text="The principal cast and crew of each title, as delivered.",
    columns=(
        _TCONST,
        Column("ordering", "SMALLINT", "Number of the row within its title, from 1.", minimum=1, form="1 or more"),
        _NCONST,
        Column(
            "category", "VARCHAR", "What the person did: actor, actress, self, director, ...", label=True, allowed=_CATEGORIES
        ),
        Column("job", "VARCHAR", "The job in words, where the category does not say it all."),
        Column("characters", "VARCHAR", "The characters played.", pattern=_JSON_STRINGS, form="a JSON array of strings"),
    ),
)

crew = Blob(
    name="raw.crew",
    bytes=349_084_795,
    files=("crew.tsv", "title.crew.tsv"),
    key=("tconst",),
    range_column="tconst",
    text="The directors and writers of each title, as delivered.",
    columns=(
        _TCONST,
        Column(
            "directors",
            "VARCHAR",
            "The directors' nconst, separated by commas.",
            elements=_PERSON_ID,
            element_form=_PERSON_ID_FORM,
        ),
        Column(
            "writers", "VARCHAR", "The writers' nconst, separated by commas.", elements=_PERSON_ID, element_form=_PERSON_ID_FORM
        ),
    ),
)

names = Blob(
    name="raw.names",
    bytes=805_608_596,
    files=("names.tsv", "name.basics.tsv"),
    key=("nconst",),
    range_column="nconst",
    text="The people, as delivered.",
    columns=(
        _NCONST,
        Column("primaryName", "VARCHAR", "The name the person is most often credited by.", prose=True),
        Column("birthYear", "SMALLINT", "Year of birth; years BC stand positive."),
        Column("deathYear", "SMALLINT", "Year of death; years BC stand positive."),
        Column(
            "primaryProfession",
            "VARCHAR",
            "The person's foremost professions, separated by commas.",
            elements=_LABEL,
            element_form=_LABEL_FORM,
            label=True,
        ),
        Column(
            "knownForTitles",
            "VARCHAR",
            "The tconst of the titles the person is known for, separated by commas.",
            elements=_TITLE_ID,
            element_form=_TITLE_ID_FORM,
        ),
    ),
)

ratings = Blob(
    name="raw.ratings",
    bytes=24_365_246,
    files=("ratings.tsv", "title.ratings.tsv"),
    key=("tconst",),
    range_column="tconst",
    text="The ratings of titles, as delivered.",
    columns=(
        _TCONST,
        Column("averageRating", "DOUBLE", "Mean of the users' ratings, 1 to 10.", minimum=1, maximum=10, form="1 to 10"),
        Column("numVotes", "INTEGER", "Number of votes the mean is over.", minimum=0, form="0 or more"),
    ),
)

titles = Blob(
    name="raw.titles",
    bytes=907_670_788,
    files=("titles.tsv", "title.basics.tsv"),
    key=("tconst",),
    range_column="tconst",
    text="The titles, as delivered.",
    columns=(
        _TCONST,
        Column(
            "titleType",
            "VARCHAR",
            "Kind of title: movie, short, tvSeries, tvEpisode, video, ...",
            label=True,
            allowed=_TITLE_TYPES,
        ),
        Column("primaryTitle", "VARCHAR", "The title it is best known by.", prose=True),
        Column("originalTitle", "VARCHAR", "The title in the original language.", prose=True),
        Column("isAdult", "SMALLINT", "1 for an adult title, 0 for any other.", minimum=0, maximum=1, form="0 or 1"),
        Column("startYear", "SMALLINT", "Year of release; of a series, its first year."),
        Column("endYear", "SMALLINT", "Last year of a series."),
        Column("runtimeMinutes", "INTEGER", "Running time in minutes.", minimum=0, form="0 or more"),
        Column(
            "genres", "VARCHAR", "Up to three genres, separated by commas.", elements=_LABEL, element_form=_LABEL_FORM, label=True
        ),
    ),
)

BLOBS: tuple[Blob, ...] = (ratings, titles, crew, names, cast)
"""Every blob, the small ones first, so that a fault in one of them shows early."""
