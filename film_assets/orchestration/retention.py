"""What is deleted of Dagster's history: old runs with their logs, but none that holds the latest event of anything.

An id range that nothing changed in has its latest event in the old run that last rebuilt it: without that run the range would
count as never built. Belongs here: which runs go. Does not belong here: the data, of which nothing is ever deleted here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import AssetRecordsFilter, DagsterEventType, DagsterRunStatus, RunsFilter

from film_assets.orchestration.private import delete_run, latest_events

_BATCH = 500
_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_TYPES = (DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_OBSERVATION)


def delete_old_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete the runs that were created before then and have ended, except those that are still needed; how many.

    Args:
        instance: Whose history it is.
        before: A time with its zone.
    """
    needed, deleted = needed_runs(instance), 0
    for run_id in list(_ended(instance, before)):
        if run_id not in needed:
            delete_run(instance, run_id)
            deleted += 1
    return deleted


def needed_runs(instance: dg.DagsterInstance) -> set[str]:
    """The runs that hold the latest event of any id range of any asset."""
    return {run for key in instance.get_asset_keys() for kind in _TYPES for run in _latest(instance, key, kind)}


def _latest(instance: dg.DagsterInstance, key: dg.AssetKey, kind: DagsterEventType) -> Iterator[str]:
    materialized = kind == DagsterEventType.ASSET_MATERIALIZATION
    fetch = instance.fetch_materializations if materialized else instance.fetch_observations
    ids = latest_events(instance, key, kind)
    for start in range(0, len(ids), _BATCH):
        chosen = ids[start : start + _BATCH]
        yield from (record.run_id for record in fetch(AssetRecordsFilter(key, storage_ids=chosen), limit=_BATCH).records)
    yield from (record.run_id for record in fetch(key, limit=1).records)  # of what has no partitions


def _ended(instance: dg.DagsterInstance, before: datetime) -> Iterator[str]:
    chosen = RunsFilter(statuses=_ENDED, created_before=before)
    cursor = None
    while records := instance.get_run_records(chosen, limit=_BATCH, cursor=cursor):
        batch = [record.dagster_run.run_id for record in records]
        yield from batch
        cursor = batch[-1]


def retention_job(keep_days: int) -> dg.JobDefinition:
    """The job ``retention``, for runs older than so many days."""

    @dg.op(description="Delete old runs and their logs.")
    def delete_runs(context: dg.OpExecutionContext) -> None:
        deleted = delete_old_runs(context.instance, datetime.now(UTC) - timedelta(days=keep_days))
        context.log.info("deleted %s runs older than %s days", deleted, keep_days)

    @dg.job(
        name="retention",
        description=f"Delete runs older than {keep_days} days, except the one each id range was last rebuilt in.",
        executor_def=dg.in_process_executor,
    )
    def retention() -> None:
        delete_runs()

    return retention
