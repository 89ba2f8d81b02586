"""Who or what is meant: from an id or a name to ids.

A name means the people or titles that are called so, whatever the case and the accents; of several the one spelled exactly so.
Does not belong here: what is told of them (``films``).
"""

import re
from collections.abc import Sequence
from typing import Any, Literal

from film_assets.common.folding import folded
from film_assets.errors import AmbiguousNameError, FilmAssetsError, UnknownNameError
from film_assets.reader.snapshot import Snapshot

Kind = Literal["person", "title"]

_ID = re.compile(r"(nm|tt)[0-9]{7,}")
_KIND_OF: dict[str, Kind] = {"nm": "person", "tt": "title"}
_ANY: tuple[Kind, ...] = ("person", "title")
_SHOWN = 5
_LONGEST_SHOWN = 80
_NEAR = 0.85
"""The Jaro-Winkler similarity from which on a name is worth suggesting."""

_CALLED: dict[Kind, str] = {"person": "from people_called($name)", "title": "from titles_called($name)"}
"""Kind -> those of exactly that name, best known first."""

_LIKE: dict[Kind, str] = {
    "person": """
        select primaryName as name, knownNumVotes as votes
        from films.metrics.known_for_success join films.names using (nconst)""",
    "title": "select primaryTitle as name, numVotes as votes from films.ratings join films.titles using (tconst)",
}
"""Kind -> the names that are looked through for near ones: of those who have something to tell."""

_KNOWN_TO: dict[Kind, tuple[str, ...]] = {
    "person": ("names", "cast", "directors", "writers", "known_for"),
    "title": ("titles", "ratings", "cast", "directors", "writers", "known_for"),
}
"""Kind -> the tables that may know an id: the one that nearly always does, then those that alone know an orphan."""

_Candidate = tuple[Any, ...]
"""id, name, year, what it is known as, votes"""


def resolve(snapshot: Snapshot, wanted: Sequence[str], kinds: Sequence[Kind] = _ANY) -> tuple[Kind, list[str]]:
    """The ids of these people or titles, and which of the two they are: names that can be either are people.

    An id is taken as it is: of one that nobody has there is no answer, and only then ``ensure_known`` need be asked.

    Raises:
        UnknownNameError: Nobody and nothing goes by one of them.
        AmbiguousNameError: Several do.
        FilmAssetsError: Some are people and others titles.
    """
    found = {item: _by_id(item, kinds) if _ID.fullmatch(item) else _called(snapshot, item, kinds) for item in wanted}
    for kind in kinds:
        if all(kind in candidates for candidates in found.values()):
            return kind, [_only(item, kind, candidates[kind]) for item, candidates in found.items()]
    people = [item for item, candidates in found.items() if "person" in candidates]
    titles = [item for item in wanted if item not in people]
    raise FilmAssetsError(f"people or titles, not both: {_shown(people[0])} is a person, {_shown(titles[0])} a title")


def ensure_known(snapshot: Snapshot, kind: Kind, ids: Sequence[str]) -> None:
    """Make sure that some table knows each of these ids.

    Raises:
        UnknownNameError: None does.
    """
    column = "nconst" if kind == "person" else "tconst"
    queries = [f"select 1 from films.{table} where {column} = $id limit 1" for table in _KNOWN_TO[kind]]
    for item in ids:
        if not any(snapshot.relation(query, {"id": item}).fetchall() for query in queries):
            raise UnknownNameError(f"no {kind} has the id {_shown(item)}")


def _called(snapshot: Snapshot, item: str, kinds: Sequence[Kind]) -> dict[Kind, list[_Candidate]]:
    called = {kind: snapshot.relation(_CALLED[kind], {"name": item}).fetchall() for kind in kinds}
    found = {kind: _as_spelled(rows, item) for kind, rows in called.items() if rows}
    if not found:
        raise UnknownNameError(f"no {' or '.join(kinds)} is called {_shown(item)}{_suggestions(snapshot, item, kinds)}")
    return found


def _by_id(item: str, kinds: Sequence[Kind]) -> dict[Kind, list[_Candidate]]:
    kind = _KIND_OF[item[:2]]
    if kind not in kinds:
        raise FilmAssetsError(f"{item} is a {kind}; give a {kinds[0]}")
    return {kind: [(item,)]}


def _as_spelled(rows: list[_Candidate], name: str) -> list[_Candidate]:
    exactly = [row for row in rows if row[1] == name]
    return exactly if len(exactly) == 1 else rows


def _only(item: str, kind: Kind, candidates: list[_Candidate]) -> str:
    if len(candidates) == 1:
        return str(candidates[0][0])
    listed = "; ".join(_described(candidate, kind) for candidate in candidates[:_SHOWN])
    more = f"; and {len(candidates) - _SHOWN} more" if len(candidates) > _SHOWN else ""
    who = "people" if kind == "person" else "titles"
    raise AmbiguousNameError(f"{len(candidates)} {who} are called {_shown(item)}, give an id: {listed}{more}")


def _described(candidate: _Candidate, kind: Kind) -> str:
    """``nm0000001 (born 1899, known for Top Hat)``, with what is known."""
    identity, _, year, about, _ = candidate
    if kind == "person":
        facts = [f"born {year}" if year else "", f"known for {about}" if about else ""]
    else:
        facts = [str(about or ""), str(year or "")]
    return f"{identity} ({', '.join(filter(None, facts)) or 'nothing known'})"


def _suggestions(snapshot: Snapshot, item: str, kinds: Sequence[Kind]) -> str:
    names = " union all ".join(_LIKE[kind] for kind in kinds)
    query = f"""
        with folded as (select name, votes, {folded("name")} as this, {folded("$name")} as that from ({names})),
            compared as (
                select name, votes, jaro_winkler_similarity(this, that) as similarity,
                    that <> '' and contains(this, that) as within
                from folded)
        select name from compared where similarity >= {_NEAR} or within
        group by name order by max(similarity) desc, max(votes) desc, name limit 3"""
    near = [_shown(name) for (name,) in snapshot.relation(query, {"name": item[:_LONGEST_SHOWN]}).fetchall()]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")
