"""The materialization events of id ranges: one for each range that was rebuilt, with a version of its own.

Dagster gives every range of a run the same version and event. So its automatic events are held back, and the right ones logged
here. In the job ``refresh`` an untouched range gets no event, so that what was refreshed can be seen; where people choose
ranges in the web UI each of them gets one, or their run would not end green.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION

from film_assets.assets.common import REFRESH_JOB, chosen_ranges
from film_assets.engines.duckdb.outcome import Outcome, Rebuilt
from film_assets.pipeline import Pipeline

WITHOUT_AUTOMATIC_EVENTS: Mapping[str, Any] = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
"""Metadata that keeps Dagster from logging an event for every range of the run; a private key, guarded by a test."""

_BACKFILL_TAG = "dagster/backfill"


def record(context: dg.AssetExecutionContext, pipeline: Pipeline, outcome: Outcome) -> None:
    """Log an event for each range that was rebuilt, and for each that should have one."""
    for key in sorted({*outcome.rebuilt, *_expected(context)}):
        rebuilt = outcome.rebuilt.get(key)
        context.log_event(
            dg.AssetMaterialization(
                context.asset_key,
                partition=key,
                tags={DATA_VERSION_TAG: pipeline.warehouse.version(outcome.table, key)},
                metadata=_changes(rebuilt) if rebuilt else {"unchanged": True},
            )
        )
    ranges = ", ".join(outcome.rebuilt) or "none"
    words = "%s: ranges rebuilt: %s; %s rows; %.1f s"
    context.log.info(words, outcome.table.name, ranges, f"{outcome.rows:,}", outcome.seconds)


def _expected(context: dg.AssetExecutionContext) -> set[str]:
    """Ranges that get an event even if nothing in them changed."""
    chosen = set(chosen_ranges(context))
    if context.run.job_name != REFRESH_JOB or _BACKFILL_TAG in context.run.tags:
        return chosen
    with_event: set[str] = context.instance.get_materialized_partitions(context.asset_key)
    return chosen - with_event


def _changes(rebuilt: Rebuilt) -> dict[str, Any]:
    found = rebuilt.difference
    counts = {"rows added": found.added, "rows removed": found.removed, "rows changed": found.changed}
    return {"dagster/partition_row_count": rebuilt.rows, **counts}
