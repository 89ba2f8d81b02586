"""When the code version of a table changes, and that it does not on another Python."""

import ast
import dataclasses
import importlib
import inspect
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import film_assets
from film_assets.engines.duckdb import lists as duckdb_lists
from film_assets.tables import COMPUTED, TABLES, films, lists, metrics, sql

NUMBERS = itertools.count()
CURRENT = {name: table.code_version for name, table in TABLES.items()}
ROOT = Path(film_assets.__file__).parent
COPIED = ("*.py", "tables/*.py", "common/*.py", "sources/*.py", "landing/*.py", "engines/*.py", "engines/duckdb/*.py")
WITH_LISTS = {f"films.{name}" for name in ("characters", "directors", "genres", "known_for", "professions", "writers")}

Edit = Callable[[str], str]
Copy = Callable[..., ModuleType]


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """The package ``tables`` of a copy of the sources in which that of one module has been edited."""
    monkeypatch.syspath_prepend(tmp_path)

    def copied(module: ModuleType | None = None, edit: Edit = str) -> ModuleType:
        name = f"films_copy{next(NUMBERS)}"
        for source in (file for pattern in COPIED for file in ROOT.glob(pattern)):
            text = source.read_text()
            if module and source == Path(str(module.__file__)):
                before, text = text, edit(text)
                assert text != before
            target = tmp_path / name / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace("film_assets", name))
        importlib.invalidate_caches()
        return importlib.import_module(f"{name}.tables")

    return copied


def changed(copied: ModuleType) -> set[str]:
    """The tables that have another version than now."""
    return {name for name, table in copied.TABLES.items() if table.code_version != CURRENT[name]}


def test_each_table_has_its_own():
    assert len(set(CURRENT.values())) == len(TABLES)


def test_a_package_of_another_name_has_the_same(copy):
    assert changed(copy()) == set()


@pytest.mark.parametrize("module", [films, metrics], ids=["films", "metrics"])
def test_words_and_layout_change_none(copy, module):
    def edit(source: str) -> str:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                described = ast.get_docstring(node) is not None
                node.body = [ast.Expr(ast.Constant("Other words.")), *node.body[described:]]
        return ast.unparse(tree)

    assert changed(copy(module, edit)) == set()


@pytest.mark.parametrize("table", COMPUTED, ids=lambda table: table.name)
def test_a_change_in_its_function_changes_that_table_alone(copy, table):
    function = inspect.getsource(table.function)
    before, found, after = function.rpartition("\n    return ")
    edited = f"{before}\n    1 + 1{found}{after}"
    assert changed(copy(inspect.getmodule(table.function), lambda source: source.replace(function, edited))) == {table.name}


@pytest.mark.parametrize(
    ("old", "new", "tables"),
    [
        ("PRIOR_RATING = 6.9", "PRIOR_RATING = 6.95", {"title_success"}),
        ("_TOGETHER = 2", "_TOGETHER = 3", {"collaborations"}),
        (
            "_MICRO = 1_000_000",
            "_MICRO = 1_000_001",
            {"known_for_success", "title_success", "person_success", "genre_success", "collaborations"},
        ),
        ('("any", *CREDITS)', '("all", *CREDITS)', set()),
    ],
)
def test_a_constant_changes_the_tables_that_are_computed_with_it(copy, old, new, tables):
    assert changed(copy(metrics, lambda source: source.replace(old, new))) == {f"metrics.{table}" for table in tables}


def test_the_tables_that_use_lists():
    assert {name for name, table in TABLES.items() if table.uses_lists} == WITH_LISTS


def test_a_parser_for_another_engine_changes_none(copy):
    parser = """
def _dask_split(frame: Any, column: str, element: str) -> Any:
    return frame


register(Implementation.DASK, Native(_dask_split, _dask_split))
"""
    assert changed(copy(lists, lambda source: source + parser)) == set()


@pytest.mark.parametrize(
    ("old", "new", "tables"),
    [
        ('!= ""', '!= "-"', WITH_LISTS - {"films.characters"}),
        ("~nw.col(column).is_null()", "nw.col(column).is_null()", WITH_LISTS),
        ('.split(",")', '.split(";")', set()),
    ],
)
def test_what_lists_are_changes_the_tables_that_use_them_and_how_polars_reads_them_none(copy, old, new, tables):
    assert changed(copy(lists, lambda source: source.replace(old, new))) == tables


@pytest.mark.parametrize(
    ("module", "old", "new", "engines"),
    [
        (duckdb_lists, "string_split(", "str_split(", {"DUCKDB"}),
        (sql, "from_json(", "from_json_strict(", {"DUCKDB"}),
        (sql, "select {columns} limit 0", "select {columns} limit 1", set()),
        (lists, '.split(",")', '.split(";")', {"POLARS"}),
    ],
)
def test_how_an_engine_reads_lists_changes_its_version_of_them(copy, module, old, new, engines):
    found = copy(module, lambda source: source.replace(old, new))
    importlib.import_module(f"{found.__name__.removesuffix('.tables')}.engines.duckdb")
    edited = importlib.import_module(f"{found.__name__}.lists")
    both = [lists.Implementation.DUCKDB, lists.Implementation.POLARS]
    assert {engine.name for engine in both if edited.native_version(engine) != lists.native_version(engine)} == engines


def test_a_function_that_takes_its_place_gives_another_and_always_the_same():
    def made(names: set[str]) -> str:
        return dataclasses.replace(films.actors, function=lambda raw_cast: raw_cast.select(sorted(names))).code_version

    versions = [made({"tconst", "nconst"}), made({"nconst", "tconst"}), made({"tconst"}), CURRENT["films.actors"]]
    assert versions[0] == versions[1]
    assert len(set(versions)) == 3


def test_a_value_that_cannot_be_compared_is_named_with_its_table():
    weight = object()
    table = dataclasses.replace(films.actors, function=lambda raw_cast: raw_cast.with_columns(weight))
    with pytest.raises(TypeError, match=r"films\.actors: weight is a object made as the program runs"):
        table.code_version  # noqa: B018


def test_blobs_keep_their_versions():
    """Every slice that was ever landed has its blob's version in the digest that it goes by: with another, all is read anew."""
    assert {name: version for name, version in CURRENT.items() if name.startswith("raw.")} == {
        "raw.cast": "5dd316d966c54fb2",
        "raw.crew": "2d59bc33241d33f1",
        "raw.names": "981b7c434aebf16a",
        "raw.ratings": "6e2621a506af74c9",
        "raw.titles": "7ec6d1cf13d56c56",
    }


VERSIONS = """
import json, sys
from unittest.mock import MagicMock

sys.path.insert(0, sys.argv[1])
sys.modules.update({name: MagicMock() for name in ("narwhals", "polars")})
from film_assets.tables import TABLES

print(json.dumps({name: table.code_version for name, table in TABLES.items()}))
"""
"""Needs nothing but the standard library: no code of a table runs."""


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_python_has_the_same(version):
    python = _python(version)
    if not python:
        pytest.skip(f"there is no Python {version} on this machine")
    found = subprocess.run([python, "-IBc", VERSIONS, ROOT.parent], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == CURRENT


def _python(version: str) -> str | None:
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    known = [shutil.which(f"python{version}"), *map(str, versions.glob(f"{version}.*/bin/python"))]
    return next((python for python in known if python and _runs(python)), None)


def _runs(python: str) -> bool:
    """pyenv has a command for each Python that it knows, which fails for those that are not chosen."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
