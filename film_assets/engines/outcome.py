"""What became of a table: which of its ranges were rebuilt and why, and how the rows differ from those before."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from film_assets.engines.state import Inputs, Plan, Ranges, RangeState, Reason
from film_assets.tables import Table


@dataclass(frozen=True)
class Difference:
    """How many rows came, went and changed, and the columns in which a row differs; false where none does.

    ``changed`` is None where an engine compares columns and counts rather than rows.
    """

    added: int = 0
    removed: int = 0
    changed: int | None = 0
    columns: Collection[str] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.columns)

    @property
    def rows(self) -> int:
        """How many rows there are of all three kinds, as far as they were counted."""
        return self.added + self.removed + (self.changed or 0)

    def versions(self, before: RangeState, version: str) -> dict[str, str]:
        """The versions of the columns now: ``version`` for those that differ."""
        return {column: version if column in self.columns else old for column, old in before.versions.items()}


@dataclass(frozen=True)
class Rebuilt:
    """One range that was rebuilt: its rows, how they differ from those before, their version, and why it was."""

    rows: int
    difference: Difference
    version: str
    reason: Reason


@dataclass(frozen=True)
class Outcome:
    """What became of a table in a run.

    Attributes:
        table: The table.
        rebuilt: Range -> what is new in it, in the order of the ranges.
        unchanged: How many ranges were looked at and left alone.
        rows: The rows of the table now.
        rows_before: Its rows before.
        seconds: How long it took.
    """

    table: Table
    rebuilt: Mapping[str, Rebuilt]
    unchanged: int
    rows: int
    rows_before: int
    seconds: float


def first_state(table: Table, inputs: Inputs, rows: int) -> RangeState:
    """The state of a range that had none before."""
    return RangeState(*inputs, dict.fromkeys(table.column_names, ":".join(inputs)), rows)


def next_state(before: RangeState, inputs: Inputs, difference: Difference, out_of_order: int | None = None) -> RangeState:
    """The state of a range whose rows were computed again: the columns that did not come out otherwise keep their versions.

    Args:
        before: Its state before.
        inputs: What it was built from now.
        difference: How its rows differ from those before.
        out_of_order: How many of its rows are out of order now; None where that did not change.
    """
    rows = before.rows + difference.added - difference.removed
    versions = difference.versions(before, ":".join(inputs))
    return RangeState(*inputs, versions, rows, before.out_of_order if out_of_order is None else out_of_order)


def rebuilt(
    table: Table,
    plan: Plan,
    differences: Mapping[str, Difference],
    before: Mapping[str, RangeState],
    after: Mapping[str, RangeState],
) -> dict[str, Rebuilt]:
    """The ranges that count as rebuilt, of those that were computed again.

    Where only inputs that are partitioned by other ids changed, just the ranges do that came out different.
    """
    return {
        key: Rebuilt(after[key].rows, differences[key], after[key].version(table.column_names), plan.reasons[key])
        for key in differences
        if differences[key] or key not in before or plan.reasons[key] is not Reason.OTHERS
    }


def outcome(
    ranges: Ranges, table: Table, rebuilt: Mapping[str, Rebuilt], keys: Sequence[str], before: int, started: float
) -> Outcome:
    """The outcome of having looked at ``keys``, begun at ``started`` on the monotonic clock with ``before`` rows."""
    in_order = {key: rebuilt[key] for key in table.range_keys if key in rebuilt}
    seconds = time.monotonic() - started
    return Outcome(table, in_order, len(keys) - len(in_order), ranges.rows(table), before, seconds)
