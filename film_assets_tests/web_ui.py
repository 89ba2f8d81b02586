"""Dagster's web UI for tests: the real server as `film-assets ui` starts it, and the page of a real browser on it.

Belongs here: starting and stopping both, and asking them. Does not belong here: what is tested.
"""

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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from film_assets_tests.command import PROGRAM

SCREENSHOTS = Path(__file__).parent.parent / "build" / "screenshots"
LOCATION = "film_assets.definitions"
_RUNS = "{ runsOrError { ... on Runs { results { runId status jobName } } } }"
_BACKFILLS = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { id status } } } }"
_EVENTS = """query ($path: [String!]!) { assetOrError(assetKey: {path: $path}) { ... on Asset {
    assetMaterializations(limit: 100) { partition runId metadataEntries { label ... on TextMetadataEntry { text } } } } } }"""


_CHECKS = """query ($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
    assetChecksOrError { ... on AssetChecks { checks { name blocking executionForLatestMaterialization { status evaluation {
        severity metadataEntries { label ... on IntMetadataEntry { intValue } } } } } } } } } }"""


@dataclass
class WebUi:
    """A running web UI, the page of a browser on it, and the file with what the command printed."""

    url: str
    page: Page
    log: Path

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
        found: list[dict[str, str]] = self.ask(_RUNS)["runsOrError"]["results"]
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
            for one in self.ask(_CHECKS, path=path)["assetNodeOrError"]["assetChecksOrError"]["checks"]
        }

    def ranges_with_events(self, *path: str, run_id: str) -> list[str]:
        """The ranges of an asset that got an event in a run."""
        events = self.ask(_EVENTS, path=path)["assetOrError"]["assetMaterializations"]
        return sorted(event["partition"] for event in events if event["runId"] == run_id)

    def reasons(self, *path: str, run_id: str) -> set[str]:
        """Why ranges of an asset were rebuilt in a run."""
        events = self.ask(_EVENTS, path=path)["assetOrError"]["assetMaterializations"]
        entries = [entry for event in events if event["runId"] == run_id for entry in event["metadataEntries"]]
        return {entry["text"] for entry in entries if entry["label"] == "why"}

    def materialize_all(self) -> list[str]:
        """Press the button; how the backfills ended."""
        self.open("/asset-groups")
        self.page.get_by_role("button", name="Materialize all").first.click()
        self.page.get_by_role("button", name="All", exact=True).click()
        self.page.get_by_role("button", name="Launch backfill").click()

        def ended() -> list[str]:
            found = [item["status"] for item in self.ask(_BACKFILLS)["partitionBackfillsOrError"]["results"]]
            return [status for status in found if status not in ("REQUESTED", "COMPLETING")]

        return until(ended, 300, "end of the backfill")


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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@contextmanager
def running(browser: Browser, folder: Path, **environment: str) -> Iterator[WebUi]:
    """The web UI, started in a folder with these variables, for as long as the block runs."""
    port, log = free_port(), folder / "ui.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FILM_ASSETS_", "DAGSTER_"))}
    with log.open("w") as out:
        server = subprocess.Popen(
            [str(PROGRAM), "ui", "--port", str(port)],
            cwd=folder,
            env=inherited | {"COLUMNS": "400"} | environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        opened = WebUi(f"http://127.0.0.1:{port}", browser.new_page(viewport={"width": 1600, "height": 1000}), log)
        until(lambda: opened.ask("{ assetNodes { id } }")["assetNodes"], 120, "assets in the web UI")
        yield opened
        opened.page.close()
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
