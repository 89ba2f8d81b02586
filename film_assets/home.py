"""The home: the folder everything is kept in, and the lock that lets one refresh at a time into it.

Belongs here: which file lies where. Does not belong here: what is in the files.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from film_assets.errors import HomeError

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Home:
    """The paths in a home. Nothing is made until ``prepare`` is called."""

    folder: Path

    @property
    def landing(self) -> Path:
        """The folder of Parquet slices, one folder a blob."""
        return self.folder / "landing"

    @property
    def downloads(self) -> Path:
        """The folder blobs are downloaded to and kept in until they are landed."""
        return self.landing / "downloads"

    @property
    def warehouse(self) -> Path:
        """The pipeline's own working file; nobody else opens it."""
        return self.folder / "warehouse.duckdb"

    @property
    def spare(self) -> Path:
        """The file that is to be the working file, while it is made."""
        return self.folder / "warehouse.duckdb.new"

    @property
    def films(self) -> Path:
        """The published snapshot, which readers open."""
        return self.folder / "films.duckdb"

    @property
    def unpublished(self) -> Path:
        """The snapshot that is to be, while it is made."""
        return self.folder / "films.duckdb.new"

    @property
    def source(self) -> Path:
        """The note on where the blobs were last landed from."""
        return self.folder / "source.json"

    @property
    def delivery(self) -> Path:
        """The folder of notes on what was delivered of which snapshot."""
        return self.folder / "delivery"

    @property
    def previous(self) -> Path:
        """The snapshot that was told of last; there only while a newer one has not been."""
        return self.delivery / "previous.duckdb"

    @property
    def scratch(self) -> Path:
        """The folder DuckDB spills to."""
        return self.folder / "tmp"

    @property
    def logs(self) -> Path:
        """The folder of tracebacks of errors that nobody foresaw."""
        return self.folder / "logs"

    @property
    def dagster(self) -> Path:
        """Dagster's own home: its history of runs and events."""
        return self.folder / "dagster"

    @property
    def dagster_settings(self) -> Path:
        """The user's own settings of Dagster, if there are any."""
        return self.folder / "dagster.yaml"

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            HomeError: The home cannot be made or written to.
        """
        try:
            for folder in (self.downloads, self.scratch):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise HomeError(
                f"cannot write to {self.folder}: {error.strerror}; set FILM_ASSETS_HOME to a folder you may write to"
            ) from None

    @contextmanager
    def locked(self, *, wait_seconds: float = 0) -> Iterator[None]:
        """Hold the home alone; the system frees it when the process ends, however it ends.

        In the file of the lock stands the process that holds it, or held it last.

        Raises:
            HomeError: Another refresh holds it, and still does after ``wait_seconds``.
        """
        from filelock import FileLock, Timeout

        file = self.folder / "refresh.lock"
        lock = FileLock(
            file,
            wait_seconds,
            thread_local=False,
            poll_interval=_POLL_SECONDS,
            fallback_to_soft=False,  # a lock that the system does not free would outlive its process
            on_acquired=_sign,
        )
        with ExitStack() as held:
            try:
                held.enter_context(lock)
            except Timeout:
                holder = file.read_text().strip() or "unknown"
                raise HomeError(
                    f"a refresh of {self.folder} is under way (process {holder}); try again when it has ended"
                ) from None
            yield


def _sign(descriptor: int) -> None:
    """Write into the locked file which process this is."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
