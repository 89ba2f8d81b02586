"""The same blob landed as one slice a range, in many small pieces, and as if it were not sorted: the same rows and rejects."""

import pickle
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from polars.testing import assert_frame_equal

from film_assets.common.progress import Silent
from film_assets.errors import BlobError
from film_assets.landing import (
    Content,
    FileContent,
    FolderStore,
    Known,
    KnownSlice,
    Run,
    Slice,
    account,
    in_place,
    in_threads,
    land,
    read_piece,
    recognise,
)
from film_assets.landing.unsorted import land_unsorted
from film_assets.tables import BLOBS, Blob, raw
from film_assets_tests.landing.test_fuzz import invented
from film_assets_tests.landing.test_land import counts, title
from film_assets_tests.landing.test_pieces import Counted

TINY = 200
"""Bytes of a piece or chunk: two to four rows."""

T = TypeVar("T")


def twice_in_any_order(functions: Sequence[Callable[[], T]]) -> list[T]:
    """As a cluster may call them: pickled, in any order, some again."""
    pickled = [pickle.dumps(function) for function in functions]
    order = [*range(len(pickled)), *range(0, len(pickled), 2)]
    random.Random(len(order)).shuffle(order)
    results: dict[int, Any] = {number: pickle.loads(pickle.dumps(pickle.loads(pickled[number])())) for number in order}
    return [results[number] for number in range(len(pickled))]


class Landed(NamedTuple):
    """What a blob came to."""

    slices: list[Slice]
    rows: pl.DataFrame
    rejects: list[tuple[Any, ...]]


def gathered(blob: Blob, store: FolderStore, slices: list[Slice]) -> Landed:
    written = [(item, item.written) for item in slices if item.written]
    frame = pl.concat(pl.read_parquet(store.path / new.file) for _, new in written).sort(blob.key)
    told = [(item.first_line + line, *rest) for item, new in written for line, *rest in new.rejects.rows()]
    assert len({new.file for _, new in written}) == len(written)
    assert {path.suffix for path in store.path.rglob("*") if path.is_file()} == {".parquet"}
    return Landed(slices, frame, sorted(told, key=repr))


def landed(blob: Blob, content: Content, folder: Path, *, run: Run = in_threads, piece_bytes: int | None = None) -> Landed | None:
    store = FolderStore(folder)
    try:
        return gathered(blob, store, land(blob, content, store, {}, Silent(), run=run, piece_bytes=piece_bytes))
    except BlobError:
        return None


def landed_unsorted(blob: Blob, content: Content, folder: Path, *, run: Run, piece_bytes: int) -> Landed | None:
    store = FolderStore(folder)
    try:
        dialect = recognise(blob, content)
        slices = land_unsorted(blob, dialect, content, store, {}, Silent(), run, piece_bytes)
        return gathered(blob, store, account(blob, slices))
    except BlobError:
        return None


def assert_alike(found: Landed | None, wanted: Landed | None) -> None:
    assert (found is None) == (wanted is None)
    if found and wanted:
        assert_frame_equal(found.rows, wanted.rows)
        assert counts(found.slices) == counts(wanted.slices)
        assert found.rejects == wanted.rejects


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32))
def test_any_blob_lands_alike_in_small_pieces_and_as_if_unsorted(seed: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "titles.tsv"
        path.write_bytes(invented(random.Random(seed)))
        content = FileContent(path)
        wanted = landed(raw.titles, content, folder / "whole")
        finer = landed(raw.titles, content, folder / "finer", run=twice_in_any_order, piece_bytes=TINY)
        assert_alike(finer, wanted)
        unsorted = landed_unsorted(raw.titles, content, folder / "unsorted", run=twice_in_any_order, piece_bytes=TINY)
        assert_alike(unsorted, wanted)


@pytest.mark.parametrize("blob", BLOBS, ids=lambda blob: blob.short)
def test_a_faulty_blob_lands_alike_in_pieces(faulty_sample: Path, tmp_path: Path, blob: Blob) -> None:
    content = FileContent(faulty_sample / f"{blob.short}.tsv")
    size = max(content.size // 300, 1000)
    wanted = landed(blob, content, tmp_path / "whole")
    finer = landed(blob, content, tmp_path / "finer", run=twice_in_any_order, piece_bytes=size)
    assert_alike(finer, wanted)
    assert finer
    assert len({item.range_key for item in finer.slices if item.part > 1}) > 5
    unsorted = landed_unsorted(blob, content, tmp_path / "unsorted", run=twice_in_any_order, piece_bytes=size)
    assert_alike(unsorted, wanted)
    assert unsorted
    assert len({item.range_key for item in unsorted.slices if item.part > 1}) > 5


CREDIT = "\tnm0000001\tself\t\\N\t\\N"


def cast(path: Path, keys: Sequence[tuple[int, int]]) -> FileContent:
    """A blob of cast with these numbers of titles and orderings."""
    lines = [f"tt{number:07d}\t{ordering}{CREDIT}" for number, ordering in keys]
    path.write_text("\n".join(["\t".join(raw.cast.column_names), *lines, ""]))
    return FileContent(path)


def known(slices: Sequence[Slice]) -> Known:
    found: dict[str, dict[str, KnownSlice]] = {}
    for item in slices:
        found.setdefault(item.range_key, {})[item.digest] = KnownSlice(item.lines, item.low, item.high)
    return found


def test_an_id_of_many_rows_is_in_one_piece(tmp_path: Path) -> None:
    keys = [(number, ordering) for number in range(1, 40) for ordering in range(1, 500 if number == 20 else 4)]
    found = landed(raw.cast, cast(tmp_path / "cast.tsv", keys), tmp_path / "landing", piece_bytes=TINY)
    assert found
    assert found.rows.height == len(keys)
    pieces = [(item.low, item.high, item.lines) for item in found.slices if item.low]
    assert len(pieces) > 10
    assert all(high < low for (_, high, _), (low, _, _) in pairwise(pieces) if high)
    assert next(lines for low, high, lines in pieces if low <= "tt0000020" <= (high or "")) >= 499


def test_a_key_that_is_repeated_in_a_piece_far_behind_is_found(tmp_path: Path) -> None:
    """Also where the piece it is repeated in is new and the others are known."""
    keys = [(number, 1) for number in range(1, 400)]
    store = FolderStore(tmp_path / "landing")
    first = land(raw.cast, cast(tmp_path / "cast.tsv", keys), store, {}, Silent(), piece_bytes=TINY)
    content = cast(tmp_path / "cast.tsv", [*keys, (7, 1)])
    again = land(raw.cast, content, store, known(first), Silent(), piece_bytes=TINY)
    told = [(line, reason) for item in again if item.written for line, _, _, reason, _ in item.written.rejects.rows()]
    assert told == [(401, "row rejected: tconst and ordering stood on an earlier line")]
    assert counts(again) == (400, 399, 1)


def test_known_pieces_are_not_read_again(tmp_path: Path) -> None:
    store, path = FolderStore(tmp_path / "landing"), tmp_path / "cast.tsv"
    keys = [(number, 1) for number in range(1, 3_000_000, 10_000)]
    first = land(raw.cast, cast(path, keys), store, {}, Silent(), piece_bytes=TINY)
    again = land(raw.cast, cast(path, [*keys, (2_999_999, 1)]), store, known(first), Silent(), piece_bytes=TINY)
    read = [item for item in again if item.written]
    assert [(item.range_key, item.high) for item in read] == [("10", "tt2999999")]
    assert [(item.low, item.high, item.part) for item in again[:-10]] == [
        (item.low, item.high, item.part) for item in first[:-10]
    ]


def test_a_blob_is_cut_finer_with_few_and_small_reads(tmp_path: Path) -> None:
    keys = [(number, ordering) for number in range(1, 9_000_000, 200) for ordering in range(1, 6)]
    content = Counted(cast(tmp_path / "cast.tsv", keys))
    dialect = recognise(raw.cast, content)
    content.reads.clear()
    whole = in_place(raw.cast, dialect, content)
    before, size = len(content.reads), content.size // 100
    content.reads.clear()
    finer = in_place(raw.cast, dialect, content, size)
    assert whole
    assert finer
    assert all(size // 2 <= piece.size <= size * 1.6 for piece in finer if piece.part)
    assert len(content.reads) - before <= 3 * (len(finer) - len(whole))
    assert max(content.reads) <= 64 << 10


def test_a_piece_that_is_read_twice_at_the_same_time_is_one_good_file(faulty_sample: Path, tmp_path: Path) -> None:
    content, store = FileContent(faulty_sample / "titles.tsv"), FolderStore(tmp_path)
    dialect = recognise(raw.titles, content)
    pieces = in_place(raw.titles, dialect, content)
    assert pieces
    reading = partial(read_piece, raw.titles, dialect, pieces[0], content, store)
    with ThreadPoolExecutor(8) as threads:
        found = [future.result() for future in [threads.submit(reading) for _ in range(24)]]
    (file,) = {item.written.file for item in found if item.written}
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")] == [file]
    assert {item.written.rows for item in found if item.written} == {pl.read_parquet(tmp_path / file).height}


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(pl.exceptions.PolarsError):
        FolderStore(tmp_path).write("titles/00.parquet", pl.DataFrame({"what": [object()]}))
    assert not list(tmp_path.rglob("*.*"))


def test_nothing_staged_is_left_where_reading_fails(tmp_path: Path) -> None:
    path = tmp_path / "titles.tsv"
    lines = [title(f"tt{number:07d}") for number in range(900, 1, -1)]
    path.write_text("\n".join(["\t".join(raw.titles.column_names), *lines, ""]))
    rounds: list[int] = []

    def run(functions: Sequence[Callable[[], T]]) -> list[T]:
        rounds.append(len(functions))
        if len(rounds) == 2:
            assert list(tmp_path.glob("landing/titles/unsorted/*/*"))
            raise OSError("no worker is left")
        return [function() for function in functions]

    with pytest.raises(OSError, match="no worker is left"):
        land(raw.titles, FileContent(path), FolderStore(tmp_path / "landing"), {}, Silent(), run=run, piece_bytes=1000)
    assert not list(tmp_path.rglob("unsorted*"))
