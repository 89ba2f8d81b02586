"""What the web UI shows of the learning pipeline: columns, lineage, owners, freshness, rows, and checks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from film_assets.learning.assets import DASHBOARD, DIGEST, FAULTS, METRICS, RAW, REJECTED, SOLUTIONS
from film_assets.learning.definitions import build_defs
from film_assets.learning.resource import Learning
from film_assets.learning.settings import LearningSettings
from film_assets_tests.learning.conftest import IN_BOTH
from film_assets_tests.learning.statistics import Statistics, row

pytestmark = pytest.mark.slow

FIRST, SECOND = "2026-01-01", "2026-01-02"
TABLES = (SOLUTIONS, REJECTED, FAULTS, METRICS)
COLUMNS = """select column_name, is_nullable from information_schema.columns
    where table_name = $1 order by ordinal_position"""
PLATFORM = "secret-platform"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(instance: dg.DagsterInstance, first: str, last: str | None = None) -> dg.ExecuteInProcessResult:
    """Fetch these days, load and look at them; nothing is delivered."""
    covered = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last or first}
    job = build_defs().resolve_job_def("learning")
    chosen = [RAW, SOLUTIONS, REJECTED, FAULTS, METRICS]
    return job.execute_in_process(instance=instance, tags=covered, asset_selection=chosen)


def node_of(key: dg.AssetKey) -> Any:
    return build_defs().resolve_asset_graph().get(key)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {item.check_name: item for item in result.get_asset_check_evaluations()}


@IN_BOTH
def test_the_columns_that_are_told_are_those_of_the_database(settings: LearningSettings) -> None:
    with Learning(settings).database() as database:
        for key in TABLES:
            there = database.rows(COLUMNS, [key.path[-1]])
            metadata = node_of(key).metadata
            told = metadata["dagster/column_schema"].columns
            assert metadata["dagster/table_name"] == key.path[-1]
            assert [column.name for column in told] == [name for name, _ in there]
            assert all(column.description for column in told)
            if key != METRICS:  # a view, of whose columns no database says whether they can be null
                assert [column.constraints.nullable for column in told] == [nullable == "YES" for _, nullable in there]


def test_every_asset_is_described_owned_and_of_a_kind(everything: LearningSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (RAW, *TABLES, DASHBOARD, DIGEST):
        node = node_of(key)
        assert (node.group_name, list(node.owners)) == ("learning", ["team:learning-data"])
        assert node.description
        assert node.kinds
    assert {frozenset(node_of(key).kinds) for key in TABLES} == {frozenset({"duckdb"})}
    monkeypatch.setenv("LEARNING_DATABASE_URL", "postgresql://me:secret@127.0.0.1/x")
    assert {frozenset(node_of(key).kinds) for key in TABLES} == {frozenset({"postgresql"})}


def test_every_source_of_a_column_is_a_column_of_a_parent(settings: LearningSettings) -> None:
    for key in (*TABLES, DASHBOARD):
        node = node_of(key)
        lineage = node.metadata["dagster/column_lineage"].deps_by_column
        assert lineage
        assert set(lineage) <= {column.name for column in node.metadata["dagster/column_schema"].columns}
        for dep in (dep for deps in lineage.values() for dep in deps):
            assert dep.asset_key in node.parent_keys
            there = node_of(dep.asset_key).metadata["dagster/column_schema"].columns
            assert dep.column_name in {column.name for column in there}
    deps = node_of(METRICS).metadata["dagster/column_lineage"].deps_by_column["correct_attempts_per_day"]
    assert {(dep.asset_key, dep.column_name) for dep in deps} == {(SOLUTIONS, "created_at"), (SOLUTIONS, "is_correct")}


def test_metrics_are_late_a_day_after_a_run_that_is_scheduled_and_never_where_none_is(
    everything: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = node_of(METRICS).freshness_policy
    assert (policy.warn_window.to_timedelta().total_seconds(), policy.fail_window.to_timedelta().total_seconds()) == (
        30 * 3600,
        50 * 3600,
    )
    monkeypatch.delenv("LEARNING_SHEET_ID")
    assert node_of(METRICS).freshness_policy is None


@IN_BOTH
def test_the_newest_rows_are_told_with_the_last_day_of_a_run(
    everything: LearningSettings, instance: dg.DagsterInstance, statistics: Statistics
) -> None:
    params = repr({"oauth_consumer_key": PLATFORM})
    statistics.days = {
        FIRST: [row("anna", f"{FIRST} 10:00:00", passback_params=params), {"lti_user_id": PLATFORM}],
        SECOND: [row("ben", f"{SECOND} 11:00:00", correct=1, passback_params="no dict")],
    }
    assert run(instance, FIRST, SECOND).success

    def told(key: dg.AssetKey, day: str) -> dict[str, Any]:
        (record,) = instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=[day]), limit=1).records
        assert record.asset_materialization
        return {name: value.value for name, value in record.asset_materialization.metadata.items()}

    assert told(SOLUTIONS, SECOND)["dagster/row_count"] == 2
    assert told(SOLUTIONS, SECOND)["rows new"] == 1
    assert "newest" not in told(SOLUTIONS, FIRST)
    header, _, *rows = told(SOLUTIONS, SECOND)["newest"].splitlines()
    assert header == "| id | user_id | is_correct | attempt_type | created_at |"
    assert [line.split(" | ")[1] for line in rows] == ["ben", "anna"]
    assert "| ben | 2026-01-02 11:00:00 | is no Python literal |" in told(FAULTS, SECOND)["newest"]
    assert "field required" in told(REJECTED, SECOND)["newest"]
    assert all(PLATFORM not in told(key, SECOND)["newest"] for key in (SOLUTIONS, REJECTED, FAULTS))


@IN_BOTH
def test_too_many_rejected_rows_are_a_warning(
    everything: LearningSettings, instance: dg.DagsterInstance, statistics: Statistics
) -> None:
    good = [row("anna", f"{FIRST} 10:{minute:02}:00") for minute in range(49)]
    statistics.days = {FIRST: [*good, 5], SECOND: [5]}
    valid = checks(run(instance, FIRST))["attempts_are_valid"]
    assert (valid.passed, valid.metadata["share"].value) == (True, 0.02)
    result = run(instance, SECOND)
    assert result.success
    valid = checks(result)["attempts_are_valid"]
    assert (valid.passed, valid.severity, valid.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    assert (valid.metadata["rows fetched"].value, valid.metadata["rows rejected"].value) == (51, 2)
    assert f"| {SECOND} | 1 | 1 |" in valid.metadata["days"].value


@IN_BOTH
def test_attempts_that_came_late_are_a_warning(
    everything: LearningSettings, instance: dg.DagsterInstance, statistics: Statistics
) -> None:
    statistics.days = {FIRST: [row("anna", f"{FIRST} 10:{minute:02}:00") for minute in range(49)]}
    in_time = checks(run(instance, FIRST))["attempts_came_in_time"]
    assert (in_time.passed, in_time.metadata["late attempts"].value) == (True, 0)
    for late, passed in ((1, True), (2, False)):
        statistics.days[FIRST].append(row(f"late{late}", f"{FIRST} 23:00:00"))
        in_time = checks(run(instance, FIRST))["attempts_came_in_time"]
        assert (in_time.passed, in_time.metadata["late attempts"].value, in_time.severity) == (
            passed,
            late,
            dg.AssetCheckSeverity.WARN,
        )


@IN_BOTH
def test_what_came_on_the_day_itself_does_not_make_the_rest_late(
    everything: LearningSettings, instance: dg.DagsterInstance, statistics: Statistics
) -> None:
    today = datetime.now(UTC).date().isoformat()
    for hour in ("00", "01"):
        statistics.days.setdefault(today, []).append(row("anna", f"{today} {hour}:00:00"))
        found = checks(run(instance, today))
        assert found["attempts_came_in_time"].passed
        assert found["attempts_came_in_time"].metadata["late attempts"].value == 0


@IN_BOTH
def test_old_attempts_alone_are_a_warning(
    everything: LearningSettings, instance: dg.DagsterInstance, statistics: Statistics
) -> None:
    found = checks(run(instance, FIRST))["attempts_are_recent"]
    assert (found.passed, found.description) == (False, "there is no attempt yet")
    statistics.days = {FIRST: [row("anna", f"{FIRST} 10:00:00")]}
    found = checks(run(instance, FIRST))["attempts_are_recent"]
    assert (found.passed, found.description) == (False, f"the newest attempt is of {FIRST} 10:00")
    today = datetime.now(UTC).date().isoformat()
    statistics.days = {today: [row("anna", f"{today} 00:00:00")]}
    found = checks(run(instance, today))["attempts_are_recent"]
    assert (found.passed, found.severity) == (True, dg.AssetCheckSeverity.WARN)
