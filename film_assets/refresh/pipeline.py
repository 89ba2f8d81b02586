"""A refresh step by step: observe the blobs, land them, rebuild the tables, check them, build the indexes, publish.

Belongs here: how source, engine and snapshot work together in one run. Does not belong here: which step follows which
(``orchestration``), and how each does its work (``sources``, ``engines``, ``snapshot``).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

from film_assets.common.database import Connect, readable_faults
from film_assets.common.progress import Progress, Silent
from film_assets.engines import open_engine, peek, working_file
from film_assets.engines.base import Engine, Head
from film_assets.engines.blobs import LandedBlob
from film_assets.engines.checks import Finding
from film_assets.engines.losses import Dropped
from film_assets.engines.outcome import Outcome, explained
from film_assets.errors import TransientError
from film_assets.landing.content import Content, FileContent, SourceContent
from film_assets.refresh.estimate import CHECKS, INDEXES, PUBLISHING
from film_assets.refresh.source import choose, remember
from film_assets.settings import Settings
from film_assets.snapshot import indexes
from film_assets.snapshot.indexes import Built
from film_assets.snapshot.publish import keep, publish, settle
from film_assets.sources.base import Listed, Source
from film_assets.sources.prefetch import Prefetcher
from film_assets.tables import BLOBS, Blob, Table
from film_assets.tables.ranges import RANGE_KEYS
from film_assets.tables.rules import Rule

T = TypeVar("T")


@dataclass
class Report:
    """What a run did so far.

    Attributes:
        notices: What was found wrong with what is kept in the home and how it was mended, and which of several files of a blob
            was taken, one line each.
        downloaded: The blobs whose bytes were read.
        outcomes: Table -> what became of it.
        accounts: Blob -> what ``quality.blobs`` says of it, as far as JSON can.
        indexes: Secondary index -> what became of it.
        dropped: The values that were dropped of the blobs, by blob, column and reason.
        warnings: What does not hold but kept nothing from being published, one line each.
        published: Whether a new snapshot was published.
    """

    notices: list[str] = field(default_factory=list)
    downloaded: set[str] = field(default_factory=set)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    indexes: Mapping[str, Built] = field(default_factory=dict)
    dropped: Sequence[Dropped] = ()
    warnings: list[str] = field(default_factory=list)
    published: bool = False


class Pipeline:
    """The steps of a refresh; from the first that touches the engine on, nobody else can write to the home.

    Attributes:
        home: Where everything is kept.
        report: What this run did so far.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        connect: Connect | None = None,
        progress: Progress | None = None,
        report: Report | None = None,
        wait_seconds: float = 0,
        keep_previous: bool = False,
        blobs: Sequence[Blob] = (),
        tables: Sequence[Table] = (),
    ) -> None:
        """Nothing is touched yet.

        Args:
            settings: Where the home is and what may be used.
            connect: Opens the working file, once the home is held; None opens it as the settings say.
            progress: Who is told how far it is.
            report: Filled in as the run goes on.
            wait_seconds: How long to wait for another run to end.
            keep_previous: Whether the snapshot before a new one is kept as ``home.previous``, unless an older one still is.
            blobs: Those that this run is to land, in this order; each is fetched while the one before it is landed.
            tables: Those that this run is to rebuild, over all ranges; which the engine may do side by side.
        """
        self._settings = settings
        self._connect = connect
        self._progress: Progress = progress or Silent()
        self._wait_seconds = wait_seconds
        self._keep_previous = keep_previous
        self._blobs = blobs
        self._tables = tables
        self._held = ExitStack()
        self.home = settings.kept_in
        self.report = report or Report()

    def __enter__(self) -> Self:
        """Nothing is touched yet."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the engine and let go of the home."""
        self._held.close()

    @cached_property
    def engine(self) -> Engine:
        """The open engine, in a home that is held alone.

        Raises:
            HomeError: It cannot be written to, another run holds it, or what is kept there does not open.
        """
        self.home.prepare()
        self._held.enter_context(self.home.locked(wait_seconds=self._wait_seconds))
        with readable_faults(self.home.folder):
            settle(self.home)
        connect = self._connect or working_file.connect(self._settings, self.home)
        opened = open_engine(self._settings, self.home, connect)
        self._held.callback(opened.close)
        self.report.notices += opened.notices
        opened.expect(self._tables)
        return opened

    @cached_property
    def source(self) -> Source:
        """Where the blobs come from."""
        chosen = choose(self._settings)
        self.report.notices += [chosen.notice] if chosen.notice else []
        return chosen.source

    @cached_property
    def _prefetcher(self) -> Prefetcher:
        """Fetches the blobs, and is stopped before the home is let go."""
        prefetcher = Prefetcher(self.source, self.home.downloads, self._progress)
        self._held.callback(prefetcher.close)
        return prefetcher

    @cached_property
    def listed(self) -> Mapping[str, Listed]:
        """The blobs there are, as they were when this run first asked."""
        found = self.source.list()
        self.report.notices += [one.choice for one in found.values() if one.choice]
        return found

    def unchanged_blobs(self) -> set[str]:
        """The blobs that are landed as they are at the source; found out without waiting for another run."""
        known = peek(self._settings, self.home)
        return {blob.short for blob in BLOBS if self._is_current(blob, known.get(blob.short))}

    def land(self, blob: Blob, *, force: bool = False) -> Outcome:
        """Download and land a blob if its version is not the landed one, or with ``force``."""
        with self._progress.step(blob.name):
            outcome = self._land(blob, force=force)
            self.engine.profile(blob)
        remember(self._settings, self.source)
        self.report.accounts[blob.short] = self.engine.landed_blobs()[blob.short].account
        return self._done(outcome)

    def _land(self, blob: Blob, *, force: bool) -> Outcome:
        started = time.monotonic()
        engine = self.engine  # the home is held before anything is fetched into it
        if not force and self._is_landed(blob):
            rows = engine.ranges.rows(blob)
            return Outcome(blob, {}, len(RANGE_KEYS), rows, rows, 0.0)
        with self._content(blob, force=force) as (content, listed, verify):
            outcome = engine.land(blob, content, listed, self.source.label, self._progress, force=force, verify=verify)
        self.report.downloaded.add(blob.short)
        return replace(outcome, seconds=time.monotonic() - started)

    @contextmanager
    def _content(self, blob: Blob, *, force: bool) -> Iterator[tuple[Content, Listed, Callable[[], None]]]:
        """The bytes of a blob, which version they are, and what raises if they were written while they were read."""
        listed = self.listed[blob.short]
        if self._is_read_in_place(blob):
            yield SourceContent(self.source, listed), listed, lambda: self._check_unchanged(listed)
            return
        with readable_faults(self.home.folder):
            fetched = self._prefetcher.take(listed)
            self._fetch_next(blob, force=force)
        verify = (lambda: None) if fetched.temporary else lambda: self._check_unchanged(fetched.listed)
        yield FileContent(fetched.path), fetched.listed, verify
        if fetched.temporary:
            fetched.path.unlink()

    def _is_landed(self, blob: Blob) -> bool:
        return self._is_current(blob, self.engine.landed_blobs().get(blob.short))

    def _is_current(self, blob: Blob, known: LandedBlob | None) -> bool:
        return known is not None and known.is_current(blob, self.listed[blob.short], self.source.label)

    def _fetch_next(self, blob: Blob, *, force: bool) -> None:
        """Begin to fetch the blob that is landed after this one, if there is one to land."""
        later = self._blobs[self._blobs.index(blob) + 1 :] if blob in self._blobs else ()
        following = next((other for other in later if force or not self._is_landed(other)), None)
        if following and not self._is_read_in_place(following):
            self._prefetcher.begin(self.listed[following.short])

    def _is_read_in_place(self, blob: Blob) -> bool:
        """Whether its bytes are read where they lie, so that nothing is to be fetched."""
        return self.engine.reads_sources and not self.listed[blob.short].file.endswith(".gz")

    def _check_unchanged(self, listed: Listed) -> None:
        """What is read where it lies may be written meanwhile."""
        if self.source.list()[listed.blob].version != listed.version:
            raise TransientError(f"{listed.blob}: {listed.file} was written while it was read; run again when that has ended")

    def rebuild(self, table: Table, keys: Sequence[str] | None = None, *, force: bool = False) -> Outcome:
        """Bring these ranges of a computed table up to date; all of them if none are named."""
        engine, label = self.engine, f"build {table.name}"
        with self._progress.step(table.name), self._progress.task(label, 100, done=engine.percent):
            return self._done(engine.rebuild(table, keys or table.range_keys, force=force))

    def check(self, rules: Sequence[Rule], *, full: bool = False) -> list[tuple[Rule, Mapping[str, Finding]]]:
        """What each rule found, by range; only what changed since the last time is looked at, with ``full`` every row."""
        return self.engine.check(self._tracked(rules, CHECKS, "rules"), full=full)

    def _tracked(self, items: Sequence[T], label: str, unit: str) -> Iterator[T]:
        """The items one by one, as a step of the run; each is done when the next is asked for."""
        with self._progress.step(label), self._progress.task(label, len(items), unit) as advance:
            for item in items:
                yield item
                advance(1)

    def build_indexes(self) -> Mapping[str, Built]:
        """Bring the secondary indexes up to date; index -> what became of it."""
        store = self.engine.to_publish(self._progress)
        with (
            readable_faults(self.home.folder),
            self._progress.step(INDEXES),
            self._progress.task(INDEXES, indexes.RANGES, "ranges") as advance,
        ):
            self.report.indexes = indexes.refresh(store, advance)
        return self.report.indexes

    def publish(self, *, force: bool = False) -> bool:
        """Publish what there is to readers if they have not got it yet; whether it did."""
        self.report.dropped = self.engine.dropped_values()
        store, half_done = self.engine.to_publish(self._progress), self.home.spare
        with readable_faults(self.home.folder):
            total = self.home.warehouse.stat().st_size
            with self._progress.step(PUBLISHING), self._progress.task(PUBLISHING, total, "bytes", done=lambda: _size(half_done)):
                if self._keep_previous and not self.home.previous.exists():
                    keep(self.home, self.home.previous)
                self.report.published = publish(store, self.home, force=force)
        return self.report.published

    @property
    def application(self) -> Mapping[str, str]:
        """What the engine computes on beside this process, in words to be shown; empty where nothing is."""
        return self.engine.application

    @property
    def published_version(self) -> str:
        """Changes with the content of the published snapshot."""
        return self.engine.to_publish(self._progress).published_version

    def version(self, table: Table, key: str) -> str:
        """The version of a range: the same version, the same rows."""
        return self.engine.ranges.version(table, key)

    def rows(self, table: Table, key: str) -> int:
        """How many rows a range of a table is known to have; 0 where nothing is known of it."""
        return self.engine.ranges.rows(table, [key])

    def head(self, table: Table, rows: int) -> Head:
        """The first rows of a table, in the order of its key."""
        return self.engine.head(table, rows)

    def profile(self, blob: Blob) -> Head:
        """What each column of a raw table holds."""
        return self.engine.profile(blob)

    def count(self, table: Table) -> int:
        """The rows of any table, counted."""
        return self.engine.count(table)

    def _done(self, outcome: Outcome) -> Outcome:
        found = explained(outcome, self.report.outcomes)
        self.report.outcomes[outcome.table.name] = found
        return found


@dataclass(frozen=True)
class BlobStatus:
    """A blob at the source beside what was landed of it.

    ``state`` is ``unchanged``, ``changed`` or ``new``; rows are those of the landed version, None where there is none; ``choice``
    says which older files beside it were left, if any.
    """

    blob: str
    file: str
    bytes: int
    version: str
    last_modified: datetime | None
    state: str
    rows_loaded: int | None
    rows_rejected: int | None
    choice: str | None = None


def blob_status(settings: Settings) -> list[BlobStatus]:
    """The blobs at the source, and whether they changed since the last refresh.

    Raises:
        SourceError: The source cannot be read.
    """
    source = choose(settings).source
    listed = source.list()
    known = peek(settings, settings.kept_in)
    return [_status(blob, listed[blob.short], source.label, known.get(blob.short)) for blob in BLOBS]


def _status(blob: Blob, listed: Listed, source: str, known: LandedBlob | None) -> BlobStatus:
    state = "new" if known is None else "unchanged" if known.is_current(blob, listed, source) else "changed"
    rows = (known.rows_loaded, known.rows_rejected) if known else (None, None)
    file = (listed.blob, listed.file, listed.bytes, listed.version, listed.last_modified)
    return BlobStatus(*file, state, rows[0], rows[1], listed.choice)


def _size(path: Path) -> int:
    """Of a file that may not be there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
