"""The questions people ask most, as table macros that every client of ``films.duckdb`` can call.

``from compare_people(['nm0000001', 'nm0000002'])``, ``from credits_of('nm0000001')``, ``from people_of('tt0000001')``,
``from find_person('astaire')``: the macros are stored in the file, and the reader asks through them, so that a notebook, the
command line and plain SQL get the same answer. They name tables with their catalog, ``films.metrics.person_success``, so that
they work too where the file is attached under its own name beside others. Rows of a few ids are taken from a large table by
``_few``, which looks up between which rows they stand, so that DuckDB reads nothing else of it.

Belongs here: macros and the catalogue of metrics that can be compared. Does not belong here: formulas (``metrics``), and how a
name is told from an id (``reader``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from film_assets.common.folding import folded
from film_assets.tables import films, metrics, sql
from film_assets.tables.declaration import Column

Kind = Literal["person", "title"]


@dataclass(frozen=True)
class Metric:
    """Something people or titles can be compared by.

    Attributes:
        name: The column of ``compare_people`` or ``compare_titles``.
        kind: Whether it is told of people or of titles.
        text: Its meaning.
        expression: How the macro gets it.
        default: Whether it is shown when nobody says which to show.
    """

    name: str
    kind: Kind
    text: str
    expression: str
    default: bool = False


def _from(kind: Kind, source: str, columns: Iterable[Column]) -> list[Metric]:
    return [Metric(column.name, kind, column.text, f'{source}."{column.name}"') for column in columns]


def _in_role(role: str) -> list[Metric]:
    """The columns of ``person_success`` for one role, under a name that says which; for all of them under their own."""
    found = _from("person", f'success."{role}"', metrics.person_success.columns[2:])
    if role == metrics.ROLES[0]:
        return found
    return [
        replace(
            metric,
            name=role + metric.name[0].upper() + metric.name[1:],
            text=f"As {role}: {metric.text[0].lower()}{metric.text[1:]}",
        )
        for metric in found
    ]


def _ordered(found: Iterable[Metric], defaults: str) -> tuple[Metric, ...]:
    """The metrics shown by default first, in that order, then the others."""
    by_name = {metric.name: metric for metric in found}
    return tuple(replace(by_name.pop(name), default=True) for name in defaults.split()) + tuple(by_name.values())


_PERSON = _ordered(
    (
        *_from("person", "person", films.names.columns[1:]),
        *(metric for role in metrics.ROLES for metric in _in_role(role)),
        Metric("bestTitle", "person", "The rated title with the highest weightedRating.", 'best."primaryTitle"'),
        *_from("person", "known", metrics.known_for_success.columns[1:]),
    ),
    "primaryName birthYear titles directorTitles writerTitles actorTitles averageRating voteWeightedRating numVotes hitShare "
    "knownAverageRating knownNumVotes bestTitle firstYear lastYear",
)

_TITLE = _ordered(
    (
        *_from("title", "title", films.titles.columns[1:]),
        *_from("title", "success", (c for c in metrics.title_success.columns[1:] if c.name not in films.titles.column_names)),
        Metric("genres", "title", "Its genres.", 'genre."genres"'),
        Metric("directors", "title", "The names of its directors.", 'made."directors"'),
        Metric("writers", "title", "The names of its writers.", 'made."writers"'),
    ),
    "primaryTitle titleType startYear genres averageRating numVotes weightedRating directors",
)

METRICS: tuple[Metric, ...] = _PERSON + _TITLE
"""Everything people and titles can be compared by."""


SIGNATURE_BITS = 61
"""Of a name's signature in the indexes; a pair of bytes, divided by so many, leaves its bit."""


def code(identity: str, prefix: str) -> str:
    """An expression for an id as the indexes have it: a number, with a 1 for the prefix, which keeps leading zeros apart."""
    return f"try_cast(replace({identity}, '{prefix}', '1') as bigint)"


def block(number: str) -> str:
    """An expression for the block of ids that a number made of one by ``code`` belongs to: 64 that follow one another."""
    return f"{number} // 64"


def _identity(number: str, prefix: str) -> str:
    """An expression for the id that ``code`` makes the number of."""
    return f"'{prefix}' || substr({number}::varchar, 2)"


def signed(text: str) -> str:
    """A condition for the names whose signature has all the bits of a text's.

    DuckDB computes the signature of the text once.
    """
    wanted = folded(text)
    pair = f"('0x' || substr(hex(encode({wanted})), 2 * i - 1, 4))::usmallint"
    bits = f"list_transform(range(1, strlen({wanted})), lambda i: 1::ubigint << ({pair} % {SIGNATURE_BITS})::ubigint)"
    signature = f"list_reduce(list_prepend(0::ubigint, {bits}), lambda a, b: a | b)"
    return f"(signature & {signature}) = {signature}"


def named(text: str, *, within: bool = False) -> str:
    """A condition for those whose name is a text, or has it ``within``."""
    return f"contains(folded, {folded(text)})" if within else f"folded = {folded(text)}"


@dataclass(frozen=True)
class Macro:
    """A table macro: its name, its parameters as SQL declares them, what it answers, and the query that does."""

    name: str
    parameters: str
    text: str
    query: str


def statements() -> list[str]:
    """The statements that store the macros, and what they answer, in the catalog ``films``."""
    return [statement for macro in all_macros() for statement in _statements(macro)]


def _statements(macro: Macro) -> tuple[str, str]:
    return (
        f"create or replace macro {macro.name}({macro.parameters}) as table {macro.query}",
        f"comment on macro table {macro.name} is {_text(macro.text)}",
    )


def all_macros() -> tuple[Macro, ...]:
    """Every macro."""
    return (
        Macro("comparable_metrics", "", "What people and titles can be compared by.", _catalogue()),
        Macro(
            "compare_people", "ids", "The people of a list of nconst, one row each in the order of the list.", _compare_people()
        ),
        Macro(
            "compare_titles", "ids", "The titles of a list of tconst, one row each in the order of the list.", _compare_titles()
        ),
        Macro("credits_of", "person", "Every title that the person of an nconst has a part in, newest first.", _CREDITS_OF),
        Macro("people_of", "title", "Everybody who has a part in the title of a tconst, in the order of billing.", _PEOPLE_OF),
        Macro(
            "find_any",
            "wanted, most := 20",
            "People and titles with that text in their name, whatever its case and accents; the best known first.",
            _FIND,
        ),
        Macro(
            "find_person",
            "wanted, most := 20",
            "People with that text in their name, whatever its case and accents; the best known first.",
            _FIND_PERSON,
        ),
        Macro(
            "find_title",
            "wanted, most := 20",
            "Titles with that text in their name, whatever its case and accents; the best known first.",
            _FIND_TITLE,
        ),
        Macro(
            "people_called",
            "wanted",
            "People of exactly that name, whatever its case and accents; the best known first.",
            _PEOPLE_CALLED,
        ),
        Macro(
            "titles_called",
            "wanted",
            "Titles of exactly that name, whatever its case and accents; the best known first.",
            _TITLES_CALLED,
        ),
    )


BY_ID = {
    "titles": ("films.titles", code("tconst", "tt")),
    "names": ("films.names", code("nconst", "nm")),
    "known": ("films.lookup.known_people", "id"),
    "ratings": ("films.lookup.rated_titles", "id"),
}
"""What is found by ids: the table, and the number of its id. ``lookup.NAME_places`` says where in it a block of ids lies."""


def _few(name: str, source: str, number: str = "") -> str:
    """The rows of one of ``BY_ID`` with the few ids that ``source`` has, and some neighbours of theirs.

    ``number`` is that of the id in the source, where it is not written there as in the table. To be a materialized part of a
    query: a join would have its ids looked for in all that is read.
    """
    table, own = BY_ID[name]
    blocks = f"select unnest(list({block(number or own)})) from {source}"
    places = f"select unnest(range(first, last + 1)) from films.lookup.{name}_places where block in ({blocks})"
    return f"(from {table} where rowid in ({places}))"


def _catalogue() -> str:
    rows = (f"({_text(m.name)}, {_text(m.kind)}, {_text(m.text)}, {m.default})" for m in METRICS)
    return f'select * from (values {", ".join(rows)}) as metric("name", kind, description, isDefault)'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _listed(found: Iterable[Metric]) -> str:
    return ", ".join(f'{metric.expression} as "{metric.name}"' for metric in found)


def _compare_people() -> str:
    whole = f'success."{metrics.ROLES[0]}"."bestTconst"'
    in_roles = ", ".join(f"""roles['{role}'] as "{role}\"""" for role in metrics.ROLES)
    return f"""
        with who as (select * from unnest(ids::varchar[]) with ordinality as who(nconst, place)),
            success as materialized (
                select nconst, {in_roles} from (
                    select nconst, map(list("role"), list(person_success)) as roles from films.metrics.person_success
                    where nconst in (select unnest(ids::varchar[])) group by nconst)),
            best_tconst as materialized (select {whole} as tconst from success),
            person as materialized {_few("names", "who")},
            known as materialized {_few("known", "who", BY_ID["names"][1])},
            best as materialized {_few("titles", "best_tconst")}
        select who.nconst, {_listed(_PERSON)}
        from who left join person using (nconst) left join known on id = {code("who.nconst", "nm")}
            left join success using (nconst) left join best on best.tconst = {whole}
        order by place"""


def _crew(role: str) -> str:
    return f"select tconst, nconst, position, '{role}' as role from films.{role}s where tconst in (select unnest(ids::varchar[]))"


def _names_of(role: str) -> str:
    return f"""string_agg(coalesce(primaryName, nconst), ', ' order by position) filter ("role" = '{role}') as {role}s"""


def _compare_titles() -> str:
    return f"""
        with title as (from films.titles where tconst in (select unnest(ids::varchar[]))),
            success as (from films.metrics.title_success where tconst in (select unnest(ids::varchar[]))),
            genre as (
                select tconst, string_agg(genre, ', ' order by genre) as genres from films.genres
                where tconst in (select unnest(ids::varchar[])) group by tconst),
            crew as materialized ({_crew("director")} union all {_crew("writer")}),
            person as materialized {_few("names", "crew")},
            made as (
                select tconst, {_names_of("director")}, {_names_of("writer")}
                from crew left join person using (nconst) group by tconst)
        select what.tconst, {_listed(_TITLE)}
        from unnest(ids::varchar[]) with ordinality as what(tconst, place)
            left join title using (tconst) left join success using (tconst) left join genre using (tconst)
            left join made using (tconst)
        order by place"""


_CREDITS_OF = f"""
    with part as (
            select what, rowid as line, split_part(part, chr(9), 1) as "role",
                nullif(split_part(part, chr(9), 2), '') as characters
            from films.lookup.credits where who = {code("person", "nm")}),
        work as materialized (
            select what as id, {_identity("what", "tt")} as tconst,
                array_to_string(list_sort(list_distinct(list("role"))), ', ') as roles,
                array_to_string(flatten(list({sql.json_strings("characters")} order by line)
                    filter (characters is not null)), ', ') as characters
            from part group by what),
        title as materialized {_few("titles", "work")},
        rating as materialized {_few("ratings", "work")}
    select tconst, primaryTitle, titleType, startYear, roles, characters, averageRating, numVotes, weightedRating
    from work left join title using (tconst) left join rating using (id)
    order by startYear desc nulls last, numVotes desc nulls last, tconst"""

_PEOPLE_OF = f"""
    with part as (
            select nconst, category as "role", ordering as place, null as nth, null as "character" from films.cast
                where tconst = title
            union all select nconst, 'director', 1000 + position, null, null from films.directors where tconst = title
            union all select nconst, 'writer', 2000 + position, null, null from films.writers where tconst = title
            union all select nconst, null, ordering, position, "character" from films.characters where tconst = title),
        work as materialized (
            select nconst, {code("nconst", "nm")} as id, array_to_string(list_sort(list_distinct(list("role"))), ', ') as roles,
                array_to_string(list("character" order by place, nth) filter ("character" is not null), ', ') as characters,
                min(place) filter ("role" is not null) as place
            from part where nconst is not null group by nconst),
        person as materialized {_few("names", "work", "id")},
        known as materialized {_few("known", "work")}
    select nconst, primaryName, birthYear, roles, characters, knownAverageRating, knownNumVotes
    from work left join person using (nconst) left join known using (id)
    order by place, nconst"""


_IN_INDEXES: dict[Kind, tuple[str, str, str]] = {
    "person": ("known_people", "other_people", "knownNumVotes"),
    "title": ("rated_titles", "other_titles", "numVotes"),
}
"""Kind -> where the names of the best known are, where those of the others, and the votes that tell the one from the other."""

_ALL = 1_000_000_000
"""More rows than a table of names has."""


def _with_name(kind: Kind, source: str, votes: str, *, within: bool) -> str:
    return f"select line, id, '{kind}' as kind, {votes} as votes from {source} where {named('wanted', within=within)}"


def _candidates(table: str, limit: str = "") -> str:
    return f"(select rowid as line, * from films.lookup.{table} where {signed('wanted')} {limit})"


def _found(*kinds: Kind, within: bool = False, most: str = "") -> str:
    """The first parts of a query for those whose name is ``wanted``, or has it ``within``, the best known first.

    The many whom no vote is known of are gone through only where the best known do not fill the answer. A name is compared
    once its signature says that it may be the one: a materialized part, or one with a limit, keeps DuckDB from comparing all.
    """
    chosen = f"order by votes desc nulls last, kind, id::varchar {f'limit {most}' if most else ''}"
    tried = f"case when there < {most} then {_ALL} else 0 end" if most else f"{_ALL}"
    limit = "limit (select tried from reach)"
    tables = [(kind, *_IN_INDEXES[kind]) for kind in kinds]
    known = [f"{famous} as materialized {_candidates(famous)}" for _, famous, _, _ in tables]
    best = [_with_name(kind, famous, votes, within=within) for kind, famous, _, votes in tables]
    other = [_with_name(kind, _candidates(rest, limit), "null", within=within) for kind, _, rest, _ in tables]
    return f"""
        with {", ".join(known)},
            best as materialized (from ({" union all ".join(best)}) {chosen}),
            reach as materialized (select {tried} as tried from (select count(*) as there from best)),
            other as ({" union all ".join(other)}),
            found as materialized (from (select *, true as known from best union all select *, false from other) {chosen})"""


def _on_lines(kind: Kind, *, known: bool) -> str:
    return f"rowid in (select line from found where kind = '{kind}' and known = {known})"


_FAMED = f"""
    famed as materialized (
        select id, knownFor, knownAverageRating from films.lookup.known_people where {_on_lines("person", known=True)}
        union all select id, knownFor, null from films.lookup.other_people where {_on_lines("person", known=False)}),
    person as materialized {_few("names", "famed", "id")}"""

_RATED = f"""
    rated as materialized (select id, averageRating from films.lookup.rated_titles where {_on_lines("title", known=True)})"""

_TITLES_OF_PEOPLE, _TITLES_FOUND = "select knownFor as id from famed", "select id from found where kind = 'title'"


def _titles(*queries: str) -> str:
    """The last parts of such a query: these titles, by the numbers of their ids."""
    return f"""
        named as materialized ({" union all ".join(queries)}),
        title as materialized {_few("titles", "named", "id")}"""


_NCONST, _TCONST = _identity("found.id", "nm"), _identity("found.id", "tt")

_OF_PEOPLE = f"""
    found join famed using (id) left join person on nconst = {_NCONST} left join title on tconst = {_identity("knownFor", "tt")}
    where kind = 'person'"""

_OF_TITLES = f"found left join rated using (id) left join title on tconst = {_TCONST} where kind = 'title'"

_FIND = f"""
    {_found("person", "title", within=True, most="most")}, {_FAMED}, {_RATED},
    {_titles(_TITLES_OF_PEOPLE, _TITLES_FOUND)}
    select {_NCONST} as id, kind, primaryName as "name", birthYear as "year", primaryTitle as about,
        knownAverageRating as averageRating, votes as numVotes from {_OF_PEOPLE}
    union all select {_TCONST}, kind, primaryTitle, startYear, titleType, averageRating, votes from {_OF_TITLES}
    order by numVotes desc nulls last, kind, id"""

_FIND_PERSON = f"""
    {_found("person", within=True, most="most")}, {_FAMED}, {_titles(_TITLES_OF_PEOPLE)}
    select {_NCONST} as nconst, primaryName, birthYear, deathYear, primaryTitle as knownFor, knownAverageRating,
        votes as knownNumVotes from {_OF_PEOPLE}
    order by knownNumVotes desc nulls last, nconst"""

_FIND_TITLE = f"""
    {_found("title", within=True, most="most")}, {_RATED}, {_titles(_TITLES_FOUND)}
    select {_TCONST} as tconst, primaryTitle, titleType, startYear, averageRating, votes as numVotes from {_OF_TITLES}
    order by numVotes desc nulls last, tconst"""

_PEOPLE_CALLED = f"""
    {_found("person")}, {_FAMED}, {_titles(_TITLES_OF_PEOPLE)}
    select {_NCONST} as nconst, primaryName, birthYear, primaryTitle as knownFor, coalesce(votes, 0) as knownNumVotes
    from {_OF_PEOPLE} order by knownNumVotes desc, nconst"""

_TITLES_CALLED = f"""
    {_found("title")}, {_RATED}, {_titles(_TITLES_FOUND)}
    select {_TCONST} as tconst, primaryTitle, startYear, titleType, coalesce(votes, 0) as numVotes
    from {_OF_TITLES} order by numVotes desc, tconst"""
