"""The blobs at the source, observed: their versions show in the graph without a download."""

from collections.abc import Iterator

import dagster as dg

from film_assets.assets.common import OWNERS, PipelineResource, readable_failures
from film_assets.sources.base import Listed
from film_assets.tables import BLOBS, Blob


def blob_key(blob: Blob) -> dg.AssetKey:
    """The asset of a blob at the source."""
    return dg.AssetKey(["blobs", blob.short])


def _spec(blob: Blob) -> dg.AssetSpec:
    return dg.AssetSpec(
        blob_key(blob),
        group_name="blobs",
        description=f"{blob.text} At the source it is called {' or '.join(blob.files)}, plain or .gz.",
        owners=OWNERS,
        kinds={"azureblobstorage", "tsv"},
    )


def _observation(blob: Blob, listed: Listed, source: str) -> dg.ObserveResult:
    modified = dg.MetadataValue.timestamp(listed.last_modified) if listed.last_modified else dg.MetadataValue.text("unknown")
    return dg.ObserveResult(
        asset_key=blob_key(blob),
        data_version=dg.DataVersion(listed.version),
        metadata={
            "source": source,
            "file": listed.file,
            "bytes": listed.bytes,
            "etag": listed.etag or "none",
            "last modified": modified,
        },
    )


@dg.multi_observable_source_asset(  # type: ignore[untyped-decorator]
    name="observe_blobs", specs=[_spec(blob) for blob in BLOBS], can_subset=True
)
def blobs(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Iterator[dg.ObserveResult]:
    """List the blobs there are, with their versions."""
    with readable_failures():
        found, source = pipeline.listed, pipeline.source.label
    for blob in BLOBS:
        if blob_key(blob) in context.selected_asset_keys:
            yield _observation(blob, found[blob.short], source)
