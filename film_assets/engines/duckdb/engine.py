"""The embedded engine: opening it, and its steps in terms of the modules beside this one.

Every step's faults are told in words for the user. Does not belong here: how a step does its work.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from film_assets.common.database import Connect, readable_faults
from film_assets.common.progress import Progress
from film_assets.engines.base import Head
from film_assets.engines.blobs import LandedBlobs
from film_assets.engines.checks import Finding, check, rejected
from film_assets.engines.duckdb import slices
from film_assets.engines.duckdb.checks import WarehouseEvaluator
from film_assets.engines.duckdb.head import head
from film_assets.engines.duckdb.profiles import profile
from film_assets.engines.duckdb.rebuild import rebuild
from film_assets.engines.duckdb.store import WarehouseStore
from film_assets.engines.losses import Census, Dropped, ensure_little_lost
from film_assets.engines.outcome import Outcome
from film_assets.home import Home
from film_assets.landing import FolderStore, land
from film_assets.landing.content import Content
from film_assets.settings import Settings
from film_assets.sources.base import Listed
from film_assets.tables import Blob, Table
from film_assets.tables.rules import Rule


def open_engine(settings: Settings, home: Home, connect: Connect) -> "DuckDbEngine":
    """The engine in a home that is held alone, its working file made if it is not there.

    Args:
        settings: Which losses of a blob are too much.
        home: The home.
        connect: Opens the working file.

    Raises:
        HomeError: The file cannot be opened, or there is no room.
    """
    with readable_faults(home.folder):
        warehouse = WarehouseStore(home, connect)
    return DuckDbEngine(warehouse, home, settings)


class DuckDbEngine:
    """Keeps the tables in the working file of a home.

    Attributes:
        warehouse: The open working file.
        ranges: The state of every range.
        notices: What was found wrong with the file when it was opened and how it was mended, one line each.
    """

    reads_sources = False
    application: Mapping[str, str] = MappingProxyType({})

    def __init__(self, warehouse: WarehouseStore, home: Home, settings: Settings) -> None:
        """Take over an open working file."""
        self.warehouse, self._home, self._settings = warehouse, home, settings
        self.ranges, self.notices = warehouse.ranges, warehouse.notices
        self.ranges.rejected = rejected(WarehouseEvaluator(warehouse).findings())

    def landed_blobs(self) -> LandedBlobs:
        """Which version of each blob is landed."""
        return slices.landed_blobs(self.warehouse)

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
        with readable_faults(self._home.folder):
            known = {} if force else slices.known(self.warehouse, blob)
            found = land(blob, content, FolderStore(self._home.landing), known, progress)
            verify()
            before = slices.census_of(self.warehouse, blob)
            return slices.record(
                self.warehouse, blob, listed, source, found, lambda: self._ensure_little_lost(blob, before), force=force
            )

    def _ensure_little_lost(self, blob: Blob, before: Census) -> None:
        ensure_little_lost(blob, before, slices.census_of(self.warehouse, blob), self._settings)

    def dropped_values(self) -> list[Dropped]:
        """The values that were dropped of the blobs that are landed, by blob, column and reason."""
        return slices.dropped_values(self.warehouse)

    def profile(self, blob: Blob) -> Head:
        """What each column of a raw table holds; it is not looked at again unless it changed."""
        with readable_faults(self._home.folder):
            return profile(self.warehouse, blob)

    def expect(self, tables: Sequence[Table]) -> None:
        """Nothing is begun before it is asked for."""

    def rebuild(self, table: Table, keys: Sequence[str], *, force: bool = False) -> Outcome:
        """Rebuild those of the given ranges of a computed table that are out of date, or all of them with ``force``."""
        with readable_faults(self._home.folder):
            return rebuild(self.warehouse, table, keys, force=force)

    def check(self, rules: Iterable[Rule], *, full: bool = False) -> list[tuple[Rule, Mapping[str, Finding]]]:
        """What each rule found, by range; only what changed since the last time is looked at, with ``full`` every row."""
        with readable_faults(self._home.folder):
            return check(WarehouseEvaluator(self.warehouse), rules, full=full)

    def count(self, table: Table) -> int:
        """The rows of any table, counted."""
        return self.warehouse.count(table)

    def head(self, table: Table, rows: int) -> Head:
        """The first rows of a table, in the order of its key."""
        return head(self.warehouse, table, rows)

    def to_publish(self, progress: Progress) -> WarehouseStore:  # noqa: ARG002
        """The working file itself, which becomes the snapshot."""
        return self.warehouse

    def percent(self) -> float:
        """How far the rebuild is that is under way; 0 where none is. May be asked from any thread."""
        return self.warehouse.percent()

    def close(self) -> None:
        """Write everything into the file and let go of it."""
        with readable_faults(self._home.folder):
            self.warehouse.close()
