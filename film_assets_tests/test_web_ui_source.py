"""The web UI where no source is set: what it says before anybody presses anything, and that a refreshed home works at once."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from film_assets_tests.blobs import write_real_rows
from film_assets_tests.command import PROGRAM, film_assets
from film_assets_tests.web_ui import LOCATION, WebUi, browser, running

__all__ = ["browser"]

pytestmark = pytest.mark.slow

NOT_SET = "no source is set: give --source or set FILM_ASSETS_SOURCE to a folder or a container URL"
REPOSITORY = f'repositoryName: "__repository__", repositoryLocationName: "{LOCATION}"'
BLOBS = f'{{ assetNodes(group: {{groupName: "blobs", {REPOSITORY}}}) {{ description kinds }} }}'
JOB = f'{{ pipelineOrError(params: {{pipelineName: "refresh", {REPOSITORY}}}) {{ ... on Pipeline {{ description }} }} }}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with blobs, in which the commands are run; with settings of Dagster in it, as a home may have."""
    folder = tmp_path_factory.mktemp("no-source")
    write_real_rows(folder / "blobs")
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return folder


@pytest.fixture(scope="module")
def new(folder: Path, browser: Browser) -> Iterator[WebUi]:
    with running(browser, folder, FILM_ASSETS_HOME=str(folder / "new")) as opened:
        yield opened


def test_the_start_says_what_is_missing_and_warns_of_nothing_else(new: WebUi) -> None:
    note, place, *rest = new.log.read_text().splitlines()
    assert note == f"note: {NOT_SET}"
    assert new.url in place
    assert [line for line in rest if re.search("warn|deprecat|supersed|traceback", line, re.IGNORECASE)] == []


def test_job_and_blobs_say_what_is_missing_before_anybody_presses_anything(new: WebUi) -> None:
    nodes = new.ask(BLOBS)["assetNodes"]
    assert len(nodes) == 5
    assert {node["description"].splitlines()[0] for node in nodes} == {f"**{NOT_SET}**"}
    assert new.ask(JOB)["pipelineOrError"]["description"].startswith(f"**{NOT_SET}**")
    new.open("/assets/blobs/titles?view=overview")
    new.page.get_by_text(NOT_SET).first.wait_for(timeout=60_000)
    new.picture("no-source")


def test_blobs_of_nowhere_are_of_no_service(new: WebUi) -> None:
    assert {tuple(node["kinds"]) for node in new.ask(BLOBS)["assetNodes"]} == {("tsv",)}


def test_a_taken_port_is_one_line_and_starts_nothing(new: WebUi, folder: Path) -> None:
    port = new.url.rpartition(":")[2]
    done = film_assets("ui", "--port", port, home=folder / "other", COLUMNS="400")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"film-assets: port {port} of 127.0.0.1 cannot be used (address already in use); choose another by --port"
    ]
    assert not (folder / "other").exists()


def test_a_refreshed_home_is_refreshed_from_the_same_source_at_the_first_press(folder: Path, browser: Browser) -> None:
    home = folder / "refreshed"
    refresh = [str(PROGRAM), "refresh", "--source", "blobs", "--home", str(home)]
    subprocess.run(refresh, cwd=folder, check=True, capture_output=True)
    with running(browser, folder, FILM_ASSETS_HOME=str(home)) as ui:
        line = f"no source is set: the blobs come from {folder / 'blobs'}, which this home was last refreshed from"
        assert ui.log.read_text().splitlines()[0] == f"note: {line}"
        nodes = ui.ask(BLOBS)["assetNodes"]
        assert {(node["description"].splitlines()[0], *sorted(node["kinds"])) for node in nodes} == {
            (f"**{line}**", "folder", "tsv")
        }
        assert ui.materialize_all() == ["COMPLETED_SUCCESS"]
        assert {run["status"] for run in ui.runs()} == {"SUCCESS"}
