"""Tables brought up to date for the ids that changed: the same rows as if all were made anew, after any change."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pytest

from film_assets.settings import Settings, load_settings
from film_assets.snapshot import indexes
from film_assets.tables import COMPUTED
from film_assets_tests.blobs import copy
from film_assets_tests.conftest import refresh

pytestmark = pytest.mark.slow

Fields = list[str]
Edit = Callable[[random.Random, Sequence[Fields], Fields], list[Fields]]
"""What takes the place of a row: the row changed, no row, or the row and a new one."""


def _rated_otherwise(draw: random.Random, rows: Sequence[Fields], fields: Fields) -> list[Fields]:
    return [[fields[0], str(draw.randint(10, 100) / 10), str(draw.randint(5, 90_000))]]


def _gone(draw: random.Random, rows: Sequence[Fields], fields: Fields) -> list[Fields]:
    return []


def _by_another(at: int) -> Edit:
    """A field is what another row has there."""
    return lambda draw, rows, fields: [[*fields[:at], draw.choice(rows)[at], *fields[at + 1 :]]]


def _once_more(draw: random.Random, rows: Sequence[Fields], fields: Fields) -> list[Fields]:
    return [fields, [fields[0], "99", *fields[2:]]]


def _edit(blobs: Path, blob: str, share: float, edits: Sequence[Edit], draw: random.Random) -> None:
    path = blobs / f"{blob}.tsv"
    header, *lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    rows = [line.split("\t") for line in lines]
    chosen = set(draw.sample(range(len(rows)), max(1, round(len(rows) * share))))
    after = [new for at, row in enumerate(rows) for new in (draw.choice(edits)(draw, rows, row) if at in chosen else [row])]
    path.write_text("\n".join([header, *("\t".join(row) for row in after)]) + "\n", encoding="utf-8")


CHANGES = {
    "ratings": (_rated_otherwise, _gone),
    "cast": (_by_another(2), _by_another(3), _by_another(5), _gone, _once_more),
    "crew": (_by_another(1), _by_another(2), _gone),
    "titles": (_by_another(2), _by_another(5), _by_another(8), _gone),
    "names": (_by_another(1), _by_another(4), _by_another(5), _gone),
}


def _contents(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    names = [table.name for table in COMPUTED] + [index.name for index in indexes.INDEXES]
    with duckdb.connect(settings.kept_in.films, read_only=True) as films:
        schema = {name: f"films.{name}" if name.startswith("lookup") else name for name in names}
        return {name: films.sql(f"from {source} order by all").fetchall() for name, source in schema.items()}


def _loose(settings: Settings) -> set[str]:
    """What had rows written by themselves."""
    with duckdb.connect(settings.kept_in.films, read_only=True) as films:
        return {name for (name,) in films.sql("select distinct name from films.state.ranges where loose > 0").fetchall()}


def _fresh(settings: Settings, home: Path) -> Settings:
    other = load_settings(source=settings.source, home=home)
    refresh(other)
    return other


def _assert_same(settings: Settings, home: Path) -> None:
    found, wanted = _contents(settings), _contents(_fresh(settings, home))
    for name, rows in wanted.items():
        assert found[name] == rows, name


@pytest.fixture
def blobs(sample: Path, tmp_path: Path) -> Path:
    return copy(sample, tmp_path / "blobs")


@pytest.fixture
def settings(blobs: Path, tmp_path: Path) -> Settings:
    return load_settings(source=str(blobs), home=tmp_path / "home")


@pytest.mark.parametrize("changed", [["ratings"], ["cast"], list(CHANGES)], ids=" ".join)
def test_tables_are_as_if_made_anew_whatever_changed(settings: Settings, blobs: Path, tmp_path: Path, changed: list[str]) -> None:
    draw = random.Random(" ".join(changed))
    refresh(settings)
    for share in (0.001, 0.01):
        for blob in changed:
            _edit(blobs, blob, share, CHANGES[blob], draw)
        refresh(settings)
    assert _loose(settings)
    _assert_same(settings, tmp_path / "anew")
