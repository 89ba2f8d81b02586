"""Runs and partitions in the pages of the web UI: red while a refresh fails and no longer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from film_assets.tables.ranges import RANGE_KEYS
from film_assets_tests import command
from film_assets_tests.blobs import write_real_rows
from film_assets_tests.web_ui import LOCATION, WebUi, browser, running, until

__all__ = ["browser"]
pytestmark = pytest.mark.slow

_PARTITIONS = """{ assetNodes { assetKey { path } partitionStats { numFailed numMaterialized numPartitions } } }"""
_TAGS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"
_JOB = f"/locations/{LOCATION}/jobs/refresh"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("partitions")
    write_real_rows(folder / "blobs")
    return folder


@pytest.fixture(scope="module")
def ui(folder: Path, browser: Browser) -> Iterator[WebUi]:
    with running(browser, folder, FILM_ASSETS_SOURCE=str(folder / "blobs"), FILM_ASSETS_HOME=str(folder / "home")) as opened:
        yield opened


def failed(ui: WebUi) -> dict[str, int]:
    """Asset -> how many of its partitions are red, of those that have any."""
    stats = {".".join(node["assetKey"]["path"]): node["partitionStats"] for node in ui.ask(_PARTITIONS)["assetNodes"]}
    return {name: found["numFailed"] for name, found in stats.items() if found and found["numFailed"]}


def test_nothing_stays_red_once_a_refresh_was_good(ui: WebUi, folder: Path) -> None:
    blobs, away, home = folder / "blobs", folder / "away", folder / "home"
    blobs.rename(away)
    assert ui.materialize_all() == ["COMPLETED_FAILED"]
    assert failed(ui)["films.ratings"] == len(RANGE_KEYS)
    assert command.film_assets("refresh", "--source", folder / "nowhere", home=home).returncode == 1
    shutil.move(away, blobs)
    for _ in range(2):
        command.refresh(blobs, home)
        assert failed(ui) == {}
    ui.open("/assets/films/ratings?view=partitions")
    ui.page.get_by_text(f"Materialized ({len(RANGE_KEYS)})").wait_for(timeout=30_000)
    ui.page.get_by_text("Failed (0)").wait_for(timeout=30_000)
    ui.picture("ranges-after-a-failure")


def test_a_refresh_shows_as_a_run_of_all_ranges(ui: WebUi) -> None:
    (run, *_) = ui.ask(_TAGS)["runsOrError"]["results"]
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert run["status"] == "SUCCESS"
    assert tags["dagster/asset_partition_range_start"] == RANGE_KEYS[0]
    assert tags["dagster/asset_partition_range_end"] == RANGE_KEYS[-1]
    ui.open(f"/runs/{run['runId']}")
    ui.page.get_by_text("refresh").first.wait_for(timeout=30_000)
    ui.picture("run-of-all-ranges")


def launched(ui: WebUi, picture: str, config: str = "") -> list[str]:
    """Press the button of the job's page, with this in the section *Config* of the dialog; the runs, once all of them ended."""
    known = {run["runId"] for run in ui.runs()}
    ui.open(_JOB)
    ui.page.get_by_role("button", name="Materialize all").first.click()
    ui.page.get_by_role("button", name="All", exact=True).click()
    if config:
        ui.page.get_by_role("dialog").get_by_text("Config", exact=True).click()
        ui.page.get_by_role("button", name="Add config").click()
        ui.page.get_by_text("No errors").wait_for(timeout=60_000)
        ui.page.get_by_role("dialog").filter(has_text="Config Editor").locator(".CodeMirror").first.click()
        ui.page.keyboard.insert_text(config)
        ui.picture(f"{picture}-config")
        ui.page.get_by_role("button", name="Save config").click()
    ui.picture(picture)
    ui.page.get_by_role("button", name="Launch backfill").click()

    def ended() -> list[str]:
        new = [run for run in ui.runs() if run["runId"] not in known]
        return [run["runId"] for run in new] if new and all(run["status"] == "SUCCESS" for run in new) else []

    found: list[str] = until(ended, 240, "end of the run of the job")
    return found


def test_the_page_of_the_job_works_from_the_first_click(ui: WebUi) -> None:
    (run,) = launched(ui, "job-dialog")
    assert ui.ranges_with_events("films", "ratings", run_id=run) == list(RANGE_KEYS)
    assert failed(ui) == {}


def test_the_dialog_takes_force_for_the_whole_run(ui: WebUi) -> None:
    (run,) = launched(ui, "job-dialog-with-force", "resources: {force: {config: {rebuild: true, tables: [films.ratings]}}}")
    forced = {name for name in ("ratings", "genres") if ui.reasons("films", name, run_id=run) == {"forced"}}
    assert forced == {"ratings"}
