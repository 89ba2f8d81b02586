"""The blobs at the source, observed: their versions show in the graph without a download."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from film_assets.orchestration import tags
from film_assets.orchestration.assets.describe import below
from film_assets.orchestration.assets.events import LANDED, logged
from film_assets.orchestration.conventions import OWNERS, PipelineResource
from film_assets.orchestration.failures import readable_failures
from film_assets.refresh.pipeline import Pipeline
from film_assets.refresh.source import outlook
from film_assets.settings import Settings
from film_assets.sources import ContainerPlace, FolderPlace, Listed, Place, WebPlace
from film_assets.tables import BLOBS, Blob

_KINDS: Mapping[type[Place], str] = {ContainerPlace: "azureblobstorage", FolderPlace: "folder", WebPlace: "https"}


def blob_key(blob: Blob) -> dg.AssetKey:
    """The asset of a blob at the source."""
    return dg.AssetKey(["blobs", blob.short])


def _spec(blob: Blob) -> dg.AssetSpec:
    return dg.AssetSpec(
        blob_key(blob),
        group_name="blobs",
        description=f"{blob.text} At the source it is called {' or '.join(blob.files)}, plain or .gz.",
        owners=OWNERS,
        kinds={"tsv"},
    )


def _metadata(listed: Listed, source: str) -> dict[str, Any]:
    modified = dg.MetadataValue.timestamp(listed.last_modified) if listed.last_modified else dg.MetadataValue.text("unknown")
    return {
        "source": source,
        "file": listed.file,
        "bytes": listed.bytes,
        "etag": listed.etag or "none",
        "version": listed.version,
        "last modified": modified,
    }


def observed_landed(blob: Blob, pipeline: Pipeline) -> dg.AssetObservation:
    """The event that says a blob has been landed as it is at the source."""
    return _observed(blob, LANDED, _metadata(pipeline.listed[blob.short], pipeline.source.label))


def _observed(blob: Blob, version: str, metadata: Mapping[str, Any]) -> dg.AssetObservation:
    return dg.AssetObservation(blob_key(blob), metadata=metadata, tags={tags.DATA_VERSION: version})


@dg.multi_observable_source_asset(  # type: ignore[untyped-decorator]
    name="observe_blobs", specs=[_spec(blob) for blob in BLOBS], can_subset=True
)
def _blobs(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Iterator[dg.ObserveResult]:
    """List the blobs there are, with their versions."""
    with readable_failures():
        found, source, landed = pipeline.listed, pipeline.source.label, pipeline.unchanged_blobs()
    for blob in BLOBS:
        if blob_key(blob) in context.selected_asset_keys:
            version = LANDED if blob.short in landed else found[blob.short].version
            metadata = _metadata(found[blob.short], source)
            logged(context, _observed(blob, version, metadata))
            yield dg.ObserveResult(asset_key=blob_key(blob), data_version=dg.DataVersion(version), metadata=metadata)


def blob_assets(settings: Settings) -> dg.AssetsDefinition:
    """The assets of the blobs, which tell before a run which source it would read, or which setting is missing."""
    line, place = outlook(settings)
    kinds = {_KINDS[type(place)]} if place else set()

    def told(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(description=below(line, spec.description or ""), kinds=spec.kinds | kinds)

    observed: dg.AssetsDefinition = _blobs.map_asset_specs(told)
    return observed
