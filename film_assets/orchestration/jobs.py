"""The job that brings everything up to date."""

import dagster as dg

from film_assets.orchestration.assets.describe import below
from film_assets.orchestration.conventions import REFRESH_JOB
from film_assets.orchestration.private import UnresolvedAssetJobDefinition
from film_assets.refresh.source import outlook
from film_assets.settings import Settings
from film_assets.tables import TABLES

_GROUPS = sorted({"blobs", "published", *(table.schema for table in TABLES.values())})
_DESCRIPTION = """Observe the blobs, land what changed, rebuild what depends on it, publish.

*Materialize all* asks for partitions: choose *All*, then *Launch backfill*; it is one run, which does the work only where
something changed. Under *Config*, `resources: {force: {config: {rebuild: true}}}` has all of it done, and with `tables:
[films.ratings]` beside `rebuild` that of these tables."""

_EVERYTHING = dg.AssetSelection.groups(*_GROUPS, include_sources=True)
"""Of the films. People's own assets in this code location are theirs to run: a run for all ranges would log no event of them."""


def refresh_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """The job ``refresh``, which tells before a run which source it would read, or which setting is missing."""
    line, _ = outlook(settings)
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=_EVERYTHING,
        description=below(line, _DESCRIPTION),
        executor_def=dg.in_process_executor,
    )
