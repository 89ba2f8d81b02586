"""Chance in bulk: shares that add up, numbers that stay distinct, ids that sort as strings."""

import numpy as np
import pytest

from film_assets.sample import draws, world


@pytest.mark.parametrize("total", [0, 1, 7, 1000, 59_627_213])
def test_apportion_adds_up_and_keeps_proportions(total):
    weights = np.random.default_rng(1).random(5000).astype(np.float32)
    parts = draws.apportion(weights, total)
    assert parts.sum() == total
    assert (abs(np.cumsum(parts) - np.cumsum(weights, dtype=float) / weights.sum(dtype=float) * total) <= 1).all()


@pytest.mark.parametrize("scale", [0.0005, 0.3, 1.7])
@pytest.mark.parametrize("stretches", [world._TITLE_STRETCHES, world._PEOPLE_STRETCHES])
def test_spread_gives_distinct_ascending_numbers(stretches, scale):
    small = [(start // 100, end // 100, density, step) for start, end, density, step in stretches]
    count = round(133_000 * scale)
    numbers = draws.spread(draws.generator(1), small, count)
    assert len(numbers) == count
    assert (np.diff(numbers) > 0).all()


def test_string_order_sorts_eight_digits_between_seven():
    numbers = np.array([999_999, 1_000_000, 1_000_001, 9_999_999, 10_000_000, 10_000_004, 10_000_010, 39_000_000])
    order = draws.string_order(numbers)
    texts = draws.ids("tt", numbers).to_list()
    assert [texts[place] for place in order] == sorted(texts)


def test_choose_follows_the_weights():
    counts = np.bincount(draws.choose(draws.generator(3), [5, 0, 3, 2], 100_000), minlength=4)
    assert counts / 100_000 == pytest.approx([0.5, 0, 0.3, 0.2], abs=0.01)


def test_within_tells_list_and_position():
    owner, position = draws.within(np.array([2, 0, 3]))
    assert owner.tolist() == [0, 0, 2, 2, 2]
    assert position.tolist() == [0, 1, 0, 1, 2]


def test_streams_of_one_seed_differ():
    assert draws.generator(1, 2).random() != draws.generator(1, 3).random()
