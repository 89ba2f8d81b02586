"""The watch over jobs, on figures that are made up: what a cluster does only now and then."""

from collections.abc import Callable, Iterator
from itertools import chain, count, cycle, repeat
from threading import Event

import pytest

from film_assets.engines.spark.session.watch import Figures, Stage, Watch

pytestmark = pytest.mark.slow

PATIENCE = 0.2
LOOKS = 100


def fault(figures: Iterator[Figures]) -> str:
    """What is found wrong with these figures; empty if nothing is for as long as there are any."""
    over = Event()
    watch = Watch(looking(figures, over.set), over.set, PATIENCE, every=PATIENCE / 20)
    with watch.on():
        assert over.wait(60)
    return watch.fault


def looking(figures: Iterator[Figures], exhausted: Callable[[], None]) -> Callable[[], Figures]:
    def look() -> Figures:
        for found in figures:
            return found
        exhausted()
        return Figures()

    return look


def figures(completed: int, running: int) -> Figures:
    return Figures({0: Stage(LOOKS, completed)}, running)


def test_no_task_is_ever_begun() -> None:
    assert "had no executor in 0.2 s" in fault(repeat(figures(0, 0)))


def test_no_executor_is_left() -> None:
    assert "had no executor in 0.2 s" in fault(chain([figures(0, 2), figures(3, 2)], repeat(figures(3, 0))))


def test_tasks_are_begun_again_and_again() -> None:
    assert "end again and again, and completed nothing" in fault(cycle([figures(3, 2), figures(3, 0)]))


def test_executors_come_and_go_and_do_nothing() -> None:
    assert "end again and again" in fault(cycle([Figures({0: Stage(1, 0)}, 0, 2), Figures({0: Stage(1, 0)}, 0, 1)]))


@pytest.mark.parametrize(
    "course",
    [
        [figures(0, 2)] * LOOKS,
        [Figures()] * LOOKS,
        [figures(number, number % 2) for number in range(LOOKS)],
        [Figures({number: Stage(1, 0)}) for number in range(LOOKS)],
    ],
    ids=["a long task", "no job", "tasks that are completed one by one", "stage upon stage"],
)
def test_nothing_is_wrong(course: list[Figures]) -> None:
    assert fault(iter(course)) == ""


def test_a_fault_is_not_held_against_what_is_watched_next() -> None:
    numbers = count()
    over = Event()
    watch = Watch(lambda: figures(0 if not over.is_set() else next(numbers), 0), over.set, PATIENCE, every=PATIENCE / 20)
    with watch.on():
        assert over.wait(60)
    with watch.on():
        assert watch.fault == ""
