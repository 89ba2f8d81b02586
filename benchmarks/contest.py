"""Who is measured on a first build, and the build of each, in turns.

Belongs here: commands. Does not belong here: how they are measured (``measure``), the later refreshes (``changes``).
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import data, equal
from benchmarks.measure import Limits, Run, run, size

SCRIPTS = Path(__file__).parent / "contenders"
IMDB_SQLITE = "imdb-sqlite==2.1.0"
YARDSTICK, PROJECT, PLAIN_SQL = "one pass", "film-assets refresh", "plain SQL"


@dataclass(frozen=True)
class Contender:
    """A program that builds something of the blobs.

    Attributes:
        name: How it is called in the results.
        text: What it does.
        command: Its command line, from the folder of the blobs and one for what it makes.
        input: What it reads, made from the blobs beforehand.
        prepare: What is to be done once before.
    """

    name: str
    text: str
    command: Callable[[Path, Path], Sequence[str]]
    input: Callable[[Path], Path] = lambda blobs: blobs
    prepare: Callable[[Path], object] = Path.exists


def _script(name: str) -> Callable[[Path, Path], Sequence[str]]:
    return lambda blobs, out: [sys.executable, str(SCRIPTS / name), str(blobs), str(out)]


def refresh(blobs: Path, home: Path) -> list[str]:
    """The command that brings a home up to date."""
    program = Path(sys.executable).with_name("film-assets")
    return [str(program), "refresh", "--source", str(blobs), "--home", str(home), "--json"]


def _imdb_sqlite(folder: Path) -> Path:
    return folder / "imdb-sqlite"


def _install_imdb_sqlite(folder: Path) -> None:
    """Into an environment of its own, so that it brings nothing into that of the project."""
    venv = _imdb_sqlite(folder)
    if not (venv / "bin" / "imdb-sqlite").exists():
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(venv / "bin" / "python"), IMDB_SQLITE], check=True)


def _run_imdb_sqlite(files: Path, out: Path) -> list[str]:
    program = _imdb_sqlite(files.parent) / "bin" / "imdb-sqlite"
    only = "people,titles,crew,ratings"
    return [str(program), "--db", str(out / "imdb.db"), "--cache-dir", str(files), "--only", only]


CONTENDERS = (
    Contender(YARDSTICK, "the yardstick: a streaming Polars pass of the five blobs into Parquet", _script("one_pass.py")),
    Contender(PROJECT, "everything: checksums, row accounting, tables, metrics, checks, publishing", refresh),
    Contender(PLAIN_SQL, "the same tables in plain DuckDB SQL, and nothing else", _script("plain_sql.py")),
    Contender("in memory", "the films tables and five metrics as eager Polars frames", _script("in_memory.py")),
    Contender(
        "imdb-sqlite",
        "imdb-sqlite 2.1: four tables with indices, without lists and metrics",
        _run_imdb_sqlite,
        data.make_imdb_files,
        _install_imdb_sqlite,
    ),
)


@dataclass(frozen=True)
class Build:
    """One measured build: whose, in which round, what it took, and how many bytes it left."""

    contender: str
    round: int
    run: Run
    left: int


def compare(folder: Path, scale: float, rounds: int, names: Sequence[str]) -> Iterator[Build]:
    """Builds of the named contenders in turns, after a check that the project and plain SQL make the same tables.

    Raises:
        AssertionError: They do not.
        RuntimeError: A contender failed by itself.
    """
    blobs = data.make_blobs(folder, scale)
    limits = Limits.of_this_machine()
    chosen = [contender for contender in CONTENDERS if contender.name in names]
    for contender in chosen:
        contender.prepare(folder)
        contender.input(blobs)
    check(blobs, folder, limits)
    stopped: set[str] = set()
    for number in range(1, rounds + 1):
        for contender in chosen:
            if contender.name not in stopped:
                out = _empty(folder / "out")
                done = run(contender.command(contender.input(blobs), out), limits)
                yield Build(contender.name, number, done, size(out))
                stopped |= {contender.name} if done.ended != "well" else set()
    shutil.rmtree(folder / "out", ignore_errors=True)


def check(blobs: Path, folder: Path, limits: Limits, home: Path | None = None) -> None:
    """That a home, a new one if none is given, holds the tables that plain SQL makes of the blobs.

    Raises:
        AssertionError: It does not.
    """
    out = _empty(folder / "out")
    if home is None:
        home = out / "home"
        run(refresh(blobs, home), limits)
    run(_script("plain_sql.py")(blobs, out), limits)
    tables = equal.check(home / "films.duckdb", out / "plain.duckdb")
    print(f"{len(tables)} tables hold the same rows as plain SQL makes")
    shutil.rmtree(out)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
