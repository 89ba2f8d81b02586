"""The snapshot and the working file change places: readers keep what they have open, and nothing is copied that is there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from film_assets.settings import Settings
from film_assets.snapshot import files
from film_assets_tests.blobs import change
from film_assets_tests.conftest import refresh

pytestmark = pytest.mark.slow

TITLE = "select primaryTitle from films.titles where tconst = 'tt0000009'"

READER = """
import sys, duckdb
films = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
for _ in sys.stdin:
    print(films.sql(sys.argv[2]).fetchall(), films.sql("select sum(hash(tconst)) from films.cast").fetchall(), flush=True)
"""


def _rename(settings: Settings, blobs: Path, name: str) -> None:
    change(blobs, "titles", "tt0000009", lambda fields: [*fields[:2], name, *fields[3:]])
    refresh(settings)


def _title(settings: Settings) -> str:
    with duckdb.connect(settings.kept_in.films, read_only=True) as films:
        ((found,),) = films.sql(TITLE).fetchall()
        return str(found)


@contextmanager
def _reader(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", READER, str(path), TITLE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout
        assert reader.stdout.readline() == "open\n"
        yield reader
        reader.communicate()


def _asked(reader: subprocess.Popen[str]) -> str:
    assert reader.stdin
    assert reader.stdout
    reader.stdin.write("\n")
    reader.stdin.flush()
    return reader.stdout.readline()


def test_readers_keep_what_they_opened_through_any_number_of_publications(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    path = settings.kept_in.films
    with _reader(path) as elsewhere, duckdb.connect(path, read_only=True) as here:
        before = _asked(elsewhere), here.sql(TITLE).fetchall()
        for name in ("First", "Second", "Third"):
            _rename(settings, blobs, name)
            with _reader(path) as new:  # in this process, DuckDB hands out what is open under the name already
                assert name in _asked(new)
        assert (_asked(elsewhere), here.sql(TITLE).fetchall()) == before
        assert before[1] == [("Miss Jerry",)]


def test_a_name_somebody_gave_a_snapshot_keeps_it(settings: Settings, blobs: Path, tmp_path: Path) -> None:
    refresh(settings)
    kept = tmp_path / "kept.duckdb"
    os.link(settings.kept_in.films, kept)
    content = kept.read_bytes()
    for name in ("First", "Second", "Third"):
        _rename(settings, blobs, name)
    assert kept.read_bytes() == content


def test_files_change_places_and_none_is_left_over(settings: Settings, blobs: Path) -> None:
    home = settings.kept_in
    refresh(settings)
    numbers = {path.stat().st_ino for path in (home.films, home.warehouse)}
    assert len(numbers) == 2
    _rename(settings, blobs, "First")
    assert {path.stat().st_ino for path in (home.films, home.warehouse)} == numbers
    assert sorted(path.name for path in home.folder.glob("*.duckdb*")) == ["films.duckdb", "warehouse.duckdb"]


def test_a_file_system_without_links_gets_a_copy(settings: Settings, blobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    refresh(settings)
    for name in ("First", "Second"):
        _rename(settings, blobs, name)
        assert _title(settings) == name


def test_a_working_file_that_a_killed_run_left_published_is_separated(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    home = settings.kept_in
    home.warehouse.unlink()
    os.link(home.films, home.warehouse)
    home.spare.write_bytes(b"half of something")
    with _reader(home.films) as reader:
        before = _asked(reader)
        _rename(settings, blobs, "First")
        assert _asked(reader) == before
    assert _title(settings) == "First"


CHANGES = (
    "insert into t select i, i::varchar || 'new' from range(200_000, 260_000) as r(i)",
    "delete from t where i % 97 = 0",
    "update t set name = 'other' where i between 50_000 and 50_010",
    "delete from t where i > 1_000",
    "create table u as select i * 7 as j from range(300_000) as r(i)",
    "drop table u",
    "select 1",
)


def test_what_differs_is_all_that_is_needed(tmp_path: Path) -> None:
    """Byte by byte, whatever DuckDB did to the one file since the other was the same."""
    one, other = tmp_path / "one.duckdb", tmp_path / "other.duckdb"
    with duckdb.connect(one) as database:
        database.execute("create table t as select i, md5(i::varchar) as name from range(200_000) as r(i)")
    shutil.copyfile(one, other)
    for statement in CHANGES:
        with duckdb.connect(one) as database:
            database.execute(statement)
        files.make_same(one, other)
        assert one.read_bytes() == other.read_bytes(), statement
    with duckdb.connect(other, read_only=True) as database:
        assert database.sql("select block_size from pragma_database_size()").fetchall() == [(files.BLOCK,)]


def test_what_is_no_database_is_copied(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"some bytes")
    for before in (b"", b"others, and more of them"):
        other.write_bytes(before)
        files.make_same(one, other)
        assert other.read_bytes() == b"some bytes"
