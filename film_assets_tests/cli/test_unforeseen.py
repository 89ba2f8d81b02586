"""Errors that nobody foresaw, and working files that cannot be opened, as people see them: one line and no traceback."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from film_assets.cli import unforeseen
from film_assets.home import Home
from film_assets_tests.blobs import copy, write_real_rows
from film_assets_tests.command import film_assets

pytestmark = pytest.mark.slow

SECRET = "Q0FOQVJZ"
HELD = """
import duckdb, sys
held = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with blobs and a home as a refresh left it; not to be written to."""
    folder = tmp_path_factory.mktemp("refreshed")
    write_real_rows(folder / "blobs")
    assert film_assets("refresh", "--source", folder / "blobs", home=folder / "home").returncode == 0
    return folder


@pytest.fixture
def home(refreshed: Path, tmp_path: Path) -> Path:
    return copy(refreshed / "home", tmp_path / "home")


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The file open for writing in another process."""
    with subprocess.Popen([sys.executable, "-c", HELD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield
        process.communicate()


def the_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("damage", ["empty", "cut", "cut to the header", "none"])
@pytest.mark.parametrize("command", ["refresh", "status"])
def test_a_damaged_working_file_is_named_with_its_remedy(refreshed: Path, home: Path, damage: str, command: str) -> None:
    file = home / "warehouse.duckdb"
    match damage:
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])
        case "cut to the header":
            file.write_bytes(file.read_bytes()[:20_000])
        case _:
            file.write_text("tconst\taverageRating\n")
    line = the_line(film_assets(command, "--source", refreshed / "blobs", home=home))
    assert line.startswith(f"film-assets: cannot open {file}: ")
    assert line.endswith("; close what has it open, or delete it to have it rebuilt from the source")
    file.unlink()
    assert film_assets(command, "--source", refreshed / "blobs", home=home).returncode == 0


@pytest.mark.parametrize("command", ["refresh", "status"])
def test_a_working_file_that_another_program_holds_is_named(refreshed: Path, home: Path, command: str) -> None:
    file = home / "warehouse.duckdb"
    with held(file):
        line = the_line(film_assets(command, "--source", refreshed / "blobs", home=home))
    assert line.startswith(f"film-assets: cannot open {file}: ")
    assert "; close what has it open" in line


def test_a_working_file_in_which_nothing_was_landed_yet_is_no_fault(refreshed: Path, home: Path) -> None:
    (home / "warehouse.duckdb").unlink()
    duckdb.connect(home / "warehouse.duckdb").close()
    done = film_assets("status", "--source", refreshed / "blobs", home=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" new ") == 5


@pytest.mark.parametrize("command", [("compare", "nm0000001", "nm0005690"), ("credits", "nm0000001"), ("find", "fred")])
def test_a_damaged_snapshot_is_named(home: Path, command: tuple[str, ...]) -> None:
    file = home / "films.duckdb"
    file.write_bytes(file.read_bytes()[:20_000])
    line = the_line(film_assets(*command, home=home))
    assert line.startswith(f"film-assets: cannot open {file}: ")
    assert line.endswith("; if it is damaged, delete it and run `film-assets refresh`")


@pytest.fixture
def obstructed(refreshed: Path, tmp_path: Path) -> Path:
    """A new home in which a file lies where a folder must be made."""
    (tmp_path / "new" / "landing").mkdir(parents=True)
    (tmp_path / "new" / "landing" / "titles").write_text("")
    return tmp_path / "new"


def test_an_unforeseen_error_in_a_step_is_one_line_and_a_file(refreshed: Path, obstructed: Path) -> None:
    line = the_line(film_assets("refresh", "--source", refreshed / "blobs", home=obstructed))
    said, _, log = line.partition("; the traceback is in ")
    assert said.startswith("film-assets: an error that nobody foresaw: step raw__titles failed: FileExistsError: ")
    assert Path(log).parent == obstructed / "logs"
    text = Path(log).read_text()
    assert "FileExistsError" in text
    assert "slices.py" in text, "the traceback leads to where it happened"


def test_debug_shows_the_traceback(refreshed: Path, obstructed: Path) -> None:
    done = film_assets("--debug", "refresh", "--source", refreshed / "blobs", home=obstructed)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "slices.py" in done.stderr
    assert not (obstructed / "logs").exists()


def test_an_unforeseen_error_of_a_reader_is_one_line_and_a_file(home: Path) -> None:
    (home / "films.duckdb").unlink()
    duckdb.connect(home / "films.duckdb").close()
    line = the_line(film_assets("find", "fred", home=home))
    assert Path(line.rpartition(" ")[2]).parent == home / "logs"


def test_a_home_that_cannot_be_written_to_is_no_hindrance(home: Path) -> None:
    (home / "films.duckdb").unlink()
    duckdb.connect(home / "films.duckdb").close()
    (home / "logs").write_text("")
    log = Path(the_line(film_assets("find", "fred", home=home)).rpartition(" ")[2])
    assert home not in log.parents
    assert "Traceback" in log.read_text()


def test_no_secret_is_written(refreshed: Path, obstructed: Path) -> None:
    source = f"{(refreshed / 'blobs').as_uri()}?sv=2024-01-01&sig={SECRET}"
    film_assets("refresh", "--source", source, home=obstructed)
    (log,) = (obstructed / "logs").iterdir()
    assert SECRET not in log.read_text()


@pytest.mark.parametrize(
    "text",
    [
        f"cannot read https://account.blob.core.windows.net/films/titles.tsv?sv=2024-01-01&sig={SECRET}%3D",
        f"https://user:{SECRET}@example.com/films",
        f"sv=2024-01-01&se=2999-01-01&sig={SECRET}",
        f"DefaultEndpointsProtocol=https;AccountName=films;AccountKey={SECRET}==;EndpointSuffix=core.windows.net",
    ],
)
def test_no_secret_of_a_library_is_told_or_written(tmp_path: Path, text: str) -> None:
    error = RuntimeError(text)
    error.__cause__ = ValueError(text)
    error.add_note(text)
    line = unforeseen.told(error, Home(tmp_path))
    (log,) = (tmp_path / "logs").iterdir()
    assert str(log) in line
    assert "RuntimeError" in log.read_text()
    assert SECRET not in line + log.read_text() + unforeseen.traceback_of(error)


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    assert len(unforeseen.told(RuntimeError("x" * 70_000 + "\nmore"), Home(tmp_path))) < 500


def test_only_the_newest_tracebacks_are_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    lines = [unforeseen.told(ValueError(number), home) for number in range(60)]
    kept = sorted(home.logs.iterdir())
    assert len(kept) == 50
    assert "ValueError: 10" in kept[0].read_text()
    assert str(kept[-1]) in lines[-1]
