"""Dagster's tags of runs and events, as literals, and one of our own.

Belongs here: names of tags that several modules use, of every pipeline. Does not belong here: what follows from them.
"""

from collections.abc import Mapping

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Of a run: the first and the last partition it is for."""

DEFER_EVENTS = "dagster/defer_asset_events"
"""Of a run: Dagster neither plans the events of assets nor logs any by itself; the steps log them all."""

BACKFILL = "dagster/backfill"
"""Of a run: the backfill that people launched it by in the web UI."""

DATA_VERSION, CODE_VERSION = "dagster/data_version", "dagster/code_version"
"""Of an event: the version of the data, and of the code that it came from."""

INPUT_DATA_VERSION, INPUT_EVENT = "dagster/input_data_version", "dagster/input_event_pointer"
"""Of an event, before a slash and the key of an input: the version of the input, and the event that told of it."""

UNATTENDED: Mapping[str, str] = {"film_assets/patient": "yes"}
"""Of an unattended run: a step tries again later if what failed may pass."""

COMMAND_LINE: Mapping[str, str] = {"film_assets/started": "on the command line"}
"""Of a run that somebody sits before, who is told there how it ends."""
