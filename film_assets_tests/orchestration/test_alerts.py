"""Who is told of a run that failed and of a snapshot that is late: by a real webhook and a real mail server."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from film_assets.definitions import build_defs
from film_assets.errors import FilmAssetsError
from film_assets.notifications.settings import FilmsDelivery
from film_assets.orchestration.configuration import dagster_home
from film_assets.orchestration.conventions import EVERYTHING
from film_assets.orchestration.run import run_refresh
from film_assets.settings import load_settings
from film_assets.tables import Table
from film_assets_tests.blobs import change, write_real_rows
from film_assets_tests.mailbox import PASSWORD, USER, Mailbox
from film_assets_tests.notifications.channels.conftest import authority, mailbox, no_waiting, trusted
from film_assets_tests.orchestration.conftest import Workshop
from film_assets_tests.orchestration.test_checks import twice

__all__ = ["authority", "mailbox", "no_waiting", "trusted"]

pytestmark = pytest.mark.slow

UI = "https://dagster.example.org/"
PATH = "/services/CANARY"
DEADLINE = 120


class Webhook:
    """A web server that takes messages; ``answers`` says what it answers to the next ones instead of taking them."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for(PATH)
        self.texts: list[str] = []
        self.answers: list[int] = []
        server.expect_request(PATH, method="POST").respond_with_handler(self._take)

    def _take(self, request) -> Response:
        if self.answers:
            return Response("no", self.answers.pop(0))
        self.texts.append(request.json["text"])
        return Response("ok")


@pytest.fixture
def webhook(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Webhook:
    taken = Webhook(httpserver)
    monkeypatch.setenv("FILM_ASSETS_ALERT_URL", taken.url)
    monkeypatch.setenv("FILM_ASSETS_UI_URL", UI)
    return taken


class Sensor:
    """A sensor as the daemon evaluates it: its cursor is kept where a tick does not fail."""

    def __init__(self, workshop: Workshop, name: str) -> None:
        self._workshop, self._name, self._cursor = workshop, name, None

    def tick(self) -> str:
        repository = self._workshop.defs.get_repository_def()
        sensor = repository.get_sensor_def(self._name)
        with dg.build_sensor_context(self._workshop.instance, self._cursor, repository_def=repository) as context:
            data = sensor.evaluate_tick(context)
        self._cursor = data.cursor
        return data.skip_message or ""


def fail(workshop: Workshop, tags: dict[str, str] = EVERYTHING) -> str:
    """A run that fails; its id."""
    job = workshop.defs.resolve_job_def("refresh")
    result = job.execute_in_process(instance=workshop.instance, tags=tags, raise_on_error=False)
    assert not result.success
    return result.run_id


def test_nobody_is_told_where_nobody_asked() -> None:
    assert {sensor.name for sensor in build_defs().get_repository_def().sensor_defs} == {"abandoned_runs"}


def test_a_failed_run_is_told_once_with_what_why_and_where(workshop: Workshop, webhook: Webhook) -> None:
    (workshop.blobs / "crew.tsv").write_text("tconst\tdirectors\ntt0000001\tnm0000001\n")
    fail(workshop)
    sensor = Sensor(workshop, "alerts_by_webhook")
    assert sensor.tick() == "from now on it is told of what fails"
    assert sensor.tick() == "there is nothing to tell"
    run_id = fail(workshop)
    assert sensor.tick() == "told: Films: refresh failed in raw__crew"
    assert sensor.tick() == "there is nothing to tell"
    (text,) = webhook.texts
    subject, why, step, ended, run = text.splitlines()
    assert subject == "Films: refresh failed in raw__crew"
    assert why == "why: crew: column writers is missing; the header has tconst, directors"
    assert step == "step: raw__crew"
    assert ended.startswith("ended: 20")
    assert run == f"run: {UI}runs/{run_id}"


def test_a_check_that_blocks_is_told_with_what_does_not_hold(workshop: Workshop, webhook: Webhook, monkeypatch) -> None:
    workshop.refresh()
    sensor = Sensor(workshop, "alerts_by_webhook")
    sensor.tick()
    change(workshop.blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
    compute = Table.compute

    def twice_in(table, frame):
        return twice(frame) if table.name == "films.genres" else frame

    monkeypatch.setattr(Table, "compute", lambda self, frames: twice_in(self, compute(self, frames)))
    fail(workshop)
    sensor.tick()
    (text,) = webhook.texts
    assert "why: not published: films.genres: key tconst, genre: 5 do not" in text


def test_several_failures_are_told_one_by_one(workshop: Workshop, webhook: Webhook) -> None:
    sensor = Sensor(workshop, "alerts_by_webhook")
    sensor.tick()
    (workshop.blobs / "crew.tsv").unlink()
    runs = [fail(workshop) for _ in range(3)]
    for _ in range(4):
        sensor.tick()
    assert [text.rpartition("/")[2] for text in webhook.texts] == runs


def test_a_webhook_that_fails_fails_the_tick_with_a_line_and_is_tried_again(workshop: Workshop, webhook: Webhook) -> None:
    sensor = Sensor(workshop, "alerts_by_webhook")
    sensor.tick()
    (workshop.blobs / "crew.tsv").unlink()
    fail(workshop)
    webhook.answers += [500, 404]
    for code in (500, 404):
        with pytest.raises(FilmAssetsError) as caught:
            sensor.tick()
        assert f"({code})" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "CANARY" not in f"{caught.value!r} {caught.value.__context__}"
    sensor.tick()
    assert len(webhook.texts) == 1


def test_what_was_run_on_the_command_line_is_told_there(
    workshop: Workshop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor(workshop, "alerts_by_webhook")
    sensor.tick()
    (workshop.blobs / "crew.tsv").unlink()
    monkeypatch.setenv("DAGSTER_HOME", workshop.instance.root_directory)
    with pytest.raises(FilmAssetsError):
        run_refresh(build_defs, workshop.settings)
    assert len(workshop.instance.get_run_ids()) == 1
    assert sensor.tick() == "there is nothing to tell"
    assert webhook.texts == []


def test_a_run_whose_process_died_is_told(workshop: Workshop, webhook: Webhook) -> None:
    sensor = Sensor(workshop, "alerts_by_webhook")
    sensor.tick()
    run = workshop.instance.create_run_for_job(workshop.defs.resolve_job_def("refresh"))
    workshop.instance.report_run_failed(run, "the process of this run is gone")
    sensor.tick()
    (text,) = webhook.texts
    assert text.splitlines()[:3] == ["Films: refresh failed", "why: the process of this run is gone", "step: none"]


def test_a_late_snapshot_is_told_once_until_it_was_refreshed(workshop: Workshop, webhook: Webhook, monkeypatch) -> None:
    workshop.refresh()
    sensor = Sensor(workshop, "alerts_by_webhook")
    sensor.tick()
    assert sensor.tick() == "there is nothing to tell"
    monkeypatch.setattr("film_assets.orchestration.alerts.LATE", timedelta(seconds=0))
    assert sensor.tick() == "told: Films: the snapshot is late"
    assert sensor.tick() == "there is nothing to tell"
    (text,) = webhook.texts
    assert f"{datetime.now(UTC):why: the last good refresh was on %Y-%m-%d}" in text
    assert text.endswith(f"asset: {UI}assets/published/films")
    workshop.refresh()
    assert sensor.tick() == "told: Films: the snapshot is late"


def test_failures_are_told_by_mail_to_who_gets_the_digest(
    workshop: Workshop, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"SMTP_HOST": "localhost", "SMTP_PORT": mailbox.port, "SMTP_USER": USER, "SMTP_PASSWORD": PASSWORD}
    for name, value in {**values, "MAIL_FROM": "robot@example.org", "MAIL_TO": "a@example.org"}.items():
        monkeypatch.setenv(f"FILM_ASSETS_{name}", str(value))
    sensor = Sensor(workshop, "alerts_by_mail")
    sensor.tick()
    (workshop.blobs / "crew.tsv").unlink()
    run_id = fail(workshop)
    mailbox.replies += ["554 no"]
    with pytest.raises(FilmAssetsError):
        sensor.tick()
    sensor.tick()
    (message,) = mailbox.messages
    assert message["subject"] == "Films: refresh failed in observe_blobs"
    body = message.get_body(("plain",))
    assert body
    assert f"run: {run_id} (set FILM_ASSETS_UI_URL to the web UI's address for a link)" in body.get_content()


def test_the_address_of_the_webhook_is_a_secret(monkeypatch: pytest.MonkeyPatch, webhook: Webhook) -> None:
    settings = FilmsDelivery.load()
    assert "CANARY" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    monkeypatch.setenv("FILM_ASSETS_ALERT_URL", "hooks.example.org/CANARY")
    with pytest.raises(FilmAssetsError, match=r"^FILM_ASSETS_ALERT_URL: .*not the https:// address of a webhook$") as caught:
        FilmsDelivery.load()
    assert "CANARY" not in str(caught.value)


def test_the_daemon_tells_of_a_run_that_dagster_launched(tmp_path: Path, webhook: Webhook) -> None:
    blobs = write_real_rows(tmp_path / "blobs")
    (blobs / "crew.tsv").unlink()
    settings = load_settings(source=str(blobs), home=tmp_path / "home")
    variables = {"FILM_ASSETS_SOURCE": str(blobs), "FILM_ASSETS_HOME": str(settings.home)}
    environment = {**os.environ, **variables, "DAGSTER_HOME": str(dagster_home(settings.kept_in))}
    dagster = [sys.executable, "-m", "dagster"]
    location = ["-m", "film_assets.definitions"]
    log = tmp_path / "daemon.log"
    with (
        log.open("w") as out,
        subprocess.Popen(
            [str(Path(sys.executable).with_name("dagster-daemon")), "run", *location], env=environment, stdout=out, stderr=out
        ) as daemon,
    ):
        try:
            wait(lambda: "from now on it is told of what fails" in log.read_text())
            launch = [*dagster, "job", "launch", *location, "-j", "refresh", "--tags", json.dumps(EVERYTHING)]
            subprocess.run(launch, env=environment, check=True, capture_output=True)
            wait(lambda: webhook.texts)
        finally:
            daemon.send_signal(signal.SIGINT)  # which ends its code server too
    assert "the blob crew is not there" in webhook.texts[0]
    assert "CANARY" not in log.read_text()


def wait(until) -> None:
    deadline = time.monotonic() + DEADLINE
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.5)
