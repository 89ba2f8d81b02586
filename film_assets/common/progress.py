"""How long work tells how far it is, whoever looks: a terminal, Dagster's log, or nobody.

Belongs here: the interface, and the silent reporter. The Rich bars live with the command line.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

Advance = Callable[[float], None]
"""Says that so much more of the work is done; may be called from any thread."""
Done = Callable[[], float]
"""Tells how much of the work is done; it is asked from another thread, as often as somebody looks, and must not raise."""


class Progress(Protocol):
    """Something that shows the progress of one or more tasks."""

    def task(
        self, label: str, total: float | None = None, unit: str = "", *, done: Done | None = None
    ) -> AbstractContextManager[Advance]:
        """A context manager for one task: entering gives a function to call with each further amount done.

        ``total`` is None where it is not known; ``unit`` is ``"bytes"``, the name of what is counted, or empty where only the
        share says anything. Work that cannot tell by itself is asked: ``done``.
        """
        ...

    def step(self, name: str) -> AbstractContextManager[None]:
        """A context manager for one of the steps the whole is made of; tasks within are parts of it."""
        ...


class Silent:
    """Progress that nobody looks at."""

    @contextmanager
    def task(
        self,
        label: str,  # noqa: ARG002
        total: float | None = None,  # noqa: ARG002
        unit: str = "",  # noqa: ARG002
        *,
        done: Done | None = None,  # noqa: ARG002
    ) -> Iterator[Advance]:
        """Take notice of nothing."""
        yield lambda amount: None  # noqa: ARG005

    def step(self, name: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Take notice of nothing."""
        return nullcontext()
