"""The whole pipeline as Dagster runs it, with every service it works with."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from film_assets.errors import SettingsError
from film_assets.home import Home
from film_assets.learning.assets import DIGEST, FAULTS, METRICS, SOLUTIONS, days_of
from film_assets.learning.database import opened
from film_assets.learning.definitions import build_defs
from film_assets.learning.jobs import delete_old, died_runs
from film_assets.learning.settings import LearningSettings
from film_assets.orchestration import failures
from film_assets.orchestration.configuration import dagster_home
from film_assets.orchestration.tags import UNATTENDED
from film_assets_tests.google import Google
from film_assets_tests.learning.conftest import IN_BOTH, SHEET
from film_assets_tests.learning.statistics import KEY, Statistics, row
from film_assets_tests.mailbox import PASSWORD, Mailbox

pytestmark = pytest.mark.slow

REPO = Path(__file__).parents[2]
FIRST, SECOND, THIRD = "2026-01-01", "2026-01-02", "2026-01-03"
HEADERS = ["study_date", "attempts_per_day_total", "correct_attempts_per_day", "unique_users_per_day", "new_users_per_day"]
DEADLINE = 60


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """One in memory, which is faster."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def history(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One that is written down, as that of the web UI."""
    with dg.DagsterInstance.from_config(str(dagster_home(Home(tmp_path / "history")))) as instance:
        yield instance


@pytest.fixture(autouse=True)
def three_days(statistics: Statistics) -> None:
    """Good rows, repeated ones, bad ones, and late ones that another day's answer has."""
    anna, ben = row("anna", f"{FIRST} 10:00:00.5", correct=1), row("ben", f"{FIRST} 11:00:00")
    statistics.days = {
        FIRST: [anna, ben, anna, {"lti_user_id": "nobody"}],
        SECOND: [row("ben", f"{SECOND} 00:00:01", correct=0), row("anna", f"{FIRST} 23:59:59", correct=1)],
        THIRD: [row("carl", f"{THIRD} 12:00:00", correct=1), row("ben", f"{THIRD} 12:00:00", passback_params="[" * 9_000_000), 5],
    }


def run(instance: dg.DagsterInstance, first: str, last: str | None = None, **tags: str) -> dg.ExecuteInProcessResult:
    covered = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last or first}
    job = build_defs().resolve_job_def("learning")
    return job.execute_in_process(instance=instance, tags={**covered, **tags}, raise_on_error=False)


def failures_of(result: dg.ExecuteInProcessResult) -> list[str | None]:
    data = [event.step_failure_data for event in result.get_step_failure_events()]
    return [found.user_failure_data.description if found.user_failure_data else None for found in data]


def rows(settings: LearningSettings, query: str) -> list[tuple[Any, ...]]:
    with opened(settings) as database:
        return database.rows(query)


def tables(settings: LearningSettings) -> list[list[tuple[Any, ...]]]:
    names = ("solutions", "rejected_attempts", "passback_faults", "loads")
    return [rows(settings, f"select * from {table} order by id") for table in names]


def sheet(google: Google) -> list[list[Any]]:
    return google.spreadsheets[SHEET]["study_metrics"].values()


SHEET_AFTER_THREE_DAYS = [HEADERS, [FIRST, 3, 2, 2, 2], [SECOND, 1, 0, 1, 0], [THIRD, 2, 1, 2, 1]]


@IN_BOTH
def test_three_days_and_all_of_it_again(
    everything: LearningSettings, instance: dg.DagsterInstance, statistics: Statistics, google: Google, mailbox: Mailbox
) -> None:
    for day in (FIRST, SECOND, THIRD):
        assert run(instance, day).success
    solutions = rows(everything, "select user_id, is_correct from solutions order by created_at, user_id")
    assert solutions == [("anna", 1), ("ben", None), ("anna", 1), ("ben", 0), ("ben", None), ("carl", 1)]
    rejected = rows(everything, "select study_date, reason from rejected_attempts order by id")
    assert [(str(day), reason[:25]) for day, reason in rejected] == [
        (FIRST, "passback_params: field re"),
        (THIRD, "row: input should be an o"),
    ]
    faults = rows(everything, "select study_date, user_id, reason, length(text) from passback_faults")
    assert faults == [(date.fromisoformat(THIRD), "ben", "is longer than 4,000 characters", 9_000_002)]
    assert sheet(google) == SHEET_AFTER_THREE_DAYS
    assert mailbox.subjects == [
        f"Study metrics of {day}: {new} new attempts" for day, new in ((FIRST, 2), (SECOND, 2), (THIRD, 2))
    ]

    there, writes = tables(everything), len(google.writes)
    for day in (FIRST, SECOND, THIRD):
        assert run(instance, day).success
    assert tables(everything) == there
    assert len(google.writes) == writes
    assert len(mailbox.messages) == 3

    statistics.days[SECOND] += [row("dora", f"{SECOND} 22:00:00")]
    assert run(instance, SECOND, THIRD).success
    assert sheet(google)[2] == [SECOND, 2, 0, 2, 1]
    assert mailbox.subjects[3:] == [f"Study metrics of {SECOND}: 1 new attempts"]


@IN_BOTH
def test_the_digest_tells_what_was_loaded(
    everything: LearningSettings, instance: dg.DagsterInstance, google: Google, mailbox: Mailbox
) -> None:
    assert run(instance, FIRST, THIRD).success
    (message,) = mailbox.messages
    assert message["subject"] == f"Study metrics of {FIRST} to {THIRD}: 6 new attempts"
    text = message.get_body(("plain",))
    assert text
    lines = text.get_content().splitlines()
    assert lines[:5] == [f"period: {FIRST} to {THIRD}", "rows fetched: 9", "rows valid: 7", "rows rejected: 2", "rows new: 6"]
    assert any(line.split() == ["is", "longer", "than", "4,000", "characters", "1"] for line in lines)
    assert lines[5].startswith("run time: 0 d 0 h 0 min ")
    assert lines[6:10] == [
        "passback faults: 1",
        "rows prepared: 3",
        "sheet updated: yes, 3 rows appended and 0 updated",
        "API status: 200",
    ]
    assert re.fullmatch(r"API duration: \d+\.\d s, 3 requests", lines[10])
    assert any(line.split() == [FIRST, "3", "2", "2", "2"] for line in lines)
    assert any(line.startswith("row: input should be an object") and line.endswith("  1") for line in lines)
    (image,) = (part for part in message.walk() if part.get_content_type() == "image/png")
    assert image.get_content().startswith(b"\x89PNG")


def test_counts_are_metadata_of_each_day(everything: LearningSettings, instance: dg.DagsterInstance) -> None:
    assert run(instance, FIRST, SECOND).success
    records = instance.fetch_materializations(SOLUTIONS, limit=9).records
    found = {
        record.partition_key: {name: value.value for name, value in record.asset_materialization.metadata.items()}
        for record in records
        if record.asset_materialization
    }
    assert found[FIRST].items() >= {"rows fetched": 4, "rows valid": 3, "rows rejected": 1, "rows new": 2}.items()
    assert found[SECOND].items() >= {"rows fetched": 2, "rows valid": 2, "rows rejected": 0, "rows new": 2}.items()
    event = instance.get_latest_materialization_event(METRICS)
    assert event
    assert event.asset_materialization
    assert event.asset_materialization.metadata["dagster/row_count"].value == 2


def test_passback_faults_are_counted_in_metadata_and_log(everything: LearningSettings, instance: dg.DagsterInstance) -> None:
    assert run(instance, THIRD).success
    for key, new in ((SOLUTIONS, 2), (FAULTS, 1)):
        (record,) = instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=[THIRD]), limit=1).records
        assert record.asset_materialization
        found = {name: value.value for name, value in record.asset_materialization.metadata.items()}
        counts = {"rows fetched": 3, "rows valid": 2, "rows rejected": 1, "passback faults": 1, "rows new": new}
        assert found.items() >= counts.items()
        (file,) = everything.logs.iterdir()
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert any(line.items() >= ({"asset": key.path[-1], "day": THIRD} | counts).items() for line in lines)


def facts_of(mailbox: Mailbox) -> dict[str, str]:
    text = mailbox.messages[-1].get_body(("plain",))
    assert text
    return dict(line.split(": ", 1) for line in takewhile(bool, text.get_content().splitlines()))


def test_the_digest_tells_what_became_of_the_sheet(
    everything: LearningSettings, instance: dg.DagsterInstance, statistics: Statistics, google: Google, mailbox: Mailbox
) -> None:
    run(instance, SECOND)
    statistics.days[SECOND] += [row("dora", f"{SECOND} 12:00:00")]
    run(instance, SECOND)
    assert facts_of(mailbox)["sheet updated"] == "yes, 0 rows appended and 1 updated"
    statistics.days[SECOND] += [5]
    run(instance, SECOND)
    assert facts_of(mailbox).items() >= {"sheet updated": "no, it was up to date", "rows prepared": "2"}.items()

    mailbox.replies += ["554 no"]
    statistics.days[SECOND] += [6]
    run(instance, SECOND)
    job = build_defs().resolve_job_def("learning")
    assert job.execute_in_process(instance=instance, asset_selection=[DIGEST]).success
    assert facts_of(mailbox).items() >= {"sheet updated": "no, not in this run", "API status": "not asked in this run"}.items()


@IN_BOTH
def test_a_period_is_fetched_at_once_and_loaded_day_by_day(
    everything: LearningSettings,
    instance: dg.DagsterInstance,
    statistics: Statistics,
    google: Google,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LEARNING_API_DAYS")
    assert run(instance, FIRST, THIRD).success
    assert [(one["start"][:10], one["end"][:10]) for one in statistics.asked] == [(FIRST, THIRD)]
    assert sorted(file.name for file in everything.answers.iterdir()) == [f"{day}.json" for day in (FIRST, SECOND, THIRD)]
    loads = rows(everything, "select cast(study_date as text), rows_fetched, rows_valid from loads order by id")
    assert loads == [(FIRST, 6, 4), (SECOND, 1, 1), (THIRD, 2, 2)], (
        "a late row is with its own day, one without any with the first"
    )
    assert sheet(google) == SHEET_AFTER_THREE_DAYS
    assert mailbox.subjects == [f"Study metrics of {FIRST} to {THIRD}: 6 new attempts"]


# ---- what goes wrong

_RUN = """
import sys
import dagster as dg
from film_assets.orchestration.configuration import dagster_home
from film_assets.home import Home
from film_assets.learning.definitions import build_defs
from pathlib import Path
with dg.DagsterInstance.from_config(str(dagster_home(Home(Path(sys.argv[1]))))) as instance:
    tags = {"dagster/asset_partition_range_start": sys.argv[2], "dagster/asset_partition_range_end": sys.argv[2]}
    build_defs().resolve_job_def("learning").execute_in_process(instance=instance, tags=tags)
"""


@IN_BOTH
def test_a_kill_between_database_and_sheet_is_made_good_by_the_next_run(
    everything: LearningSettings, instance: dg.DagsterInstance, google: Google, mailbox: Mailbox, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _RUN, str(tmp_path / "history"), FIRST]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    google.on_write = process.kill
    assert process.wait(DEADLINE) == -signal.SIGKILL
    google.on_write = lambda: None
    google.writes.clear()
    google.spreadsheets[SHEET]["study_metrics"].cells.clear()  # the killed run's request may have come in all the same
    assert len(rows(everything, "select * from solutions")) == 2
    assert mailbox.messages == []
    assert run(instance, FIRST).success
    assert len(rows(everything, "select * from solutions")) == 2
    assert sheet(google) == [HEADERS, [FIRST, 2, 1, 2, 2]]
    assert mailbox.subjects == [f"Study metrics of {FIRST}: 2 new attempts"]


def test_a_run_that_fails_says_so_and_the_next_one_catches_up(
    everything: LearningSettings, instance: dg.DagsterInstance, google: Google, mailbox: Mailbox
) -> None:
    google.spreadsheets[SHEET]["study_metrics"].put(["remark", "study_date", "remark", "study_date"])
    result = run(instance, FIRST)
    assert failures_of(result) == [
        "worksheet study_metrics: row 1 has the header study_date more than once; rename all but one of them"
    ]
    (message,) = mailbox.messages
    assert message["subject"] == "The learning pipeline failed in learning__study_dashboard"
    text = message.get_body(("plain",))
    assert text
    assert "row 1 has the header study_date more than once" in text.get_content()
    google.spreadsheets[SHEET]["study_metrics"].cells.clear()
    assert run(instance, FIRST).success
    assert mailbox.subjects[1:] == [f"Study metrics of {FIRST}: 2 new attempts"]


def test_a_scheduled_run_waits_for_what_may_pass(
    everything: LearningSettings,
    instance: dg.DagsterInstance,
    statistics: Statistics,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failures, "_PAUSES", (0.1, 0.1))
    statistics.faults += [503] * 4
    assert run(instance, FIRST, **UNATTENDED).success
    assert mailbox.subjects == [f"Study metrics of {FIRST}: 2 new attempts"]


def test_a_run_whose_process_died_is_told_of(
    everything: LearningSettings, instance: dg.DagsterInstance, mailbox: Mailbox, statistics: Statistics
) -> None:
    job = build_defs().resolve_job_def("learning")
    dead = instance.create_run_for_job(job)
    instance.report_run_failed(dead, "the process of this run is gone")
    event = instance.all_logs(dead.run_id)[-1].dagster_event
    assert event
    context = dg.build_run_status_sensor_context("died_runs", event, instance, dead).for_run_failure()
    died_runs(context)
    assert mailbox.subjects == ["The learning pipeline failed in no step"]
    text = mailbox.messages[0].get_body(("plain",))
    assert text
    assert "the process of this run is gone" in text.get_content()

    statistics.faults += [404]
    failed = run(instance, FIRST)
    event = next(event for event in failed.all_events if event.event_type_value == "PIPELINE_FAILURE")
    context = dg.build_run_status_sensor_context("died_runs", event, instance, failed.dagster_run).for_run_failure()
    died_runs(context)
    assert len(mailbox.messages) == 2, "the run itself has told"


# ---- settings


def test_without_settings_it_loads_and_says_what_is_missing(settings: LearningSettings, instance: dg.DagsterInstance) -> None:
    repository = build_defs().get_repository_def()
    schedule = repository.get_schedule_def("daily_learning")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert "LEARNING_SHEET_ID" in (schedule.description or "")
    words = "LEARNING_API_URL, LEARNING_API_CLIENT, LEARNING_API_CLIENT_KEY are not set; see the table of settings"
    assert [str(line)[: len(words)] for line in failures_of(run(instance, FIRST))] == [words]


@pytest.mark.parametrize(
    ("missing", "step"), [("API_CLIENT_KEY", "attempts_raw"), ("SHEET_ID", "study_dashboard"), ("SMTP_HOST", "study_digest")]
)
def test_a_missing_setting_fails_its_own_asset_alone(
    everything: LearningSettings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, missing: str, step: str
) -> None:
    monkeypatch.delenv(f"LEARNING_{missing}")
    result = run(instance, FIRST)
    assert [event.step_key for event in result.get_step_failure_events()] == [f"learning__{step}"]
    assert failures_of(result) == [f"LEARNING_{missing} is not set; see the table of settings in the documentation"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("TIME_ZONE", "Mars/Olympus"), ("HOUR", "24"), ("API_URL", "ftp://CANARY"), ("SMTP_PORT", "CANARY"), ("MAIL_TO", "CANARY")],
)
def test_a_setting_that_cannot_be_is_named_and_not_shown(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"LEARNING_{name}", value)
    with pytest.raises(SettingsError, match=f"LEARNING_{name}: ") as caught:
        LearningSettings.load()
    assert "CANARY" not in f"{caught.value} {caught.value.__context__}"


def test_an_import_reads_no_settings() -> None:
    environment = os.environ | {"LEARNING_HOUR": "x"}
    subprocess.run([sys.executable, "-c", "import film_assets.learning.definitions"], check=True, env=environment, cwd=REPO)


# ---- what happens by itself


def tick(instance: dg.DagsterInstance, when: datetime) -> Any:
    repository = build_defs().get_repository_def()
    context = dg.build_schedule_context(instance=instance, repository_def=repository, scheduled_execution_time=when)
    return repository.get_schedule_def("daily_learning").evaluate_tick(context)


def covered(found: Any) -> tuple[str, str]:
    (request,) = found.run_requests
    assert request.tags.items() >= UNATTENDED.items()
    return request.tags["dagster/asset_partition_range_start"], request.tags["dagster/asset_partition_range_end"]


def test_the_schedule_is_on_with_its_settings_and_covers_late_and_missed_days(
    everything: LearningSettings, history: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEARNING_TIME_ZONE", "Europe/Kyiv")
    schedule = build_defs().get_repository_def().get_schedule_def("daily_learning")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 3 * * *", "Europe/Kyiv")
    assert tick(history, datetime(2025, 12, 31, 23, tzinfo=UTC)).skip_message
    assert covered(tick(history, datetime(2026, 1, 1, 23, tzinfo=UTC))) == (FIRST, FIRST)
    assert covered(tick(history, datetime(2026, 1, 9, 1, tzinfo=UTC))) == ("2026-01-07", "2026-01-08")
    run(history, THIRD)
    assert covered(tick(history, datetime(2026, 1, 9, 1, tzinfo=UTC))) == ("2026-01-04", "2026-01-08")


def test_today_can_be_fetched_by_hand_and_is_fetched_again_when_it_is_over(
    everything: LearningSettings, history: dg.DagsterInstance, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.now(UTC).date()
    monkeypatch.setenv("LEARNING_START_DATE", str(today - timedelta(days=9)))
    assert days_of(LearningSettings.load()).get_last_partition_key() == str(today)
    statistics.days[str(today)] = [row("anna", f"{today} 00:00:00")]
    assert run(history, str(today)).success
    assert rows(everything, "select cast(study_date as text) from study_metrics") == [(str(today),)]
    run(history, str(today - timedelta(days=6)))
    at_three = datetime(today.year, today.month, today.day, 3, tzinfo=UTC)
    yesterday, missed = today - timedelta(days=1), today - timedelta(days=5)
    assert covered(tick(history, at_three)) == (str(missed), str(yesterday))
    assert covered(tick(history, at_three + timedelta(days=1))) == (str(missed), str(today))


def test_the_log_of_a_day_is_lines_of_json(
    everything: LearningSettings, instance: dg.DagsterInstance, statistics: Statistics
) -> None:
    statistics.faults += [503]
    run(instance, FIRST)
    (file,) = everything.logs.iterdir()
    assert file.name == f"{datetime.now(UTC).date()}.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0]["event"] == "run begins"
    assert lines[-1]["event"] == "run ends"
    assert lines[-1]["run_time"].startswith("0 d 0 h 0 min ")
    assert any(line["level"] == "warning" and "(503)" in line["event"] for line in lines)
    assert any(line.items() >= {"asset": "solutions", "day": FIRST, "rows new": 2}.items() for line in lines)
    assert [line["step"] for line in lines if line["event"] == "done"] == [
        "attempts_raw",
        "load_attempts",
        "study_metrics",
        "study_dashboard",
        "study_digest",
    ]
    assert logging.getLogger("film_assets").handlers == []


def test_retention_deletes_what_is_older_than_it_is_kept(everything: LearningSettings, instance: dg.DagsterInstance) -> None:
    run(instance, FIRST)
    today = datetime.now(UTC).date()
    for days in range(1, 6):
        (everything.logs / f"{today - timedelta(days=days)}.jsonl").write_text("{}")
    old = everything.answers / f"{SECOND}.json"
    old.write_text("[]")
    os.utime(old, times=(time.time() - 4 * 86400,) * 2)
    result = build_defs().resolve_job_def("learning_retention").execute_in_process(instance=instance)
    assert result.success
    kept = sorted(date.fromisoformat(file.stem) for file in everything.logs.iterdir())
    assert kept == [today - timedelta(days=days) for days in (2, 1, 0)]
    assert [file.stem for file in everything.answers.iterdir()] == [FIRST]
    assert delete_old(everything, datetime.now(UTC) + timedelta(days=9)) == 4


def test_one_day_that_is_kept_is_today(everything: LearningSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEARNING_KEEP_DAYS", "1")
    everything.logs.mkdir(parents=True)
    names = [f"{day}.jsonl" for day in (FIRST, SECOND)]
    for name in names:
        (everything.logs / name).touch()
    assert delete_old(LearningSettings.load(), datetime(2026, 1, 2, 0, 30, tzinfo=UTC)) == 1
    assert [file.name for file in everything.logs.iterdir()] == names[1:]


def test_retention_leaves_files_of_others_alone(settings: LearningSettings) -> None:
    names = [
        "README.md",
        "notes.jsonl",
        "20260101.jsonl",
        "2026-99-99.jsonl",
        "2026-99-99.json",
        "2026-01-01 copy.jsonl",
        "2026-01-01.jsonl.gz",
        "2026-01-01.csv",
        "2026-W01-1.json",
        ".2026-01-01.json",
    ]
    for folder in (settings.logs, settings.answers):
        for name in names:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        for suffix in ("jsonl", "json"):
            (folder / f"{SECOND}.{suffix}").mkdir()
    (settings.logs / f"{FIRST}.jsonl").touch()
    own = [settings.answers / f"{FIRST}{suffix}" for suffix in (".json", ".part")]
    for file in own:
        file.touch()
    assert delete_old(settings, datetime.now(UTC) + timedelta(days=9)) == 1 + len(own)
    others = {*names, f"{SECOND}.jsonl", f"{SECOND}.json"}
    assert [{file.name for file in folder.iterdir()} for folder in (settings.logs, settings.answers)] == [others, others]


# ---- secrets


@pytest.mark.parametrize("home", ["postgresql"], indirect=True)
def test_no_secret_is_told_anywhere(
    everything: LearningSettings,
    history: dg.DagsterInstance,
    statistics: Statistics,
    google: Google,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    run(history, FIRST)
    for faults in ([403], [500] * 3):
        statistics.faults += faults
        run(history, SECOND)
    google.faults += [500] * 3
    run(history, SECOND)
    mailbox.replies += ["451 later"] * 9
    run(history, SECOND)
    monkeypatch.setenv("LEARNING_SMTP_PASSWORD", "CANARY-WRONG")
    run(history, THIRD)
    monkeypatch.setenv("LEARNING_DATABASE_URL", "postgresql://me:CANARY@127.0.0.1:9/x")
    run(history, THIRD)
    written = [file.read_bytes() for folder in ("home", "history") for file in (tmp_path / folder).rglob("*") if file.is_file()]
    events = [repr(entry) for found in history.get_runs() for entry in history.all_logs(found.run_id)]
    mails = [message.as_string() for message in mailbox.messages]
    told = "\n".join([caplog.text, *capfd.readouterr(), *events, *mails]).encode() + b"\n".join(written)
    assert len(history.get_runs()) == 7
    assert len(told) > 100_000
    for secret in (b"CANARY", KEY.encode(), PASSWORD.encode(), google.private_key.splitlines()[5].encode()):
        assert secret not in told
