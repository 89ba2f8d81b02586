"""A refresh step by step: observe the blobs, land them, rebuild the tables, publish. It knows nothing of Dagster.

Belongs here: how source, landing and engine work together in one run. Does not belong here: which step follows which
(``assets``), and how each does its work (``sources``, ``engines``).
"""

import errno
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import duckdb

from film_assets.common.progress import Advance, Progress, Silent
from film_assets.engines.duckdb import landed
from film_assets.engines.duckdb.head import head, table_head
from film_assets.engines.duckdb.rebuild import rebuild
from film_assets.engines.duckdb.warehouse import Warehouse
from film_assets.engines.outcome import Outcome
from film_assets.errors import HomeError, SourceError, TransientError
from film_assets.home import Home
from film_assets.landing import land
from film_assets.notifications.pending import Pending
from film_assets.refresh.estimate import LOOKUPS, PUBLISHING
from film_assets.settings import Settings
from film_assets.snapshot import indexes
from film_assets.snapshot.publish import publish
from film_assets.sources import open_source
from film_assets.sources.base import Fetched, Listed, Source
from film_assets.sources.prefetch import Ahead
from film_assets.tables import BLOBS, Blob, Table
from film_assets.tables.ranges import RANGE_KEYS

T = TypeVar("T")


@dataclass
class Report:
    """What a run did so far.

    Attributes:
        downloaded: The blobs whose bytes were read.
        outcomes: Table -> what became of it.
        accounts: Blob -> what ``quality.blobs`` says of it, as far as JSON can.
        published: Whether a new snapshot was published.
    """

    downloaded: set[str] = field(default_factory=set)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    published: bool = False


class Pipeline:
    """The steps of a refresh; from the first that touches the warehouse on, nobody else can write to the home.

    Attributes:
        report: What this run did so far.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        progress: Progress | None = None,
        report: Report | None = None,
        wait_seconds: float = 0,
        keep_previous: bool = False,
        blobs: Sequence[Blob] = (),
    ) -> None:
        """Nothing is touched yet.

        Args:
            settings: Where the home is and what may be used.
            progress: Who is told how far it is.
            report: Filled in as the run goes on.
            wait_seconds: How long to wait for another run to end.
            keep_previous: Whether the snapshot before a new one is kept, to tell what is new.
            blobs: Those that this run is to land, in this order; each is fetched while the one before it is landed.
        """
        self._settings = settings
        self._progress: Progress = progress or Silent()
        self._home = settings.kept_in
        self._wait_seconds = wait_seconds
        self._keep_previous = keep_previous
        self._blobs = blobs
        self._held = ExitStack()
        self.report = report or Report()

    def __enter__(self) -> Self:
        """Nothing is touched yet."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the warehouse and let go of the home."""
        self._held.close()

    @cached_property
    def warehouse(self) -> Warehouse:
        """The open warehouse, in a home that is held alone.

        Raises:
            HomeError: It cannot be written to, another run holds it, or its warehouse does not open.
        """
        self._home.prepare()
        self._held.enter_context(self._home.locked(wait_seconds=self._wait_seconds))
        with explained(self._home):
            opened = Warehouse(self._home, memory_limit=self._settings.duckdb_memory, threads=self._settings.duckdb_threads)
        self._held.callback(opened.close)
        return opened

    @cached_property
    def source(self) -> Source:
        """Where the blobs come from."""
        return source_of(self._settings)

    @cached_property
    def _ahead(self) -> Ahead:
        """Fetches the blobs, and is stopped before the home is let go."""
        ahead = Ahead(self.source, self._home.downloads, self._progress)
        self._held.callback(ahead.close)
        return ahead

    @cached_property
    def listed(self) -> Mapping[str, Listed]:
        """The blobs there are, as they were when this run first asked."""
        return self.source.list()

    def landed_now(self) -> set[str]:
        """The blobs that are landed as they are at the source; found out without waiting for another run."""
        known = _landed_blobs(self._home)
        wanted = {blob.short: landed.identity(blob, self.listed[blob.short], self.source.label) for blob in BLOBS}
        return {name for name, identity in wanted.items() if name in known and _identity(known[name]) == identity}

    def land(self, blob: Blob, *, force: bool = False) -> Outcome:
        """Download and land a blob if its version is not the landed one, or with ``force``."""
        with self._progress.step(blob.name):
            return self._land(blob, force=force)

    def _land(self, blob: Blob, *, force: bool) -> Outcome:
        started = time.monotonic()
        warehouse = self.warehouse  # the home is held before anything is fetched into it
        if not force and self._is_landed(blob):
            rows = warehouse.row_count(blob)
            return self._landed(Outcome(blob, {}, len(RANGE_KEYS), rows, rows, 0.0))
        with explained(self._home):
            fetched = self._ahead.take(self.listed[blob.short])
            self._fetch_next(blob, force=force)
            known = {} if force else landed.known_slices(warehouse, blob)
            slices = land(blob, fetched.path, self._home.landing, known, self._progress)
            self._check_unchanged(fetched)
            result = landed.record(warehouse, blob, fetched.listed, self.source.label, slices)
        if fetched.temporary:
            fetched.path.unlink()
        self.report.downloaded.add(blob.short)
        return self._landed(replace(result, seconds=time.monotonic() - started))

    def _is_landed(self, blob: Blob) -> bool:
        return landed.is_landed(self.warehouse, blob, self.listed[blob.short], self.source.label)

    def _fetch_next(self, blob: Blob, *, force: bool) -> None:
        """Begin to fetch the blob that is landed after this one, if there is one to land."""
        later = self._blobs[self._blobs.index(blob) + 1 :] if blob in self._blobs else ()
        following = next((other for other in later if force or not self._is_landed(other)), None)
        if following:
            self._ahead.begin(self.listed[following.short])

    def rebuild(self, table: Table, keys: Sequence[str] | None = None, *, force: bool = False) -> Outcome:
        """Bring these ranges of a computed table up to date; all of them if none are named."""
        warehouse, label = self.warehouse, f"build {table.name}"
        with explained(self._home), self._progress.step(table.name), self._progress.task(label, 100, done=warehouse.percent):
            return self._done(rebuild(warehouse, table, keys or table.range_keys, force=force))

    def told(self, items: Sequence[T], label: str, unit: str) -> Iterator[T]:
        """The items one by one, as a step of the run; each is done when the next is asked for."""
        with self._progress.step(label), self._progress.task(label, len(items), unit) as advance:
            for item in items:
                yield item
                advance(1)

    def publish(self, *, force: bool = False) -> bool:
        """Publish what there is to readers if they have not got it yet; whether it did."""
        keeping = self.pending.keeping_previous() if self._keep_previous else nullcontext()
        with explained(self._home):
            with self._progress.step(LOOKUPS), self._progress.task(LOOKUPS, indexes.RANGES, "ranges") as advance:
                indexes.refresh(self.warehouse, advance)
            with self._progress.step(PUBLISHING), self._copying(), keeping:
                self.report.published = publish(self.warehouse, self._home, force=force)
        return self.report.published

    def _copying(self) -> AbstractContextManager[Advance]:
        """Shows how much of the working file has been copied."""
        total, copy = self._home.warehouse.stat().st_size, self._home.spare
        return self._progress.task(PUBLISHING, total, "bytes", done=lambda: _size(copy))

    @property
    def pending(self) -> Pending:
        """What has been delivered of which snapshot."""
        return Pending(self._home)

    def explained(self) -> AbstractContextManager[None]:
        """Makes one line that says what to do of a full disk or too little memory."""
        return explained(self._home)

    @property
    def snapshot_path(self) -> Path:
        """Where the snapshot is, or will be."""
        return self._home.films

    @property
    def published_version(self) -> str:
        """Changes with the content of the published snapshot."""
        return self.warehouse.published_version

    def blob_accounts(self) -> str:
        """The versions of the blobs the tables are built from, and their rows, as a Markdown table."""
        return table_head(self.warehouse, "quality.blobs", len(BLOBS))

    def head(self, table: Table, rows: int) -> str:
        """The first rows of a table in the order of its key, as a Markdown table."""
        return head(self.warehouse, table, rows)

    def count(self, table: Table) -> int:
        """The rows of any table, counted."""
        return self.warehouse.count(table)

    def _landed(self, outcome: Outcome) -> Outcome:
        blob = outcome.table.short
        self.report.accounts[blob] = landed.account(self.warehouse, blob)
        return self._done(outcome)

    def _done(self, outcome: Outcome) -> Outcome:
        self.report.outcomes[outcome.table.name] = outcome
        return outcome

    def _check_unchanged(self, fetched: Fetched) -> None:
        """A file that is read where it lies may be written meanwhile."""
        blob = fetched.listed.blob
        if not fetched.temporary and self.source.list()[blob].version != fetched.listed.version:
            raise TransientError(f"{blob}: {fetched.listed.file} was written while it was read; run again when that has ended")


@dataclass(frozen=True)
class BlobStatus:
    """A blob at the source beside what was landed of it.

    ``state`` is ``unchanged``, ``changed`` or ``new``; rows are those of the landed version, None where there is none.
    """

    blob: str
    file: str
    bytes: int
    version: str
    last_modified: datetime | None
    state: str
    rows_loaded: int | None
    rows_rejected: int | None


def blob_status(settings: Settings) -> list[BlobStatus]:
    """The blobs at the source, and whether they changed since the last refresh.

    Raises:
        SourceError: The source cannot be read.
    """
    source = source_of(settings)
    listed = source.list()
    known = _landed_blobs(settings.kept_in)
    return [_status(blob, listed[blob.short], source.label, known.get(blob.short)) for blob in BLOBS]


def _landed_blobs(home: Home) -> Mapping[str, Mapping[str, Any]]:
    """What the working file says, or while a refresh has it, the snapshot."""
    if not home.warehouse.exists():
        return {}
    try:
        with home.locked():
            return landed.landed_blobs(home.warehouse)
    except HomeError:
        return landed.landed_blobs(home.films)


def _identity(known: Mapping[str, Any]) -> tuple[str, str, str]:
    return known["source"], known["version"], known["landing"]


def _status(blob: Blob, listed: Listed, source: str, known: Mapping[str, Any] | None) -> BlobStatus:
    if known is None:
        state, known = "new", {}
    else:
        state = "unchanged" if _identity(known) == landed.identity(blob, listed, source) else "changed"
    rows = known.get("rowsLoaded"), known.get("rowsRejected")
    return BlobStatus(listed.blob, listed.file, listed.bytes, listed.version, listed.last_modified, state, *rows)


def source_of(settings: Settings) -> Source:
    """The source these settings name.

    Raises:
        SourceError: They name none, or none that can be.
    """
    if settings.source is None:
        raise SourceError("no source is set: give --source or set FILM_ASSETS_SOURCE to a folder or a container URL")
    return open_source(settings.source, {blob.short: blob.files for blob in BLOBS})


@contextmanager
def explained(home: Home) -> Iterator[None]:
    """Turns what a full disk or too little memory raises into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _full(home) from None
    except duckdb.OutOfMemoryException as error:
        reason = str(error).splitlines()[0]
        raise HomeError(f"DuckDB ran out of memory ({reason}); set FILM_ASSETS_MEMORY to more GiB") from None
    except duckdb.IOException as error:
        if "No space left" not in str(error):
            raise
        raise _full(home) from None


def _size(path: Path) -> int:
    """Of a file that may not be there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _full(home: Home) -> HomeError:
    return HomeError(f"no space left on the disk of {home.folder}; free some and run again, nothing published was touched")
