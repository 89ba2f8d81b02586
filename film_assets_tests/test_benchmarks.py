"""The benchmarks measure what they say: processes, changes of blobs, and only results that are the same."""

import sys

import duckdb
import pytest

from benchmarks import contest, data, equal, measure
from film_assets.settings import Settings
from film_assets.tables import COMPUTED
from film_assets_tests.conftest import refresh

pytestmark = pytest.mark.slow

PLENTY = measure.Limits(memory=2**40, seconds=60)
HOLD = "x = b'x' * 150_000_000; import time; time.sleep(0.5)"
WITH_CHILD = f"import subprocess, sys; y = b'y' * 100_000_000; subprocess.run([sys.executable, '-c', {HOLD!r}])"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_memory_of_children_counts():
    done = measure.run(python(WITH_CHILD), PLENTY)
    assert done.ended == "well"
    assert done.peak > 250_000_000
    assert done.seconds > 0.5


def test_processor_time_of_children_counts():
    spin = "import time\nwhile time.process_time() < 0.5: pass"
    done = measure.run(python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}])"), PLENTY)
    assert done.cpu > 0.5


def test_processor_time_of_children_counts_that_nobody_waited_for():
    spin = "import sys, time\nwhile time.process_time() < 1: pass\nprint('done', flush=True)\nsys.stdin.read()"
    parent = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', {spin!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
time.sleep(0.5)
"""
    assert measure.run(python(parent), PLENTY).cpu > 0.9


@pytest.mark.parametrize(
    ("limits", "ended"),
    [(measure.Limits(100_000_000, 60), "out of memory"), (measure.Limits(2**40, 0.2), "out of time")],
)
def test_what_goes_over_a_limit_is_stopped(limits, ended):
    done = measure.run(python(WITH_CHILD + "; time.sleep(60)"), limits)
    assert done.ended == ended
    assert done.seconds < 10


def test_what_fails_by_itself_is_an_error_with_its_last_words():
    with pytest.raises(RuntimeError, match="no such film"):
        measure.run(python("raise SystemExit('no such film')"), PLENTY)


@pytest.mark.parametrize(("change", "changed"), list(zip(data.CHANGES, (20, 29, 120), strict=True)))
def test_changes_touch_just_their_rows_and_can_be_taken_back(sample, tmp_path, change, changed):
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    for file in sample.glob("*.tsv"):
        (blobs / file.name).hardlink_to(file)
    source = data.Source(blobs, tmp_path / "source")
    original = {file.name: file.read_bytes() for file in source.folder.iterdir()}
    source.toggle(change)
    after = {file.name: file.read_bytes() for file in source.folder.iterdir()}
    assert [name for name in original if after[name] != original[name]] == [f"{change.blob}.tsv"]
    pairs = zip(original[f"{change.blob}.tsv"].split(b"\n"), after[f"{change.blob}.tsv"].split(b"\n"), strict=True)
    assert sum(before != now for before, now in pairs) == pytest.approx(changed, abs=2)
    source.toggle(change)
    assert {file.name: file.read_bytes() for file in source.folder.iterdir()} == original


def test_all_tables_hold_what_plain_sql_makes_and_a_difference_is_noticed(settings: Settings, sample, tmp_path):
    refresh(settings)
    films, plain = settings.kept_in.films, tmp_path / "plain.duckdb"
    plain_sql = next(contender for contender in contest.CONTENDERS if contender.name == contest.PLAIN_SQL)
    measure.run(plain_sql.command(sample, tmp_path), PLENTY)
    assert sorted(equal.check(films, plain)) == sorted(table.name for table in COMPUTED)
    with duckdb.connect(plain) as connection:
        connection.execute("update metrics.title_success set weightedRating = weightedRating + 1e-9 where rowid = 0")
    with pytest.raises(AssertionError, match=r"metrics\.title_success"):
        equal.check(films, plain)
