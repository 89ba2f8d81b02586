"""The materialization events: for an id range one each time it was rebuilt, with a version of its own.

Dagster gives every range of a run the same version and event. So its automatic events are held back, and the right ones logged
here. In the job ``refresh`` an untouched range gets no event, so that what was refreshed can be seen, unless it has none yet or
is red from a run that failed; where people choose ranges in the web UI each gets one, or their run would not end green. Of a run
for all ranges Dagster logs no events of assets at all (``conventions.EVERYTHING``): there, assets without ranges log their own.

What Dagster calls stale follows from the same events. It compares whole ranges, where the engine compares columns: a range
whose input changed in other columns than those it reads keeps its event, and must not be called stale for it. So table on
table is left to the engine, and two things make a range stale: new code, and a blob that is not the one that was landed.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from film_assets.common import markdown
from film_assets.engines.outcome import Outcome, Rebuilt
from film_assets.orchestration import tags
from film_assets.orchestration.conventions import ID_RANGES, REFRESH_JOB, chosen_ranges
from film_assets.orchestration.private import NULL_EVENT_POINTER
from film_assets.refresh.pipeline import Pipeline
from film_assets.tables import Blob, Table

LANDED = "landed"
"""The data version of a blob whose version is the one that was landed; any other makes what is raw of it stale."""

_AFTER_EVERY_EVENT = str(2**62)
_HEAD_ROWS = 5


def record(context: dg.AssetExecutionContext, pipeline: Pipeline, outcome: Outcome) -> None:
    """Log an event for each range that was rebuilt, and for each that should have one."""
    provenance = _provenance(context, raw=isinstance(outcome.table, Blob))
    keys = sorted({*outcome.rebuilt, *_expected(context, outcome.table)})
    for key in keys:
        rebuilt = outcome.rebuilt.get(key)
        metadata = _changes(rebuilt, outcome) if rebuilt else {"unchanged": True}
        preview = _preview(pipeline, outcome.table) if key == keys[-1] else {}
        with_version = {**provenance, tags.DATA_VERSION: pipeline.version(outcome.table, key)}
        partition = key if outcome.table.range_column else None
        details = {**metadata, **preview, **_application(pipeline)}
        event = dg.AssetMaterialization(context.asset_key, partition=partition, tags=with_version, metadata=details)
        context.log_event(event)
    ranges = ", ".join(outcome.rebuilt) or "none"
    words = "%s: ranges rebuilt: %s; %s rows; %.1f s"
    context.log.info(words, outcome.table.name, ranges, f"{outcome.rows:,}", outcome.seconds)


def _expected(context: dg.AssetExecutionContext, table: Table) -> set[str]:
    """Ranges that get an event even if nothing in them changed."""
    chosen = set(chosen_ranges(context, table))
    if context.run.job_name != REFRESH_JOB or tags.BACKFILL in context.run.tags:
        return chosen
    if not table.range_column:
        return set() if context.instance.get_latest_materialization_event(context.asset_key) else chosen
    found = context.instance.get_status_by_partition(context.asset_key, sorted(chosen), ID_RANGES) or {}
    return {key for key in chosen if found.get(key) is not dg.AssetPartitionStatus.MATERIALIZED}


def logged(context: dg.AssetExecutionContext, event: dg.AssetMaterialization | dg.AssetObservation) -> None:
    """Log an event in a run in which Dagster does not log it by itself."""
    if tags.DEFER_EVENTS in context.run.tags:
        context.log_event(event)


def materialized(
    context: dg.AssetExecutionContext, metadata: Mapping[str, Any], *, version: str = ""
) -> dg.MaterializeResult[None]:
    """What a step of an asset gives that is not partitioned, its event logged if Dagster does not.

    Args:
        context: Of the step.
        metadata: What is told of the asset.
        version: The version of its data; empty where it has none.
    """
    found = {**_provenance(context), **({tags.DATA_VERSION: version} if version else {})}
    logged(context, dg.AssetMaterialization(context.asset_key, metadata=metadata, tags=found))
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(version) if version else None)


def _provenance(context: dg.AssetExecutionContext, *, raw: bool = False) -> dict[str, str]:
    """The tags Dagster's staleness goes by; without a code version none, and it goes by the times of events."""
    version, pointer = (LANDED, NULL_EVENT_POINTER) if raw else ("", _AFTER_EVERY_EVENT)
    code_version = context.assets_def.get_asset_spec(context.asset_key).code_version
    if code_version is None:
        return {}
    found = {tags.CODE_VERSION: code_version}
    for dep in context.assets_def.asset_deps[context.asset_key]:
        of = dep.to_user_string()
        found |= {f"{tags.INPUT_DATA_VERSION}/{of}": version, f"{tags.INPUT_EVENT}/{of}": pointer}
    return found


def _preview(pipeline: Pipeline, table: Table) -> dict[str, dg.MetadataValue[Any]]:
    """A table's first rows, and of a raw one what each column holds."""
    shown = {"head": pipeline.head(table, _HEAD_ROWS)}
    shown |= {"profile": pipeline.profile(table)} if isinstance(table, Blob) else {}
    return {name: dg.MetadataValue.md(markdown.table(found.columns, found.rows)) for name, found in shown.items()}


def _application(pipeline: Pipeline) -> dict[str, Any]:
    """What the rows were computed on, with links to look at it."""
    found = pipeline.application.items()
    return {name: dg.MetadataValue.url(value) if value.startswith("http") else value for name, value in found}


def _changes(rebuilt: Rebuilt, outcome: Outcome) -> dict[str, Any]:
    found = rebuilt.difference
    counts = {"rows added": found.added, "rows removed": found.removed}
    counts |= {} if found.changed is None else {"rows changed": found.changed}
    sizes = {"dagster/partition_row_count": rebuilt.rows, "dagster/row_count": outcome.rows}
    why = {"why": str(rebuilt.why), "why, as data": dg.MetadataValue.json(rebuilt.why.document)}
    return {**why, **sizes, **counts, "seconds for all ranges": round(outcome.seconds, 3)}
