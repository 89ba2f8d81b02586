"""Runs and partitions as Dagster shows them: what a run covers, what is red and for how long, and what was forced."""

from collections.abc import Iterable, Sequence

import dagster as dg
import pytest
from dagster import AssetPartitionStatus, DagsterEventType

from film_assets.definitions import build_defs
from film_assets.orchestration.conventions import EVERYTHING, ID_RANGES
from film_assets.orchestration.tags import BACKFILL, RANGE_END, RANGE_START
from film_assets.settings import load_settings
from film_assets.tables import BLOBS, COMPUTED
from film_assets.tables.ranges import RANGE_KEYS
from film_assets_tests.orchestration.conftest import Workshop

pytestmark = pytest.mark.slow

PARTITIONED = [dg.AssetKey(table.name.split(".")) for table in (*BLOBS, *COMPUTED) if table.range_column]
RATINGS = dg.AssetKey(["films", "ratings"])


def states(instance: dg.DagsterInstance) -> set[AssetPartitionStatus | None]:
    found: set[AssetPartitionStatus | None] = set()
    for key in PARTITIONED:
        found |= set((instance.get_status_by_partition(key, list(RANGE_KEYS), ID_RANGES) or {}).values())
    return found


def fail(workshop: Workshop, tags: dict[str, str]) -> None:
    """A run whose source is wrong."""
    wrong = load_settings(source=str(workshop.blobs / "nowhere"), home=workshop.settings.home)
    job = build_defs(wrong, wait_seconds=0).resolve_job_def("refresh")
    assert not job.execute_in_process(instance=workshop.instance, tags=tags, raise_on_error=False).success


def chosen(keys: Sequence[str]) -> dict[str, str]:
    """The tags of a run that people launch in the web UI for these ranges."""
    return {RANGE_START: keys[0], RANGE_END: keys[-1], BACKFILL: "abcdefgh"}


_LONG = pytest.mark.stress


@pytest.mark.parametrize(
    ("tags", "first"),
    [
        pytest.param(EVERYTHING, "failed", id="all, failed"),
        pytest.param(EVERYTHING, "good", id="all, good", marks=_LONG),
        pytest.param(chosen(RANGE_KEYS), "failed", id="page, failed", marks=_LONG),
        pytest.param(chosen(RANGE_KEYS), "good", id="page, good", marks=_LONG),
        pytest.param(chosen(RANGE_KEYS[:2]), "failed", id="page, two, failed"),
        pytest.param(chosen(RANGE_KEYS[:2]), "good", id="page, two, good", marks=_LONG),
    ],
)
def test_nothing_stays_red_once_a_run_was_good(workshop: Workshop, tags: dict[str, str], first: str) -> None:
    if first == "good":
        workshop.refresh()
    fail(workshop, tags)
    for _ in range(2):
        workshop.refresh()
        assert states(workshop.instance) == {AssetPartitionStatus.MATERIALIZED}
    assert "films/ratings" not in workshop.refresh()


def test_a_run_of_all_ranges_names_them_all_and_plans_none(workshop: Workshop) -> None:
    workshop.refresh()
    (run,) = workshop.instance.get_runs()
    assert (run.tags[RANGE_START], run.tags[RANGE_END]) == (RANGE_KEYS[0], RANGE_KEYS[-1])
    assert not workshop.instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED)


def test_what_has_no_ranges_has_one_event_a_run(workshop: Workshop) -> None:
    keys = [dg.AssetKey(["published", "films"]), dg.AssetKey(["published", "indexes"]), dg.AssetKey(["quality", "blobs"])]
    workshop.refresh()
    workshop.refresh(tags=chosen(RANGE_KEYS))
    for key in keys:
        assert len(workshop.instance.fetch_materializations(key, limit=10).records) == 2
    observations = workshop.instance.fetch_observations(dg.AssetKey(["blobs", "titles"]), limit=10).records
    assert len(observations) == 3  # and one that says it was landed


def forced(workshop: Workshop, tags: dict[str, str] = EVERYTHING, **config: object) -> set[str]:
    """The tables with an event that says that rows were written by force."""
    job = workshop.defs.resolve_job_def("refresh")
    result = job.execute_in_process(instance=workshop.instance, tags=tags, run_config=config)
    events = [event.event_specific_data.materialization for event in result.get_asset_materialization_events()]
    return {".".join(event.asset_key.path) for event in events if _why(event) == "forced"}


def _why(event: dg.AssetMaterialization) -> object:
    return event.metadata["why"].value if "why" in event.metadata else None


def in_launchpad(**force: object) -> dict[str, object]:
    return {"resources": {"force": {"config": force}}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (in_launchpad(rebuild=True), [table.name for table in COMPUTED]),
        (
            in_launchpad(rebuild=True, tables=["films.ratings", "metrics.title_success"]),
            ["films.ratings", "metrics.title_success"],
        ),
        (in_launchpad(tables=["films.ratings"]), ["films.ratings"]),
        ({"ops": {"films__ratings": {"config": {"rebuild": True}}}}, ["films.ratings"]),
        ({}, []),
    ],
    ids=["all", "two", "one", "one asset", "none"],
)
def test_force_is_one_setting_for_a_whole_run(workshop: Workshop, config: dict[str, object], expected: Iterable[str]) -> None:
    workshop.refresh()
    assert {name for name in forced(workshop, **config) if not name.startswith("raw.")} == set(expected)


def test_a_range_that_people_choose_is_rebuilt_by_force(workshop: Workshop) -> None:
    workshop.refresh()
    job = workshop.defs.resolve_job_def("refresh")
    keys = [RANGE_KEYS[0], RANGE_KEYS[1]]
    config = in_launchpad(rebuild=True)
    result = job.execute_in_process(instance=workshop.instance, tags=chosen(keys), run_config=config)
    of_ratings = [event for event in result.get_asset_materialization_events() if event.asset_key == RATINGS]
    found = {event.partition: _why(event.event_specific_data.materialization) for event in of_ratings}
    assert found == dict.fromkeys(keys, "forced")


def test_a_backfill_does_the_work_where_inputs_changed(workshop: Workshop) -> None:
    workshop.refresh()
    ratings = workshop.blobs / "ratings.tsv"
    lines = ratings.read_text().splitlines()
    fields = lines[1].split("\t")
    lines[1] = "\t".join([fields[0], fields[1], str(int(fields[2]) + 1)])
    ratings.write_text("\n".join(lines) + "\n")
    job = workshop.defs.resolve_job_def("refresh")
    result = job.execute_in_process(instance=workshop.instance, tags=chosen(RANGE_KEYS))
    of_ratings = [event for event in result.get_asset_materialization_events() if event.asset_key == RATINGS]
    found = {event.partition: _why(event.event_specific_data.materialization) for event in of_ratings}
    assert set(found) == set(RANGE_KEYS)
    assert [key for key, why in found.items() if why] == [RANGE_KEYS[0]]
