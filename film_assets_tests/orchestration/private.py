"""What the tests use of Dagster that is not public, and nowhere else: what it calls stale, which only its web UI shows.

Does not belong here: what the code uses too (``film_assets.orchestration.private``).
"""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest


def stale(
    defs: dg.Definitions, instance: dg.DagsterInstance, partitions: Mapping[dg.AssetKey, Sequence[str | None]]
) -> set[dg.AssetKey]:
    """Those of the assets that have a partition that is not fresh; the partition None is that of an asset without any."""
    resolver = CachingStaleStatusResolver(instance, defs.resolve_asset_graph(), LoadingContextForTest(instance))
    return {key for key, found in partitions.items() if any(resolver.get_status(key, one) != StaleStatus.FRESH for one in found)}
