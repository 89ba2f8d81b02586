"""Lands blobs on Spark's executors: each task reads its bytes where they lie at the source, by the reader every engine uses.

The driver cuts a blob into pieces and gets accounts back; rows go from the task straight into a file of the lake that is named by
the digest of its bytes. So a task that is run twice writes the same file twice. Belongs here: what follows from the accounts for
the ranges. Does not belong here: how a piece is read (``landing``), and what runs on executors (``tasks``).
"""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import polars as pl

from film_assets.common.progress import Silent
from film_assets.engines.blobs import LandedBlob
from film_assets.engines.losses import Census, Dropped, ensure_little_lost
from film_assets.engines.outcome import Difference, Outcome, Rebuilt, outcome
from film_assets.engines.reasons import Reason, Why
from film_assets.engines.spark.differences import difference
from film_assets.engines.spark.lake.known import LandedSlice
from film_assets.engines.spark.lake.state import State, rejects_of
from film_assets.engines.spark.lake.storage import Storage
from film_assets.engines.spark.tasks import STAGING, LakeContent, LakeSlices
from film_assets.engines.state import Ranges, RangeState, digest
from film_assets.landing import Content, KnownSlice, Run, Slice, land as land_slices
from film_assets.landing.content import FileContent
from film_assets.landing.read import REJECTS
from film_assets.settings import Settings
from film_assets.sources.base import Listed
from film_assets.tables import BLOBS, Blob
from film_assets.tables.ranges import RANGE_KEYS

PIECE_BYTES = 64 << 20
"""Longer ranges are cut finer: a task holds its bytes and its rows in memory."""


def land(
    run: Run,
    storage: Storage,
    state: State,
    ranges: Ranges,
    settings: Settings,
    blob: Blob,
    content: Content,
    listed: Listed,
    source: str,
    verify: Callable[[], None],
    *,
    force: bool,
) -> Outcome:
    """Land a version of a blob as files of the lake, with its account, all of it or nothing; ``run`` calls what reads pieces."""
    started, rows_before = time.monotonic(), ranges.rows(blob)
    current = {(key, one.digest): one for key, of in state.tables[blob.name].slices.items() for one in of}
    known = {} if force else _known(current)
    with _reachable(storage, content, blob) as where:
        found = land_slices(blob, where, LakeSlices(storage, blob), known, Silent(), run=run, piece_bytes=PIECE_BYTES)
    storage.ensure_there(item.written.stored.path for item in found if item.written and item.written.stored.path)
    verify()
    slices = _by_range([(item.range_key, _landed_slice(item, current)) for item in found])
    rejects = _rejects(found)
    states = {key: _state(blob, of) for key, of in slices.items()}
    before = {key: ranges.get((blob.name, key)) for key in RANGE_KEYS}
    _ensure_all_is_well(state, settings, blob, slices, rejects)
    state.write_blob(blob, listed, source, slices, states, rejects)
    ranges |= {(blob.name, key): one for key, one in states.items()}
    done = {key: one for key in RANGE_KEYS if (one := _rebuilt(blob, before[key], states[key], force=force))}
    return outcome(ranges, blob, done, RANGE_KEYS, rows_before, started)


@contextmanager
def _reachable(storage: Storage, content: Content, blob: Blob) -> Iterator[Content]:
    """The content where executors reach it: a file of this machine alone is put into the lake for as long as it takes."""
    folder = f"{STAGING}/{blob.short}/whole"
    storage.delete(list(storage.list(folder)))  # what a run left that was killed
    if not isinstance(content, FileContent):
        yield content
        return
    path = f"{folder}/{uuid.uuid4().hex}.tsv"
    try:
        yield LakeContent(storage, path, storage.put(path, content.path))
    finally:
        storage.delete([path])


def _known(current: Mapping[tuple[str, str], LandedSlice]) -> dict[str, dict[str, KnownSlice]]:
    found: dict[str, dict[str, KnownSlice]] = {}
    for (key, one), landed in current.items():
        found.setdefault(key, {})[one] = KnownSlice(landed.lines, landed.low, landed.high)
    return found


def _landed_slice(item: Slice, current: Mapping[tuple[str, str], LandedSlice]) -> LandedSlice:
    if item.written is None:
        return replace(current[item.range_key, item.digest], first_line=item.first_line)
    new, stored = item.written, item.written.stored
    return LandedSlice(
        stored.path, item.digest, item.lines, new.rows, new.rejected, new.continued, item.first_line, item.low, item.high,
        stored.size, stored.prints, stored.filled,
    )  # fmt: skip


def _by_range(slices: Iterable[tuple[str, LandedSlice]]) -> dict[str, list[LandedSlice]]:
    found: dict[str, list[LandedSlice]] = {}
    for key, one in slices:
        found.setdefault(key, []).append(one)
    return found


def _rejects(found: Sequence[Slice]) -> pl.DataFrame:
    """The rejected rows of the slices that were read."""
    schema = {"range": pl.String, "digest": pl.String, **REJECTS}
    read = {(item.range_key, item.digest): item.written for item in found if item.written}
    frames = [new.rejects.with_columns(range=pl.lit(key), digest=pl.lit(one)).select(*schema) for (key, one), new in read.items()]
    return pl.concat([pl.DataFrame(schema=schema), *frames])


def _state(blob: Blob, slices: Sequence[LandedSlice]) -> RangeState:
    rows = sum(one.rows for one in slices)
    versions = {name: _version([one.prints[name] for one in slices], rows) for name in blob.column_names}
    return RangeState(digest([one.digest for one in slices]), "", versions, rows)


def _version(prints: Sequence[str], rows: int) -> str:
    """What the values of a column of a range are known by, however the range is cut into slices."""
    ways = {one.partition(":")[0] for one in prints}
    if len(ways) > 1:  # slices of several releases of Polars
        return digest(prints)
    total = sum(int(one.partition(":")[2]) for one in prints) % (1 << 64)
    return f"polars-{ways.pop()}:{rows}:{total:016x}"


def _rebuilt(blob: Blob, before: RangeState | None, now: RangeState, *, force: bool) -> Rebuilt | None:
    """What is new in a range; None where nothing is."""
    found = (
        Difference(added=now.rows, columns=blob.column_names)
        if before is None
        else difference(blob, before, now.versions, now.rows)
    )
    if before is not None and not found and not force:
        return None
    why = Why(Reason.FIRST if before is None else Reason.FORCED if force else Reason.BYTES)
    return Rebuilt(now.rows, found, now.version(blob.column_names), why)


def _ensure_all_is_well(
    state: State, settings: Settings, blob: Blob, slices: Mapping[str, Sequence[LandedSlice]], rejects: pl.DataFrame
) -> None:
    known = state.rejects(blob)
    before = _census(state.tables[blob.name].slices, known)
    now = _census(slices, rejects_of(slices, known, rejects))
    total = [one for of in slices.values() for one in of]
    read = sum(one.lines - one.continued for one in total)
    LandedBlob(blob.short, "", "", "", "", 0, read, now.rows, now.rejected).ensure_accounted_for()
    ensure_little_lost(blob, before, now, settings)


def _census(slices: Mapping[str, Sequence[LandedSlice]], rejects: pl.DataFrame) -> Census:
    every = [one for of in slices.values() for one in of]
    filled: Counter[str] = Counter()
    for one in every:
        filled.update(one.filled)
    dropped = dict(_dropped(rejects).group_by("column").len().rows())
    return Census(sum(one.rows for one in every), filled, dropped, sum(one.rejected for one in every))


def _dropped(rejects: pl.DataFrame) -> pl.DataFrame:
    """Of rejected rows those that were loaded without a value."""
    return rejects.filter(pl.col("column").is_not_null() & ~pl.col("reason").str.starts_with("row rejected"))


def dropped_values(state: State) -> list[Dropped]:
    """The values that were dropped of the blobs that are landed, by blob, column and reason."""
    return [
        Dropped(blob.short, *row)
        for blob in sorted(BLOBS, key=lambda blob: blob.short)
        for row in _dropped(state.rejects(blob)).group_by("column", "reason").len().sort("column", "reason").rows()
    ]
