"""What runs when: the daily job and its schedule, the message when it fails, and the daily retention.

Belongs here: jobs, schedules, hooks and sensors. Does not belong here: the assets.
"""

import logging
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg

from film_assets.learning import api
from film_assets.learning.assets import GROUP, RAW, days_of
from film_assets.learning.logs import delete_old_logs, files_of_days
from film_assets.learning.resource import Learning, LearningResource
from film_assets.learning.settings import LearningSettings
from film_assets.orchestration import tags

JOB = "learning"
_log = logging.getLogger(__name__)


@dg.failure_hook(name="report_failure", required_resource_keys={JOB})
def report_failure(context: dg.HookContext) -> None:
    """Send a message that says which step failed, and why."""
    learning: Learning = context.resources.learning
    learning.report_failure(context.run_id, context.op.name, _reason(context.op_exception), learning.seconds)


def _reason(error: BaseException | None) -> str:
    """Its line, if it has one that is meant for people."""
    if isinstance(error, dg.Failure) and error.description:
        return error.description
    return f"{type(error).__name__}; the run in Dagster tells more"


DAILY = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.groups(GROUP),
    description="Fetch attempts, load them, and bring the metrics to the sheet and the mailbox.",
    executor_def=dg.in_process_executor,
    hooks={report_failure},
)


def daily_schedule(settings: LearningSettings) -> dg.ScheduleDefinition:
    """Launches the job every day, once all settings are there that a run needs to come to its end."""
    missing = settings.missing_for_schedule
    text = "Fetch the day before, days that were missed since the last run, and some before for rows that came late."

    @dg.schedule(
        name="daily_learning",
        job_name=JOB,
        cron_schedule=f"0 {settings.hour} * * *",
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED if missing else dg.DefaultScheduleStatus.RUNNING,
        description=f"Off because {', '.join(missing)} must be set. {text}" if missing else text,
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        last = context.scheduled_execution_time.astimezone(ZoneInfo(settings.time_zone)).date() - timedelta(days=1)
        if last < settings.start_date:
            return dg.SkipReason(f"the first day, {settings.start_date}, is not over yet")
        first = _first_day(settings, context.instance, last)
        days = {tags.RANGE_START: first.isoformat(), tags.RANGE_END: last.isoformat()}
        return dg.RunRequest(tags={**days, **tags.UNATTENDED})

    return schedule


def _first_day(settings: LearningSettings, instance: dg.DagsterInstance, last: date) -> date:
    again = last - timedelta(days=settings.refetch_days)
    days = days_of(settings)
    found = instance.get_status_by_partition(RAW, days.get_partition_keys(), days) or {}
    fetched = [date.fromisoformat(day) for day, status in found.items() if status is dg.AssetPartitionStatus.MATERIALIZED]
    fetched = [day for day in fetched if day < last]
    missed = max(fetched) + timedelta(days=1) if fetched else again  # the last day may have been fetched before it was over
    return max(min(again, missed), settings.start_date)


@dg.run_failure_sensor(
    name="died_runs",
    monitored_jobs=[DAILY],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends a message for a run that ended without a failed step, as when its process died: the job itself could not.",
)
def died_runs(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    """Tell of a run that could not tell of itself."""
    if context.get_step_failure_events():
        return dg.SkipReason("the run itself has told")
    record = context.instance.get_run_record_by_id(context.dagster_run.run_id)
    began = record.start_time if record and record.start_time else time.time()
    learning = Learning(LearningSettings.load())
    reason = context.failure_event.message or "its process died"
    learning.report_failure(context.dagster_run.run_id, "no step", reason, time.time() - began)
    return None


def delete_old(settings: LearningSettings, now: datetime) -> int:
    """Delete logs and answers of the API that are older than they are kept; how many files."""
    logs = delete_old_logs(settings.logs, settings.keep_days, now.date())
    first = now.date() - timedelta(days=settings.keep_days - 1)
    answers = [file for file in files_of_days(settings.answers, *api.SUFFIXES) if _written(file) < first]
    for file in answers:
        file.unlink()
    return len(logs) + len(answers)


def _written(file: Path) -> date:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).date()


@dg.op(description="Delete old logs and old answers of the API.")
def delete_old_files(context: dg.OpExecutionContext, learning: LearningResource) -> None:
    """Delete what is older than it is kept."""
    deleted = delete_old(learning.settings, datetime.now(UTC))
    context.log.info("deleted %s files; those of the last %s days are kept", deleted, learning.settings.keep_days)


@dg.job(name="learning_retention", description="Delete old logs and answers.", executor_def=dg.in_process_executor)
def retention() -> None:
    """Delete what is older than it is kept."""
    delete_old_files()


def retention_schedule(settings: LearningSettings) -> dg.ScheduleDefinition:
    """Launches the retention every day, half an hour after the daily job."""
    return dg.ScheduleDefinition(
        name="daily_learning_retention",
        job=retention,
        cron_schedule=f"30 {settings.hour} * * *",
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
