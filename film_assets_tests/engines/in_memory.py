"""A third engine: every table as eager Polars frames in memory, as the smallest one that keeps the interface.

What is in a home lives as long as this process. The snapshot is published from a copy in DuckDB, to which only ranges that
changed are copied, as an engine does whose tables lie elsewhere.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import reduce
from types import MappingProxyType
from typing import Any

import narwhals as nw
import polars as pl

from film_assets.common.database import Connect
from film_assets.common.progress import Progress
from film_assets.engines.base import Head, Store
from film_assets.engines.blobs import LandedBlob, LandedBlobs, way_of_landing
from film_assets.engines.checks import EXAMPLES, Broken, Finding, Findings, check, rejected
from film_assets.engines.duckdb import profiles as duckdb_profiles, slices as duckdb_slices
from film_assets.engines.duckdb.store import WarehouseStore
from film_assets.engines.losses import Census, Dropped, by_column, census, ensure_little_lost
from film_assets.engines.outcome import Difference, Outcome, Rebuilt, first_state, next_state, outcome, rebuilt
from film_assets.engines.reasons import Reason, Why
from film_assets.engines.state import Ranges, RangeState
from film_assets.home import Home
from film_assets.landing import FolderStore, KnownSlice, Slice, land
from film_assets.landing.content import Content
from film_assets.landing.read import REJECTS
from film_assets.settings import Settings
from film_assets.sources.base import Listed
from film_assets.tables import BLOBS, COMPUTED, QUALITY, TABLES, Blob, Table, sql
from film_assets.tables.ranges import RANGE_KEYS, ranges_of
from film_assets.tables.rules import Account, Count, Key, KnownFor, NothingDropped, Reference, Rule, Values


@dataclass
class _Kept:
    """What is in memory of a home."""

    ranges: Ranges = field(default_factory=Ranges)
    frames: dict[tuple[str, str], pl.DataFrame] = field(default_factory=dict)
    versions: dict[str, tuple[Listed, str]] = field(default_factory=dict)
    slices: dict[str, dict[str, Slice]] = field(default_factory=dict)
    findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict)


_HOMES: dict[int, _Kept] = {}
"""The number of a home's folder, which it keeps when it is moved -> what is in memory of it."""


def open_engine(settings: Settings, home: Home, connect: Connect) -> "InMemoryEngine":
    return InMemoryEngine(settings, home, connect, _HOMES.setdefault(home.folder.stat().st_ino, _Kept()))


def peek(settings: Settings, home: Home) -> LandedBlobs:
    found = _HOMES.get(home.folder.stat().st_ino) if home.folder.exists() else None
    return _landed_blobs(found or _Kept())


def peek_ranges(settings: Settings, home: Home) -> Ranges:
    found = _HOMES.get(home.folder.stat().st_ino) if home.folder.exists() else None
    return found.ranges if found else Ranges()


class InMemoryEngine:
    notices: Sequence[str] = ()
    reads_sources = False
    application: Mapping[str, str] = MappingProxyType({})

    def __init__(self, settings: Settings, home: Home, connect: Connect, kept: _Kept) -> None:
        self._settings, self._home, self._connect, self._kept = settings, home, connect, kept
        self._store: WarehouseStore | None = None
        self.ranges = kept.ranges
        self.ranges.rejected = rejected(kept.findings)

    # ---- blobs

    def landed_blobs(self) -> LandedBlobs:
        return _landed_blobs(self._kept)

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
        started, before = time.monotonic(), self.ranges.rows(blob)
        current = self._kept.slices.get(blob.short, {})
        known = {} if force else {key: {item.digest: KnownSlice(item.lines)} for key, item in current.items()}
        found = land(blob, content, FolderStore(self._home.landing), known, progress)
        verify()
        census_before = self._census(blob)
        done: dict[str, Rebuilt] = {}
        with self._all_or_nothing():
            for item in found:
                if item.written:
                    done |= self._take_over(blob, item, force=force)
                else:
                    item = replace(current[item.range_key], first_line=item.first_line)  # noqa: PLW2901
                self._kept.slices.setdefault(blob.short, {})[item.range_key] = item
            self._kept.versions[blob.short] = (listed, source)
            self.landed_blobs()[blob.short].ensure_accounted_for()
            ensure_little_lost(blob, census_before, self._census(blob), self._settings)
        return outcome(self.ranges, blob, done, RANGE_KEYS, before, started)

    def dropped_values(self) -> list[Dropped]:
        return [Dropped(*row) for row in self._dropped().group_by("blob", "column", "reason").len().sort(pl.all()).rows()]

    def _dropped(self) -> pl.DataFrame:
        found = [
            item.written.rejects.with_columns(blob=pl.lit(blob))
            for blob, of in self._kept.slices.items()
            for item in of.values()
            if item.written
        ]
        frame = pl.concat(found) if found else pl.DataFrame(schema={"blob": pl.String, **REJECTS})
        return frame.filter(pl.col("column").is_not_null() & ~pl.col("reason").str.starts_with("row rejected"))

    def _census(self, blob: Blob) -> Census:
        written = [item.written for item in self._kept.slices.get(blob.short, {}).values() if item.written]
        dropped = self._dropped().filter(blob=blob.short).group_by("column").len().rows()
        rejected = sum(item.rejected for item in written)
        return census(self.ranges.rows(blob), rejected, [self._home.landing / item.file for item in written], dropped)

    def _take_over(self, blob: Blob, item: Slice, *, force: bool) -> dict[str, Rebuilt]:
        assert item.written
        key, before = item.range_key, self.ranges.get((blob.name, item.range_key))
        rows = pl.read_parquet(self._home.landing / item.written.file)
        difference = _difference(blob, self._frame(blob, [key]), rows) if before else Difference(added=rows.height)
        versions = difference.versions(before, item.digest) if before else dict.fromkeys(blob.column_names, item.digest)
        state = RangeState(item.digest, "", versions, rows.height)
        self._write(blob, key, rows, state)
        why = Why(Reason.FIRST if not before else Reason.FORCED if force else Reason.BYTES)
        done = Rebuilt(rows.height, difference, state.version(blob.column_names), why)
        return {key: done} if difference or not before or force else {}

    def profile(self, blob: Blob) -> Head:
        rows = self._frame(blob, RANGE_KEYS)
        return Head(("column", "rows", "nulls"), [(name, rows.height, rows[name].null_count()) for name in blob.column_names])

    # ---- tables

    def expect(self, tables: Sequence[Table]) -> None:
        """Nothing is begun before it is asked for."""

    def rebuild(self, table: Table, keys: Sequence[str], *, force: bool = False) -> Outcome:
        started, rows_before = time.monotonic(), self.ranges.rows(table)
        plan = self.ranges.plan(table, keys, force=force)
        done: dict[str, Rebuilt] = {}
        if plan.stale:
            computed = _by_range(table, self._compute(table, plan.stale), plan.stale)
            before = {key: self.ranges[table.name, key] for key in plan.known}
            differences = {key: _difference(table, self._frame(table, [key]), rows) for key, rows in computed.items()}
            after = {
                key: next_state(before[key], plan, key, differences[key])
                if key in before
                else first_state(table, plan, key, rows.height)
                for key, rows in computed.items()
            }
            with self._all_or_nothing():
                for key, rows in computed.items():
                    self._write(table, key, rows, after[key])
            done = rebuilt(table, plan, differences, before, after)
            self.ranges.rejected -= {(table.name, key) for key in plan.stale}
        return outcome(self.ranges, table, done, keys, rows_before, started)

    def _compute(self, table: Table, keys: Sequence[str]) -> pl.DataFrame:
        frames = {}
        for name, columns in table.reads.items():
            upstream = TABLES[name]
            wanted = keys if upstream.range_column == table.range_column else upstream.range_keys
            frames[name] = nw.from_native(self._frame(upstream, wanted).lazy().select(columns))
        computed: pl.DataFrame = table.compute(frames).collect().to_native()
        return computed

    def _frame(self, table: Table, keys: Iterable[str]) -> pl.DataFrame:
        frames = [self._kept.frames[table.name, key] for key in keys if (table.name, key) in self._kept.frames]
        return pl.concat(frames) if frames else pl.DataFrame(schema=list(table.column_names))

    def _write(self, table: Table, key: str, rows: pl.DataFrame, state: RangeState) -> None:
        self._kept.frames[table.name, key] = rows
        self.ranges[table.name, key] = state

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        kept = self._kept
        before = dict(kept.ranges), dict(kept.frames), dict(kept.versions), {blob: dict(of) for blob, of in kept.slices.items()}
        try:
            yield
        except BaseException:
            for now, then in zip((kept.ranges, kept.frames, kept.versions, kept.slices), before, strict=True):
                now.clear()
                now.update(then)  # type: ignore[arg-type]
            raise

    # ---- checks

    def check(self, rules: Iterable[Rule], *, full: bool = False) -> list[tuple[Rule, Mapping[str, Finding]]]:
        return check(self, rules, full=full)

    def evaluate(self, rule: Rule, keys: Sequence[str]) -> Broken:
        for key in keys:
            if isinstance(rule, NothingDropped):
                failing, examples = by_column(rule.table.short, self.dropped_values(), self.landed_blobs())
            else:
                failing, examples = self._failing(rule, [key] if rule.of_rows else rule.table.range_keys)
            if failing:
                yield key, failing, examples

    def _failing(self, rule: Rule, keys: Sequence[str]) -> tuple[int, list[str]]:
        rows = pl.DataFrame() if isinstance(rule, Account) else self._frame(rule.table, keys)
        name = pl.concat_str(pl.col(rule.table.key).cast(pl.String), separator=", ", ignore_nulls=True)
        match rule:
            case Key():
                twice = rows.filter(pl.struct(rule.table.key).is_duplicated()).unique(rule.table.key)
                required = [column.name for column in rule.table.columns if rule.table.is_required(column)]
                nulls = rows.filter(pl.any_horizontal(pl.lit(value=False), *(pl.col(column).is_null() for column in required)))
                return twice.height + nulls.height, twice.select(name).to_series().sort().head(EXAMPLES).to_list()
            case Values():
                value = pl.col(rule.column)
                tests = [~value.cast(pl.String).is_in(rule.allowed)] if rule.allowed else []
                tests += [value < rule.minimum] if rule.minimum is not None else []
                tests += [value > rule.maximum] if rule.maximum is not None else []
                bad = rows.filter(reduce(lambda one, other: one | other, tests))
                return bad.height, bad.select(name + ": " + value.cast(pl.String)).to_series().sort().head(EXAMPLES).to_list()
            case Reference():
                parent = self._frame(TABLES[rule.parent], TABLES[rule.parent].range_keys).select(rule.parent_column)
                orphans = rows.drop_nulls(rule.column).join(parent, left_on=rule.column, right_on=rule.parent_column, how="anti")
                return orphans.height, orphans[rule.column].unique().sort().head(EXAMPLES).to_list()
            case Count():
                return abs(rows.height - self.ranges.rows(rule.table)), []
            case KnownFor():
                names = self._frame(TABLES["raw.names"], RANGE_KEYS)
                return max(0, rows.filter(position=1).height - names["knownForTitles"].count()), []
            case Account():
                wrong = self.landed_blobs()[rule.table.short].rows_loaded != self.ranges.rows(rule.table)
                return int(wrong), [rule.table.short] if wrong else []
        raise NotImplementedError(type(rule))

    def rule_version(self, rule: Rule) -> str:
        return repr(self.landed_blobs()) if isinstance(rule, Account | NothingDropped) else repr(rule)

    def findings(self) -> Findings:
        return self._kept.findings

    def keep_findings(self, found: Findings) -> None:
        self._kept.findings |= found

    # ---- looking at it, and publishing it

    def count(self, table: Table) -> int:
        if table.name == "quality.blobs":
            return len(self._kept.slices)
        if table in QUALITY:
            written = (item.written for of in self._kept.slices.values() for item in of.values())
            return sum(one.rejects.height for one in written if one)
        return self._frame(table, table.range_keys).height

    def head(self, table: Table, rows: int) -> Head:
        if table in QUALITY:
            return Head(("blob",), [(blob,) for blob in self._kept.slices])
        found = self._frame(table, table.range_keys).sort(table.key).head(rows)
        return Head(found.columns, found.rows())

    def to_publish(self, progress: Progress) -> Store:  # noqa: ARG002
        if self._store is None:
            self._store = WarehouseStore(self._home, self._connect)
        for blob in BLOBS:
            self._copy_blob(self._store, blob)
        for table in COMPUTED:
            self._copy_table(self._store, table)
        return self._store

    def _copy_blob(self, store: WarehouseStore, blob: Blob) -> None:
        listed, source = self._kept.versions[blob.short]
        current = duckdb_slices.known(store, blob)
        found = [
            item if item.digest not in current.get(key, {}) else Slice(key, item.digest, item.lines, item.first_line, None)
            for key, item in self._kept.slices[blob.short].items()
        ]
        if duckdb_slices.landed_blobs(store).get(blob.short) != self.landed_blobs()[blob.short]:
            duckdb_slices.record(store, blob, listed, source, found)
            duckdb_profiles.profile(store, blob)

    def _copy_table(self, store: WarehouseStore, table: Table) -> None:
        now = {key: self.ranges[table.name, key] for key in table.range_keys}
        new = {key: state for key, state in now.items() if state != store.ranges.get((table.name, key))}
        if new:
            with store.transaction():
                store.run(f"delete from {sql.quoted(table.name)} where {sql.in_ranges(table.range_column, new)}")
                store.insert(sql.quoted(table.name), self._frame(table, new))
                store.remember(table.name, new)

    def percent(self) -> float:
        return 0.0

    def close(self) -> None:
        if self._store is not None:
            self._store.close()


def _landed_blobs(kept: _Kept) -> dict[str, LandedBlob]:
    found = {}
    for blob in BLOBS:
        if blob.short in kept.versions:
            listed, source = kept.versions[blob.short]
            items = kept.slices[blob.short].values()
            counts: list[tuple[int, int, int]] = [
                (item.lines - new.continued, new.rows, new.rejected) for item in items if (new := item.written)
            ]
            read, loaded, rejected = (sum(column) for column in zip(*counts, strict=True))
            landing, etag = way_of_landing(blob), listed.etag or listed.version
            found[blob.short] = LandedBlob(
                blob.short, source, listed.version, landing, etag, listed.bytes, read, loaded, rejected
            )
    return found


def _by_range(table: Table, rows: pl.DataFrame, keys: Sequence[str]) -> dict[str, pl.DataFrame]:
    if not table.range_column:
        return dict.fromkeys(keys, rows)
    ids, bounds = pl.col(table.range_column), ranges_of(table.range_column)
    return {
        key: rows.filter(
            pl.lit(value=True) if bounds[key].lower is None else ids >= bounds[key].lower,
            pl.lit(value=True) if bounds[key].upper is None else ids < bounds[key].upper,
        )
        for key in keys
    }


def _difference(table: Table, before: pl.DataFrame, now: pl.DataFrame) -> Difference:
    """By the key of the table, row by row."""
    if not before.width or not before.height:
        return Difference(added=now.height, columns=table.column_names if now.height else ())
    both = before.join(now, on=table.key, how="full", suffix="_now", nulls_equal=True, coalesce=False, maintain_order="none")
    gone, new = (pl.all_horizontal(pl.col(f"{key}{side}").is_null() for key in table.key) for side in ("_now", ""))
    values = [column for column in table.column_names if column not in table.key]
    differ = {name: (~gone & ~new & pl.col(name).ne_missing(pl.col(f"{name}_now"))) for name in values}
    counts: dict[str, Any] = both.select(
        _added=new.sum(), _removed=gone.sum(), _changed=pl.any_horizontal(pl.lit(value=False), *differ.values()).sum(),
        **{name: test.any() for name, test in differ.items()},
    ).row(0, named=True)  # fmt: skip
    columns = table.column_names if counts["_added"] or counts["_removed"] else [name for name in values if counts[name]]
    return Difference(counts["_added"], counts["_removed"], counts["_changed"], columns)
