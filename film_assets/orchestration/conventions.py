"""What all assets share: the partitions, and the options in the launchpad."""

from collections.abc import Mapping
from enum import Enum

import dagster as dg
from pydantic import Field

from film_assets.orchestration import tags
from film_assets.refresh.pipeline import Pipeline
from film_assets.tables import BLOBS, COMPUTED, Table
from film_assets.tables.ranges import RANGE_KEYS

ID_RANGES = dg.StaticPartitionsDefinition(list(RANGE_KEYS))
"""Every table is partitioned by these, title-keyed and person-keyed alike, so that one run can cover everything."""

POOL = "duckdb"
"""One run at a time writes to the warehouse; ``dagster.yaml`` says how many places the pool has."""

OWNERS = ["team:film-data"]

PipelineResource = dg.ResourceParam[Pipeline]


REFRESH_JOB = "refresh"

EVERYTHING: Mapping[str, str] = {
    tags.RANGE_START: RANGE_KEYS[0],
    tags.RANGE_END: RANGE_KEYS[-1],
    tags.DEFER_EVENTS: "true",
}
"""Run tags by which a run covers every range.

Dagster would plan each range of each table before it begins, and write that down one by one: seconds in a run that mostly has
nothing else to do, and a range that a failed run had planned would stay red until something in it changes.
"""


class Options(dg.Config):
    """What can be set in the launchpad for one asset."""

    rebuild: bool = Field(default=False, description="Do the work of this asset even where no input changed.")


TableName = Enum("TableName", {table.name: table.name for table in (*BLOBS, *COMPUTED)})  # type: ignore[misc]


class Force(dg.ConfigurableResource[None]):
    """What can be set in the launchpad for a whole run: the work to be done even where no input changed."""

    rebuild: bool = Field(default=False, description="Do all the work of the run even where no input changed.")
    tables: list[TableName] = Field(default=[], description="Not all of it, but the work of these tables: films.ratings, ...")

    def names(self, asset: dg.AssetKey) -> bool:
        """Whether the work of an asset is to be done whatever changed."""
        return ".".join(asset.path) in {table.value for table in self.tables} if self.tables else self.rebuild


FORCE = "force"
"""The name of the resource."""


def chosen_ranges(context: dg.AssetExecutionContext, table: Table) -> list[str]:
    """The ranges of a table that a run is for."""
    return list(context.partition_keys if table.range_column else table.range_keys)
