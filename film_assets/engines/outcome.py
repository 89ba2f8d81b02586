"""What became of a table: which of its ranges were rebuilt and why, and how the rows differ from those before."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from film_assets.engines.reasons import Cause, Reason, Why
from film_assets.engines.state import Plan, Ranges, RangeState
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
    why: Why


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


def first_state(table: Table, plan: Plan, key: str, rows: int) -> RangeState:
    """The state of a range that had none before."""
    versions = dict.fromkeys(table.column_names, ":".join(plan.inputs[key]))
    return RangeState(*plan.inputs[key], versions, rows, read=plan.read[key])


def next_state(before: RangeState, plan: Plan, key: str, difference: Difference, out_of_order: int | None = None) -> RangeState:
    """The state of a range whose rows were computed again: the columns that did not come out otherwise keep their versions.

    Args:
        before: Its state before.
        plan: What it was built from now.
        key: The range.
        difference: How its rows differ from those before.
        out_of_order: How many of its rows are out of order now; None where that did not change.
    """
    rows = before.rows + difference.added - difference.removed
    versions = difference.versions(before, ":".join(plan.inputs[key]))
    behind = before.out_of_order if out_of_order is None else out_of_order
    return RangeState(*plan.inputs[key], versions, rows, behind, plan.read[key])


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
        if differences[key] or key not in before or not plan.reasons[key].elsewhere
    }


def outcome(
    ranges: Ranges, table: Table, rebuilt: Mapping[str, Rebuilt], keys: Sequence[str], before: int, started: float
) -> Outcome:
    """The outcome of having looked at ``keys``, begun at ``started`` on the monotonic clock with ``before`` rows."""
    in_order = {key: rebuilt[key] for key in table.range_keys if key in rebuilt}
    seconds = time.monotonic() - started
    return Outcome(table, in_order, len(keys) - len(in_order), ranges.rows(table), before, seconds)


def explained(found: Outcome, earlier: Mapping[str, Outcome]) -> Outcome:
    """The same outcome, its reasons with the ranges and rows of the inputs, as far as this run has seen them change.

    Args:
        found: What became of a table.
        earlier: What became of the tables that it may have been built from.
    """
    rebuilt = {key: replace(one, why=_explained(found.table, key, one.why, earlier)) for key, one in found.rebuilt.items()}
    return replace(found, rebuilt=rebuilt)


def _explained(table: Table, key: str, why: Why, earlier: Mapping[str, Outcome]) -> Why:
    if why.reason not in (Reason.INPUT, Reason.CODE, Reason.UNKNOWN):
        return why
    possible = [Cause(name, columns) for name, columns in table.reads.items()]
    causes = possible if why.reason is Reason.UNKNOWN else why.causes
    seen = [_seen(table, key, cause, earlier[cause.table]) if cause.table in earlier else cause for cause in causes]
    if why.reason is not Reason.UNKNOWN:
        return replace(why, causes=seen)
    changed = [cause for cause in seen if cause.ranges]
    return replace(why, reason=Reason.INPUT, causes=changed) if changed else why


def _seen(table: Table, key: str, cause: Cause, outcome: Outcome) -> Cause:
    """The cause with the ranges in which its columns changed, and how many rows did there."""
    keys = [key] if outcome.table.range_column == table.range_column else list(outcome.rebuilt)
    found = {
        place: set(cause.columns) & set(rebuilt.difference.columns)
        for place in keys
        if (rebuilt := outcome.rebuilt.get(place)) is not None
    }
    ranges = [place for place, columns in found.items() if columns]
    if not ranges:
        return cause
    columns = [column for column in cause.columns if any(column in found[place] for place in ranges)]
    differences = [outcome.rebuilt[place].difference for place in ranges]
    rows = None if any(one.changed is None for one in differences) else sum(one.rows for one in differences)
    return Cause(cause.table, columns, ranges, rows)
