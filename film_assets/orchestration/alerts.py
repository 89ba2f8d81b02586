"""The sensors that tell people of a run that failed and of a snapshot that is late; one a channel, there if its settings are.

Dagster's own failure sensor goes on to the next run when a message could not be sent. These keep a message until it is: each tick
sends one at most, and a tick that cannot send it fails and is tried again. What people run on the command line is told there.

Belongs here: when somebody is told. Does not belong here: the words (``notifications.alerts``), how they are sent
(``notifications.channels``), and what the learning pipeline tells of its own runs.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunRecord, RunsFilter
from pydantic import SecretStr

from film_assets.common.redaction import redacted
from film_assets.notifications.alerts import failed_run, late_snapshot
from film_assets.notifications.channels.digest import Digest
from film_assets.notifications.settings import FilmsDelivery
from film_assets.orchestration import tags
from film_assets.orchestration.assets.snapshot import SNAPSHOT
from film_assets.orchestration.description import LATE

_SECONDS = 30
_OVERLAP = timedelta(minutes=10)
"""A run may be seen that much after its end: another process writes it down."""

Send = Callable[[Digest], object]


def alert_sensors(settings: FilmsDelivery) -> Iterator[dg.SensorDefinition]:
    """A sensor for each channel that has its settings."""
    if settings.alerts_by_mail:
        yield _sensor("alerts_by_mail", "an email", settings, lambda alert: _by_mail(settings, alert))
    if url := settings.alert_url:
        yield _sensor("alerts_by_webhook", "a message to the webhook", settings, lambda alert: _by_webhook(url, alert))


def _by_mail(settings: FilmsDelivery, alert: Digest) -> None:
    from film_assets.notifications.channels.mail import send

    send(settings.mail, alert.mail())


def _by_webhook(url: SecretStr, alert: Digest) -> None:
    from film_assets.notifications.channels.webhook import post

    post(url, alert.mail())


@dataclass(frozen=True)
class _Told:
    """What has been told of, as the sensor's cursor keeps it.

    Attributes:
        since: Of runs that ended before, nothing is told: seconds since 1970.
        runs: Those that ended lately and were told of, with their end.
        late: When the snapshot was last refreshed that was told to be late.
    """

    since: float
    runs: dict[str, float]
    late: float = 0.0


def _sensor(name: str, what: str, settings: FilmsDelivery, send: Send) -> dg.SensorDefinition:
    @dg.sensor(
        name=name,
        minimum_interval_seconds=_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Sends {what} for a run that failed, and for a snapshot that is late; once, and until it is sent.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        if context.cursor is None:
            return _result(_Told(now.timestamp(), {}), "from now on it is told of what fails")
        told = _Told(**json.loads(context.cursor))
        for alert, then in _alerts(context, told, now, settings.ui_url):
            send(alert)
            return _result(then, f"told: {alert.subject}")
        return _result(told, "there is nothing to tell")

    return sensor


def _result(told: _Told, said: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=said, cursor=json.dumps(asdict(told)))


def _alerts(
    context: dg.SensorEvaluationContext, told: _Told, now: datetime, ui_url: str | None
) -> Iterator[tuple[Digest, _Told]]:
    """What is to be told, and what has been once it is."""
    for record, ended in _failed(context, told):
        step, why = _reason(context.instance, record.dagster_run.run_id)
        run = record.dagster_run
        alert = failed_run(_name(run), run.run_id, step, why, datetime.fromtimestamp(ended, UTC), ui_url)
        since = max(told.since, ended - _OVERLAP.total_seconds())
        recent = {run_id: at for run_id, at in told.runs.items() if at >= since}
        yield alert, replace(told, since=since, runs={**recent, run.run_id: ended})
    event = context.instance.get_latest_materialization_event(SNAPSHOT)
    if event and event.timestamp != told.late and now.timestamp() - event.timestamp > LATE.total_seconds():
        yield late_snapshot(datetime.fromtimestamp(event.timestamp, UTC), ui_url), replace(told, late=event.timestamp)


def _failed(context: dg.SensorEvaluationContext, told: _Told) -> Iterator[tuple[RunRecord, float]]:
    """Runs that failed and were not told of yet, with their end, the first first."""
    chosen = RunsFilter(statuses=[DagsterRunStatus.FAILURE], updated_after=datetime.fromtimestamp(told.since, UTC))
    ended = [
        (record, record.end_time or record.update_timestamp.timestamp()) for record in context.instance.get_run_records(chosen)
    ]
    for record, end in sorted(ended, key=lambda item: item[1]):
        if end >= told.since and record.dagster_run.run_id not in told.runs and _is_ours(context, record.dagster_run):
            yield record, end


def _is_ours(context: dg.SensorEvaluationContext, run: dg.DagsterRun) -> bool:
    """Whether it is of this code location, and not a person's who sits before it."""
    if tags.COMMAND_LINE.items() <= run.tags.items():
        return False
    origin, here = run.remote_job_origin, context.code_location_origin
    return origin is None or here is None or origin.repository_origin.code_location_origin.location_name == here.location_name


def _name(run: dg.DagsterRun) -> str:
    """Dagster's own name of a job of chosen assets says nothing."""
    return "the run of chosen assets" if run.job_name.startswith("__") else run.job_name


def _reason(instance: dg.DagsterInstance, run_id: str) -> tuple[str, str]:
    """The first step that failed, and why; without a step where the run failed without one."""
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        event = entry.dagster_event
        if event is not None:
            said = event.step_failure_data.user_failure_data
            return event.step_key or "", (said and said.description) or "the log of the run says why"
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.RUN_FAILURE):
        if entry.dagster_event and entry.dagster_event.message:
            return "", redacted(entry.dagster_event.message)
    return "", "its process ended"
