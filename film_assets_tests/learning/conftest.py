"""What the tests of the learning pipeline share: the services it works with, and settings that name them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from film_assets.learning.settings import LearningSettings
from film_assets_tests.google import Google
from film_assets_tests.learning import statistics as statistics_service
from film_assets_tests.learning.statistics import CLIENT, KEY, Statistics
from film_assets_tests.mailbox import PASSWORD, USER, Mailbox
from film_assets_tests.notifications.channels.conftest import authority, google, mailbox, no_waiting, trusted
from film_assets_tests.postgres import PostgreSql, postgresql

__all__ = ["authority", "google", "mailbox", "no_waiting", "postgresql", "trusted"]

SHEET = "1x2y3z"


@pytest.fixture
def statistics() -> Iterator[Statistics]:
    with statistics_service.running() as running:
        yield running


IN_BOTH = pytest.mark.parametrize("home", ["postgresql", "duckdb"], indirect=True)
"""A test runs once with either database; without this with DuckDB."""


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, and a new, empty database, both named by the environment."""
    monkeypatch.setenv("FILM_ASSETS_HOME", str(tmp_path / "home"))
    if getattr(request, "param", "duckdb") == "postgresql":
        server: PostgreSql = request.getfixturevalue("postgresql")
        monkeypatch.setenv("LEARNING_DATABASE_URL", server.database(tmp_path.name))
    return tmp_path / "home"


@pytest.fixture
def settings(home: Path) -> LearningSettings:
    """Settings of a home and its database, and of nothing else."""
    return LearningSettings.load()


@pytest.fixture
def everything(
    home: Path, statistics: Statistics, google: Google, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> LearningSettings:
    """All settings there are, in the environment too."""
    google.spreadsheet(SHEET, "study_metrics")
    values = {
        "API_URL": statistics.url,
        "API_CLIENT": CLIENT,
        "API_CLIENT_KEY": KEY,
        "API_DAYS": 1,
        "START_DATE": "2026-01-01",
        "SHEET_SERVICE_ACCOUNT_FILE": google.service_account_file,
        "SHEET_ID": SHEET,
        "SMTP_HOST": "localhost",
        "SMTP_PORT": mailbox.port,
        "SMTP_USER": USER,
        "SMTP_PASSWORD": PASSWORD,
        "MAIL_FROM": "robot@example.org",
        "MAIL_TO": "a@example.org, b@example.org",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"LEARNING_{name}", str(value))
    return LearningSettings.load()
