"""How long work tells how far it is, whoever looks: a terminal, Dagster's log, or nobody.

Belongs here: the interface, and the silent reporter. The Rich bars live with the command line.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[float], None]
"""Says that so much more of the work is done; may be called from any thread."""


class Progress(Protocol):
    """Something that shows the progress of one or more tasks."""

    def task(self, label: str, total: float | None = None, unit: str = "") -> AbstractContextManager[Advance]:
        """A context manager for one task: entering gives a function to call with each further amount done.

        ``total`` is None where it is not known; ``unit`` is ``"bytes"`` or the name of what is counted.
        """
        ...


class Silent:
    """Progress that nobody looks at."""

    @contextmanager
    def task(self, label: str, total: float | None = None, unit: str = "") -> Iterator[Advance]:  # noqa: ARG002
        """Take notice of nothing."""
        yield lambda amount: None  # noqa: ARG005
