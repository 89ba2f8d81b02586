"""The published snapshot: the asset at the end of the graph, the file that readers open."""

import dagster as dg

from film_assets.assets.common import OWNERS, POOL, Options, PipelineResource, readable_failures
from film_assets.assets.describe import key_of
from film_assets.tables import BLOBS, COMPUTED, QUALITY

_UPSTREAM = [
    *(dg.AssetDep(key_of(table.name), partition_mapping=dg.AllPartitionMapping()) for table in (*BLOBS, *COMPUTED)),
    *(dg.AssetDep(key_of(table.name)) for table in QUALITY),
]


@dg.asset(
    key=dg.AssetKey(["published", "films"]),
    deps=_UPSTREAM,
    group_name="published",
    description="films.duckdb: one plain DuckDB file with every table, replaced in one atomic rename when anything in it is new.",
    owners=OWNERS,
    kinds={"duckdb"},
    pool=POOL,
)
def snapshot(context: dg.AssetExecutionContext, config: Options, pipeline: PipelineResource) -> dg.MaterializeResult[None]:
    """Publish what there is to readers, if they have not got it yet."""
    with readable_failures():
        published = pipeline.publish(force=config.rebuild)
        context.log.info("published a new snapshot" if published else "nothing new to publish")
        return dg.MaterializeResult(
            data_version=dg.DataVersion(pipeline.published_version),
            metadata={"dagster/uri": str(pipeline.snapshot_path), "published": published},
        )
