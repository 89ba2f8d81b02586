"""Refreshes after the first: with nothing changed, and after changes of one blob, made and taken back in turns.

Belongs here: which changes, and the refresh after each. Does not belong here: how files are changed (``data``).
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import contest, data
from benchmarks.measure import Limits, Run, run, size

FIRST, NOTHING = "first refresh", "nothing changed"


@dataclass(frozen=True)
class Refresh:
    """One measured refresh: after what, in which round, what it took, and how many bytes the home then has."""

    change: str
    round: int
    run: Run
    home: int


def refreshes(folder: Path, scale: float, rounds: int) -> Iterator[Refresh]:
    """A first refresh, then one after each change in every round; a change is taken back in the round after it was made.

    Each change is first made, refreshed and checked, unmeasured.

    Raises:
        AssertionError: A refresh after a change left other tables than plain SQL makes.
        RuntimeError: A refresh failed.
    """
    blobs = data.make_blobs(folder, scale)
    limits = Limits.of_this_machine()
    source, home = data.Source(blobs, folder / "source"), folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    command = contest.refresh(source.folder, home)
    yield Refresh(FIRST, 1, run(command, limits), size(home))
    for change in data.CHANGES:
        source.toggle(change)
        run(command, limits)
    contest.check(source.folder, folder, limits, home)
    for number in range(1, rounds + 1):
        yield Refresh(NOTHING, number, run(command, limits), size(home))
        for change in data.CHANGES:
            source.toggle(change)
            yield Refresh(change.name, number, run(command, limits), size(home))
    contest.check(source.folder, folder, limits, home)
