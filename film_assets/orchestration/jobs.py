"""The job that brings everything up to date."""

import dagster as dg

from film_assets.orchestration.conventions import REFRESH_JOB

REFRESH = dg.define_asset_job(
    REFRESH_JOB,
    selection=dg.AssetSelection.all(include_sources=True),
    description="Observe the blobs, land what changed, rebuild what depends on it, publish.",
    executor_def=dg.in_process_executor,
)
