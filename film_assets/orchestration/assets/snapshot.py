"""The published snapshot: the asset at the end of the graph, the file that readers open."""

import dagster as dg

from film_assets.common import markdown
from film_assets.orchestration.assets.describe import key_of
from film_assets.orchestration.assets.events import materialized
from film_assets.orchestration.assets.indexes import INDEXES
from film_assets.orchestration.conventions import OWNERS, POOL, Force, Options, PipelineResource
from film_assets.orchestration.description import DAILY
from film_assets.orchestration.failures import readable_failures
from film_assets.refresh.pipeline import Pipeline, Report
from film_assets.tables import BLOBS, COMPUTED, QUALITY, TABLES

_UPSTREAM = [
    *(dg.AssetDep(key_of(table.name), partition_mapping=dg.AllPartitionMapping()) for table in (*BLOBS, *COMPUTED)),
    *(dg.AssetDep(key_of(table.name)) for table in QUALITY),
    dg.AssetDep(INDEXES),
]


SNAPSHOT = dg.AssetKey(["published", "films"])


@dg.asset(
    key=SNAPSHOT,
    deps=_UPSTREAM,
    group_name="published",
    description="films.duckdb: one plain DuckDB file with every table, replaced in one atomic rename when anything in it is new.",
    owners=OWNERS,
    kinds={"duckdb"},
    pool=POOL,
    freshness_policy=DAILY,
)
def snapshot(
    context: dg.AssetExecutionContext, config: Options, force: Force, pipeline: PipelineResource
) -> dg.MaterializeResult[None]:
    """Publish what there is to readers, if they have not got it yet."""
    with readable_failures():
        published = pipeline.publish(force=config.rebuild or force.names(context.asset_key))
        for notice in pipeline.report.notices:
            context.log.warning(notice)
        if pipeline.report.dropped:
            context.log.warning("\n".join(map(str, pipeline.report.dropped)))
        context.log.info("published a new snapshot" if published else "nothing new to publish")
        metadata = {
            "dagster/uri": str(pipeline.home.films),
            "published": published,
            "refresh": dg.MetadataValue.md(_summary(pipeline.report)),
            "built from": dg.MetadataValue.md(_accounts(pipeline)),
        }
        return materialized(context, metadata, version=pipeline.published_version)


def _accounts(pipeline: Pipeline) -> str:
    """The versions of the blobs the tables are built from, and their rows, as a Markdown table."""
    head = pipeline.head(TABLES["quality.blobs"], len(BLOBS))
    return markdown.table(head.columns, head.rows)


def _summary(report: Report) -> str:
    """What became of each table in this run, as a Markdown table."""
    if not report.outcomes:
        return "This run rebuilt no table: see the run before it."
    columns = ("table", "ranges rebuilt", "kept", "rows before", "rows", "seconds")
    rows = [
        (name, ", ".join(o.rebuilt) or "none", o.unchanged, f"{o.rows_before:,}", f"{o.rows:,}", f"{o.seconds:.1f}")
        for name, o in report.outcomes.items()
    ]
    return markdown.table(columns, rows)
