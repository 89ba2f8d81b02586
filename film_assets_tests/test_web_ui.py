"""Dagster's web UI as people use it: a real browser against the real server. Screenshots are left in ``build/screenshots``."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from film_assets_tests.blobs import change, write_real_rows
from film_assets_tests.command import PROGRAM

pytestmark = pytest.mark.slow

SCREENSHOTS = Path(__file__).parent.parent / "build" / "screenshots"
LOCATION = "film_assets.definitions"
RUNS = "{ runsOrError { ... on Runs { results { runId status jobName } } } }"
BACKFILLS = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { id status } } } }"
EVENTS = """query ($path: [String!]!) { assetOrError(assetKey: {path: $path}) { ... on Asset {
    assetMaterializations(limit: 100) { partition runId } } } }"""

CHECKS = """query ($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
    assetChecksOrError { ... on AssetChecks { checks { name blocking executionForLatestMaterialization { status evaluation {
        severity metadataEntries { label ... on IntMetadataEntry { intValue } } } } } } } } } }"""


@dataclass
class WebUi:
    """A running web UI, the page of a browser on it, and the blobs it refreshes from."""

    url: str
    page: Page
    blobs: Path

    def ask(self, query: str, **variables: object) -> Any:
        """The answer of the GraphQL interface that the page itself uses."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}", wait_until="domcontentloaded")

    def picture(self, name: str) -> None:
        """Leave a screenshot for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(1500)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def runs(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.ask(RUNS)["runsOrError"]["results"]
        return found

    def checks(self, *path: str) -> dict[str, tuple[bool, str, str, int]]:
        """Check of an asset -> whether it is blocking, how it ended, its severity and how many rows offend."""
        return {
            one["name"]: (
                one["blocking"],
                one["executionForLatestMaterialization"]["status"],
                (evaluation := one["executionForLatestMaterialization"]["evaluation"])["severity"],
                *(entry["intValue"] for entry in evaluation["metadataEntries"] if entry["label"] == "offending rows"),
            )
            for one in self.ask(CHECKS, path=path)["assetNodeOrError"]["assetChecksOrError"]["checks"]
        }

    def ranges_with_events(self, *path: str, run_id: str) -> list[str]:
        """The ranges of an asset that got an event in a run."""
        events = self.ask(EVENTS, path=path)["assetOrError"]["assetMaterializations"]
        return sorted(event["partition"] for event in events if event["runId"] == run_id)


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    raise AssertionError(f"no {what} after {seconds} seconds")


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "no Chromium: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUi]:
    browser_path, folder = chromium(), tmp_path_factory.mktemp("ui")
    blobs = write_real_rows(folder / "blobs")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FILM_ASSETS_", "DAGSTER_"))}
    environment = inherited | {"FILM_ASSETS_SOURCE": str(blobs), "FILM_ASSETS_HOME": str(folder / "home")}
    with (folder / "ui.log").open("w") as log:
        server = subprocess.Popen(
            [str(PROGRAM), "ui", "--port", str(port)], cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=browser_path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            )
            opened = WebUi(f"http://127.0.0.1:{port}", browser.new_page(viewport={"width": 1600, "height": 1000}), blobs)
            until(lambda: opened.ask("{ assetNodes { id } }")["assetNodes"], 120, "assets in the web UI")
            yield opened
            browser.close()
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def test_the_graph_reads_from_left_to_right(ui: WebUi) -> None:
    ui.open("/asset-groups")
    places = []
    for group in ("blobs", "raw", "films", "metrics", "published"):
        box = ui.page.locator("svg, div").get_by_text(group, exact=True).last
        box.wait_for(timeout=60_000)
        found = box.bounding_box()
        assert found
        places.append(found["x"])
    ui.picture("graph")
    assert places == sorted(places)
    assert len(set(places)) == len(places)


def test_materialize_all_on_a_new_home_ends_green(ui: WebUi) -> None:
    ui.open("/asset-groups")
    ui.page.get_by_role("button", name="Materialize all").first.click()
    ui.page.get_by_role("button", name="All", exact=True).click()
    ui.page.get_by_role("button", name="Launch backfill").click()

    def ended() -> list[dict[str, str]]:
        backfills = ui.ask(BACKFILLS)["partitionBackfillsOrError"]["results"]
        return [item for item in backfills if item["status"] not in ("REQUESTED", "COMPLETING")]

    assert [item["status"] for item in until(ended, 300, "end of the backfill")] == ["COMPLETED_SUCCESS"]
    assert {run["status"] for run in ui.runs()} == {"SUCCESS"}
    ui.open("/asset-groups")
    ui.picture("graph-after")


def test_an_asset_shows_its_columns_and_ranges(ui: WebUi) -> None:
    ui.open("/assets/films/genres?view=overview")
    for words in ("The genres of each title.", "One genre of the title.", "Source code", "film-data"):
        ui.page.get_by_text(words).first.wait_for(timeout=30_000)
    ui.picture("asset")
    ui.open("/assets/films/genres?view=partitions")
    ui.page.get_by_text("Materialized (20)").wait_for(timeout=30_000)
    ui.picture("ranges")
    ui.open("/assets/published/films?view=overview")
    ui.page.get_by_text("built from").first.wait_for(timeout=30_000)
    ui.picture("published")
    ui.open("/assets/published/indexes?view=overview")
    ui.page.get_by_text("lookup.credits").first.wait_for(timeout=30_000)
    ui.picture("indexes")


def test_the_checks_of_an_asset_are_told_by_name(ui: WebUi) -> None:
    assert ui.checks("films", "titles") == {
        "key_is_unique_and_not_null": (True, "SUCCEEDED", "ERROR", 0),
        "row_count_is_as_written": (True, "SUCCEEDED", "ERROR", 0),
        "values_are_allowed": (False, "SUCCEEDED", "WARN", 0),
        "values_are_in_range": (True, "SUCCEEDED", "ERROR", 0),
    }
    assert ui.checks("raw", "titles") == {
        "rows_are_accounted_for": (True, "SUCCEEDED", "ERROR", 0),
        "values_were_kept": (False, "SUCCEEDED", "WARN", 0),
    }
    ui.open("/assets/films/titles?view=checks&checkDetail=values_are_in_range")
    for words in (*ui.checks("films", "titles"), "offending rows", "runtimeMinutes 0 or more"):
        ui.page.get_by_text(words, exact=True).first.wait_for(timeout=30_000)
    ui.picture("checks")


def test_a_tick_of_the_schedule_gives_events_to_what_changed(ui: WebUi) -> None:
    change(ui.blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
    known = {run["runId"] for run in ui.runs()}
    ui.open(f"/locations/{LOCATION}/schedules/daily_refresh")
    ui.page.get_by_role("button", name="Preview tick result").click()
    ui.page.get_by_role("button", name="Continue").click()
    ui.picture("tick")
    ui.page.get_by_role("button", name="Launch all & commit tick result").click()

    def ended() -> dict[str, str] | None:
        new = [run for run in ui.runs() if run["runId"] not in known and run["status"] in ("SUCCESS", "FAILURE")]
        return new[0] if new else None

    run = until(ended, 180, "end of the scheduled run")
    assert run["status"] == "SUCCESS"
    assert ui.ranges_with_events("films", "genres", run_id=run["runId"]) == ["00"]
    assert ui.ranges_with_events("films", "titles", run_id=run["runId"]) == []
    ui.open(f"/runs/{run['runId']}")
    ui.picture("run")
