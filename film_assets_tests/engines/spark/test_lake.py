"""Tables of the lake, in a folder, a container and a bucket: replaced range by range in one commit, and read by version."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from film_assets.engines.spark.lake.storage import Storage, folder
from film_assets.engines.spark.lake.table import File, LakeTable
from film_assets.errors import HomeError

COLUMNS = {"id": "VARCHAR", "n": "BIGINT"}


def table(lake: Storage, *, days: int = 7) -> LakeTable:
    return LakeTable(lake, "films.x", COLUMNS, "range", days=days, sorted_by="id")


def write(lake: Storage, key: str, ids: Sequence[str]) -> tuple[str, File]:
    """A file beside the table, with its range."""
    path = f"range={key}/{time.time_ns()}.parquet"
    frame = pl.DataFrame({"id": list(ids), "n": [len(one) for one in ids]}, schema={"id": pl.String, "n": pl.Int64})
    return key, File(path, lake.write_frame(f"films/x/{path}", frame), len(ids), min(ids), max(ids))


def rows(lake: Storage, version: int | None = None) -> list[tuple[str, str]]:
    """What anybody who reads Delta sees: range and id."""
    frame = pl.scan_delta(lake.url("films/x"), version=version, storage_options=dict(lake.options) or None).collect()
    return sorted(frame.select("range", "id").rows())


def actions(lake: Storage) -> Mapping[str, object]:
    found = DeltaTable(lake.url("films/x"), storage_options=dict(lake.options) or None).get_add_actions(flatten=True)
    return pl.DataFrame(found).to_dict(as_series=False)


def test_a_range_is_replaced_in_one_commit_and_others_keep_their_files(lake: Storage) -> None:
    x = table(lake)
    assert (x.version, x.files()) == (-1, {})
    x.replace(["00", "01"], [write(lake, "00", ["a", "b"]), write(lake, "00", ["c"]), write(lake, "01", ["d"])])
    before = x.files()
    assert {key: len(files) for key, files in before.items()} == {"00": 2, "01": 1}

    new = write(lake, "00", ["e"])
    assert rows(lake) == [("00", "a"), ("00", "b"), ("00", "c"), ("01", "d")]  # it is not there before the commit
    x.replace(["00"], [new])
    assert x.version == 1
    assert x.files() == {"00": [f"films/x/{new[1].path}"], "01": before["01"]}
    assert rows(lake) == [("00", "e"), ("01", "d")]
    assert rows(lake, 0) == [("00", "a"), ("00", "b"), ("00", "c"), ("01", "d")]

    x.replace(["01"], [])
    assert rows(lake) == [("00", "e")]
    assert rows(lake, 1) == [("00", "e"), ("01", "d")]
    assert table(lake).files() == x.files()  # who opens it now
    assert table(lake).version == 2


def test_files_that_stay_are_not_committed_again(lake: Storage) -> None:
    x = table(lake)
    first, second = write(lake, "00", ["a"]), write(lake, "00", ["b"])
    x.replace(["00"], [first])
    x.replace(["00"], [first, second])
    assert rows(lake) == [("00", "a"), ("00", "b")]
    x.replace(["00"], [second])
    assert rows(lake) == [("00", "b")]


def test_it_tells_readers_how_many_rows_a_file_has_and_the_bounds_of_its_ids(tmp_path: Path) -> None:
    lake = Storage(folder(tmp_path / "lake"))
    table(lake).replace(["00"], [write(lake, "00", ["b", "a", "c"])])
    found = actions(lake)
    assert (found["num_records"], found["min.id"], found["max.id"], found["partition.range"]) == ([3], ["a"], ["c"], ["00"])


@pytest.mark.parametrize("there", [True, False], ids=["replaced", "created"])
def test_of_two_writers_one_wins_and_the_other_is_told(lake: Storage, *, there: bool) -> None:
    if there:
        table(lake).replace(["00", "01"], [write(lake, "00", ["a"]), write(lake, "01", ["b"])])
    one, other = table(lake), table(lake)
    assert one.version == other.version
    one.replace(["00"], [write(lake, "00", ["one"])])
    with pytest.raises(HomeError, match=r"^films.x: somebody else wrote to it in the lake \S+ meanwhile; run again when"):
        other.replace(["00"], [write(lake, "00", ["other"])])
    assert ("00", "one") in rows(lake)
    assert ("00", "other") not in rows(lake)


def test_the_loser_goes_on_from_what_the_winner_wrote(lake: Storage) -> None:
    table(lake).replace(["00"], [write(lake, "00", ["a"])])
    one, other = table(lake), table(lake)
    assert one.version == other.version == 0
    one.replace(["00"], [write(lake, "00", ["one"])])
    with pytest.raises(HomeError):
        other.replace(["00"], [write(lake, "00", ["other"])])
    other.replace(["00"], [write(lake, "00", ["again"])])
    assert rows(lake) == [("00", "again")]


def older(lake: Storage, days: int) -> None:
    """Let all files be written days earlier, and what was removed be removed then."""
    past = time.time() - days * 86400
    for path in Path(lake.uri).rglob("*.parquet"):
        os.utime(path, (past, past))
    for entry in Path(lake.uri).rglob("_delta_log/*.json"):
        told = entry.read_text()
        for name in ("deletionTimestamp", "modificationTime"):
            before, *others = told.split(f'"{name}":')
            told = before + "".join(f'"{name}":{int(past * 1000)}{rest.lstrip("0123456789")}' for rest in others)
        entry.write_text(told)


def test_vacuum_keeps_the_current_version_that_of_the_last_refresh_and_the_last_days(tmp_path: Path) -> None:
    lake = Storage(folder(tmp_path / "lake"))
    x = table(lake, days=7)
    for name in ("a", "b", "c"):
        x.replace(["00"], [write(lake, "00", [name])])
    left = lake.write_frame("films/x/left/range=00/nobody.parquet", pl.DataFrame({"id": ["z"]}))
    assert left
    older(lake, 8)
    recent = lake.write_frame("films/x/recent/range=00/at-work.parquet", pl.DataFrame({"id": ["z"]}))
    assert recent

    x = table(lake, days=7)
    assert x.version == 2
    x.vacuum([1])
    files = [path for path in lake.list("films/x") if path.endswith(".parquet")]
    assert not any("nobody" in path for path in files)
    assert any("at-work" in path for path in files)  # of a writer that may be at work
    assert rows(lake) == [("00", "c")]
    assert rows(lake, 1) == [("00", "b")]
    with pytest.raises(FileNotFoundError):
        rows(lake, 0)

    x.replace(["00"], [write(lake, "00", ["d"])])  # the one that deleted goes on
    other = table(lake)
    other.vacuum([])  # and one that was opened after it
    other.replace(["01"], [write(lake, "01", ["e"])])
    assert rows(lake) == [("00", "d"), ("01", "e")]
    with pytest.raises(FileNotFoundError):
        rows(lake, 1)


def test_vacuum_deletes_nothing_of_the_last_days(lake: Storage) -> None:
    x = table(lake)
    for name in ("a", "b"):
        x.replace(["00"], [write(lake, "00", [name])])
    x.vacuum([])
    assert rows(lake, 0) == [("00", "a")]


def test_vacuum_in_an_object_store_and_a_replacement_after_it(lake: Storage) -> None:
    x = table(lake, days=0)
    for name in ("a", "b", "c"):
        x.replace(["00"], [write(lake, "00", [name])])
    time.sleep(1.1)  # the last files of an object store may be written in this very second
    x.vacuum([1])
    assert rows(lake) == [("00", "c")]
    assert rows(lake, 1) == [("00", "b")]
    with pytest.raises(FileNotFoundError):
        rows(lake, 0)
    x.replace(["00"], [write(lake, "00", ["d"])])
    assert rows(lake) == [("00", "d")]
    assert x.files() == table(lake).files()


def test_vacuum_of_a_table_that_is_not_there(lake: Storage) -> None:
    table(lake).vacuum([3])
    assert table(lake).version == -1
