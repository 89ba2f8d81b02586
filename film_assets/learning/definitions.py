"""The Dagster code location of the learning pipeline."""

import logging
from collections.abc import Iterator

import dagster as dg

from film_assets.learning.assets import daily_assets, days_of, study_dashboard, study_digest, study_metrics
from film_assets.learning.jobs import DAILY, daily_schedule, died_runs, retention, retention_schedule
from film_assets.learning.logs import logging_to
from film_assets.learning.resource import Learning
from film_assets.learning.settings import LearningSettings
from film_assets.notifications.channels.digest import duration

_log = logging.getLogger(__name__)


def build_defs(settings: LearningSettings | None = None) -> dg.Definitions:
    """The definitions for the web UI and the tests alike.

    Args:
        settings: None reads them from the environment: when a run begins, and here what partitions and schedules need.
    """

    @dg.resource(description="Settings and database of the learning pipeline, and its log.")
    def learning(context: dg.InitResourceContext) -> Iterator[Learning]:
        run = Learning(settings or LearningSettings.load())
        run_id = context.run.run_id if context.run else "none"
        with logging_to(run.settings.logs):
            _log.info("run begins", extra={"run": run_id})
            yield run
            _log.info("run ends", extra={"run": run_id, "run_time": duration(run.seconds)})

    now = settings or LearningSettings.load()
    return dg.Definitions(
        assets=[*daily_assets(days_of(now)), study_metrics, study_dashboard, study_digest],
        jobs=[DAILY, retention],
        schedules=[daily_schedule(now), retention_schedule(now)],
        sensors=[died_runs],
        resources={"learning": learning},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads: made when it loads the code location, so that an import reads no settings."""
    return build_defs()
