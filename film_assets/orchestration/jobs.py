"""The job that brings everything up to date."""

import dagster as dg

from film_assets.orchestration.assets.describe import below
from film_assets.orchestration.conventions import REFRESH_JOB
from film_assets.orchestration.private import UnresolvedAssetJobDefinition
from film_assets.refresh.source import outlook
from film_assets.settings import Settings

_EVERYTHING = dg.AssetSelection.all(include_sources=True)


def refresh_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """The job ``refresh``, which tells before a run which source it would read, or which setting is missing."""
    line, _ = outlook(settings)
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=_EVERYTHING,
        description=below(line, "Observe the blobs, land what changed, rebuild what depends on it, publish."),
        executor_def=dg.in_process_executor,
    )
