"""The Dagster code location: assets, jobs, schedules and sensors, and the resources they work through."""

import dagster as dg

from film_assets.common.database import Connect
from film_assets.common.progress import Progress
from film_assets.notifications.settings import FilmsDelivery
from film_assets.orchestration.alerts import alert_sensors
from film_assets.orchestration.assets.blobs import blob_assets
from film_assets.orchestration.assets.checks import TABLE_CHECKS
from film_assets.orchestration.assets.describe import key_of
from film_assets.orchestration.assets.indexes import secondary_indexes
from film_assets.orchestration.assets.snapshot import snapshot
from film_assets.orchestration.assets.tables import table_assets
from film_assets.orchestration.conventions import EVERYTHING, FORCE, Force
from film_assets.orchestration.jobs import refresh_job
from film_assets.orchestration.resources import published_films, working_file
from film_assets.orchestration.retention import retention_job
from film_assets.orchestration.schedules import abandoned_runs, daily_refresh, daily_retention
from film_assets.refresh.pipeline import Pipeline, Report
from film_assets.settings import Settings, load_settings
from film_assets.tables import BLOBS, COMPUTED, Blob, Table

_WAIT_SECONDS = 6 * 60 * 60.0
"""A run that Dagster launched waits so long for the one that is under way."""


def build_defs(
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
    report: Report | None = None,
    wait_seconds: float = _WAIT_SECONDS,
) -> dg.Definitions:
    """The definitions for the web UI, the command line and the tests alike.

    Args:
        settings: None reads them from the environment, anew in each run, as Dagster loads the code location for each run that
            it launches.
        progress: Who is told how far a run is.
        report: Filled in by a run in this process.
        wait_seconds: How long a run waits for another that holds the home.
    """

    def steps(connect: Connect, context: dg.InitResourceContext) -> Pipeline:
        return Pipeline(
            now,
            connect=connect,
            progress=progress,
            report=report,
            wait_seconds=wait_seconds,
            keep_previous=delivery.sends_digest,
            blobs=_blobs_of(context.run),
            tables=_tables_of(context.run),
        )

    now = settings or load_settings()
    retention = retention_job(now.keep_runs_days)
    delivery = FilmsDelivery.load()
    deliveries = _deliveries(delivery) if delivery.sends_digest or delivery.tables else []
    return dg.Definitions(
        assets=[blob_assets(now), *table_assets(now.engine), secondary_indexes, snapshot, *deliveries],
        asset_checks=TABLE_CHECKS,
        jobs=[refresh_job(now), retention],
        schedules=[daily_refresh(now), daily_retention(now, retention)],
        sensors=[abandoned_runs(now.kept_in), *alert_sensors(delivery)],
        resources={"pipeline": working_file(now, steps), "films": published_films(now), FORCE: Force()},
        executor=dg.in_process_executor,
    )


def _blobs_of(run: dg.DagsterRun | None) -> list[Blob]:
    """Those that a run lands, in the order in which Dagster runs steps that do not need one another."""
    chosen = run.asset_selection if run else None
    return sorted((blob for blob in BLOBS if not chosen or key_of(blob.name) in chosen), key=lambda blob: blob.name)


def _tables_of(run: dg.DagsterRun | None) -> list[Table]:
    """The computed tables that a run rebuilds over all ranges."""
    if run is None or not EVERYTHING.items() <= run.tags.items():
        return []
    chosen = run.asset_selection
    return [table for table in COMPUTED if not chosen or key_of(table.name) in chosen]


def _deliveries(settings: FilmsDelivery) -> list[dg.AssetsDefinition]:
    """Imported only where something is delivered."""
    from film_assets.orchestration.assets.notifications import delivery_assets

    return list(delivery_assets(settings))


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads: made when it loads the code location, so that an import reads no settings."""
    return build_defs()
