"""Texts by the million out of a few words: each is a head and a tail, chosen by index and joined by Polars.

Belongs here: how words are put together. Does not belong here: the words (``words``) or who gets which text (``frames``).
"""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from film_assets.sample import words
from film_assets.sample.draws import Flags, choose, generator


class Family(NamedTuple):
    """Texts of one kind: any of the heads with any of the tails, and how frequent the kind is."""

    weight: float
    heads: Sequence[str]
    tails: Sequence[str]


class Phrases:
    """A vocabulary of several families that draws texts from them."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._weights = [family.weight for family in families]
        self._heads = _Shelf([family.heads for family in families])
        self._tails = _Shelf([family.tails for family in families])

    def families(self, rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
        """Numbers of families, each as frequent as its weight says."""
        return choose(rng, self._weights, size)

    def pick(self, rng: np.random.Generator, family: NDArray[np.integer]) -> pl.Series:
        """One text for each given family, by its number."""
        return self._heads.take(rng, family) + self._tails.take(rng, family)


class _Shelf:
    """Word lists laid end to end, so that one gather takes a word out of any of them."""

    def __init__(self, lists: Sequence[Sequence[str]]) -> None:
        self._words = pl.Series([word for words_ in lists for word in words_], dtype=pl.String)
        self._sizes = np.array([len(words_) for words_ in lists])
        self._starts = np.cumsum(self._sizes) - self._sizes

    def take(self, rng: np.random.Generator, family: NDArray[np.integer]) -> pl.Series:
        offset = rng.random(len(family), dtype=np.float32) * self._sizes[family]
        index = np.minimum(offset.astype(np.int64), self._sizes[family] - 1) + self._starts[family]
        return self._words.gather(pl.Series(index.astype(np.uint32)))


def scattered(texts: pl.Series, rows: Flags) -> pl.Series:
    """The texts laid out over the rows that are True, in order, and null elsewhere."""
    index = pl.DataFrame({"index": np.cumsum(rows, dtype=np.int64) - 1, "here": rows})
    return texts.gather(index.select(pl.when("here").then(pl.col("index").cast(pl.UInt32))).to_series())


def _joined(*parts: Iterable[str]) -> list[str]:
    return ["".join(combination) for combination in product(*parts)]


def _split(text: str) -> list[str]:
    return text.split("|") if "|" in text else text.split()


def _people() -> Phrases:
    """Names of people: family ``2 * script`` is women, ``2 * script + 1`` men; script 0 is Latin."""
    surnames = _joined(_split(words.LATIN_STEMS), _split(words.LATIN_ENDINGS))
    middles = [*[" "] * 20, " van ", " de ", *(f" {letter}. " for letter in "ABCDEFGHJKLMNPRSTW")]
    families = [Family(1, _joined(_split(given), middles), surnames) for given in (words.LATIN_WOMEN, words.LATIN_MEN)]
    for script in words.OTHER_SCRIPTS:
        tails = _split(script.families)
        if script.gap:
            families += [Family(1, _joined(_split(given), [script.gap]), tails) for given in (script.women, script.men)]
        else:
            families += [Family(1, tails, _split(given)) for given in (script.women, script.men)]
    return Phrases(families)


def _titles() -> Phrases:
    """Titles of films: family ``EPISODES`` is numbered episodes, ``FOREIGN`` and later are other scripts than Latin."""
    adjectives, nouns, places = _split(words.ADJECTIVES), _split(words.NOUNS), _split(words.PLACES)
    plain = [*nouns, *_joined(nouns, [" in ", " of "], places)]
    owners = _joined(_split(words.LATIN_WOMEN) + _split(words.LATIN_MEN), ["'s "])
    articled = [f"{'An' if word[0] in 'AEIOU' else 'A'} {word} " for word in adjectives]
    firsts = [*_joined(["The ", ""], adjectives, [" "]), *articled, *["The "] * 60]
    return Phrases(
        [
            Family(0, _joined(["Episode #"], map(str, range(1, 31)), ["."]), [*map(str, range(1, 261))]),
            Family(42, firsts, nouns),
            Family(26, firsts, plain),
            Family(10, owners, nouns),
            Family(12, _joined(nouns, [" "]), [*_joined(["and the "], nouns), *map(str, range(1, 40))]),
            Family(6, [""], _split(words.EPISODE_TITLES)),
            Family(0.15, [""], words.ODD_TITLES.split("|")),
            *(Family(0.4, _joined(_split(script.heads), [script.gap]), _split(script.tails)) for script in words.OTHER_SCRIPTS),
        ]
    )


EPISODES = 0
"""The family of ``TITLES`` for numbered episodes."""
FOREIGN = 7
"""The first family of ``TITLES`` in another script than Latin; ``OTHER_SCRIPTS`` follow in order."""

SCRIPT_WEIGHTS = [94, *[0.75] * len(words.OTHER_SCRIPTS)]
"""How frequent each script is in the names of people, Latin first."""


def _characters() -> Phrases:
    """JSON arrays of characters: by family a person, a role, several, someone as themselves, something odd."""
    given = _split(words.LATIN_WOMEN) + _split(words.LATIN_MEN)
    surnames = _joined(_split(words.LATIN_STEMS)[::3], _split(words.LATIN_ENDINGS)[::2])
    roles = _split(words.ROLES)
    numbered = [*roles, *roles, *_joined(roles, [" #"], "12345")]
    return Phrases(
        [
            Family(30, _joined(['["'], ["", "", "", "Dr. ", "Captain "], given, [" "]), _joined(surnames, ['"]'])),
            Family(34, ['["'], _joined(given, ['"]'])),
            Family(29, ['["', '["', '["', '["Young ', '["The '], _joined(numbered, ['"]'])),
            Family(6, _joined(['["'], given, ['","']), _joined(numbered, ['"]', '","Narrator"]'])),
            Family(0, ['["Self'], _joined(words.SELF_NOTES.split("|") + [""] * 30, ['"]'])),
            *(Family(0.02, [f'["{head}'], [f'{tail}"]']) for head, tail in words.ODD_CHARACTERS),
        ]
    )


SELF = 4
"""The family of ``CHARACTERS`` for people who appear as themselves."""


def _genres() -> tuple[list[str], list[float]]:
    """Lists of one to three genres in alphabetical order, the frequent ones frequent together."""
    rng = generator(7)
    names, weights = list(words.GENRES), np.array(list(words.GENRES.values()))
    combinations = {
        ",".join(sorted(rng.choice(names, size, replace=False, p=weights / weights.sum())))
        for size in rng.choice([2, 3], 160, p=[0.6, 0.4])
    }
    lists = [*names, *sorted(combinations)]
    return lists, [*weights, *(weights.sum() / len(combinations) * 0.9 for _ in combinations)]


PEOPLE = _people()
"""Names of people."""
TITLES = _titles()
"""Titles of films."""
CHARACTERS = _characters()
"""Characters, as JSON arrays of strings."""
JOB_SHARES = {
    "director": 0.03, "writer": 0.75, "producer": 0.75, "composer": 0.05, "editor": 0.05, "cinematographer": 0.2,
    "production_designer": 0.05, "casting_director": 0.1,
}  # fmt: skip
"""How many of a category's credits tell a job; the positions are the families of ``JOBS``."""
JOBS = Phrases([Family(1, [""], _split(jobs)) for jobs in words.JOBS.values()])
"""Jobs in words, a family for each category."""
GENRE_LISTS, GENRE_WEIGHTS = _genres()
"""Lists of genres, and how frequent each is."""
