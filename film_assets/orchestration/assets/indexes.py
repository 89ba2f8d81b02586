"""The secondary indexes: one asset for all of them, between the tables and the published snapshot."""

import dagster as dg

from film_assets.common import markdown
from film_assets.orchestration.assets.describe import key_of
from film_assets.orchestration.assets.events import materialized
from film_assets.orchestration.conventions import OWNERS, POOL, PipelineResource
from film_assets.orchestration.failures import readable_failures
from film_assets.snapshot import indexes
from film_assets.tables import TABLES

INDEXES = dg.AssetKey(["published", "indexes"])

_UPSTREAM = sorted({name for index in indexes.INDEXES for name in index.reads})


@dg.asset(
    key=INDEXES,
    deps=[dg.AssetDep(key_of(TABLES[name].name), partition_mapping=dg.AllPartitionMapping()) for name in _UPSTREAM],
    group_name="published",
    description="Copies of what people ask by, which the macros of films.duckdb find people, titles and credits with.",
    owners=OWNERS,
    kinds={"duckdb"},
    code_version=indexes.VERSION,
    pool=POOL,
)
def secondary_indexes(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult[None]:
    """Bring the ranges up to date whose tables changed."""
    with readable_failures():
        built = pipeline.build_indexes()
    rows = [(name, f"{len(one.rebuilt)}", f"{one.rows:,}", f"{one.seconds:.1f}") for name, one in built.items()]
    context.log.info("ranges rebuilt: %s", {name: len(one.rebuilt) for name, one in built.items()})
    metadata = {
        "dagster/row_count": sum(one.rows for one in built.values()),
        "seconds": round(sum(one.seconds for one in built.values()), 3),
        "indexes": dg.MetadataValue.md(markdown.table(("index", "ranges rebuilt", "rows", "seconds"), rows)),
    }
    return materialized(context, metadata)
