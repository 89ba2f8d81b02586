"""The asset checks: what they find, what they keep from being published, and what they cost where nothing changed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import narwhals as nw
import pytest

from film_assets.definitions import build_defs
from film_assets.engines import checks
from film_assets.engines.duckdb import checks as evaluation
from film_assets.engines.duckdb.engine import DuckDbEngine
from film_assets.orchestration.assets.describe import key_of
from film_assets.orchestration.conventions import EVERYTHING
from film_assets.refresh.pipeline import Pipeline
from film_assets.settings import load_settings
from film_assets.tables import BLOBS, COMPUTED
from film_assets.tables.declaration import Frame
from film_assets.tables.rules import RULES, Rule, Values
from film_assets_tests.blobs import change, copy, write_real_rows
from film_assets_tests.conftest import refresh
from film_assets_tests.orchestration.conftest import Workshop

pytestmark = pytest.mark.slow

SNAPSHOT_OF_THE_JOB = """
from film_assets.definitions import build_defs
print(build_defs().resolve_job_def("refresh").get_job_snapshot_id())
"""
KEY_OF_GENRES = "films.genres", "key_is_unique_and_not_null"


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as a refresh left it; not to be written to."""
    folder = tmp_path_factory.mktemp("refreshed")
    refresh(load_settings(source=str(write_real_rows(folder / "blobs")), home=folder / "home"))
    return folder / "home"


@pytest.fixture
def engine(refreshed: Path, tmp_path: Path) -> Iterator[DuckDbEngine]:
    """An engine on a home of its own, as a refresh left it."""
    with Pipeline(load_settings(home=copy(refreshed, tmp_path / "home"))) as pipeline:
        yield pipeline.engine


def rule(table: str, words: str) -> Rule:
    return next(rule for rule in RULES[table] if words in rule.name)


def failing(engine: DuckDbEngine, rule: Rule) -> tuple[int, list[str]]:
    """How many rows break a rule, and which."""
    ((_, found),) = engine.check([rule], full=True)
    return sum(item.failing for item in found.values()), [example for item in found.values() for example in item.examples]


def looked(engine: DuckDbEngine, rule: Rule, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ranges that are looked at to check a rule."""
    seen: list[str] = []
    original = evaluation.WarehouseEvaluator.evaluate

    def evaluate(self, rule, keys):
        seen.extend(keys)
        return original(self, rule, keys)

    with monkeypatch.context() as patch:
        patch.setattr(evaluation.WarehouseEvaluator, "evaluate", evaluate)
        engine.check([rule])
    return sorted(seen)


def evaluations(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    return {(".".join(item.asset_key.path), item.check_name): item for item in result.get_asset_check_evaluations()}


def run(workshop: Workshop) -> dg.ExecuteInProcessResult:
    job = workshop.defs.resolve_job_def("refresh")
    return job.execute_in_process(instance=workshop.instance, tags=EVERYTHING, raise_on_error=False)


def test_every_table_has_rules_and_sound_data_keeps_them(engine: DuckDbEngine) -> None:
    assert set(RULES) == {table.name for table in (*BLOBS, *COMPUTED)}
    broken = [rule for rules in RULES.values() for rule in rules if failing(engine, rule)[0]]
    assert broken == []


@pytest.mark.parametrize(
    ("table", "words", "damage", "expected"),
    [
        ("films.genres", "key", "insert into films.genres values ('tt0000009', 'Romance')", (1, ["tt0000009, Romance"])),
        ("films.names", "key", "update films.names set nconst = null where nconst = 'nm9993709'", (1, [""])),
        ("films.titles", "titleType", "update films.titles set titleType = 'opera' where tconst = 'tt0000009'",
         (1, ["tt0000009: opera"])),
        ("films.cast", "category", "update films.cast set category = 'cook' where ordering = 3", (1, ["tt0000005, 3: cook"])),
        ("films.titles", "isAdult", "update films.titles set isAdult = null", (0, [])),
        ("films.ratings", "averageRating", "update films.ratings set averageRating = 11",
         (3, ["tt0000001: 11.0", "tt0000005: 11.0", "tt0000009: 11.0"])),
        ("films.ratings", "numVotes", "update films.ratings set numVotes = -1 where tconst = 'tt0000001'",
         (1, ["tt0000001: -1"])),
        ("films.cast", "nconst in", "delete from films.names where nconst = 'nm0443482'", (2, ["nm0443482"])),
        ("films.cast", "tconst in", "delete from films.titles where tconst = 'tt0000005'", (3, ["tt0000005"])),
        ("films.directors", "nconst in", "delete from films.names where nconst = 'nm0005690'", (2, ["nm0005690"])),
        ("films.known_for", "tconst in", "delete from films.titles where tconst = 'tt9999999'", (1, ["tt9999999"])),
        ("films.known_for", "people", "insert into films.known_for values ('nm9993709', 'tt0000001', 1)", (1, [])),
        ("films.titles", "rows written", "delete from films.titles where tconst = 'tt0000009'", (1, [])),
        ("raw.crew", "accounted", "update state.slices set lines = lines + 2 where blob = 'crew' and range = '00'",
         (1, ["crew: 7 read, 5 loaded, 0 rejected, 5 there"])),
        ("raw.ratings", "accounted", "update state.ranges set rows = rows - 1 where name = 'raw.ratings' and range = '00'",
         (1, ["ratings: 3 read, 2 loaded, 0 rejected, 3 there"])),
    ],
)  # fmt: skip
def test_what_is_damaged_is_found(engine: DuckDbEngine, table: str, words: str, damage: str, expected: object) -> None:
    engine.warehouse.run(damage)
    assert failing(engine, rule(table, words)) == expected


def test_only_ranges_that_changed_are_looked_at(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [rule("films.genres", "key"), rule("films.titles", "titleType"), rule("films.cast", "tconst in")]

    def ranges() -> list[list[str]]:
        refresh(workshop.settings)
        with Pipeline(workshop.settings) as pipeline:
            return [looked(pipeline.engine, rule, monkeypatch) for rule in rules]

    assert [len(keys) for keys in ranges()] == [20, 20, 20]
    assert ranges() == [[], [], []]
    change(workshop.blobs, "titles", "tt10233364", lambda fields: [*fields[:8], "Drama"])
    assert ranges() == [["01"], [], []]


def test_other_allowed_values_are_looked_for_anew(engine: DuckDbEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    known = rule("films.titles", "titleType")
    engine.check([known])
    monkeypatch.setitem(evaluation._OFFENDING, Values, lambda *_: "select 'tt0000001' as id, 'x' as example")
    assert len(looked(engine, known, monkeypatch)) == 20


def test_of_a_big_table_some_changed_ranges_are_looked_at_and_all_when_asked(
    engine: DuckDbEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_AT_ONCE", 2)
    key = rule("films.titles", "key")
    ((_, found),) = engine.check([key])
    assert 0 < sum(item.looked for item in found.values()) < 20
    assert looked(engine, key, monkeypatch) == []
    ((_, found),) = engine.check([key], full=True)
    assert all(item.looked for item in found.values())


def test_a_broken_key_keeps_the_previous_snapshot(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.refresh()
    before = workshop.settings.kept_in.films.stat()
    change(workshop.blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
    genres = next(table for table in COMPUTED if table.name == "films.genres")
    compute = type(genres).compute
    monkeypatch.setattr(
        type(genres), "compute", lambda self, frames: twice(compute(self, frames)) if self is genres else compute(self, frames)
    )
    result = run(workshop)
    assert not result.success
    words = "not published: films.genres: key tconst, genre: 5 do not: "
    descriptions = [event.step_failure_data.user_failure_data for event in result.get_step_failure_events()]
    assert [item.description[: len(words)] for item in descriptions if item] == [words]
    assert "films" not in {event.asset_key.path[-1] for event in result.get_asset_materialization_events() if event.asset_key}
    assert workshop.settings.kept_in.films.stat() == before
    found = evaluations(result)[KEY_OF_GENRES]
    assert (found.passed, found.severity, found.blocking) == (False, dg.AssetCheckSeverity.ERROR, True)
    monkeypatch.undo()
    with Pipeline(workshop.settings) as pipeline:
        pipeline.engine.warehouse.run("delete from films.genres")
        pipeline.engine.warehouse.run("delete from state.ranges where name = 'films.genres'")
    assert run(workshop).success


def twice(frame: Frame) -> Frame:
    relation = frame.to_native()
    return nw.from_native(relation.union(relation))


def test_orphans_warn_and_are_published(workshop: Workshop) -> None:
    change(workshop.blobs, "names", "nm0443482", lambda _: None)
    result = run(workshop)
    assert result.success
    found = evaluations(result)["films.cast", "references_exist"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "| nconst in films.names | broken | 2 | 33.333% | 2.0% | 6 | 6 |" in found.metadata["rules"].value
    assert "| nconst in films.names | nm0443482 |" in found.metadata["offending"].value
    assert workshop.settings.kept_in.films.exists()


def test_checks_can_be_run_alone_and_then_look_at_everything(workshop: Workshop) -> None:
    workshop.refresh()
    with Pipeline(workshop.settings) as pipeline:
        pipeline.engine.warehouse.run("insert into films.genres from films.genres limit 1")
    assert evaluations(run(workshop))[KEY_OF_GENRES].passed
    chosen = dg.AssetSelection.checks_for_assets(key_of("films.genres"))
    job = dg.define_asset_job("alone", chosen, executor_def=dg.in_process_executor)
    defs = dg.Definitions.merge(workshop.defs, dg.Definitions(jobs=[job]))
    result = defs.resolve_job_def("alone").execute_in_process(instance=workshop.instance, raise_on_error=False)
    found = evaluations(result)
    assert list(found) == [KEY_OF_GENRES, ("films.genres", "row_count_is_as_written")]
    assert not found[KEY_OF_GENRES].passed


def test_each_kind_of_rule_is_a_check_of_its_own_that_blocks_if_it_is_fatal() -> None:
    graph = build_defs().resolve_asset_graph()
    found = {
        table: {key.name: graph.get_check_spec(key).blocking for key in graph.get(key_of(table)).check_keys} for table in RULES
    }
    always = {"key_is_unique_and_not_null": True, "row_count_is_as_written": True}
    assert found["raw.titles"] == {"rows_are_accounted_for": True, "values_were_kept": False}
    assert found["films.titles"] == {**always, "values_are_allowed": False, "values_are_in_range": True}
    assert found["films.directors"] == {**always, "references_exist": False}
    assert found["films.known_for"] == {**always, "references_exist": False, "known_for_people_are_in_the_blob": True}
    assert found["metrics.collaborations"] == always


def test_each_check_of_a_run_tells_its_severity_and_counts(workshop: Workshop) -> None:
    change(workshop.blobs, "titles", "tt0000009", lambda fields: [fields[0], "opera", *fields[2:]])
    change(workshop.blobs, "ratings", "tt0000005", lambda fields: [*fields[:2], "few"])
    found = evaluations(run(workshop))
    assert set(found) == {(table, rule.check) for table, rules in RULES.items() for rule in rules}
    broken = {name: item for name, item in found.items() if not item.passed}
    assert set(broken) == {("films.titles", "values_are_allowed"), ("raw.ratings", "values_were_kept")}
    assert {item.severity for item in broken.values()} == {dg.AssetCheckSeverity.WARN}
    titles, ratings = broken["films.titles", "values_are_allowed"], broken["raw.ratings", "values_were_kept"]
    assert titles.description == "known titleType"
    assert (titles.metadata["offending rows"].value, titles.metadata["greatest share"].value) == (1, 0.2)
    assert "tt0000009: opera" in titles.metadata["offending"].value
    assert "ratings.numVotes 1 of 3 (33.333%)" in ratings.metadata["offending"].value
    assert found["films.titles", "key_is_unique_and_not_null"].severity == dg.AssetCheckSeverity.ERROR


def test_every_process_runs_the_same_job() -> None:
    """So that Dagster keeps one snapshot of it, and a step has the same name in every run."""
    snapshots = {
        subprocess.run(
            [sys.executable, "-c", SNAPSHOT_OF_THE_JOB],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(snapshots) == 1
