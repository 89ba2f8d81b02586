"""Adding a table is adding one function: everything else follows from its declaration."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import film_assets
from film_assets_tests.blobs import write_real_rows

pytestmark = pytest.mark.slow

REPO = Path(film_assets.__file__).parent.parent

FUNCTION = '''

@table(
    "metrics.decade_success",
    key=("decade",),
    range_column="",
    columns=(
        Column("decade", "SMALLINT", "The decade.", ("metrics.title_success.decade",)),
        Column("titles", "INTEGER", "How many rated titles.", ("metrics.title_success.tconst",)),
    ),
)
def decade_success(metrics_title_success: Frame) -> Frame:
    """How many rated titles each decade has."""
    return metrics_title_success.group_by("decade").agg(titles=nw.len())
'''

WHAT_FOLLOWS = """
import json
import dagster as dg
from docs import generate
from film_assets.definitions import build_defs
from film_assets.refresh.estimate import steps
from film_assets.tables.rules import RULES
node = build_defs().resolve_asset_graph().get(dg.AssetKey(["metrics", "decade_success"]))
print(json.dumps({
    "description": node.description,
    "parents": ["/".join(key.path) for key in node.parent_keys],
    "checks": sorted(key.name for key in node.check_keys),
    "rules": [rule.name for rule in RULES["metrics.decade_success"]],
    "weight": steps()["metrics.decade_success"],
    "dictionary": "### metrics.decade_success" in generate.pages()["data-dictionary.md"],
    "diagram": 'metrics_decade_success["metrics.decade_success"]' in generate.pages()["diagrams.md"],
}))
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one function more."""
    folder = tmp_path_factory.mktemp("release")
    for name in ("film_assets", "docs"):
        shutil.copytree(REPO / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "film_assets" / "tables" / "metrics.py").open("a") as module:
        module.write(FUNCTION)
    return folder


def run(release: Path, *arguments: object) -> str:
    environment = {**os.environ, "PYTHONPATH": str(release), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=release, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_asset_checks_estimate_and_pages_follow(release: Path) -> None:
    assert json.loads(run(release, "-c", WHAT_FOLLOWS)) == {
        "description": "How many rated titles each decade has.",
        "parents": ["metrics/title_success"],
        "checks": ["key_is_unique_and_not_null", "row_count_is_as_written"],
        "rules": ["key decade", "rows written"],
        "weight": pytest.approx(3, abs=2),
        "dictionary": True,
        "diagram": True,
    }


def test_it_is_built_described_and_published(release: Path, tmp_path: Path) -> None:
    blobs, home = write_real_rows(tmp_path / "blobs"), tmp_path / "home"
    refresh = "from film_assets.cli import main; main()"
    document = json.loads(run(release, "-c", refresh, "refresh", "--source", blobs, "--home", home, "--json"))
    assert document["tables"]["metrics.decade_success"]["rebuilt"] == ["all"]
    with duckdb.connect(home / "films.duckdb", read_only=True) as films:
        assert films.sql("from metrics.decade_success").fetchall() == [(1890, 3)]
        described = "select comment from duckdb_columns() where table_name = 'decade_success' order by column_index"
        assert films.sql(described).fetchall() == [("The decade.",), ("How many rated titles.",)]
        assert films.sql("describe metrics.decade_success").fetchall()[1][:2] == ("titles", "INTEGER")
