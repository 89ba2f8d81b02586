"""Calling the functions that the work on a blob is divided into.

Belongs here: the interface, and threads of this process. Does not belong here: what the functions do; clusters (``engines``).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

_READERS = 2
"""Functions called side by side; each holds its bytes and its rows in memory."""

T = TypeVar("T")


class Run(Protocol):
    """Calls every one of the functions, which can be pickled, wherever it likes, and gives what they return in the same order.

    What one of them raises it raises too; the others need not be called then. One may be called more than once, also at the same
    time.
    """

    def __call__(self, functions: Sequence[Callable[[], T]], /) -> Iterable[T]:
        """Call the functions."""
        ...


def in_threads(functions: Sequence[Callable[[], T]]) -> Iterator[T]:
    """Call two at a time in this process; the first error stops what has not begun."""
    readers = ThreadPoolExecutor(_READERS, "landing")
    try:
        futures = [readers.submit(function) for function in functions]
        for future in futures:
            yield future.result()
    finally:
        readers.shutdown(cancel_futures=True)
