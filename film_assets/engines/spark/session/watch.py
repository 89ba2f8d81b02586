"""Whether jobs get anywhere: Spark itself waits for ever for executors that do not come, or that die whenever they start.

Belongs here: what is made of the figures of the stages under way. Does not belong here: where they come from
(``classic``, ``connect``).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

_LOOK_WHY = "see why in their logs, in Spark's web UI; they need more than 200m of direct memory (-XX:MaxDirectMemorySize)"
_LOOK_WHERE = (
    "see in Spark's web UI whether workers are up and have free cores and memory; FILM_ASSETS_SPARK_WAIT says how long to wait"
)
_LOSSES = 5
"""Tasks may fail, and a machine may be lost; that so many were and not one task was completed meanwhile is no accident."""


@dataclass(frozen=True)
class Stage:
    """A stage under way: its tasks, and how many of them are completed."""

    tasks: int
    completed: int


@dataclass(frozen=True)
class Figures:
    """How far jobs are.

    Attributes:
        stages: The stages under way, by id.
        running: How many of their tasks executors are at.
        executors: How many executors there are; 0 where that is not known.
    """

    stages: Mapping[Any, Stage] = field(default_factory=dict)
    running: int = 0
    executors: int = 0

    @property
    def percent(self) -> float:
        """How far the stages under way are; 0 where none is."""
        tasks = sum(stage.tasks for stage in self.stages.values())
        return 100 * sum(stage.completed for stage in self.stages.values()) / tasks if tasks else 0.0


class Watch:
    """Looks, while blocks are watched, whether tasks are completed, and cancels all jobs when none will be.

    Attributes:
        fault: Why they were cancelled; empty as long as all is well.
    """

    def __init__(self, look: Callable[[], Figures], cancel: Callable[[], None], patience: float, every: float = 0.5) -> None:
        """Not to be started: ``on`` does that.

        Args:
            look: Gives the figures of now, and never raises.
            cancel: Cancels all jobs, and never raises.
            patience: How many seconds may pass in which no executor does anything, or none gets anything done.
            every: How many seconds pass from look to look.
        """
        self.fault = ""
        self._look = look
        self._cancel = cancel
        self._patience = patience
        self._every = every
        self._blocks = 0
        self._lock = Lock()
        self._over = Event()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch for as long as the block runs; blocks of several threads are watched together."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            self._blocks += 1
            if self._blocks == 1:
                self.fault = ""
                self._over = Event()
                Thread(target=self._watch, args=(self._over,), name="watch over Spark", daemon=True).start()

    def _leave(self) -> None:
        with self._lock:
            self._blocks -= 1
            if not self._blocks:
                self._over.set()

    def _watch(self, over: Event) -> None:
        course = _Course(self._patience)
        while not over.wait(self._every):
            if fault := course.judge(self._look(), time.monotonic()):
                self.fault = fault
                self._cancel()
                return


class _Course:
    """What the figures were so far."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._stages: dict[Any, int] = {}
        self._last = Figures()
        self._lost_tasks = self._lost_executors = 0
        self._advanced = self._ran = time.monotonic()

    def judge(self, now_at: Figures, now: float) -> str:
        """What is wrong; empty if nothing is, or not yet."""
        if self._has_advanced(now_at):
            self._advanced = self._ran = now
            self._lost_tasks = self._lost_executors = 0
        else:
            self._lost_tasks += now_at.running < self._last.running
            self._lost_executors += now_at.executors < self._last.executors
        if now_at.running:
            self._ran = now
        self._last = now_at
        idle = now - self._ran >= self._patience
        in_vain = self._lost_tasks >= _LOSSES and now - self._advanced >= self._patience
        if not idle and not in_vain:
            return ""
        if in_vain or self._lost_executors:
            return f"Spark's executors end again and again, and completed nothing in {self._patience:g} s: {_LOOK_WHY}"
        return f"Spark had no executor in {self._patience:g} s: {_LOOK_WHERE}"

    def _has_advanced(self, now_at: Figures) -> bool:
        """Whether a stage began or ended or completed more tasks than ever; or whether there is nothing to do."""
        before = self._stages
        completed = {key: max(stage.completed, before.get(key, 0)) for key, stage in now_at.stages.items()}
        self._stages = completed
        return not completed or completed != before
