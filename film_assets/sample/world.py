"""The sample's titles and people, before any text: which there are, and the traits that several blobs must agree on.

Belongs here: ids, kinds, years, fame, who works with whom. Does not belong here: credits (``credits``), columns (``frames``).
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from film_assets.sample.draws import EIGHT_DIGITS, Flags, Floats, Ints, apportion, choose, generator, ids, spread, string_order

ROWS = {"cast": 59_627_213, "crew": 10_565_899, "names": 13_271_078, "ratings": 1_404_167, "titles": 10_565_899}
"""Rows of each blob at scale 1."""

DEMO_PEOPLE = (("nm0412008", "Ilse Varga-Lindqvist"), ("nm0731005", "Mateo Oyarzún"))
"""Two directors with dozens of rated titles and overlapping careers, in every sample: id and name.

The second also acts, now and then for the first.
"""

KINDS = {
    "tvEpisode": 767, "short": 96.7, "movie": 66, "video": 28.7, "tvSeries": 25.6, "tvMovie": 14, "tvMiniSeries": 5.4,
    "tvSpecial": 4.6, "videoGame": 3.8, "tvShort": 1,
}  # fmt: skip
"""Types of title, and how frequent each is among a thousand."""
EPISODE, MOVIE, SERIES = (list(KINDS).index(kind) for kind in ("tvEpisode", "movie", "tvSeries"))

BLOCK = 24
"""Titles next to each other are of about one year and share a troupe, as a series' episodes do."""
WOMAN = 0
"""The parity of the index of people with a woman's name; the others have a man's."""
SLOTS = 20
"""Members of a troupe."""
MOST_CREDITS = 75
"""The largest ordering: one title has as many."""

_TITLE_STRETCHES = ((1, 10_000_000, 0.55, 1), (10_000_000, 32_000_000, 0.23, 2), (32_000_000, 35_000_000, 0.12, 2),
                    (35_000_000, 39_000_000, 0.05, 2))  # fmt: skip
_PEOPLE_STRETCHES = ((1, 10_000_000, 0.9, 1), (10_000_000, 17_000_000, 0.6, 1))
_LOST = 0.005
"""The share of titles and of people that their own table lacks."""
_RATED = np.array([0.09, 0.16, 0.46, 0.18, 0.36, 0.35, 0.33, 0.26, 0.4, 0.2])
_GENERATIONS = 16
_STARS = 30
"""Tempers how far the most frequent people stand out."""
_DEMO_TITLES = 72


@dataclass(frozen=True)
class Titles:
    """All titles in the order of their ids, one element each."""

    ids: pl.Series
    lost: Flags
    kind: NDArray[np.uint8]
    year: NDArray[np.int16]
    fame: NDArray[np.float32]
    rated: Flags
    credits: NDArray[np.uint8]


@dataclass(frozen=True)
class People:
    """All people in the order of their ids, one element each; the last two are filled in as credits are given.

    A person has a rank: the lower, the more credits. Ranks take turns among generations, which work in different years.
    ``known`` holds up to four titles (index + 1, or 0), ``category`` a category the person was credited by (number + 1, or 0).
    """

    ids: pl.Series
    lost: Flags
    talent: NDArray[np.float32]
    generation_years: Floats
    known: NDArray[np.int32] = field(repr=False)
    category: NDArray[np.uint8] = field(repr=False)

    def draw(self, rng: np.random.Generator, generation: NDArray[np.integer]) -> Ints:
        """People of about the given generations, a few of them very often."""
        count = len(self.ids)
        root = (_STARS / (count + _STARS)) ** 0.25
        rank = ((count + _STARS) * (root + (1 - root) * rng.random(len(generation))) ** 4 - _STARS).astype(np.int64)
        near = np.clip(generation + rng.integers(-1, 2, len(generation)), 0, _GENERATIONS - 1)
        rank = np.clip(rank // _GENERATIONS * _GENERATIONS + near, 0, count - 1)
        people: Ints = (rank * self._stride + count // 3) % count
        return people

    def rank(self, people: Ints) -> Ints:
        """The ranks of people."""
        count = len(self.ids)
        return (people - count // 3) % count * pow(self._stride, -1, count) % count

    def generation(self, years: NDArray[np.integer]) -> Ints:
        """The generation that does most of the work of these years."""
        return np.searchsorted(self.generation_years[1:], years, side="right")

    def birth_year(self, people: Ints) -> Floats:
        """About when each was born: their generation's first year, less 18 to 60."""
        rank = self.rank(people)
        return self.generation_years[rank % _GENERATIONS] - 18 - rank // _GENERATIONS % 43

    @property
    def _stride(self) -> int:
        """What scatters the ranks over the ids: about the golden section of their number, and prime to it."""
        count = len(self.ids)
        stride = int(count * 0.618)
        while np.gcd(stride, count) > 1:
            stride += 1
        return stride


@dataclass(frozen=True)
class Demo:
    """Titles, ascending, that the demo people direct and lead; -1 where somebody else does."""

    people: Ints
    titles: Ints
    director: Ints
    lead: Ints


@dataclass(frozen=True)
class World:
    """Everything the credits are drawn from."""

    seed: int
    scale: float
    titles: Titles
    people: People
    troupes: Ints
    demo: Demo
    crowded: int
    """The title with the most credits and the most writers."""


def rows_at(scale: float) -> dict[str, int]:
    """Rows of each blob at a scale."""
    return {blob: round(rows * scale) for blob, rows in ROWS.items()}


def create(scale: float, seed: int) -> World:
    """The titles and people of a sample."""
    rows = rows_at(scale)
    rng = generator(seed, 0)
    numbers = _numbers(rng, _TITLE_STRETCHES, rows["titles"])
    years = _years(rng, numbers)
    titles = _titles(rng, numbers, years, rows)
    people, demo_people = _people(rng, rows["names"], years)
    troupes = people.draw(rng, np.repeat(people.generation(years[::BLOCK]), SLOTS)).reshape(-1, SLOTS)
    demo = _demo(titles, demo_people)
    return World(seed, scale, titles, people, troupes, demo, int(titles.credits.argmax()))


def _numbers(rng: np.random.Generator, stretches: tuple[tuple[int, int, float, int], ...], kept: int) -> Ints:
    numbers = spread(rng, stretches, round(kept / (1 - _LOST)))
    return numbers[string_order(numbers)]


def _lost(rng: np.random.Generator, count: int, kept: int, spared: Ints | None = None) -> Flags:
    weights = rng.random(count, dtype=np.float32) + 0.5
    if spared is not None:
        weights[spared] = 0
    return apportion(weights, count - kept) > 0


def _years(rng: np.random.Generator, numbers: Ints) -> NDArray[np.int16]:
    """A year for each title: the higher the number, the later; about the same within a block."""
    latest = np.interp(numbers[::BLOCK], [0, 1e5, 1e6, 1e7, 2e7, 3.9e7], [1950, 2004, 2012, 2018, 2023, 2027])
    years = np.repeat(latest - rng.exponential(12, len(latest)), BLOCK)[: len(numbers)]
    return np.clip(years - rng.random(len(numbers), dtype=np.float32) * 3, 1894, 2027).astype(np.int16)


def _titles(rng: np.random.Generator, numbers: Ints, years: NDArray[np.int16], rows: dict[str, int]) -> Titles:
    count = len(numbers)
    kind = choose(rng, list(KINDS.values()), count)
    fame = rng.standard_normal(count, dtype=np.float32)
    rated = apportion(_RATED[kind], rows["ratings"]) > 0
    size = np.minimum(np.exp(0.45 * fame + 0.35 * rng.standard_normal(count, dtype=np.float32)), 12)
    size[rng.random(count, dtype=np.float32) < 0.08] = 0  # noqa: PLR2004 - titles nobody is credited on
    crowded = count // 2
    size[crowded] = 0
    credits_ = apportion(size, rows["cast"] - MOST_CREDITS)
    credits_[crowded] = MOST_CREDITS
    lost = _lost(rng, count, rows["titles"], np.array([crowded]))
    return Titles(ids("tt", numbers), lost, kind, years, fame, rated, credits_.astype(np.uint8))


def _people(rng: np.random.Generator, kept: int, years: NDArray[np.int16]) -> tuple[People, Ints]:
    """The people, and which of them are the demo people."""
    numbers = _numbers(rng, _PEOPLE_STRETCHES, kept)
    count = len(numbers)
    demo = _place(numbers, [int(nconst[2:]) for nconst, _ in DEMO_PEOPLE])
    talent = rng.standard_normal(count, dtype=np.float32)
    talent[demo] = (1.2, 0.4)
    generation_years = np.quantile(years, np.arange(_GENERATIONS) / _GENERATIONS)
    people = People(
        ids("nm", numbers),
        _lost(rng, count, kept, demo),
        talent,
        generation_years,
        np.zeros((count, 4), dtype=np.int32),
        np.zeros(count, dtype=np.uint8),
    )
    return people, demo


def _place(numbers: Ints, wanted: list[int]) -> Ints:
    """Puts each wanted number in the place of the nearest above it, and says where."""
    seven_digits = np.where(numbers < EIGHT_DIGITS, numbers, -1)
    places = []
    for number in wanted:
        place = int(np.argmin(np.where(seven_digits >= number, seven_digits, EIGHT_DIGITS)))
        numbers[place] = number
        places.append(place)
    return np.array(places)


def _demo(titles: Titles, people: Ints) -> Demo:
    """The best-known rated movies of thirty years, which the demo people direct by turns; the second leads every fifth."""
    prime = (titles.kind == MOVIE) & titles.rated & (titles.credits > 0) & ~titles.lost & (abs(titles.year - 2005) <= 15)  # noqa: PLR2004
    candidates = np.flatnonzero(prime)
    chosen = np.sort(candidates[np.argsort(-titles.fame[candidates], kind="stable")[:_DEMO_TITLES]])
    turn = np.arange(len(chosen))
    return Demo(people, chosen, people[turn % 2], np.where(turn % 5 < 2, people[1], -1))  # noqa: PLR2004
