"""What is said about how long a refresh still takes."""

import pytest

from film_assets.refresh.estimate import CHECKS, INDEXES, PUBLISHING, Estimate, steps
from film_assets.tables import BLOBS, COMPUTED


class Clock:
    """A time that only goes on when it is told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def estimate(clock: Clock) -> Estimate:
    return Estimate({"land": 30, "build": 20, "publish": 10}, clock=clock)


def test_the_steps_are_those_of_a_refresh() -> None:
    assert set(steps()) == {table.name for table in (*BLOBS, *COMPUTED)} | {CHECKS, INDEXES, PUBLISHING}


def test_nothing_is_said_before_anything_is_known(estimate: Estimate, clock: Clock) -> None:
    clock.seconds = 5
    assert estimate.left("land") is None


def test_what_is_left_goes_by_the_pace_of_what_is_done(estimate: Estimate, clock: Clock) -> None:
    clock.seconds = 3
    estimate.end("land")
    assert estimate.left("build") == pytest.approx(3)
    clock.seconds = 4
    assert estimate.left("build") == pytest.approx(2)


def test_a_step_that_takes_longer_makes_the_rest_longer(estimate: Estimate, clock: Clock) -> None:
    clock.seconds = 3
    estimate.end("land")
    clock.seconds = 10
    assert estimate.left("build") == pytest.approx(10 * 10 / 50)


def test_nothing_is_left_after_the_last_step_however_they_are_called(estimate: Estimate, clock: Clock) -> None:
    for name in ("land", "build", "of another pipeline", "publish"):
        clock.seconds += 1
        estimate.end(name)
    assert estimate.left("") == 0
    assert estimate.done == {"land", "build", "publish"}
