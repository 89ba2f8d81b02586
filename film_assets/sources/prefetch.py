"""Fetches a blob while the one before it is landed.

Belongs here: one thread beside the caller's, and stopping it. Does not belong here: which blob is next (``refresh``), how one is
fetched (the sources).
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from film_assets.common.progress import Advance, Done, Progress
from film_assets.sources.base import Fetched, Listed, Source


class Prefetcher:
    """Hands over blobs of a source, of which one may be fetched in the background before it is asked for."""

    def __init__(self, source: Source, folder: Path, progress: Progress) -> None:
        """Nothing is fetched yet.

        Args:
            source: Where blobs come from.
            folder: Where their files are put.
            progress: Told of every download, in whichever thread.
        """
        self._source, self._folder, self._progress = source, folder, progress
        self._pool = ThreadPoolExecutor(1, "prefetch")
        self._stopped = threading.Event()
        self._fetching: tuple[Listed, Future[Fetched]] | None = None

    def begin(self, listed: Listed) -> None:
        """Fetch this blob in the background, unless one that was not taken yet is there already."""
        if self._fetching is None:
            progress = _Stoppable(self._progress, self._stopped)
            self._fetching = listed, self._pool.submit(self._source.fetch, listed, self._folder, progress)

    def take(self, listed: Listed) -> Fetched:
        """The bytes of this blob; what went wrong in the background is raised here.

        Raises:
            SourceError: As the source's ``fetch``.
            HomeError: As the source's ``fetch``.
        """
        if self._fetching is None or self._fetching[0] != listed:
            return self._source.fetch(listed, self._folder, self._progress)
        fetching, self._fetching = self._fetching[1], None
        return fetching.result()

    def close(self) -> None:
        """Stop what is under way; what has arrived stays, and the next run goes on from there."""
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)


class _StoppedError(Exception):
    """Nobody wants it any more."""


class _Stoppable:
    """Progress of work that ends where it next tells how far it is, once it is to be stopped."""

    def __init__(self, progress: Progress, stopped: threading.Event) -> None:
        self._progress, self._stopped = progress, stopped

    @contextmanager
    def task(self, label: str, total: float | None = None, unit: str = "", *, done: Done | None = None) -> Iterator[Advance]:
        with self._progress.task(label, total, unit, done=done) as inner:

            def advance(amount: float) -> None:
                if self._stopped.is_set():
                    raise _StoppedError
                inner(amount)

            yield advance

    def step(self, name: str) -> AbstractContextManager[None]:
        return self._progress.step(name)
