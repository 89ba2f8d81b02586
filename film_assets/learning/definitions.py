"""The Dagster code location of the learning pipeline."""

import dagster as dg

from film_assets.learning.assets import assets_of
from film_assets.learning.checks import attempts_checks
from film_assets.learning.jobs import DAILY, daily_schedule, died_runs, retention, retention_schedule
from film_assets.learning.resource import learning_resource
from film_assets.learning.settings import LearningSettings


def build_defs(settings: LearningSettings | None = None) -> dg.Definitions:
    """The definitions for the web UI and the tests alike.

    Args:
        settings: None reads them from the environment, anew in each run, as Dagster loads the code location for each run that
            it launches.
    """
    now = settings or LearningSettings.load()
    return dg.Definitions(
        assets=assets_of(now),
        asset_checks=[attempts_checks],
        jobs=[DAILY, retention],
        schedules=[daily_schedule(now), retention_schedule(now)],
        sensors=[died_runs],
        resources={"learning": learning_resource(now)},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads: made when it loads the code location, so that an import reads no settings."""
    return build_defs()
