"""What happens by itself: the daily refresh, the daily retention, and the end of runs whose process is gone.

A day that was missed needs no catching up, as a refresh brings everything up to date. Belongs here: when jobs are launched. Does
not belong here: the jobs.
"""

import os
from collections.abc import Iterator

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from film_assets.errors import HomeError
from film_assets.home import Home
from film_assets.orchestration import tags
from film_assets.orchestration.conventions import EVERYTHING, REFRESH_JOB
from film_assets.orchestration.private import end_run, events_of
from film_assets.settings import Settings

_SENSOR_SECONDS = 60


def daily_refresh(settings: Settings) -> dg.ScheduleDefinition:
    """Launches the job ``refresh`` every day, whatever is known of the blobs: a run with nothing to do is cheap."""

    @dg.schedule(
        name="daily_refresh",
        job_name=REFRESH_JOB,
        cron_schedule=f"0 {settings.refresh_hour} * * *",
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Bring everything up to date. What may pass, such as a network failure, is tried again for a while.",
    )
    def schedule() -> dg.RunRequest:
        return dg.RunRequest(tags={**EVERYTHING, **tags.UNATTENDED})

    return schedule


def daily_retention(settings: Settings, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Launches the job ``retention`` every day, twelve hours away from the refresh."""
    return dg.ScheduleDefinition(
        name="daily_retention",
        job=job,
        cron_schedule=f"30 {(settings.refresh_hour + 12) % 24} * * *",
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def abandoned_runs(home: Home) -> dg.SensorDefinition:
    """Ends runs whose process died with everything around it; nobody else would, and the queue would wait for them."""

    @dg.sensor(
        name="abandoned_runs",
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs as failed whose process is gone, so that those in the queue can begin.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end_abandoned(context.instance, home)
        return dg.SkipReason(f"ended {', '.join(ended)}" if ended else "no run was abandoned")

    return sensor


def end_abandoned(instance: dg.DagsterInstance, home: Home) -> list[str]:
    """Mark the runs as failed whose process is gone, and free their places in the pools; their ids.

    The lock of the home is proof that a run is alive wherever it is; none is ended while it is held.

    Args:
        instance: Whose runs they are.
        home: What they write to.
    """
    ended = []
    under_way = RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING])
    for run in (record.dagster_run for record in instance.get_run_records(under_way)):
        processes = set(_processes(instance, run.run_id))
        if processes and not any(_is_alive(process) for process in processes) and _is_free(home):
            end_run(instance, run, "the process of this run is gone")
            ended.append(run.run_id)
    return ended


def _processes(instance: dg.DagsterInstance, run_id: str) -> Iterator[int]:
    """Those that Dagster noted for the run."""
    for event in events_of(instance, run_id, DagsterEventType.ENGINE_EVENT):
        metadata = event.engine_event_data.metadata
        if "pid" in metadata:
            yield int(str(metadata["pid"].value))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_free(home: Home) -> bool:
    if not home.folder.exists():
        return True
    try:
        with home.locked():
            return True
    except HomeError:
        return False
