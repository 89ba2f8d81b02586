"""What is used of Dagster that is not public, and nowhere else: an upgrade of Dagster is looked at here first.

- SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION lets a step log its own events, one an id range, while the steps downstream run all
  the same (``events``). A public way to log no event for an output that is there would replace it.
- NULL_EVENT_POINTER marks an input whose events are not compared by time (``events``). Provenance of events that are logged by
  hand would replace it.
- SqliteEventLogStorage and ConfigurableClassData are what an event log is made of that keeps its connections open (``history``),
  and tell the file of a run (``retention``). Storage in PostgreSQL needs neither; nor would such a pool in Dagster.
- InstanceRef and NoOpComputeLogManager give a run in this process the history of a home without the redirection of what is
  printed (``run``). Settings as arguments of ``DagsterInstance.from_config`` would replace them.

Tags are literals, as Dagster documents them (``conventions``). Does not belong here: anything with a public name.
"""

from dagster._core.definitions.data_version import NULL_EVENT_POINTER
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._serdes import ConfigurableClassData

__all__ = [
    "NULL_EVENT_POINTER",
    "SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION",
    "ConfigurableClassData",
    "InstanceRef",
    "NoOpComputeLogManager",
    "SqliteEventLogStorage",
]
