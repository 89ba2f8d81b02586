"""A lake read as a whole, as it was after any refresh of the last days, by what everybody has: here and without us."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from film_assets import open_lake
from film_assets.engines.spark.lake.state import State
from film_assets.engines.spark.lake.storage import Storage
from film_assets.engines.spark.lake.table import File
from film_assets.engines.state import RangeState
from film_assets.errors import FilmAssetsError, HomeError, SettingsError, UnknownNameError
from film_assets.tables import TABLES
from film_assets_tests.azurite import KEY
from film_assets_tests.engines.spark.lakes import SECRET

TABLES_WRITTEN = ("films.genres", "films.known_for")


def write(lake: Storage, state: State, name: str, values: Sequence[str]) -> None:
    """A range of a table with these values in its text columns, as the engine writes it."""
    table = TABLES[name]
    columns = {
        column.name: pl.Series(values if column.type == "VARCHAR" else range(len(values)), dtype=None) for column in table.columns
    }
    frame = pl.DataFrame(columns).cast({column.name: pl.Int16 for column in table.columns if column.type == "SMALLINT"})
    path = f"{values[0]}/range=00/rows.parquet"
    size = lake.write_frame(f"{name.replace('.', '/')}/{path}", frame)
    known = RangeState("own", "", dict.fromkeys(table.column_names, values[0]), frame.height)
    state.write(table, {"00": known}, [("00", File(path, size, frame.height))], ["00"])


def refreshed(lake: Storage) -> list[str]:
    """Three refreshes: one table changes each time, the other one only the last time."""
    for name in ("one", "two", "three"):
        state = State(lake, days=7).load()
        write(lake, state, "films.genres", [name, name])
        if name != "two":
            write(lake, state, "films.known_for", [name])
        state.note_refresh()
    return ["one", "two", "three"]


def test_every_refresh_is_read_back_whole(lake: Storage) -> None:
    refreshed(lake)
    opened = open_lake(lake.uri, lake.options)
    found = opened.refreshes
    assert found["tables"].to_list() == [sorted(TABLES_WRITTEN)] * 3
    assert found["versions"].to_list() == [[2, 1], [1, 0], [0, 0]]
    assert found["publishedAt"].is_sorted(descending=True)
    read = [
        tuple(opened.table(name, refresh=when).collect()["tconst"].unique().item() for name in TABLES_WRITTEN)
        for when in found["publishedAt"]
    ]
    assert read == [("three", "three"), ("two", "one"), ("one", "one")]
    last = opened.table("films.genres")
    assert last.collect_schema().names() == list(TABLES["films.genres"].column_names)
    assert last.collect().height == 2
    assert not any(secret in repr(opened) for secret in (KEY, SECRET))


def test_others_read_it_by_path_and_version(lake: Storage) -> None:
    refreshed(lake)
    url, options = lake.url("films/genres"), dict(lake.options) or None
    for version, name in enumerate(("one", "two", "three")):
        frame = pl.scan_delta(url, version=version, storage_options=options).collect()
        assert frame["genre"].to_list() == [name, name]
        assert frame["range"].to_list() == ["00", "00"]
        table = DeltaTable(url, version=version, storage_options=options)
        assert pl.from_arrow(table.to_pyarrow_table())["genre"].to_list() == [name, name]


def test_what_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="is no lake that was published"):
        _ = open_lake(tmp_path).refreshes
    lake = Storage(str(tmp_path / "lake"))
    refreshed(lake)
    opened = open_lake(tmp_path / "lake")
    with pytest.raises(UnknownNameError, match=r"no table 'films\.titles' then; it has films\.genres, films\.known_for"):
        opened.table("films.titles")
    with pytest.raises(SettingsError, match="no refresh of 2020-01-01"):
        opened.table("films.genres", refresh=datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.slow
def test_without_the_extra_it_is_one_line(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["deltalake"] = None
from film_assets import open_lake
from film_assets.errors import FilmAssetsError
try:
    open_lake("lake")
except FilmAssetsError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "no deltalake is installed, which reads a lake: pip install 'film-assets[spark]'\n"
    assert issubclass(HomeError, FilmAssetsError)


@pytest.mark.slow
@pytest.mark.spark
def test_duckdb_reads_it_with_its_extension(tmp_path: Path) -> None:
    """The extension is on PyPI for an earlier DuckDB only, so it is looked at in an environment of its own."""
    lake = Storage(str(tmp_path / "lake"))
    refreshed(lake)
    python = tmp_path / "venv" / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    packages = ["duckdb==1.5.5", "duckdb-extension-delta"]
    commands = [[uv, "venv", "-q", tmp_path / "venv"], [uv, "pip", "install", "-q", "-p", python, *packages]]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{' and '.join(packages)} cannot be installed: {done.stderr.strip()}")
    program = """
import sys
from importlib.util import find_spec
from pathlib import Path
import duckdb
connection = duckdb.connect()
folder, = find_spec("duckdb_extension_delta").submodule_search_locations
extension, = Path(folder).rglob("delta.duckdb_extension")
connection.load_extension(str(extension))
print(connection.sql(f"select genre, range from delta_scan('{sys.argv[1]}') order by all").fetchall())
"""
    done = subprocess.run([python, "-c", program, lake.url("films/genres")], capture_output=True, text=True, check=False)
    assert done.stdout == "[('three', '00'), ('three', '00')]\n", done.stderr
