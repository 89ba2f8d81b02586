"""Dagster's web UI as people use it: a real browser against the real server. Screenshots are left in ``build/screenshots``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from film_assets_tests.blobs import change, write_real_rows
from film_assets_tests.web_ui import LOCATION, WebUi, browser, running, until

__all__ = ["browser"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the web UI refreshes from."""
    return write_real_rows(tmp_path_factory.mktemp("ui") / "blobs")


@pytest.fixture(scope="module")
def ui(blobs: Path, browser: Browser) -> Iterator[WebUi]:
    folder = blobs.parent
    with running(browser, folder, FILM_ASSETS_SOURCE=str(blobs), FILM_ASSETS_HOME=str(folder / "home")) as opened:
        yield opened


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
    assert ui.materialize_all() == ["COMPLETED_SUCCESS"]
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


def test_a_tick_of_the_schedule_gives_events_to_what_changed(ui: WebUi, blobs: Path) -> None:
    change(blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
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
