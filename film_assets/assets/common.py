"""What all assets share: the partitions, the options in the launchpad, and errors a user can read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from film_assets.errors import FilmAssetsError, TransientError
from film_assets.pipeline import Pipeline
from film_assets.ranges import RANGE_KEYS
from film_assets.tables import Table

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
    ASSET_PARTITION_RANGE_START_TAG: RANGE_KEYS[0],
    ASSET_PARTITION_RANGE_END_TAG: RANGE_KEYS[0],
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


PATIENT: Mapping[str, str] = {"film_assets/patient": "yes"}
"""A run tag by which a step tries again later if what failed may pass; nobody sits before it and waits."""

_PAUSES = (60, 240, 900)
"""Seconds before a patient run tries again; within each try the source has already tried several times."""


@contextmanager
def readable_failures() -> Iterator[None]:
    """An error that is meant for the user fails the step with its one line; a patient run first tries again if it may pass."""
    try:
        yield
    except FilmAssetsError as error:
        context = dg.OpExecutionContext.get()
        patient = isinstance(error, TransientError) and PATIENT.items() <= context.run.tags.items()
        if patient and context.retry_number < len(_PAUSES):
            pause = _PAUSES[context.retry_number]
            context.log.warning("%s (trying again in %s s)", error, pause)
            raise dg.RetryRequested(len(_PAUSES), pause) from error
        raise dg.Failure(description=str(error), allow_retries=False) from error
