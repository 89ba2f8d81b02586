"""What Dagster calls stale: exactly what a new blob or new code touches, and nothing after a run that did its work."""

import dagster as dg
import pytest

from film_assets.orchestration.assets.blobs import blob_key
from film_assets.tables import BLOBS, COMPUTED, QUALITY
from film_assets.tables.ranges import RANGE_KEYS
from film_assets_tests.blobs import change
from film_assets_tests.orchestration import private
from film_assets_tests.orchestration.conftest import Workshop

pytestmark = pytest.mark.slow


def stale(workshop: Workshop) -> set[str]:
    """The assets with a range that is not fresh."""
    ranges: dict[str, list[str | None]] = {
        table.name: list(RANGE_KEYS) if table.range_column else [None] for table in (*BLOBS, *COMPUTED)
    }
    whole: dict[str, list[str | None]] = {table.name: [None] for table in QUALITY} | {"published.films": [None]}
    partitions = {dg.AssetKey(name.split(".")): keys for name, keys in (ranges | whole).items()}
    return {".".join(key.path) for key in private.stale(workshop.defs, workshop.instance, partitions)}


def observe(workshop: Workshop) -> None:
    keys = [blob_key(blob) for blob in BLOBS]
    job = workshop.defs.resolve_job_def("refresh")
    assert job.execute_in_process(instance=workshop.instance, asset_selection=keys).success


def test_nothing_is_stale_after_a_run(workshop: Workshop) -> None:
    workshop.refresh()
    assert stale(workshop) == set()
    observe(workshop)
    assert stale(workshop) == set()


def test_a_new_blob_makes_stale_what_is_raw_of_it_until_the_next_run(workshop: Workshop) -> None:
    workshop.refresh()
    change(workshop.blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
    assert stale(workshop) == set()
    observe(workshop)
    assert stale(workshop) == {"raw.titles"}
    workshop.refresh()
    assert stale(workshop) == set()
