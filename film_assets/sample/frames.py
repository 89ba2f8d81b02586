"""The rows of each blob as Polars frames, with the columns of the blob and the text in them.

Belongs here: turning titles, people and credits into columns. Does not belong here: who is credited (``credits``), odd rows
(``oddities``), files (``write``).
"""

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from film_assets.sample import phrases
from film_assets.sample.credits import CATEGORIES, Credits, Lists
from film_assets.sample.draws import Flags, Ints, between, chance, choose, generator, within
from film_assets.sample.world import DEMO_PEOPLE, EPISODE, KINDS, SERIES, WOMAN, World

_MINUTES = np.array([36, 11, 92, 70, 42, 78, 50, 70, 30, 12])
"""The middle running time of each kind of title."""
_TIMED = np.array([0.235, 0.55, 0.64, 0.55, 0.36, 0.66, 0.35, 0.45, 0.05, 0.5])
"""The share of each kind of title with a running time."""
_MOST_VOTES = 2_900_000
_RATINGS = pl.Series([f"{tenths / 10:.1f}" for tenths in range(101)])
_CATEGORIES = pl.Series(CATEGORIES)
_KINDS = pl.Series(list(KINDS))
_GENRE_LISTS = pl.Series(phrases.GENRE_LISTS)
_PROFESSIONS = pl.Series(
    ["miscellaneous" if category == "self" else category for category in CATEGORIES]
    + ["sound_department", "camera_department", "art_department", "assistant_director", "soundtrack"]
)
"""Professions, in the order of the categories and then some more."""


def titles(world: World, start: int, stop: int) -> pl.DataFrame:
    """The rows of titles.tsv for a chunk of titles."""
    rng = generator(world.seed, 2, start)
    kind, year, size = world.titles.kind[start:stop], world.titles.year[start:stop].astype(np.int64), stop - start
    primary = _primary_titles(rng, kind)
    genre = choose(rng, phrases.GENRE_WEIGHTS, size)
    dated = chance(rng, 0.868, size)
    years = np.where(chance(rng, 0.002, size), year + 4, year)
    ended = (kind >= SERIES) & (kind <= SERIES + 2) & (kind != SERIES + 1) & dated & chance(rng, 0.42, size)
    minutes = np.maximum(_MINUTES[kind] * np.exp(rng.standard_normal(size, dtype=np.float32) * 0.35), 1)
    columns = {
        "tconst": world.titles.ids[start:stop],
        "titleType": _taken(_KINDS, kind),
        "primaryTitle": primary,
        "originalTitle": _original_titles(rng, primary),
        "isAdult": pl.Series(chance(rng, 0.035, size)).cast(pl.Int8),
        "startYear": _where(dated, years),
        "endYear": _where(ended, years + rng.geometric(0.3, size) - 1),
        "runtimeMinutes": _where(chance(rng, _TIMED[kind], size), minutes.astype(np.int64)),
        "genres": _blanked(_taken(_GENRE_LISTS, genre), chance(rng, 0.0445, size)),
    }
    return pl.DataFrame(columns).filter(~world.titles.lost[start:stop])


def crew(world: World, credits_: Credits) -> pl.DataFrame:
    """The rows of crew.tsv for the titles of the credits."""
    return pl.DataFrame(
        {
            "tconst": world.titles.ids[credits_.start : credits_.stop],
            "directors": _listed(world, credits_.directors),
            "writers": _listed(world, credits_.writers),
        }
    ).filter(~world.titles.lost[credits_.start : credits_.stop])


def ratings(world: World, credits_: Credits) -> pl.DataFrame:
    """The rows of ratings.tsv for the titles of the credits: a title's rating leans to its director's talent."""
    rng = generator(world.seed, 3, credits_.start)
    rated = np.flatnonzero(world.titles.rated[credits_.start : credits_.stop])
    lengths, people = credits_.directors
    talent = np.append(world.people.talent[people], 0)[np.where(lengths > 0, np.cumsum(lengths) - lengths, -1)[rated]]
    fame = world.titles.fame[credits_.start + rated].astype(np.float64)
    tenths = np.clip(np.rint(69 + 5 * talent + 2 * fame + 11 * rng.standard_normal(len(rated))), 10, 100)
    votes = np.minimum(5 + np.exp(2.9 + 2.45 * fame), _MOST_VOTES)
    return pl.DataFrame(
        {
            "tconst": _taken(world.titles.ids, credits_.start + rated),
            "averageRating": _taken(_RATINGS, tenths),
            "numVotes": votes.astype(np.int64),
        }
    )


def cast(world: World, credits_: Credits) -> pl.DataFrame:
    """The rows of cast.tsv for the titles of the credits."""
    rng = generator(world.seed, 4, credits_.start)
    return pl.DataFrame(
        {
            "tconst": _taken(world.titles.ids, credits_.title),
            "ordering": credits_.ordering,
            "nconst": _taken(world.people.ids, credits_.person),
            "category": _taken(_CATEGORIES, credits_.category),
            "job": _jobs(rng, credits_.category),
            "characters": _characters(rng, credits_.category),
        }
    )


def names(world: World, start: int, stop: int) -> pl.DataFrame:
    """The rows of names.tsv for a chunk of people, once all credits are remembered."""
    rng = generator(world.seed, 5, start)
    people = np.arange(start, stop)
    size = stop - start
    share = 1 - world.people.rank(people) / len(world.people.ids)
    born = chance(rng, 0.0457 * 4 * share**3, size)
    middle = world.people.birth_year(people).astype(np.int64)
    birth = between(rng, middle - 4, middle + 5)
    death = birth + between(rng, np.full(size, 30), np.full(size, 96))
    columns = {
        "nconst": world.people.ids[start:stop],
        "primaryName": _names(world, rng, people),
        "birthYear": _where(born, birth),
        "deathYear": _where((death <= 2025) & chance(rng, np.where(born, 0.77, 0.0006), size), death),  # noqa: PLR2004
        "primaryProfession": _professions(rng, world.people.category[start:stop]),
        "knownForTitles": _known_for(world, rng, start, stop),
    }
    return pl.DataFrame(columns).filter(~world.people.lost[start:stop])


def _taken(values: pl.Series, index: NDArray[np.generic]) -> pl.Series:
    return values.gather(pl.Series(index.astype(np.uint32)))


def _where(rows: Flags, values: Ints) -> pl.Series:
    """The values of the rows that are True, null elsewhere."""
    return _blanked(pl.Series(values), ~rows)


def _blanked(values: pl.Series, rows: Flags) -> pl.Series:
    """Null in the rows that are True, the values elsewhere."""
    return pl.select(pl.when(pl.Series(~rows)).then(values)).to_series()


def _joined(lengths: Ints, elements: pl.Series) -> pl.Series:
    """Elements laid end to end as lists separated by commas; an empty list is null."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    lists = pa.LargeListArray.from_arrays(
        pa.array(offsets), elements.cast(pl.String).to_arrow(compat_level=pl.CompatLevel.oldest())
    )
    return _blanked(pl.Series(lists).list.join(","), lengths == 0)


def _listed(world: World, lists: Lists) -> pl.Series:
    return _joined(lists.lengths, _taken(world.people.ids, lists.people))


def _primary_titles(rng: np.random.Generator, kind: NDArray[np.uint8]) -> pl.Series:
    family = phrases.TITLES.families(rng, len(kind))
    family[(kind == EPISODE) & chance(rng, 0.33, len(kind))] = phrases.EPISODES
    return phrases.TITLES.pick(rng, family)


def _original_titles(rng: np.random.Generator, primary: pl.Series) -> pl.Series:
    """The primary title again, but now and then one in another script or simply another."""
    size = len(primary)
    other = np.flatnonzero(chance(rng, 0.05, size))
    family = rng.integers(1, phrases.FOREIGN + len(phrases.SCRIPT_WEIGHTS) - 1, len(other))
    texts = pl.concat([primary, phrases.TITLES.pick(rng, family)])
    index = np.arange(size)
    index[other] = size + np.arange(len(other))
    return _taken(texts, index)


def _jobs(rng: np.random.Generator, category: NDArray[np.uint8]) -> pl.Series:
    """Jobs for most writers and producers and for a few others."""
    share = np.array([phrases.JOB_SHARES.get(name, 0) for name in CATEGORIES])
    family = np.array([list(phrases.JOB_SHARES).index(name) if name in phrases.JOB_SHARES else 0 for name in CATEGORIES])
    rows = chance(rng, share[category], len(category))
    return phrases.scattered(phrases.JOBS.pick(rng, family[category[rows]]), rows)


def _characters(rng: np.random.Generator, category: NDArray[np.uint8]) -> pl.Series:
    """Characters for nearly all performers; of people who appear as themselves, that they do."""
    share = np.array([{"actor": 0.93, "actress": 0.95, "self": 0.99, "archive_footage": 0.9}.get(name, 0) for name in CATEGORIES])
    rows = chance(rng, share[category], len(category))
    family = phrases.CHARACTERS.families(rng, int(rows.sum()))
    family[category[rows] == CATEGORIES.index("self")] = phrases.SELF
    return phrases.scattered(phrases.CHARACTERS.pick(rng, family), rows)


def _names(world: World, rng: np.random.Generator, people: Ints) -> pl.Series:
    script = choose(rng, phrases.SCRIPT_WEIGHTS, len(people)).astype(np.int64)
    texts = phrases.PEOPLE.pick(rng, 2 * script + (people % 2 != WOMAN))
    for person, (_, name) in zip(world.demo.people, DEMO_PEOPLE, strict=True):
        if people[0] <= person <= people[-1]:
            texts[int(person - people[0])] = name
    return texts


def _professions(rng: np.random.Generator, category: NDArray[np.uint8]) -> pl.Series:
    """The profession the person was credited by, then up to two others; anything at all for people without a credit."""
    size = len(category)
    first = np.where(category > 0, category - 1, choose(rng, [20, 15, 16, 6, 8, 10, 3, 4, 5, 2, 1, 0, 0, 5, 8, 4, 4, 3], size))
    step = rng.integers(1, len(_PROFESSIONS) // 2, size)
    lengths = choose(rng, [20.1, 51, 16, 13], size).astype(np.int64)
    owner, position = within(lengths)
    return _joined(lengths, _taken(_PROFESSIONS, (first[owner] + position * step[owner]) % len(_PROFESSIONS)))


def _known_for(world: World, rng: np.random.Generator, start: int, stop: int) -> pl.Series:
    """Titles the person is credited on; for those without a credit, some title or none."""
    known = world.people.known[start:stop].copy()
    without = ~known.any(axis=1) & chance(rng, 0.35, stop - start)
    known[without, 0] = rng.integers(1, len(world.titles.ids) + 1, int(without.sum()))
    listed = known > 0
    return _joined(listed.sum(axis=1), _taken(world.titles.ids, known[listed] - 1))
