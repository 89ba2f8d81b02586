"""How long people wait for an answer: look-ups from an open reader, and the first answer of a new process.

Belongs here: the questions, and whom they are asked about, drawn from the data itself. Does not belong here: how figures are
shown (``report``).
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from film_assets import open_films
from film_assets.reader import Films

COUNT = 200
_PROCESSES = 11

_PEOPLE = """
    (select nconst from metrics.person_success where role = 'any' order by hash(nconst) limit $half)
    union all
    (select nconst from films.names where nconst not in (from (select nconst from metrics.person_success))
        order by hash(nconst) limit $half)"""
"""Half of them of those who have a rated title, half of the others."""

_BEST_KNOWN = "select nconst from metrics.person_success where role = 'any' order by numVotes desc, nconst limit 2 * $half"
"""Their answers are the longest."""

_TITLES = """
    (select tconst from metrics.title_success order by numVotes desc, tconst limit $half)
    union all
    (select tconst from films.titles where tconst not in (
            select tconst from metrics.title_success order by numVotes desc, tconst limit $half)
        order by hash(tconst) limit $half)"""

_NAMES = """
    (select distinct split_part(primaryName, ' ', -1) as name from films.names where length(name) >= 4
        order by hash(name), name limit $half)
    union all
    (select distinct primaryTitle from films.titles where length(primaryTitle) >= 4
        order by hash(primaryTitle), primaryTitle limit $half)"""
"""Surnames that many share, and titles."""

_FIRST_ANSWER = """
import sys, time
began = time.perf_counter()
from film_assets import open_films
imported = time.perf_counter()
with open_films(sys.argv[1]) as films:
    opened = time.perf_counter()
    assert films.compare(sys.argv[2]).height == 1
print([1000 * (time.perf_counter() - start) for start in (imported, began)])
"""


def milliseconds(home: Path) -> Iterator[tuple[str, float, list[float]]]:
    """Each question, the most that its 95th percentile may be, and how long every asking of it took."""
    with open_films(home) as films:
        people, best_known, titles, names = (_draw(films, query) for query in (_PEOPLE, _BEST_KNOWN, _TITLES, _NAMES))
        pairs = list(zip(people, reversed(people), strict=True))
        yield "compare two people by id", 50, _timed(lambda pair: films.compare(*pair), pairs)
        yield "compare a title by id", 50, _timed(films.compare, titles)
        yield "credits of a person by id", 50, _timed(films.credits, people)
        yield "credits of one of the best known", 50, _timed(films.credits, best_known)
        yield "people of a title by id", 50, _timed(films.people, titles)
        yield "find by a part of a name", 150, _timed(films.find, names)
    command = [sys.executable, "-c", _FIRST_ANSWER, str(home), people[0]]
    answers = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(_PROCESSES)]
    yield "open to first answer, in a new process", 300, [opened for opened, _ in answers]
    yield "the same with importing film_assets", 1000, [imported for _, imported in answers]


def _draw(films: Films, query: str) -> list[str]:
    drawn: list[str] = films.sql(query, {"half": COUNT // 2}).pl().to_series().unique(maintain_order=True).to_list()
    assert len(drawn) == COUNT, f"only {len(drawn)} of {COUNT} to ask about: take a larger scale"
    return drawn


def _timed(ask: Callable[..., pl.DataFrame], about: Sequence[object]) -> list[float]:
    taken = []
    for item in about:
        started = time.perf_counter()
        ask(item)
        taken.append(1000 * (time.perf_counter() - started))
    return taken
