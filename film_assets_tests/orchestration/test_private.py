"""What is private of Dagster does what it is used for: Dagster alone, so that any version of it can be tried."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterEventType, DagsterRunStatus

from film_assets.home import Home
from film_assets.orchestration import private, tags
from film_assets.orchestration.history import EventLog
from film_assets.orchestration.run import dagster_home
from film_assets_tests.orchestration.private import stale

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::dagster.BetaWarning")]  # of the backfill policy

PARTITIONS = dg.StaticPartitionsDefinition(["a", "b", "c"])
ALL = {tags.RANGE_START: "a", tags.RANGE_END: "c"}
CUT, WHOLE = dg.AssetKey("cut"), dg.AssetKey("whole")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with private.opened_history(dagster_home(Home(tmp_path))) as opened:
        yield opened


def materialized(instance: dg.DagsterInstance, key: dg.AssetKey) -> list[str | None]:
    return sorted(record.partition_key or "" for record in instance.fetch_materializations(key, limit=100).records)


@pytest.mark.parametrize(("metadata", "events"), [({}, ["a", "a", "b", "c"]), (private.WITHOUT_AUTOMATIC_EVENTS, ["a"])])
def test_automatic_events_are_held_back_and_steps_downstream_run(
    instance: dg.DagsterInstance, metadata: dict[str, object], events: list[str]
) -> None:
    @dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
    def cut(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        context.log_event(dg.AssetMaterialization(CUT, partition="a", tags={tags.DATA_VERSION: "1"}))
        return dg.MaterializeResult(metadata=metadata)

    @dg.asset(deps=[dg.AssetDep(CUT, partition_mapping=dg.AllPartitionMapping())])
    def whole() -> None:
        """Runs after what told nothing by itself."""

    assert dg.materialize([cut, whole], instance=instance, tags=ALL).success
    assert materialized(instance, CUT) == events
    assert materialized(instance, WHOLE) == [""]


@pytest.mark.parametrize(
    ("deferred", "planned", "events"), [({}, 3, ["a", "a", "b", "c"]), ({tags.DEFER_EVENTS: "true"}, 0, ["a"])]
)
def test_a_run_that_defers_events_plans_none_and_logs_those_of_its_steps(
    instance: dg.DagsterInstance, deferred: dict[str, str], planned: int, events: list[str]
) -> None:
    @dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
    def cut(context: dg.AssetExecutionContext) -> None:
        context.log_event(dg.AssetMaterialization(CUT, partition="a"))

    result = dg.materialize([cut], instance=instance, tags={**ALL, **deferred})
    assert result.success
    assert len(list(private.events_of(instance, result.run_id, DagsterEventType.ASSET_MATERIALIZATION_PLANNED))) == planned
    assert materialized(instance, CUT) == events


@pytest.mark.parametrize(("version", "is_stale"), [("landed", False), ("another", True)])
def test_an_input_is_compared_by_version_and_not_by_time(instance: dg.DagsterInstance, version: str, is_stale: bool) -> None:
    @dg.multi_observable_source_asset(specs=[dg.AssetSpec("blob")])
    def blob() -> dg.ObserveResult:
        return dg.ObserveResult(data_version=dg.DataVersion(version))

    provenance = {f"{tags.INPUT_DATA_VERSION}/blob": "landed", f"{tags.INPUT_EVENT}/blob": private.NULL_EVENT_POINTER}

    @dg.asset(deps=[blob])
    def whole(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        context.log_event(dg.AssetMaterialization(WHOLE, tags={tags.CODE_VERSION: "1", tags.DATA_VERSION: "1", **provenance}))
        return dg.MaterializeResult(metadata=private.WITHOUT_AUTOMATIC_EVENTS)

    defs = dg.Definitions(assets=[blob, whole])
    assert dg.materialize([whole], instance=instance).success
    instance.report_runless_asset_event(dg.AssetObservation("blob", tags={tags.DATA_VERSION: version}))
    assert stale(defs, instance, {WHOLE: [None]}) == ({WHOLE} if is_stale else set())


def run_of(instance: dg.DagsterInstance, seen: list[os.stat_result] | None = None) -> dg.ExecuteInProcessResult:
    """A run of one asset, which looks at where its output goes."""

    @dg.asset
    def whole() -> None:
        if seen is not None:
            seen.append(os.fstat(sys.stdout.fileno()))

    return dg.materialize([whole], instance=instance)


def test_what_is_printed_in_this_process_goes_where_it_went(tmp_path: Path) -> None:
    folder, seen = dagster_home(Home(tmp_path)), [os.fstat(sys.stdout.fileno())]
    for opened in (private.opened_history(folder), dg.DagsterInstance.from_config(str(folder))):
        with opened as instance:
            assert run_of(instance, seen).success
            events = materialized(instance, WHOLE)
    before, here, elsewhere = seen
    assert os.path.samestat(before, here)
    assert not os.path.samestat(before, elsewhere)
    assert events == ["", ""], "both have the same history"


def test_the_event_log_and_dagsters_own_read_one_another(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    log = instance.event_log_storage
    assert isinstance(log, EventLog)
    run_of(instance)
    own = private.SqliteEventLogStorage(log.inst_data.config_dict["base_dir"])
    (run_id,) = (record.dagster_run.run_id for record in instance.get_run_records())
    assert len(own.get_logs_for_run(run_id)) == len(log.get_logs_for_run(run_id)) > 0
    own.delete_events(run_id)
    assert log.get_logs_for_run(run_id) == []


def test_the_latest_events_are_found_by_partition(instance: dg.DagsterInstance) -> None:
    for partition in ("a", "a", "b"):
        instance.report_runless_asset_event(dg.AssetMaterialization(CUT, partition=partition))
    found = private.latest_events(instance, CUT, DagsterEventType.ASSET_MATERIALIZATION)
    records = instance.fetch_materializations(dg.AssetRecordsFilter(CUT, storage_ids=found), limit=10).records
    assert sorted(record.partition_key or "" for record in records) == ["a", "b"]
    assert len(found) == 2


def test_of_a_run_that_is_deleted_no_file_is_left(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run_id = run_of(instance).run_id
    assert [path for path in tmp_path.rglob("*") if run_id in path.name]
    private.delete_run(instance, run_id)
    assert not instance.get_run_by_id(run_id)
    assert not [path for path in tmp_path.rglob("*") if run_id in path.name]


def test_a_run_that_is_ended_from_outside_fails_and_lets_go_of_its_pool(instance: dg.DagsterInstance) -> None:
    @dg.job
    def empty() -> None:
        """Never begins."""

    run = instance.create_run_for_job(empty)
    storage = instance.event_log_storage
    storage.set_concurrency_slots("pool", 1)
    assert storage.claim_concurrency_slot("pool", run.run_id, "step").is_claimed
    private.end_run(instance, run, "its process is gone")
    ended = instance.get_run_by_id(run.run_id)
    assert ended
    assert ended.status == DagsterRunStatus.FAILURE
    assert storage.get_concurrency_info("pool").active_slot_count == 0


def test_the_events_of_a_run_are_told_apart(instance: dg.DagsterInstance) -> None:
    run_id = run_of(instance).run_id
    (event,) = private.events_of(instance, run_id, DagsterEventType.ASSET_MATERIALIZATION)
    assert event.asset_key == WHOLE


def test_a_job_of_assets_is_of_the_kind_that_is_named() -> None:
    assert isinstance(dg.define_asset_job("everything"), private.UnresolvedAssetJobDefinition)


def test_the_page_tells_of_everything() -> None:
    page = (Path(__file__).parents[2] / "docs" / "dagster-internals.md").read_text(encoding="utf-8")
    own = {name for name, value in vars(private).items() if getattr(value, "__module__", None) == private.__name__}
    there = {*own, *private.__all__, "WITHOUT_AUTOMATIC_EVENTS", "DEFER_EVENTS"}
    first = re.findall(r"^\| (.*?) \|", page, re.MULTILINE)
    assert {name for cell in first for name in re.findall(r"`(\w+)`", cell)} == there
