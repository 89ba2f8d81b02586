"""An asset for every table, made from its declaration."""

from collections.abc import Callable, Sequence

import dagster as dg

from film_assets.engines.outcome import Outcome
from film_assets.orchestration.assets.blobs import blob_key, observed_landed
from film_assets.orchestration.assets.describe import key_of, metadata_of
from film_assets.orchestration.assets.events import materialized, record
from film_assets.orchestration.conventions import ID_RANGES, OWNERS, POOL, Force, Options, PipelineResource, chosen_ranges
from film_assets.orchestration.failures import readable_failures
from film_assets.orchestration.private import WITHOUT_AUTOMATIC_EVENTS
from film_assets.refresh.pipeline import Pipeline
from film_assets.tables import BLOBS, COMPUTED, QUALITY, TABLES, Blob, Table

Step = Callable[[Pipeline, Sequence[str], bool], Outcome]


def _table_asset(table: Table, step: Step, deps: Sequence[dg.AssetDep], kinds: set[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=key_of(table.name),
        deps=deps,
        group_name=table.schema,
        description=table.text,
        metadata=metadata_of(table),
        owners=OWNERS,
        kinds=kinds,
        code_version=table.code_version,
        partitions_def=ID_RANGES if table.range_column else None,
        backfill_policy=dg.BackfillPolicy.single_run() if table.range_column else None,
        pool=POOL,
    )
    def materialize(
        context: dg.AssetExecutionContext, config: Options, force: Force, pipeline: PipelineResource
    ) -> dg.MaterializeResult[None]:
        with readable_failures():
            forced = config.rebuild or force.names(context.asset_key)
            outcome = step(pipeline, chosen_ranges(context, table), forced)
            record(context, pipeline, outcome)
            if isinstance(table, Blob) and table.short in pipeline.report.downloaded:
                context.log_event(observed_landed(table, pipeline))
        return dg.MaterializeResult(metadata=WITHOUT_AUTOMATIC_EVENTS)

    return materialize


def _raw(blob: Blob) -> dg.AssetsDefinition:
    def step(pipeline: Pipeline, keys: Sequence[str], rebuild: bool) -> Outcome:  # noqa: ARG001
        return pipeline.land(blob, force=rebuild)

    return _table_asset(blob, step, [dg.AssetDep(blob_key(blob))], {"parquet"})


def _computed(table: Table) -> dg.AssetsDefinition:
    def step(pipeline: Pipeline, keys: Sequence[str], rebuild: bool) -> Outcome:
        return pipeline.rebuild(table, keys, force=rebuild)

    return _table_asset(table, step, [_dep(table, TABLES[name]) for name in table.reads], {"duckdb"})


def _dep(table: Table, upstream: Table) -> dg.AssetDep:
    same_cut = upstream.range_column == table.range_column
    mapping = dg.IdentityPartitionMapping() if same_cut else dg.AllPartitionMapping()
    return dg.AssetDep(key_of(upstream.name), partition_mapping=mapping)


def _quality(table: Table) -> dg.AssetsDefinition:
    @dg.asset(
        key=key_of(table.name),
        deps=[dg.AssetDep(key_of(blob.name), partition_mapping=dg.AllPartitionMapping()) for blob in BLOBS],
        group_name=table.schema,
        description=table.text,
        metadata=metadata_of(table),
        owners=OWNERS,
        kinds={"duckdb"},
        pool=POOL,
    )
    def count(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult[None]:
        with readable_failures():
            return materialized(context, {"dagster/row_count": pipeline.count(table)})

    return count


_ASSETS = [*(_raw(blob) for blob in BLOBS), *(_computed(table) for table in COMPUTED)]
_QUALITY_ASSETS = [_quality(table) for table in QUALITY]


def table_assets(engine: str) -> list[dg.AssetsDefinition]:
    """An asset for every table, of the kinds of what an engine keeps it in."""
    if engine != "spark":
        return [*_ASSETS, *_QUALITY_ASSETS]
    return [*dg.map_asset_specs(lambda spec: spec.replace_attributes(kinds={"spark", "deltalake"}), _ASSETS), *_QUALITY_ASSETS]
