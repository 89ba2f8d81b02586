"""What an engine is: it keeps the tables of a home, and brings them up to date.

Belongs here: the interface, and what an engine gives so that the snapshot can be published. Does not belong here: what is the
same for every engine (``state``, ``outcome``, ``blobs``, ``losses``, ``checks``), and any engine.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import polars as pl

from film_assets.common.progress import Progress
from film_assets.engines.blobs import LandedBlobs
from film_assets.engines.checks import Finding
from film_assets.engines.losses import Dropped
from film_assets.engines.outcome import Outcome
from film_assets.engines.state import Derived, Ranges, RangeState
from film_assets.landing.content import Content
from film_assets.sources.base import Listed
from film_assets.tables import Blob, Table
from film_assets.tables.rules import Rule


@dataclass(frozen=True)
class Head:
    """A few rows to look at: the first of a table, in the order of its key, or figures of it."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


class Store(Protocol):
    """A DuckDB database with every table of an engine, from which the snapshot is made and published.

    It may be the engine's own, or one that the engine copies its tables to.

    Attributes:
        connection: Its connection, which knows the database as ``films``.
        ranges: The state of every range that is in it, of tables and of secondary indexes.
    """

    connection: duckdb.DuckDBPyConnection
    ranges: Ranges

    def run(self, statement: str, parameters: Any = None) -> None:
        """Execute a statement to its end."""

    def rows(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """All rows of a query."""

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]] | pl.DataFrame, columns: str = "*") -> None:
        """Insert rows by the names of their columns; ``columns`` says what is selected from them."""

    def transaction(self) -> AbstractContextManager[None]:
        """All that the block writes, or nothing of it."""

    def remember(self, name: str, states: Mapping[str, RangeState]) -> None:
        """Write down the state of these ranges; within the transaction that writes their rows."""

    def find_touched(self, derived: Derived, keys: Sequence[str]) -> list[str]:
        """Those of these ranges whose rows can differ in few ids only, which are then in the temporary table ``touched``."""

    def slice_files(self, blob: Blob, keys: Iterable[str]) -> list[str]:
        """The Parquet files of the current slices of a blob."""

    @property
    def published_version(self) -> str:
        """The digest of what was last published; empty before the first time."""

    def contents(self) -> object:
        """Everything that readers would see change."""

    def released(self) -> AbstractContextManager[Path]:
        """The file closed and whole for as long as the block runs, to be finished and published, then open again."""

    def note_published(self, digest: str) -> None:
        """Write down what was published, and forget what only the publication before needed."""


class Engine(Protocol):
    """Keeps the tables of a home; from when it is opened until it is closed nobody else may write to the home.

    What it raises is meant for the user: ``FilmAssetsError`` and its like, never an exception of its own libraries.

    Attributes:
        ranges: The state of every range of every table: its version, its rows, and what follows from them.
        notices: What was found wrong when it was opened and how it was mended, one line each.
        reads_sources: Whether it lands a blob from where it lies, so that only a compressed one has to be fetched before.
    """

    ranges: Ranges
    notices: Sequence[str]
    reads_sources: bool

    def landed_blobs(self) -> LandedBlobs:
        """Which version of each blob is landed."""

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
        """Land a version of a blob: its rows, its rejected rows and its account, all of it or nothing.

        Args:
            blob: The blob.
            content: Its bytes.
            listed: The version they are of.
            source: The source it is from, without any secret.
            progress: Told of the bytes that are landed.
            force: Read all of it, even what was landed before.
            verify: Called when all has been read and before anything is taken over; raises if the bytes are not to be trusted.

        Raises:
            BlobError: It cannot be landed as it is, or has lost so much that it is not taken over (``losses``).
        """

    def profile(self, blob: Blob) -> Head:
        """What each column of a raw table holds, as ``quality.profiles`` says; it is not looked at again unless it changed."""

    def dropped_values(self) -> Sequence[Dropped]:
        """The values that were dropped of the blobs that are landed, by blob, column and reason."""

    def expect(self, tables: Sequence[Table]) -> None:
        """Know that all of these computed tables will be rebuilt in this run, over all ranges and in this order."""

    def rebuild(self, table: Table, keys: Sequence[str], *, force: bool = False) -> Outcome:
        """Rebuild those of the given ranges of a computed table that are out of date, or all of them with ``force``."""

    def check(self, rules: Iterable[Rule], *, full: bool = False) -> list[tuple[Rule, Mapping[str, Finding]]]:
        """What each rule found, by range; only what changed since the last time is looked at, with ``full`` every row."""

    def count(self, table: Table) -> int:
        """The rows of any table, counted."""

    def head(self, table: Table, rows: int) -> Head:
        """The first rows of a table, in the order of its key."""

    def to_publish(self, progress: Progress) -> Store:
        """Every table in a DuckDB database, ready to be published."""

    @property
    def application(self) -> Mapping[str, str]:
        """What it computes on beside this process, in words to be shown; empty where nothing is."""

    def percent(self) -> float:
        """How far the rebuild is that is under way; 0 where none is. May be asked from any thread."""

    def close(self) -> None:
        """Let go of everything, all of it written."""
