"""What is known of every id range, and what follows: which ranges are out of date and why, and what they are to be built from.

A range has a version a column: the same version, the same values. What a range is built from is told by two digests, and it is
out of date where they are others than the ones it was built from. Belongs here: this arithmetic, the same for every engine. Does
not belong here: where the state is kept, and computing rows (the engines).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from narwhals import Implementation

from film_assets.engines.reasons import Reason, Why, changed
from film_assets.tables import TABLES, Table, lists


def digest(*parts: Any) -> str:
    """A short fingerprint of these values."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


class Derived(Protocol):
    """What is built from tables, range by range: another table, or a secondary index."""

    @property
    def name(self) -> str:
        """``schema.name``."""

    @property
    def range_column(self) -> str:
        """The column of ids by whose ranges it is partitioned; empty where it is not."""

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Table -> the columns of it that this is built from."""

    @property
    def code_version(self) -> str:
        """Changes when the logic changes."""


def code_version(implementation: Implementation, derived: Derived) -> str:
    """The version of the logic of what is derived, with that of an engine's own part in it where it takes lists apart."""
    if isinstance(derived, Table) and derived.uses_lists:
        return f"{derived.code_version}:{lists.native_version(implementation)}"
    return derived.code_version


@dataclass(frozen=True)
class RangeState:
    """What is known of one id range.

    Attributes:
        own: Digest of the code and of the same range of the inputs it was built from.
        others: Digest of the inputs it was built from that are partitioned by other ids, over all their ranges.
        versions: Column -> its version: the same version, the same values.
        rows: How many rows it has.
        out_of_order: How many of them were written since its last full rewrite, so that they lie behind all others.
        read: Column of an input -> the version it had when the range was built, and an empty name -> that of the code; empty for
            ranges of a release that did not keep them.
    """

    own: str
    others: str
    versions: Mapping[str, str]
    rows: int
    out_of_order: int = 0
    read: Mapping[str, str] = field(default_factory=dict)

    def version(self, columns: Iterable[str]) -> str:
        """The version of these columns together."""
        return digest([(column, self.versions.get(column)) for column in columns])


class Inputs(NamedTuple):
    """What a range is built from: ``own`` and ``others`` of its state."""

    own: str
    others: str


@dataclass(frozen=True)
class Plan:
    """What is to be done to bring some ranges up to date.

    Attributes:
        keys: The ranges that were asked about.
        inputs: Range -> what it is to be built from.
        read: Range that is out of date -> what its state will tell of the inputs column by column.
        reasons: Range -> why it is out of date; the ranges that are not are not here.
    """

    keys: Sequence[str]
    inputs: Mapping[str, Inputs]
    read: Mapping[str, Mapping[str, str]]
    reasons: Mapping[str, Why]

    @property
    def stale(self) -> list[str]:
        """The ranges that are out of date."""
        return list(self.reasons)

    @property
    def new(self) -> list[str]:
        """Those of them that were never built."""
        return [key for key, why in self.reasons.items() if why.reason is Reason.FIRST]

    @property
    def known(self) -> list[str]:
        """Those of them that have rows to be replaced."""
        return [key for key, why in self.reasons.items() if why.reason is not Reason.FIRST]


class Ranges(dict[tuple[str, str], RangeState]):
    """Name of a table or index, and range -> what is known of it.

    Attributes:
        code_version: Tells the version of the logic of what is derived; an engine may add that of its own part in it.
        rejected: Table and range that a check found fault with, and that were not rebuilt since.
    """

    def __init__(
        self,
        states: Mapping[tuple[str, str], RangeState] | None = None,
        code_version: Callable[[Derived], str] = lambda derived: derived.code_version,
    ) -> None:
        """These states; none if not given."""
        super().__init__(states or {})
        self.code_version = code_version
        self.rejected: set[tuple[str, str]] = set()

    def before(self, earlier: Mapping[tuple[str, str], RangeState]) -> "Ranges":
        """The states as they were when those of these ranges were others."""
        return Ranges({**self, **earlier}, self.code_version)

    def version(self, table: Table, key: str, columns: Iterable[str] | None = None) -> str:
        """The version of a range, or of some of its columns: the same version, the same rows."""
        state = self.get((table.name, key))
        return state.version(columns or table.column_names) if state else "absent"

    def rows(self, table: Table, keys: Iterable[str] | None = None) -> int:
        """The rows of these ranges of a table, or of all."""
        states = (self.get((table.name, key)) for key in (table.range_keys if keys is None else keys))
        return sum(state.rows for state in states if state)

    def built_from(self, derived: Derived, key: str) -> Inputs | None:
        """What a range was built from; None where it never was."""
        state = self.get((derived.name, key))
        return Inputs(state.own, state.others) if state else None

    def inputs(self, derived: Derived, key: str) -> Inputs:
        """What a range would be built from now."""
        own, others = [self.code_version(derived)], []
        for name, columns in derived.reads.items():
            upstream = TABLES[name]
            if upstream.range_column == derived.range_column:
                own.append(self.version(upstream, key, columns))
            else:
                others += [self.version(upstream, other, columns) for other in upstream.range_keys]
        return Inputs(digest(own), digest(others))

    def plan(self, derived: Derived, keys: Sequence[str], *, force: bool = False) -> Plan:
        """What is to be done to bring these ranges up to date; with ``force`` all of them are rebuilt."""
        inputs = {key: self.inputs(derived, key) for key in keys}
        stale = [key for key in keys if force or self._is_stale(derived, key, inputs[key])]
        elsewhere = self._read_elsewhere(derived) if stale else {}
        read = {key: {"": self.code_version(derived), **self._read_in(derived, key), **elsewhere} for key in stale}
        return Plan(keys, inputs, read, {key: self._why(derived, key, inputs[key], read[key], force=force) for key in stale})

    def _is_stale(self, derived: Derived, key: str, inputs: Inputs) -> bool:
        return self.built_from(derived, key) != inputs or (derived.name, key) in self.rejected

    def _read_in(self, derived: Derived, key: str) -> dict[str, str]:
        """The versions of the columns of inputs in the same range."""
        aligned = [name for name in derived.reads if TABLES[name].range_column == derived.range_column]
        states = {name: self.get((name, key)) for name in aligned}
        return {
            f"{name}.{column}": state.versions.get(column, "") if (state := states[name]) else ""
            for name in aligned
            for column in derived.reads[name]
        }

    def _read_elsewhere(self, derived: Derived) -> dict[str, str]:
        """Those of inputs that are partitioned by other ids, over all ranges."""
        others = [TABLES[name] for name in derived.reads if TABLES[name].range_column != derived.range_column]
        return {
            f"{table.name}.{column}": digest([self.version(table, key, [column]) for key in table.range_keys])
            for table in others
            for column in derived.reads[table.name]
        }

    def _why(self, derived: Derived, key: str, inputs: Inputs, read: Mapping[str, str], *, force: bool) -> Why:
        before = self.get((derived.name, key))
        if before is None:
            return Why(Reason.FIRST)
        if force:
            return Why(Reason.FORCED)
        if Inputs(before.own, before.others) == inputs:
            return Why(Reason.REJECTED)
        return replace(changed(read, before.read), elsewhere=before.own == inputs.own)
