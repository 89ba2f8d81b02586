"""Who did what on a chunk of titles: the lists of directors and writers, and the rows of the principal cast.

Belongs here: drawing credits as numbers. Does not belong here: texts, columns and files (``frames``, ``write``).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from film_assets.sample.draws import Flags, Ints, chance, choose, generator, within
from film_assets.sample.world import BLOCK, SLOTS, WOMAN, World

CATEGORIES = (
    "actor", "actress", "self", "director", "writer", "producer", "composer", "editor", "cinematographer",
    "production_designer", "casting_director", "archive_footage", "archive_sound",
)  # fmt: skip
"""What people are credited as, in the order in which ``Credits.category`` counts."""
_ACTOR, _ACTRESS, _SELF, _DIRECTOR, _WRITER, _PRODUCER, _ARCHIVE = (
    CATEGORIES.index(name) for name in ("actor", "actress", "self", "director", "writer", "producer", "archive_footage")
)
_MOST_WRITERS = 1354
_TROUPE_SHARE = 0.45
_RATED_SLOTS, _OTHER_SLOTS = np.array([0, 0, 1, 2]), np.array([1, 1, 2, 2, 3])
"""Which of a person's known-for titles a title becomes: the first is for rated ones."""


class _Desk(NamedTuple):
    """The slots of a troupe that a kind of work is drawn from."""

    first: int
    slots: int


_DIRECTORS, _WRITERS, _PERFORMERS, _OTHERS = _Desk(0, 2), _Desk(2, 4), _Desk(6, 10), _Desk(16, 4)
assert _OTHERS.first + _OTHERS.slots == SLOTS, "the troupe is dealt out whole"


class Lists(NamedTuple):
    """A list of people for each title: the lengths, and all elements end to end."""

    lengths: Ints
    people: Ints


@dataclass(frozen=True)
class Credits:
    """The credits of the titles from ``start`` up to ``stop``: crew lists a title, and cast rows in order."""

    start: int
    stop: int
    directors: Lists
    writers: Lists
    title: Ints
    """Of each cast row the title's index in the world; so are the next four."""
    ordering: Ints
    person: Ints
    category: NDArray[np.uint8]


class _Chunk:
    """One chunk of titles while its credits are drawn."""

    def __init__(self, world: World, start: int, stop: int) -> None:
        self.world, self.start, self.stop = world, start, stop
        self.rng = generator(world.seed, 1, start)
        self.size = stop - start
        self.rows = world.titles.credits[start:stop].astype(np.int64)
        self.lost = world.titles.lost[start:stop]
        self.demo = slice(*np.searchsorted(world.demo.titles, [start, stop]))
        self.demo_titles = world.demo.titles[self.demo] - start

    def draw(self, desk: _Desk, owner: Ints, position: Ints) -> Ints:
        """People for the given places on titles: members of the troupe, in turn, or anybody of the time."""
        title = owner + self.start
        people = self.world.people.draw(self.rng, self.world.people.generation(self.world.titles.year[title]))
        of_troupe = chance(self.rng, _TROUPE_SHARE, len(owner)) & (position < desk.slots)
        slot = desk.first + (title[of_troupe] * 7 + position[of_troupe]) % desk.slots
        people[of_troupe] = self.world.troupes[title[of_troupe] // BLOCK, slot]
        return people

    def directors(self) -> Lists:
        lengths = np.where(chance(self.rng, 0.574, self.size), self.rng.geometric(0.77, self.size), 0)
        lengths[self.demo_titles] = 1
        people = self.draw(_DIRECTORS, *within(lengths))
        people[(np.cumsum(lengths) - lengths)[self.demo_titles]] = self.world.demo.director[self.demo]
        return Lists(lengths, people)

    def writers(self, directors: Lists) -> Lists:
        lengths = np.where(chance(self.rng, 0.517, self.size), self.rng.geometric(0.44, self.size), 0)
        if self.start <= self.world.crowded < self.stop:
            lengths[self.world.crowded - self.start] = max(40, round(_MOST_WRITERS * min(self.world.scale, 1)))
        owner, position = within(lengths)
        people = self.draw(_WRITERS, owner, position)
        own = (position == 0) & (directors.lengths[owner] > 0) & chance(self.rng, 0.25, len(owner))
        people[own] = directors.people[(np.cumsum(directors.lengths) - directors.lengths)[owner[own]]]
        twice = np.flatnonzero((position > 0) & chance(self.rng, 0.001, len(owner)))
        people[twice] = people[twice - 1]
        return Lists(lengths, people)

    def kept(self, lists: Lists, share: float, most: Ints) -> Flags:
        """Which elements also stand in the cast: not all, and none of a title that crew.tsv lacks."""
        owner, position = within(lists.lengths)
        return (position < most[owner]) & ~self.lost[owner] & chance(self.rng, share, len(owner))

    def count(self, lists: Lists, kept: Flags) -> Ints:
        """How many kept elements each title has."""
        return np.bincount(within(lists.lengths)[0][kept], minlength=self.size)


def draw_credits(world: World, start: int, stop: int) -> Credits:
    """The credits of a chunk of titles, the same however the work is spread."""
    chunk = _Chunk(world, start, stop)
    directors = chunk.directors()
    writers = chunk.writers(directors)
    directs = chunk.kept(directors, 0.85, np.clip(chunk.rows - 1, 0, 3))
    directing = chunk.count(directors, directs)
    writes = chunk.kept(writers, 0.8, np.clip(chunk.rows - 1 - directing, 0, 3))
    writing = chunk.count(writers, writes)
    performing = _performing(chunk, chunk.rows - directing - writing)

    owner, position = within(chunk.rows)
    directs_from, writes_from, others_from = (edge[owner] for edge in np.cumsum([performing, directing, writing], axis=0))
    performs, is_other = position < directs_from, position >= others_from
    is_director = ~performs & (position < writes_from)
    is_writer = ~performs & ~is_director & ~is_other

    person = np.empty(len(owner), dtype=np.int64)
    person[performs] = _performers(chunk, owner[performs], position[performs], directors)
    person[is_director] = directors.people[directs]
    person[is_writer] = writers.people[writes]
    person[is_other] = chunk.draw(_OTHERS, owner[is_other], position[is_other] - others_from[is_other])

    category = np.full(len(owner), _WRITER, dtype=np.uint8)
    category[performs] = _performer_categories(chunk, owner[performs], person[performs])
    category[is_director] = _DIRECTOR
    category[is_other] = _PRODUCER + choose(chunk.rng, [34, 15, 20, 17, 8, 6], int(is_other.sum()))
    return Credits(start, stop, directors, writers, owner + start, position + 1, person, category)


def _performing(chunk: _Chunk, rest: Ints) -> Ints:
    """How many of the rows left belong to performers: nearly two thirds, and the lead where a demo person has it."""
    performing = (rest * 0.635 + chunk.rng.random(chunk.size)).astype(np.int64)
    performing = np.minimum(performing, rest)
    performing[chunk.demo_titles] = np.maximum(performing[chunk.demo_titles], 1)
    return performing


def _performers(chunk: _Chunk, owner: Ints, position: Ints, directors: Lists) -> Ints:
    """The performers: some directors lead their own titles, some people stand twice on one title."""
    people = chunk.draw(_PERFORMERS, owner, position)
    leads = position == 0
    own = leads & (directors.lengths[owner] > 0) & chance(chunk.rng, 0.03, len(owner))
    people[own] = directors.people[(np.cumsum(directors.lengths) - directors.lengths)[owner[own]]]
    twice = np.flatnonzero(~leads & chance(chunk.rng, 0.005, len(owner)))
    people[twice] = people[twice - 1]
    lead = chunk.world.demo.lead[chunk.demo]
    led = chunk.demo_titles[lead >= 0]
    people[np.searchsorted(owner, led)] = lead[lead >= 0]
    return people


def _performer_categories(chunk: _Chunk, owner: Ints, person: Ints) -> NDArray[np.uint8]:
    """Actor or actress by the person; self on some titles; archive material here and there."""
    as_self = chance(chunk.rng, 0.28, chunk.size)
    as_self[chunk.demo_titles] = False
    category = np.where(person % 2 == WOMAN, _ACTRESS, _ACTOR).astype(np.uint8)
    category[as_self[owner] & chance(chunk.rng, 0.9, len(owner))] = _SELF
    for number, sex in zip(chunk.world.demo.people, (_ACTRESS, _ACTOR), strict=True):
        category[(person == number) & (category != _SELF)] = sex
    archive = chance(chunk.rng, 0.02, len(owner))
    category[archive] = _ARCHIVE + chance(chunk.rng, 0.02, int(archive.sum()))
    return category


def remember(world: World, credits_: Credits) -> None:
    """Notes on the people what they are known for: mostly rated titles they are credited on, and as what."""
    sides = (credits_.directors, credits_.writers)
    title = np.concatenate([credits_.title, *(within(side.lengths)[0] + credits_.start for side in sides)])
    person = np.concatenate([credits_.person, *(side.people for side in sides)])
    slot = np.where(world.titles.rated[title], _RATED_SLOTS[title % 4], _OTHER_SLOTS[title % 5])
    world.people.known[person, slot] = title + 1
    world.people.category[credits_.person] = credits_.category + 1
