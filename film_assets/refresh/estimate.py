"""How long the rest of a refresh is likely to take.

The steps of a refresh are known, and how they compare at the real size; the steps that are done tell how fast this one goes,
whatever the size, the machine, and how much of it has changed. Belongs here: the steps, and the reckoning. Does not belong here:
how it is shown (``terminal``).
"""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

CHECKS, LOOKUPS, PUBLISHING = "check the tables", "lay out the look-ups", "publish films.duckdb"

STEPS: Mapping[str, float] = MappingProxyType(
    {
        "raw.cast": 38,
        "raw.crew": 4,
        "raw.names": 8,
        "raw.ratings": 1,
        "raw.titles": 8,
        "films.actors": 12,
        "films.cast": 24,
        "films.characters": 17,
        "films.directors": 4,
        "films.genres": 6,
        "films.known_for": 12,
        "films.names": 6,
        "films.professions": 6,
        "films.ratings": 1,
        "films.titles": 8,
        "films.writers": 6,
        "metrics.actor_performance": 3,
        "metrics.collaborations": 1,
        "metrics.comparison": 12,
        "metrics.director_performance": 1,
        "metrics.genre_success": 1,
        "metrics.known_for_success": 4,
        "metrics.person_success": 15,
        "metrics.title_success": 5,
        "metrics.writer_performance": 2,
        CHECKS: 9,
        LOOKUPS: 62,
        PUBLISHING: 14,
    }
)
"""The steps of a refresh, and the seconds each took in a first one of the real data; only how they compare matters."""


class Estimate:
    """Of steps that follow one another in any order, how many are done and how long the others will take.

    Attributes:
        done: The steps that are done.
    """

    def __init__(self, weights: Mapping[str, float], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Time counts from now on.

        Args:
            weights: Step -> how long it takes beside the others.
            clock: Tells the time in seconds.
        """
        self._weights, self._clock = weights, clock
        self._started = self._ended = clock()
        self.done: set[str] = set()

    @property
    def weight(self) -> float:
        """What the steps that are done weigh."""
        return sum(self._weights[name] for name in self.done)

    def end(self, step: str) -> None:
        """The step is done; what has been since the one before ended was this one."""
        self._ended = self._clock()
        self.done |= {step} & self._weights.keys()

    def left(self, running: str) -> float | None:
        """Seconds that are likely left while that step runs; None while no step is done that could tell."""
        if not self.weight:
            return None
        now, current = self._clock(), self._weights.get(running, 0)
        elapsed = now - self._ended
        pace = max((self._ended - self._started) / self.weight, (now - self._started) / (self.weight + current))
        others = sum(self._weights.values()) - self.weight - current
        return pace * others + max(0, pace * current - elapsed)
