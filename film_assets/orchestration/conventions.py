"""What all assets share: the partitions, and the options in the launchpad."""

import dagster as dg

from film_assets.orchestration import tags
from film_assets.refresh.pipeline import Pipeline
from film_assets.tables import Table
from film_assets.tables.ranges import RANGE_KEYS

ID_RANGES = dg.StaticPartitionsDefinition(list(RANGE_KEYS))
"""Every table is partitioned by these, title-keyed and person-keyed alike, so that one run can cover everything."""

POOL = "duckdb"
"""One run at a time writes to the warehouse; ``dagster.yaml`` says how many places the pool has."""

OWNERS = ["team:film-data"]

PipelineResource = dg.ResourceParam[Pipeline]


REFRESH_JOB = "refresh"

_EVERYTHING_TAG = "film_assets/ranges"
EVERYTHING = {
    _EVERYTHING_TAG: "all",
    tags.RANGE_START: RANGE_KEYS[0],
    tags.RANGE_END: RANGE_KEYS[0],
}
"""Run tags by which a run covers every range.

To Dagster it names the first alone, because a partitioned run must name some. If it named them all, Dagster would plan, and write
down one by one, each range of each table before it begins: seconds in a run that mostly has nothing else to do.
"""


class Options(dg.Config):
    """What can be set in the launchpad."""

    rebuild: bool = False
    """Do the work even where no input changed."""


def chosen_ranges(context: dg.AssetExecutionContext, table: Table) -> list[str]:
    """The ranges of a table that a run is for."""
    everything = not table.range_column or _EVERYTHING_TAG in context.run.tags
    return list(table.range_keys if everything else context.partition_keys)
