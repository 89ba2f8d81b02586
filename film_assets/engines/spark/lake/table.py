"""The lake: every table a Delta table, of which the parts that changed are replaced in one commit.

A table is partitioned by one column. Spark and executors write files beside it; the driver alone commits, through delta-rs: a
log entry that removes the files of a partition and adds others. So readers see the old rows or the new ones, and whoever reads
Delta reads the tables by their paths. Belongs here: files and versions of tables. Does not belong here: what follows from the
rows in them (``state``, ``rebuild``).
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from film_assets.engines.spark.lake.storage import Storage
from film_assets.errors import FilmAssetsError, HomeError

if TYPE_CHECKING:
    from deltalake import DeltaTable

_TYPES = {
    "VARCHAR": "string", "BOOLEAN": "boolean", "SMALLINT": "short", "INTEGER": "integer", "BIGINT": "long", "DOUBLE": "double",
    "TIMESTAMP": "timestamp",
}  # fmt: skip
"""Types of columns as Delta names them."""


@dataclass(frozen=True)
class File:
    """A Parquet file of a table.

    Attributes:
        path: Within the folder of the table.
        size: In bytes.
        rows: How many it has.
        low: The least value of the column it is sorted by, empty where that is not told.
        high: The greatest.
    """

    path: str
    size: int
    rows: int
    low: str = ""
    high: str = ""


class LakeTable:
    """One Delta table; used from one thread at a time.

    Attributes:
        name: ``schema.name``.
        partition: The column it is partitioned by.
    """

    def __init__(
        self, storage: Storage, name: str, columns: Mapping[str, str], partition: str, *, days: int, sorted_by: str = ""
    ) -> None:
        """Nothing is read or written yet.

        Args:
            storage: The lake.
            name: ``schema.name``; the folder is ``schema/name``.
            columns: Column -> its type, as SQL names it, but the one it is partitioned by.
            partition: That one, a text.
            days: How long earlier versions can be read.
            sorted_by: The column whose least and greatest values are told of each file.
        """
        self.name, self.partition = name, partition
        self._storage, self._columns, self._days, self._sorted_by = storage, columns, days, sorted_by
        self._folder = name.replace(".", "/")
        self._opened: DeltaTable | None = None
        self._looked = False

    def open(self) -> None:
        """See which version there is, if any; whatever somebody else writes from then on is not taken for what was there.

        Raises:
            HomeError: The lake cannot be read.
        """
        self._delta()

    @property
    def version(self) -> int:
        """The version of the table; -1 where it is not there yet."""
        table = self._delta()
        return -1 if table is None else table.version()

    def files(self) -> dict[str, list[str]]:
        """Partition -> the paths of its files within the lake, in order."""
        found: dict[str, list[str]] = {}
        for path, key, _ in self._actions():
            found.setdefault(key, []).append(f"{self._folder}/{path}")
        return {key: sorted(paths) for key, paths in found.items()}

    def path(self, within: str) -> str:
        """A path in the folder of the table as one in the lake."""
        return f"{self._folder}/{within}"

    def within(self, path: str) -> str:
        """A path in the lake as one in the folder of the table."""
        return path.removeprefix(f"{self._folder}/")

    def replace(self, keys: Iterable[str], files: Iterable[tuple[str, File]]) -> None:
        """Put files in place of those of these partitions, in one commit.

        Args:
            keys: The partitions.
            files: Each with its partition; they lie in the folder of the table already.

        Raises:
            HomeError: The lake cannot be written to, or somebody else wrote to the table meanwhile.
        """
        before, now, wanted = self.version, int(time.time() * 1000), set(keys)
        added = [self._add(key, file, now) for key, file in files]
        with self._readable_faults():
            if self._opened is None:
                self._create(added)
            else:
                kept = {one.path for one in added}
                gone = [self._remove(*action, now) for action in self._actions() if action[1] in wanted and action[0] not in kept]
                self._opened.create_write_transaction(
                    [*added, *gone], "append", self._opened.schema(), partition_by=[self.partition]
                )
                self._opened.update_incremental()
            if self.version != before + 1:
                raise self._concurrent()

    def vacuum(self, keep: Sequence[int]) -> None:
        """Delete files that no version of the last days needs, nor those to keep, nor a writer that may be at work."""
        table = self._delta()
        if table is not None:
            with self._readable_faults():
                there = [version for version in keep if version <= table.version()]
                table.vacuum(
                    self._days * 24, dry_run=False, enforce_retention_duration=False, full=True, keep_versions=there or None
                )

    def _delta(self) -> "DeltaTable | None":
        from deltalake import DeltaTable

        if not self._looked:
            with self._readable_faults():
                if DeltaTable.is_deltatable(self._uri, self._options):
                    self._opened = DeltaTable(self._uri, storage_options=self._options)
                self._looked = True
        return self._opened

    @property
    def _uri(self) -> str:
        return self._storage.url(self._folder)

    @property
    def _options(self) -> dict[str, str] | None:
        return dict(self._storage.options) or None

    def _actions(self) -> list[tuple[str, str, int]]:
        """Path within the folder, partition and size of the files of the current version."""
        table = self._delta()
        if table is None:
            return []
        rows = table.get_add_actions(flatten=True)
        columns = (rows.column(name).to_pylist() for name in ("path", f"partition.{self.partition}", "size_bytes"))
        return list(zip(*columns, strict=True))

    def _add(self, key: str, file: File, now: int) -> Any:
        from deltalake.transaction import AddAction

        stats: dict[str, Any] = {"numRecords": file.rows}
        if self._sorted_by and file.rows and file.high:
            stats |= {
                "minValues": {self._sorted_by: file.low},
                "maxValues": {self._sorted_by: file.high},
                "nullCount": {self._sorted_by: 0},
            }
        return AddAction(file.path, file.size, {self.partition: key}, now, data_change=True, stats=json.dumps(stats))

    def _remove(self, path: str, key: str, size: int, now: int) -> Any:
        from deltalake.transaction import RemoveAction

        return RemoveAction(path, data_change=True, deletion_timestamp=now, size=size, partition_values={self.partition: key})

    def _create(self, added: Sequence[Any]) -> None:
        from deltalake import DeltaTable, Field, Schema
        from deltalake.schema import PrimitiveType
        from deltalake.transaction import create_table_with_add_actions

        if DeltaTable.is_deltatable(self._uri, self._options):  # it was not, when it was looked at
            self._looked = False
            raise self._concurrent()
        columns = {**self._columns, self.partition: "VARCHAR"}
        kept = f"interval {self._days} days"
        create_table_with_add_actions(
            self._uri,
            Schema([Field(name, PrimitiveType(_TYPES[kind])) for name, kind in columns.items()]),
            list(added),
            mode="error",
            partition_by=[self.partition],
            name=self.name,
            storage_options=self._options,
            configuration={"delta.logRetentionDuration": kept, "delta.deletedFileRetentionDuration": kept},
        )
        self._opened = DeltaTable(self._uri, storage_options=self._options)

    def _concurrent(self) -> HomeError:
        return HomeError(
            f"{self.name}: somebody else wrote to it in the lake {self._storage.uri} meanwhile; run again when that has ended"
        )

    @contextmanager
    def _readable_faults(self) -> Iterator[None]:
        from deltalake.exceptions import CommitFailedError, DeltaError

        try:
            yield
        except CommitFailedError:
            self._opened, self._looked = None, False
            raise self._concurrent() from None
        except FilmAssetsError:
            raise
        except (DeltaError, OSError, ValueError) as error:
            raise self._storage.fault(error) from None
