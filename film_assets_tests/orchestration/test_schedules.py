"""What happens by itself: when it begins, that failures that may pass are tried again, and that one run writes at a time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from film_assets.definitions import build_defs
from film_assets.errors import FilmAssetsError, SourceError, TransientError
from film_assets.home import Home
from film_assets.orchestration import failures
from film_assets.orchestration.configuration import dagster_home
from film_assets.orchestration.conventions import EVERYTHING
from film_assets.orchestration.schedules import end_abandoned
from film_assets.orchestration.tags import UNATTENDED
from film_assets.refresh.pipeline import Pipeline
from film_assets.settings import load_settings
from film_assets_tests.orchestration.conftest import Workshop

pytestmark = pytest.mark.slow

REPO = Path(__file__).parents[2]
DEADLINE = 60


def run(workshop: Workshop, tags: Mapping[str, str] = EVERYTHING) -> dg.ExecuteInProcessResult:
    job = workshop.defs.resolve_job_def("refresh")
    return job.execute_in_process(instance=workshop.instance, tags=dict(tags), raise_on_error=False)


def test_the_daily_refresh_is_on_and_launches_everything(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_ASSETS_REFRESH_HOUR", "7")
    monkeypatch.setenv("FILM_ASSETS_TIME_ZONE", "Europe/Kyiv")
    defs = build_defs()
    schedule = defs.resolve_schedule_def("daily_refresh")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 7 * * *", "Europe/Kyiv")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    for _ in range(2):
        context = dg.build_schedule_context(instance=workshop.instance, repository_def=defs.get_repository_def())
        (request,) = schedule.evaluate_tick(context).run_requests
        assert request.run_key is None
        assert request.tags.items() >= {**EVERYTHING, **UNATTENDED}.items()
        assert (request.job_name or schedule.job_name) == "refresh"


@pytest.mark.parametrize(("name", "value"), [("REFRESH_HOUR", "24"), ("TIME_ZONE", "Mars/Olympus"), ("KEEP_RUNS_DAYS", "0")])
def test_a_setting_that_cannot_be_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"FILM_ASSETS_{name}", value)
    with pytest.raises(FilmAssetsError, match=f"FILM_ASSETS_{name}="):
        load_settings()


def test_an_import_reads_no_settings() -> None:
    code = "import film_assets.definitions"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"FILM_ASSETS_REFRESH_HOUR": "x"}, cwd=REPO)


def failing_source(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> list[float]:
    """The source fails so many times; when it was asked."""
    asked: list[float] = []
    good = Pipeline.listed.func

    def listed(self):
        asked.append(time.monotonic())
        if len(asked) <= times:
            raise error
        return good(self)

    monkeypatch.setattr(Pipeline, "listed", property(listed))
    monkeypatch.setattr(failures, "_PAUSES", (0.1, 0.3))
    return asked


def test_a_scheduled_run_tries_again_with_growing_pauses(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = failing_source(monkeypatch, TransientError("no answer"), 2)
    assert run(workshop, {**EVERYTHING, **UNATTENDED}).success
    assert 0.1 <= asked[1] - asked[0] < asked[2] - asked[1]


@pytest.mark.parametrize(
    ("error", "tags", "tries"),
    [
        (TransientError("no answer"), {**EVERYTHING, **UNATTENDED}, 3),
        (TransientError("no answer"), EVERYTHING, 1),
        (SourceError("no such container"), {**EVERYTHING, **UNATTENDED}, 1),
    ],
)
def test_what_does_not_pass_fails_with_its_one_line(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, error: Exception, tags: dict[str, str], tries: int
) -> None:
    asked = failing_source(monkeypatch, error, 99)
    result = run(workshop, tags)
    assert not result.success
    assert len(asked) == tries
    failures = [event.step_failure_data.user_failure_data for event in result.get_step_failure_events()]
    assert [failure.description for failure in failures if failure] == [str(error)]


def test_freshness_is_asked_of_what_every_run_leaves_an_event_of(workshop: Workshop) -> None:
    workshop.refresh()
    events = workshop.refresh()
    graph = workshop.defs.resolve_asset_graph()
    assert {"/".join(key.path) for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy} == {"published/films"}
    assert "published/films" in events


# ---- one writer

_REFRESH = """
import sys, time, pathlib
import dagster as dg
from film_assets.orchestration.conventions import EVERYTHING
from film_assets.orchestration.configuration import dagster_home
from film_assets.definitions import build_defs
from film_assets.home import Home
from film_assets.refresh.pipeline import Pipeline
from film_assets.settings import load_settings
folder, pause = pathlib.Path(sys.argv[1]), float(sys.argv[2])
land = Pipeline.land
def slowly(self, blob, **options):
    self.engine
    (folder / "writing").touch()
    time.sleep(pause)
    return land(self, blob, **options)
Pipeline.land = slowly
settings = load_settings(source=str(folder / "blobs"), home=folder / "home")
with dg.DagsterInstance.from_config(str(dagster_home(Home(folder / "history")))) as instance:
    job = build_defs(settings, wait_seconds=50).resolve_job_def("refresh")
    sys.exit(not job.execute_in_process(instance=instance, tags=EVERYTHING).success)
"""


def started(folder: Path, pause: float) -> subprocess.Popen[bytes]:
    """A refresh in a process of its own that has begun to write."""
    (folder / "writing").unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", _REFRESH, str(folder), str(pause)], cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + DEADLINE
    while not (folder / "writing").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


def test_dagster_lets_one_run_at_a_time_write(tmp_path: Path) -> None:
    with dg.DagsterInstance.from_config(str(dagster_home(Home(tmp_path)))) as instance:
        pools = instance.get_concurrency_config().pool_config
        assert pools.default_pool_limit == 1
        assert pools.pool_granularity.value == "run"
        assert instance.run_monitoring_enabled


def test_a_run_waits_for_the_one_that_writes_and_neither_blocks_the_other(workshop: Workshop, tmp_path: Path) -> None:
    other = started(tmp_path, 0.4)
    job = build_defs(workshop.settings, wait_seconds=50).resolve_job_def("refresh")
    try:
        result = job.execute_in_process(instance=workshop.instance, tags=EVERYTHING)
        assert result.success
        assert other.wait(DEADLINE) == 0
    finally:
        other.kill()
    first, second = sorted(workshop.instance.get_run_records(), key=lambda record: record.start_time)
    assert first.end_time <= second.end_time


def test_a_killed_run_blocks_nobody_and_is_ended(workshop: Workshop, tmp_path: Path) -> None:
    other = started(tmp_path, 30)
    home = workshop.settings.kept_in
    assert end_abandoned(workshop.instance, home) == []
    assert not run(workshop).success
    other.send_signal(signal.SIGKILL)
    other.wait(DEADLINE)
    assert run(workshop).success
    (dead,) = workshop.instance.get_runs(dg.RunsFilter(statuses=[DagsterRunStatus.STARTED]))
    assert end_abandoned(workshop.instance, home) == [dead.run_id]
    ended = workshop.instance.get_run_by_id(dead.run_id)
    assert ended
    assert ended.status == DagsterRunStatus.FAILURE
    assert workshop.instance.event_log_storage.get_concurrency_run_ids() == set()
    assert end_abandoned(workshop.instance, home) == []
