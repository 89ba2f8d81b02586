"""What is used of Dagster that is not public, and nowhere else: an upgrade of Dagster is looked at here first.

Public is what ``dagster`` itself names, and of ``DagsterInstance`` what its reference documents. Each thing here says what would
replace it; docs/dagster-internals.md says with which versions the tests of this module were tried.

Tags are literals, as Dagster documents them (``tags``). Does not belong here: anything with a public name.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterEventType
from dagster._core.definitions.data_version import NULL_EVENT_POINTER
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._serdes import ConfigurableClassData

__all__ = ["NULL_EVENT_POINTER", "ConfigurableClassData", "SqliteEventLogStorage", "UnresolvedAssetJobDefinition"]
"""NULL_EVENT_POINTER marks an input whose events are not compared by time (``assets.events``); provenance of events that are
logged by hand would replace it. SqliteEventLogStorage and ConfigurableClassData, and of the former ``_connect``, ``_initdb``,
``_initialized_dbs`` and ``_db_lock``, are what an event log is made of that keeps its connections open (``history``); storage in
PostgreSQL needs none of them, nor would such a pool in Dagster. UnresolvedAssetJobDefinition is what ``define_asset_job`` gives,
to be named in a signature (``jobs``); a public name of it would replace it."""

WITHOUT_AUTOMATIC_EVENTS: Mapping[str, Any] = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
"""Metadata of a result that keeps Dagster from logging an event for every range of the run, while the steps downstream run all
the same (``assets.tables``). A public way to log no event for an output that is there would replace it."""

_OUTPUT_STAYS = {"compute_logs": {"module": NoOpComputeLogManager.__module__, "class": NoOpComputeLogManager.__name__}}


def opened_history(folder: Path) -> dg.DagsterInstance:
    """Dagster's history in a folder, for a run in this process: what is printed goes to the terminal, and not to a file.

    With it the progress bars (``run``). Settings as arguments of ``DagsterInstance.get`` would replace it.
    """
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(folder), overrides=_OUTPUT_STAYS))


def latest_events(instance: dg.DagsterInstance, key: dg.AssetKey, kind: DagsterEventType) -> list[int]:
    """The storage ids of the latest event of each partition (``retention``); a public filter for the latest would replace it."""
    return list(instance.event_log_storage.get_latest_storage_id_by_partition(key, kind).values())


def events_of(instance: dg.DagsterInstance, run_id: str, kind: DagsterEventType) -> Iterator[dg.DagsterEvent]:
    """The events of a kind in a run (``schedules``, ``assets.notifications``); a public query by run would replace it."""
    return (entry.dagster_event for entry in instance.all_logs(run_id, of_type=kind) if entry.dagster_event)


def end_run(instance: dg.DagsterInstance, run: dg.DagsterRun, reason: str) -> None:
    """Mark a run as failed from outside, and free its places in the pools (``schedules``).

    Run monitoring would replace it, if it found dead processes where the run has no worker of its own.
    """
    instance.report_run_failed(run, reason)
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with its logs and its file of events (``retention``); retention of runs in Dagster would replace it."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    instance.delete_run(run_id)
    if isinstance(instance.event_log_storage, SqliteEventLogStorage):
        Path(instance.event_log_storage.path_for_shard(run_id)).unlink(missing_ok=True)  # Dagster leaves the emptied file
