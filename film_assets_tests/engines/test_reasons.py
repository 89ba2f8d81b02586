"""Why ranges are rebuilt, in words and as data, by every engine; and what a refresh would do, said before it does it."""

from pathlib import Path

import pytest

from film_assets.engines.reasons import Reason, Why
from film_assets.refresh.pipeline import Pipeline, Report
from film_assets.refresh.plan import plan
from film_assets.settings import Settings
from film_assets.tables import BLOBS, COMPUTED, TABLES
from film_assets.tables.ranges import RANGE_KEYS
from film_assets.tables.rules import RULES
from film_assets_tests.conftest import refresh
from film_assets_tests.engines.test_behaviour import _replace, blobs, counts_rows, engine, place, settings

__all__ = ["blobs", "counts_rows", "engine", "place", "settings"]
pytestmark = pytest.mark.slow


def whys(report: Report) -> dict[str, dict[str, str]]:
    """Table -> range that was rebuilt -> why."""
    return {
        name: {key: str(one.why) for key, one in outcome.rebuilt.items()}
        for name, outcome in report.outcomes.items()
        if outcome.rebuilt
    }


def vote(blobs: Path, tconst: str = "tt0000009") -> None:
    """One more vote for a title."""
    path = blobs / "ratings.tsv"
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    path.write_text("".join("\t".join([*row[:2], str(int(row[2]) + 1)] if row[0] == tconst else row) + "\n" for row in rows))


@pytest.mark.from_nothing
def test_the_first_time_and_by_force(settings: Settings) -> None:
    assert {why for of in whys(refresh(settings)).values() for why in of.values()} == {"first build"}
    forced = whys(refresh(settings, force=True))
    assert {why for of in forced.values() for why in of.values()} == {"forced"}
    assert set(forced["films.ratings"]) == set(RANGE_KEYS)
    assert set(forced["raw.ratings"]) == set(RANGE_KEYS)


@pytest.fixture
def one_row(counts_rows: bool) -> str:
    """What is said of a row that changed."""
    return " (1 row)" if counts_rows else ""


def test_an_input_is_named_with_its_columns_ranges_and_rows(
    settings: Settings, blobs: Path, counts_rows: bool, one_row: str
) -> None:
    refresh(settings)
    vote(blobs)
    report = refresh(settings)
    found = whys(report)
    assert found["raw.ratings"] == {"00": "its bytes in the blob changed"}
    assert found["films.ratings"] == {"00": f"raw.ratings.numVotes changed in 00{one_row}"}
    assert found["metrics.title_success"]["00"].startswith(f"films.ratings.numVotes changed in 00{one_row}")
    assert all("metrics.title_success." in why for why in found["metrics.person_success"].values())
    why = report.outcomes["films.ratings"].rebuilt["00"].why
    assert why.document == {
        "reason": "input",
        "words": f"raw.ratings.numVotes changed in 00{one_row}",
        "causes": [{"table": "raw.ratings", "columns": ["numVotes"], "ranges": ["00"], "rows": 1 if counts_rows else None}],
    }


def test_what_an_earlier_run_changed_is_named_too(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    vote(blobs)
    with Pipeline(settings) as pipeline:  # and is cut off
        pipeline.land(TABLES["raw.ratings"])  # type: ignore[arg-type]
    assert whys(refresh(settings))["films.ratings"] == {"00": "raw.ratings.numVotes changed"}


def test_new_code_is_told_from_new_inputs(settings: Settings, blobs: Path, one_row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh(settings)
    function = TABLES["films.ratings"].function
    assert function
    _replace(monkeypatch, "films.ratings", lambda raw_ratings: function(raw_ratings).unique())
    assert set(whys(refresh(settings))["films.ratings"].values()) == {"its code changed"}
    _replace(monkeypatch, "films.ratings", lambda raw_ratings: function(raw_ratings).unique().unique())
    vote(blobs)
    found = whys(refresh(settings))["films.ratings"]
    assert found.pop("00") == f"its code changed; raw.ratings.numVotes changed in 00{one_row}"
    assert set(found.values()) == {"its code changed"}


def test_a_range_that_a_check_rejected_is_built_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh(settings)
    function = TABLES["films.ratings"].function
    assert function
    _replace(monkeypatch, "films.ratings", lambda raw_ratings: function(raw_ratings).head(1))
    rules = [rule for rule in RULES["films.ratings"] if rule.fatal]
    with Pipeline(settings) as pipeline:
        assert pipeline.engine.ranges.rejected == set()
        pipeline.engine.ranges.rejected.add(("films.ratings", "00"))
        outcome = pipeline.rebuild(TABLES["films.titles"])
        assert not outcome.rebuilt
        monkeypatch.undo()
        outcome = pipeline.rebuild(TABLES["films.ratings"])
        assert {key: one.why for key, one in outcome.rebuilt.items()} == {"00": Why(Reason.REJECTED)}
        assert pipeline.engine.ranges.rejected == set()
        assert not pipeline.rebuild(TABLES["films.ratings"]).rebuilt
        assert all(not one.failing for _, found in pipeline.check(rules) for one in found.values())


@pytest.mark.from_nothing
def test_a_plan_says_what_would_be_done_and_does_nothing(settings: Settings, blobs: Path) -> None:
    everything = [table.name for table in (*BLOBS, *COMPUTED)]
    steps = plan(settings)
    assert [step.table for step in steps if step.ranges] == everything
    assert str(steps[0]).endswith(".tsv is new (20 ranges)")
    assert "films.genres: first build (20 ranges)" in map(str, steps)
    assert not settings.kept_in.warehouse.exists()
    refresh(settings)
    assert plan(settings) == []
    vote(blobs)
    told = {step.table: str(step) for step in plan(settings)}
    done = whys(refresh(settings))
    assert set(done) <= set(told)
    assert "films.genres" not in told
    assert told["raw.ratings"] == "raw.ratings: ratings.tsv is changed (20 ranges)"
    assert told["films.ratings"].startswith("films.ratings: where there are changes in raw.ratings.")
    assert plan(settings) == []


def test_a_plan_knows_force_and_new_code(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh(settings)
    assert [step.table for step in plan(settings, rebuild=True) if step.ranges] == [table.name for table in (*BLOBS, *COMPUTED)]
    (first, *_) = plan(settings, tables=["films.ratings"])
    assert str(first) == "films.ratings: forced (20 ranges)"
    function = TABLES["films.genres"].function
    assert function
    _replace(monkeypatch, "films.genres", lambda raw_titles: function(raw_titles).unique())
    (first, *_) = plan(settings)
    assert str(first) == "films.genres: its code changed (20 ranges)"
