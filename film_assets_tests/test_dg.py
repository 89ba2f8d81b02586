"""Dagster's command ``dg``, in the folders of both code locations: it finds them, and nothing to complain of."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from film_assets.home import Home
from film_assets.orchestration.run import dagster_home

pytestmark = pytest.mark.slow

REPO = Path(__file__).parents[1]
IN_BOTH = pytest.mark.parametrize(
    ("folder", "asset", "job", "resource"),
    [
        (REPO, "published/films", "refresh", "films"),
        (REPO / "code_locations" / "learning", "learning/solutions", "learning", "learning"),
    ],
    ids=["films", "learning"],
)


def dg(*arguments: str, folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """The command as it ended, without an activated environment, on the history of a home."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"FILM_ASSETS_HOME": str(home), "DAGSTER_HOME": str(dagster_home(Home(home)))}
    program = Path(sys.executable).with_name("dg")
    return subprocess.run([str(program), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@IN_BOTH
def test_the_definitions_are_sound(folder: Path, asset: str, job: str, resource: str, tmp_path: Path) -> None:
    done = dg("check", "defs", folder=folder, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "All definitions loaded successfully." in done.stdout


@IN_BOTH
def test_the_definitions_are_listed(folder: Path, asset: str, job: str, resource: str, tmp_path: Path) -> None:
    done = dg("list", "defs", "--json", folder=folder, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert asset in {one["asset_key"] for one in found["assets"]}
    assert job in {one["name"] for one in found["jobs"]}
    assert resource in {one["name"] for one in found["resources"]}


def test_a_setting_that_cannot_be_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_ASSETS_REFRESH_HOUR", "24")
    done = dg("check", "defs", folder=REPO, home=tmp_path)
    assert done.returncode == 1
    assert "FILM_ASSETS_REFRESH_HOUR" in done.stdout + done.stderr
