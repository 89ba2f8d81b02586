"""What the tests of the assets share: a Dagster instance, blobs and a home, and the runs in them."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from film_assets.definitions import build_defs
from film_assets.home import Home
from film_assets.orchestration.configuration import dagster_home
from film_assets.orchestration.conventions import EVERYTHING
from film_assets.settings import load_settings
from film_assets_tests.blobs import write_real_rows


class Workshop:
    """A Dagster instance, blobs and a home, and the runs in them."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.blobs = write_real_rows(folder / "blobs")
        self.settings = load_settings(source=str(self.blobs), home=folder / "home")

    @property
    def defs(self) -> dg.Definitions:
        return build_defs(self.settings, wait_seconds=0)

    def refresh(self, tags: dict[str, str] = EVERYTHING, **config: object) -> dict[str, list[str | None]]:
        """Run the job; asset -> ranges that got an event."""
        job = self.defs.resolve_job_def("refresh")
        result = job.execute_in_process(instance=self.instance, tags=tags, **config)
        assert result.success
        events: dict[str, list[str | None]] = {}
        for event in result.all_events:
            if event.event_type_value == "ASSET_MATERIALIZATION":
                events.setdefault("/".join(event.asset_key.path), []).append(event.partition)
        return events


def history(folder: Path) -> dg.DagsterInstance:
    """A new instance, as the command line and the web UI have it."""
    return dg.DagsterInstance.from_config(str(dagster_home(Home(folder))))


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with history(tmp_path / "history") as instance:
        yield Workshop(tmp_path, instance)
