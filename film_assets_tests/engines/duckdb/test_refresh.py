"""What the embedded engine does of its own: its file, its layout, its slices, and a kill at any moment."""

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from film_assets.refresh.pipeline import Pipeline
from film_assets.settings import Settings
from film_assets.tables import COMPUTED, TABLES
from film_assets.tables.ranges import RANGE_KEYS
from film_assets_tests.blobs import change
from film_assets_tests.conftest import query, rebuilt, refresh

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["films.genres", "metrics.known_for_success", "metrics.person_success"])
def test_ranges_built_one_by_one_come_to_the_whole(settings: Settings, name: str) -> None:
    refresh(settings)
    whole = query(settings, f"from {name} order by all")
    with Pipeline(settings) as opened:
        opened.engine.warehouse.run(f"delete from {name}")
        opened.engine.warehouse.run("delete from state.ranges where name = ?", [name])
    for key in ("01", "00", *RANGE_KEYS[2:]):
        with Pipeline(settings) as opened:
            opened.rebuild(TABLES[name], [key])
            assert opened.engine.warehouse.count(TABLES[name]) == opened.engine.ranges.rows(TABLES[name])
    with Pipeline(settings) as opened:
        opened.build_indexes()
        opened.publish(force=True)
    assert query(settings, f"from {name} order by all") == whole


def test_a_column_more_is_noticed_named_and_built(settings: Settings) -> None:
    refresh(settings)
    with duckdb.connect(settings.kept_in.warehouse) as working:
        working.execute("alter table warehouse.main.genres drop column genre")
    with Pipeline(settings) as opened:
        assert opened.engine.notices == ["films.genres: column genre is declared differently now; the table is rebuilt"]
        assert opened.report.notices == opened.engine.notices
    assert rebuilt(refresh(settings)) == {"films.genres": list(RANGE_KEYS)}
    assert query(settings, "select genre from films.genres where tconst = 'tt0000009'") == [("Romance",)]


def test_a_file_laid_out_as_before_is_laid_out_anew(settings: Settings) -> None:
    refresh(settings)
    with duckdb.connect(settings.kept_in.warehouse) as working:
        working.execute("update state.layout set version = 'of old'")
        working.execute("create or replace table lookup.credits as select 1 as other")
    with Pipeline(settings) as opened:
        assert opened.engine.notices == ["the tables are laid out differently now; all are rebuilt"]
    report = refresh(settings)
    computed = [outcome for outcome in report.outcomes.values() if outcome.table in COMPUTED]
    assert all(tuple(outcome.rebuilt) == outcome.table.range_keys for outcome in computed)
    assert query(settings, "select count(*) > 0 from credits_of('nm0000001')") == [(True,)]
    with Pipeline(settings) as opened:
        assert opened.engine.notices == []


def test_a_deleted_working_file_rebuilds_all(settings: Settings) -> None:
    refresh(settings)
    settings.kept_in.warehouse.unlink()
    report = refresh(settings)
    assert all(tuple(outcome.rebuilt) == outcome.table.range_keys for outcome in report.outcomes.values())


def test_slices_out_of_use_are_deleted_in_the_end(settings: Settings, blobs: Path) -> None:
    for year in ("1901", "1902", "1903", "1904"):
        change(blobs, "titles", "tt0000009", lambda fields, year=year: [*fields[:5], year, *fields[6:]])
        refresh(settings)
    assert len(list((settings.kept_in.landing / "titles").glob("00-*.parquet"))) == 2


KILLED = """
import os, signal, sys
import film_assets.{module} as module
from film_assets_tests.conftest import refresh
from film_assets.settings import load_settings
real = module.{name}
calls = 0
def killing(*args, **kwargs):
    global calls
    calls += 1
    if calls == {call}:
        {before}os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)
module.{name} = killing
refresh(load_settings(source=sys.argv[1], home=sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("module", "name", "call", "before"),
    [
        ("engines.duckdb.slices", "_replace_slices", 1, ""),
        pytest.param("engines.duckdb.rebuild", "_write_whole", 1, "", marks=pytest.mark.stress),
        ("engines.duckdb.rebuild", "_write_whole", 2, "real(*args, **kwargs); "),
        ("engines.duckdb.changes", "note", 3, "real(*args, **kwargs); "),
        pytest.param("snapshot.publish", "_finish", 1, "", marks=pytest.mark.stress),
        ("snapshot.publish", "_finish", 1, "real(*args, **kwargs); "),
        pytest.param("snapshot.files", "make_same", 1, "", marks=pytest.mark.stress),
        ("snapshot.files", "make_same", 1, "real(*args, **kwargs); "),
        ("engines.duckdb.slices", "forget_retired", 1, ""),
    ],
)
def test_a_kill_at_any_moment_leaves_a_whole_file_and_the_next_run_goes_on(
    settings: Settings, blobs: Path, module: str, name: str, call: int, before: str
) -> None:
    refresh(settings)
    change(blobs, "titles", "tt0000009", lambda fields: [*fields[:2], "Ms Jerry", *fields[3:-1], "Drama,Romance"])
    program = KILLED.format(module=module, name=name, call=call, before=before)
    done = subprocess.run([sys.executable, "-c", program, settings.source, settings.home], check=False)
    assert done.returncode == -signal.SIGKILL
    assert query(settings, "select count(*) from films.titles") == [(5,)]
    refresh(settings)
    new = "select primaryTitle, genre from films.titles join films.genres using (tconst) where tconst = 'tt0000009' order by all"
    assert query(settings, new) == [("Ms Jerry", "Drama"), ("Ms Jerry", "Romance")]
    assert rebuilt(refresh(settings)) == {}
