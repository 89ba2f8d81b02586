"""The Spark engine: opening it, and its steps in terms of the modules beside this one.

Spark itself is asked for only where rows are to be computed or looked at, so a run that finds nothing to do starts none. Every
step's faults are told in words for the user. Does not belong here: how a step does its work.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from film_assets.common.database import Connect, readable_faults
from film_assets.common.progress import Progress, Silent
from film_assets.engines.base import Head
from film_assets.engines.blobs import LandedBlobs
from film_assets.engines.checks import Finding, rejected
from film_assets.engines.duckdb.head import head
from film_assets.engines.losses import Dropped
from film_assets.engines.outcome import Outcome, outcome
from film_assets.engines.spark import frames, landing, lists
from film_assets.engines.spark.ahead import Ahead
from film_assets.engines.spark.checks import LakeEvaluator, check_side_by_side, count, scan
from film_assets.engines.spark.copy import LakeCopy
from film_assets.engines.spark.lake import storage
from film_assets.engines.spark.lake.state import State
from film_assets.engines.spark.lake.storage import Storage
from film_assets.engines.spark.profiles import profile
from film_assets.engines.spark.rebuild import rebuild
from film_assets.engines.spark.session.extra import ensure_installed
from film_assets.engines.spark.tasks import on_executors
from film_assets.engines.state import Ranges
from film_assets.errors import SettingsError
from film_assets.home import Home
from film_assets.landing.content import Content
from film_assets.settings import Settings
from film_assets.sources.base import Listed
from film_assets.tables import QUALITY, Blob, Table
from film_assets.tables.rules import Rule

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from film_assets.engines.spark.session import Session


_WORDS = {"application": "Spark application", "master": "Spark master", "address": "Spark Connect server", "ui": "Spark web UI"}


def lake_of(settings: Settings, home: Home) -> Storage:
    """The lake of these settings.

    Raises:
        SettingsError: It is no place for one, or its options are no JSON object.
        FilmAssetsError: The libraries of the extra are not installed.
    """
    ensure_installed()
    given = settings.lake_options.get_secret_value() if settings.lake_options else "{}"
    try:
        options = json.loads(given)
    except ValueError:
        options = None
    if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
        raise SettingsError('FILM_ASSETS_LAKE_OPTIONS is no JSON object of texts; set it to one, as {"account_key": "..."}')
    place = settings.lake or str(home.folder / "lake")
    return Storage(place if "://" in place else storage.folder(Path(place)), options)


def open_engine(settings: Settings, home: Home, connect: Connect) -> "SparkEngine":
    """The engine with the lake of these settings, in a home that is held alone.

    Args:
        settings: Which Spark, which lake.
        home: The home, where the copy for readers is kept.
        connect: Opens the file of that copy.

    Raises:
        SettingsError: There is no such place for a lake.
        HomeError: The lake cannot be read.
    """
    return SparkEngine(settings, home, connect)


def peek(settings: Settings, home: Home) -> LandedBlobs:
    """Which version of each blob is landed in the lake.

    Raises:
        HomeError: The lake cannot be read.
    """
    return State(lake_of(settings, home), days=settings.lake_days).load().landed_blobs()


def peek_ranges(settings: Settings, home: Home) -> Ranges:
    """The state of every range in the lake.

    Raises:
        HomeError: The lake cannot be read.
    """
    return Ranges(State(lake_of(settings, home), days=settings.lake_days).load().ranges(), lists.code_version)


class SparkEngine:
    """Keeps the tables in a lake, and computes them on Spark.

    Attributes:
        ranges: The state of every range.
        notices: What was found wrong with the lake when it was opened and how it is mended, one line each.
    """

    reads_sources = True

    def __init__(self, settings: Settings, home: Home, connect: Connect) -> None:
        """Read what is known of the lake; Spark is not started yet."""
        self._settings, self._home, self._connect = settings, home, connect
        self._held = ExitStack()
        self._session: Session | None = None
        self._starting = threading.Lock()
        self._copy: LakeCopy | None = None
        self._expected: Sequence[Table] = ()
        self._ahead: Ahead | None = None
        self._storage = lake_of(settings, home)
        self._state = State(self._storage, days=settings.lake_days).load()
        self.ranges = Ranges(self._state.ranges(), lists.code_version)
        self.ranges.rejected = rejected(self._state.findings())
        self.notices = [
            f"{name}: the lake has other files than were written down; what is not known is built anew"
            for name in self._state.mended
        ]

    def landed_blobs(self) -> LandedBlobs:
        """Which version of each blob is landed."""
        return self._state.landed_blobs()

    def land(
        self,
        blob: Blob,
        content: Content,
        listed: Listed,
        source: str,
        progress: Progress,
        *,
        force: bool = False,
        verify: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Land a version of a blob: its rows, its rejected rows and its account, all of it or nothing."""
        self._started(progress)
        with self._running() as spark, progress.task(f"land {blob.short}", 100, done=self.percent):
            return landing.land(
                on_executors(spark), self._storage, self._state, self.ranges, self._settings, blob, content, listed,
                source, verify, force=force,
            )  # fmt: skip

    def profile(self, blob: Blob) -> Head:
        """What each column of a raw table holds; it is not looked at again unless it changed."""
        with self._running_if_asked() as spark:
            return profile(spark, self._storage, self._state, self.ranges, blob)

    def dropped_values(self) -> list[Dropped]:
        """The values that were dropped of the blobs that are landed, by blob, column and reason."""
        return landing.dropped_values(self._state)

    def expect(self, tables: Sequence[Table]) -> None:
        """Build these tables side by side once the first of them is asked for."""
        self._expected = tables

    def rebuild(self, table: Table, keys: Sequence[str], *, force: bool = False) -> Outcome:
        """Rebuild those of the given ranges of a computed table that are out of date, or all of them with ``force``."""
        if table in self._expected and not force:
            if self._ahead is None:
                self._ahead = Ahead(self._rebuild_all, self._expected)
            if self._ahead.has(table) and (found := self._ahead.take(table)):
                return self._with_what_is_left(found, keys)
        return self._rebuild(table, keys, force=force)

    def _with_what_is_left(self, found: Outcome, keys: Sequence[str]) -> Outcome:
        """An outcome with that of ranges whose inputs have changed since."""
        later = self._rebuild(found.table, keys)
        rebuilt, seconds = {**found.rebuilt, **later.rebuilt}, found.seconds + later.seconds
        return replace(later, rebuilt=rebuilt, unchanged=len(keys) - len(rebuilt), rows_before=found.rows_before, seconds=seconds)

    def _rebuild_all(self, table: Table) -> Outcome:
        return self._rebuild(table, table.range_keys)

    def _rebuild(self, table: Table, keys: Sequence[str], *, force: bool = False) -> Outcome:
        plan = self.ranges.plan(table, keys, force=force)
        if not plan.stale:
            return outcome(self.ranges, table, {}, keys, self.ranges.rows(table), time.monotonic())
        with self._running(table.name) as spark:
            found = rebuild(spark, self._storage, self._state, self.ranges, table, plan, force=force)
        self.ranges.rejected -= {(table.name, key) for key in plan.stale}
        return found

    def check(self, rules: Iterable[Rule], *, full: bool = False) -> list[tuple[Rule, Mapping[str, Finding]]]:
        """What each rule found, by range; only what changed since the last time is looked at, with ``full`` every row."""
        with self._running_if_asked() as spark:
            return check_side_by_side(LakeEvaluator(spark, self._storage, self._state, self.ranges), rules, full=full)

    def count(self, table: Table) -> int:
        """The rows of any table, counted."""
        return self.to_publish(Silent()).count(table) if table in QUALITY else count(self._storage, self._state, table)

    def head(self, table: Table, rows: int) -> Head:
        """The first rows of a table, in the order of its key."""
        if table in QUALITY:
            return head(self.to_publish(Silent()), table, rows)
        key = next((key for key in table.range_keys if self.ranges.rows(table, [key])), table.range_keys[0])
        found = scan(self._storage, table, frames.files_of(self._state.lake[table.name], table, [key])).bottom_k(
            rows, by=table.key
        )
        return Head(table.column_names, found.collect().sort(table.key).rows())

    def to_publish(self, progress: Progress) -> LakeCopy:
        """The copy of the lake in the home, brought up to date."""
        with readable_faults(self._home.folder):
            if self._copy is None:
                self._copy = self._open_copy()
                self._held.callback(self._copy.close)
            self._copy.bring_up_to_date(self.ranges, progress)
        return self._copy

    def _open_copy(self) -> LakeCopy:
        views = self._settings.snapshot == "views"
        return LakeCopy(self._home, self._connect, self._storage, self._state, views=views)

    def percent(self) -> float:
        """How far Spark's stages are that are under way; 0 where none is. May be asked from any thread."""
        return self._session.percent() if self._session else 0.0

    @property
    def application(self) -> Mapping[str, str]:
        """Spark's application, its web UI, and where it runs; empty as long as none was needed."""
        found = self._session.application if self._session else {}
        return {_WORDS[name]: value for name, value in found.items()}

    def close(self) -> None:
        """End Spark, and let go of the copy."""
        with self._held:
            if self._ahead:
                self._held.callback(self._ahead.wait)
                self._ahead.cancel()
            if self._session:
                self._held.callback(self._session.close)

    @contextmanager
    def _running(self, pool: str = "film_assets") -> Iterator["SparkSession"]:
        """Spark, started if it is not yet; what it raises in the block is told in words for the user."""
        session = self._started()
        with session.watched(), session.pool(pool):
            yield session.spark

    @contextmanager
    def _running_if_asked(self) -> Iterator[Callable[[], "SparkSession"]]:
        """The same for a block that may need none: it asks for Spark itself, from any thread."""
        with ExitStack() as watched:

            def ask() -> "SparkSession":
                with asking:
                    return begin()

            @cache
            def begin() -> "SparkSession":
                return watched.enter_context(self._running())

            asking = threading.Lock()
            yield ask

    def _started(self, progress: Progress | None = None) -> "Session":
        with self._starting:
            if self._session is None:
                from film_assets.engines.spark.session import open_session

                self._session = open_session(self._settings, progress)
            return self._session
