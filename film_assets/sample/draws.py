"""Vectorised chance: how numbers, shares and choices are drawn, the same for the same seed on any number of threads.

Belongs here: drawing that knows nothing of films. Does not belong here: which titles, people or words there are.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

EIGHT_DIGITS = 10_000_000
"""The first number whose id has more than seven digits."""
_GRAIN = 1 << 16
_FULL = 0.96
"""The largest share of the numbers of a stretch that are given away: ids stay sparse."""


def generator(seed: int, *stream: int) -> np.random.Generator:
    """A generator of its own for each stream of draws, so that no stream depends on how much another drew."""
    return np.random.default_rng([seed % (1 << 64), *stream])


def apportion(weights: NDArray[np.floating], total: int) -> Ints:
    """Whole numbers in proportion to the weights, which add up to exactly ``total``."""
    edges = np.cumsum(weights, dtype=np.float64)
    edges *= total / edges[-1]
    whole = np.floor(edges + 0.5).astype(np.int64)
    whole[1:] -= whole[:-1].copy()
    return whole


def choose(rng: np.random.Generator, weights: Sequence[float], size: int) -> NDArray[np.uint8]:
    """Indices into ``weights``, each as frequent as its weight says, to one in 65,536."""
    table = np.repeat(np.arange(len(weights), dtype=np.uint8), apportion(np.asarray(weights, dtype=np.float64), _GRAIN))
    return table[rng.integers(0, _GRAIN, size, dtype=np.uint16)]


def chance(rng: np.random.Generator, share: float | NDArray[np.floating], size: int) -> Flags:
    """True as often as ``share`` says: one share for all, or one for each."""
    return rng.random(size, dtype=np.float32) < share


def between(rng: np.random.Generator, low: Ints, high: Ints) -> Ints:
    """A whole number for each pair, from ``low`` up to but without ``high``."""
    return low + (rng.random(len(low)) * (high - low)).astype(np.int64)


def spread(rng: np.random.Generator, stretches: Sequence[tuple[int, int, float, int]], count: int) -> Ints:
    """Sparse ascending numbers over stretches of the number line.

    Args:
        rng: Where chance comes from.
        stretches: For each its start, its end (exclusive), how dense it is, and its step: 2 for a stretch of mostly even numbers.
        count: How many numbers. What a full stretch cannot take runs over the end of the last one, as dense as that one.

    Returns:
        Distinct numbers in ascending order.
    """
    weights = np.array([(end - start) * density for start, end, density, _ in stretches])
    room = np.array([int((end - start) // step * _FULL) for start, end, _, step in stretches])
    wanted = apportion(weights, count)
    parts = [
        _spread(rng, start, end, step, int(taken))
        for (start, end, _, step), taken in zip(stretches, np.minimum(wanted, room), strict=True)
    ]
    over = int(np.maximum(wanted - room, 0).sum())
    _, end, density, step = stretches[-1]
    parts.append(_spread(rng, end, end + int(over / density) + step, step, over))
    return np.concatenate(parts)


def _spread(rng: np.random.Generator, start: int, end: int, step: int, count: int) -> Ints:
    """One number out of each of ``count`` equal cells; in a stretch of step 2, one in twelve is odd."""
    edges = np.arange(count + 1) * ((end - start) // step) // max(count, 1)
    numbers = start + step * between(rng, edges[:-1], edges[1:])
    return numbers + chance(rng, 1 / 12, count) if step > 1 else numbers


def within(lengths: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """For lists laid end to end, the list each element is in and its position there, both from 0."""
    owner = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    return owner, np.arange(len(owner)) - starts[owner]


def ids(prefix: str, numbers: Ints) -> pl.Series:
    """Numbers as ids: the prefix and at least seven digits."""
    return prefix + pl.Series(numbers).cast(pl.String).str.zfill(7)


def string_order(numbers: Ints) -> Ints:
    """The order that sorts the ids of these numbers as strings, eight digits between seven."""
    long = numbers >= EIGHT_DIGITS
    return np.argsort(np.where(long, numbers * 2 + 1, numbers * 20))
