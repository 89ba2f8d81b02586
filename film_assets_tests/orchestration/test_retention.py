"""What is deleted of Dagster's history, and what never is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from film_assets.orchestration.retention import delete_old_runs, needed_runs
from film_assets.tables import BLOBS, COMPUTED
from film_assets.tables.ranges import RANGE_KEYS
from film_assets_tests.blobs import change
from film_assets_tests.orchestration.conftest import Workshop

pytestmark = pytest.mark.slow


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def test_old_runs_go_and_the_latest_event_of_each_range_stays(workshop: Workshop, tmp_path: Path) -> None:
    workshop.refresh()
    for genre in ("Drama", "Crime"):
        change(workshop.blobs, "titles", "tt0000009", lambda fields, genre=genre: [*fields[:8], genre])
        workshop.refresh()
    workshop.refresh()
    runs = workshop.instance.get_run_ids()
    assert len(runs) == 4
    assert needed_runs(workshop.instance) == {runs[0], runs[1], runs[3]}

    assert delete_old_runs(workshop.instance, datetime.now(UTC) - timedelta(days=1)) == 0
    assert delete_old_runs(workshop.instance, soon()) == 1
    assert workshop.instance.get_run_ids() == [runs[0], runs[1], runs[3]]
    assert not [path for path in tmp_path.rglob("*") if runs[2] in path.name]
    assert [path for path in tmp_path.rglob("*") if runs[1] in path.name]
    for table in (*BLOBS, *COMPUTED):
        key = dg.AssetKey(table.name.split("."))
        assert workshop.instance.get_materialized_partitions(key) == (set(RANGE_KEYS) if table.range_column else set())
        assert workshop.instance.get_latest_materialization_event(key)
    assert delete_old_runs(workshop.instance, soon()) == 0


def test_a_run_that_has_not_ended_stays(workshop: Workshop) -> None:
    job = workshop.defs.resolve_job_def("refresh")
    run = workshop.instance.create_run_for_job(job)
    assert delete_old_runs(workshop.instance, soon()) == 0
    assert workshop.instance.get_run_by_id(run.run_id)


def test_the_job_deletes_what_is_older_than_the_setting(workshop: Workshop) -> None:
    old = workshop.instance.create_run_for_job(workshop.defs.resolve_job_def("refresh"))
    workshop.instance.report_run_failed(old)
    job = workshop.defs.resolve_job_def("retention")
    assert job.execute_in_process(instance=workshop.instance).success
    assert workshop.instance.get_run_by_id(old.run_id)
    assert job.description
    assert "30 days" in job.description
