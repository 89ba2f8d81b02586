"""What a refresh would do, from the blobs as they are now and without doing it.

What a blob changes is known only when it is landed. So of a table it can be told which ranges are rebuilt in any case, and on
which inputs it depends whether others are. Belongs here: looking ahead. Does not belong here: how long it takes (``estimate``).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from film_assets.engines import peek_ranges
from film_assets.engines.reasons import by_range
from film_assets.engines.state import Ranges
from film_assets.refresh.pipeline import BlobStatus, blob_status
from film_assets.settings import Settings
from film_assets.tables import BLOBS, COMPUTED, Table
from film_assets.tables.ranges import RANGE_KEYS


@dataclass(frozen=True)
class Step:
    """What would be done for a table.

    Attributes:
        table: The table.
        ranges: The ranges that are rebuilt in any case, or landed where they differ.
        depends_on: Columns of inputs: where they change, other ranges are rebuilt too.
        why: Why the ranges are, in words -> which of them.
    """

    table: str
    ranges: Sequence[str]
    depends_on: Sequence[str]
    why: Mapping[str, Sequence[str]]

    def __str__(self) -> str:
        certain = [f"{why} ({len(keys)} range{'' if len(keys) == 1 else 's'})" for why, keys in self.why.items()]
        possible = [f"where there are changes in {' or '.join(self.depends_on)}"] if self.depends_on else []
        return f"{self.table}: {'; '.join([*certain, *possible])}"


def plan(settings: Settings, *, rebuild: bool = False, tables: Collection[str] = ()) -> list[Step]:
    """The tables for which a refresh with these settings would do something, in the order in which it would.

    Args:
        settings: Where the blobs are, and the home.
        rebuild: Do the work even where nothing changed.
        tables: Not all of it, but the work of these tables.

    Raises:
        SourceError: The source cannot be read.
        HomeError: What is kept in the home cannot be read.
    """
    forced = set(tables) or {table.name for table in (*BLOBS, *COMPUTED) if rebuild}
    landed = list(_landed(blob_status(settings), forced))
    return [*landed, *_rebuilt(peek_ranges(settings, settings.kept_in), {step.table for step in landed}, forced)]


def _landed(blobs: Sequence[BlobStatus], forced: Collection[str]) -> Iterator[Step]:
    for blob in blobs:
        name = f"raw.{blob.blob}"
        if blob.state != "unchanged" or name in forced:
            why = "forced" if name in forced else f"{blob.file} is {blob.state}"
            yield Step(name, RANGE_KEYS, (), {why: RANGE_KEYS})


def _rebuilt(ranges: Ranges, landed: Collection[str], forced: Collection[str]) -> Iterator[Step]:
    may_change = set(landed)
    for table in COMPUTED:
        step = _step(table, ranges, may_change, force=table.name in forced)
        if step.ranges or step.depends_on:
            may_change.add(table.name)
            yield step


def _step(table: Table, ranges: Ranges, may_change: Collection[str], *, force: bool) -> Step:
    reasons = ranges.plan(table, table.range_keys, force=force).reasons
    others = len(reasons) < len(table.range_keys)
    depends_on = [f"{name}.{', '.join(columns)}" for name, columns in table.reads.items() if name in may_change and others]
    return Step(table.name, list(reasons), depends_on, by_range(reasons))
