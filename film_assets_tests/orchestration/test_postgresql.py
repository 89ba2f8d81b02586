"""Dagster's history in a real PostgreSQL: a refresh on the command line, one by daemon and schedule, and the retention."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster_postgres import PostgresEventLogStorage, PostgresRunStorage, PostgresScheduleStorage

from film_assets.definitions import build_defs
from film_assets.orchestration.configuration import dagster_home
from film_assets.orchestration.retention import delete_old_runs, needed_runs
from film_assets.settings import Settings, load_settings
from film_assets.tables import BLOBS, COMPUTED
from film_assets.tables.ranges import RANGE_KEYS
from film_assets_tests.blobs import change, write_real_rows
from film_assets_tests.command import film_assets, rebuilt
from film_assets_tests.postgres import PASSWORD, PostgreSql, postgresql

__all__ = ["postgresql"]

pytestmark = pytest.mark.slow

OWN_SETTINGS = Path(__file__).parents[2] / "deploy" / "dagster.yaml"
LOCATION = ("-m", "film_assets.definitions")
PROGRAMS = Path(sys.executable).parent
DEADLINE = 120


@pytest.fixture
def settings(postgresql: PostgreSql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home whose history is in a new database, as the page on running it for a team has it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_bytes(OWN_SETTINGS.read_bytes())
    blobs = write_real_rows(tmp_path / "blobs")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgresql.database(tmp_path.name).replace("postgresql:", "postgresql+psycopg2:"))
    monkeypatch.setenv("FILM_ASSETS_SOURCE", str(blobs))
    monkeypatch.setenv("FILM_ASSETS_HOME", str(home))
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home(load_settings(home=home).kept_in)))
    return load_settings()


@pytest.fixture
def history(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


@contextmanager
def daemon(log: Path) -> Iterator[None]:
    with log.open("w") as out:
        process = subprocess.Popen(
            [PROGRAMS / "dagster-daemon", "run", *LOCATION], stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(DEADLINE)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its code server, as a service manager does


def launched(history: dg.DagsterInstance, job: str, tags: dict[str, str]) -> DagsterRunStatus:
    """Launch a job as people do, and wait for its end."""
    known = set(history.get_run_ids())
    command = [PROGRAMS / "dagster", "job", "launch", *LOCATION, "-j", job, "--tags", json.dumps(tags)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ)
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        (run,) = [run for run in history.get_runs() if run.run_id not in known]
        if run.is_finished:
            return run.status
        time.sleep(0.5)
    raise AssertionError(f"{job} did not end")


def test_the_history_is_kept_in_the_database_alone(settings: Settings, history: dg.DagsterInstance) -> None:
    assert isinstance(history.event_log_storage, PostgresEventLogStorage)
    assert isinstance(history.run_storage, PostgresRunStorage)
    assert isinstance(history.schedule_storage, PostgresScheduleStorage)
    assert film_assets("refresh", home=settings.home).returncode == 0
    (run,) = history.get_runs()
    assert run.status == DagsterRunStatus.SUCCESS
    for table in (*BLOBS, *COMPUTED):
        key = dg.AssetKey(table.name.split("."))
        assert history.get_materialized_partitions(key) == (set(RANGE_KEYS) if table.range_column else set())
    assert not list(settings.kept_in.dagster.rglob("*.db"))
    assert not [file for file in settings.kept_in.dagster.rglob("*") if file.is_file() and PASSWORD in file.read_text()]


def test_a_second_refresh_finds_its_events_and_old_runs_go(settings: Settings, history: dg.DagsterInstance) -> None:
    blobs = Path(settings.source or "")
    assert film_assets("refresh", home=settings.home).returncode == 0
    changed = []
    for genre in ("Drama", "Crime", "Crime"):
        change(blobs, "titles", "tt0000009", lambda fields, genre=genre: [*fields[:8], genre])
        done = film_assets("refresh", "--json", home=settings.home)
        assert done.returncode == 0, done.stderr
        changed.append(rebuilt(json.loads(done.stdout)).get("films.genres", []))
    assert changed == [["00"], ["00"], []]
    runs = history.get_run_ids()
    assert needed_runs(history) == {runs[0], runs[1], runs[3]}
    assert delete_old_runs(history, datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert history.get_run_ids() == [runs[0], runs[1], runs[3]]
    assert history.get_materialized_partitions(dg.AssetKey(["films", "genres"])) == set(RANGE_KEYS)


def test_daemon_schedule_and_retention_work_on_it(settings: Settings, history: dg.DagsterInstance, tmp_path: Path) -> None:
    defs = build_defs()
    schedule = defs.resolve_schedule_def("daily_refresh")
    context = dg.build_schedule_context(instance=history, repository_def=defs.get_repository_def())
    (request,) = schedule.evaluate_tick(context).run_requests
    with daemon(tmp_path / "daemon.log"):
        assert launched(history, "refresh", dict(request.tags)) == DagsterRunStatus.SUCCESS
        assert launched(history, "retention", {}) == DagsterRunStatus.SUCCESS
        kinds = set(history.get_daemon_heartbeats())
    assert {"SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR", "MONITORING"} <= kinds
    assert settings.kept_in.films.exists()
    assert {state.instigator_name for state in history.all_instigator_state()} >= {"daily_refresh", "abandoned_runs"}
