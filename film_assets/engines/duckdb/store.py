"""The working file as what the snapshot is made from.

Belongs here: what the snapshot asks of an engine. Does not belong here: how the snapshot is made and published (``snapshot``).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from film_assets.engines.duckdb import changes, slices
from film_assets.engines.duckdb.warehouse import Warehouse
from film_assets.engines.state import Derived
from film_assets.tables import Blob


class WarehouseStore(Warehouse):
    """The open working file, which becomes the snapshot."""

    def find_touched(self, derived: Derived, keys: Sequence[str]) -> list[str]:
        """Those of these ranges whose rows can differ in few ids only, which are then in the temporary table ``touched``."""
        return changes.find_touched(self, derived, keys)

    def slice_files(self, blob: Blob, keys: Iterable[str]) -> list[str]:
        """The Parquet files of the current slices of a blob."""
        return slices.files(self, blob, keys)

    @property
    def published_version(self) -> str:
        """The digest of what was last published; empty before the first time."""
        return next((found for (found,) in self.rows("select digest from state.snapshot")), "")

    def contents(self) -> object:
        """Everything that readers would see change."""
        versions = sorted((name, key, sorted(state.versions.items())) for (name, key), state in self.ranges.items())
        return [versions, self.rows("select * from state.slices order by all")]

    @contextmanager
    def released(self) -> Iterator[Path]:
        """The file closed and whole for as long as the block runs, to be finished and published, then open again."""
        changes.forget(self)
        with super().released() as path:
            yield path

    def note_published(self, digest: str) -> None:
        """Write down what was published, and delete the slices that were already out of use at the publication before."""
        with self.transaction():
            unused = slices.forget_retired(self)
            self.run("delete from state.snapshot")
            self.run("insert into state.snapshot values (?, now() at time zone 'utc')", [digest])
        for file in unused:
            file.unlink(missing_ok=True)
