"""What the steps of a run work through: its settings, its database, its mail, and how long it has run.

Belongs here: what all steps share. Does not belong here: the steps (``assets``).
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from film_assets.common.database import Connect
from film_assets.errors import FilmAssetsError
from film_assets.learning import reports
from film_assets.learning.database import DUCKDB_CONFIG, Database, opened
from film_assets.learning.logs import logging_to
from film_assets.learning.schema import prepare
from film_assets.learning.settings import LearningSettings
from film_assets.notifications.channels.digest import duration
from film_assets.notifications.channels.mail import send
from film_assets.orchestration.duckdb_file import DuckDBFile
from film_assets.orchestration.failures import readable_failures

if TYPE_CHECKING:
    from film_assets.learning.api import Answer
    from film_assets.notifications.channels.sheets import Written

_log = logging.getLogger(__name__)


class Learning:
    """A run of the pipeline.

    Attributes:
        settings: As they were when the run began.
        answers: What the API has answered so far.
        written: What became of the rows in the sheet, once it is up to date.
    """

    def __init__(self, settings: LearningSettings, connect: Connect | None = None) -> None:
        """It begins now; ``connect`` opens the file, where no other database is set."""
        self.settings = settings
        self._connect = connect
        self.answers: list[Answer] = []
        self.written: Written | None = None
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.monotonic() - self._began

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The database, with its tables."""
        with opened(self.settings, self._connect) as database:
            prepare(database)
            yield database

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step: its errors are readable, and the log tells of it."""
        began = time.monotonic()
        with readable_failures():
            try:
                yield
            except FilmAssetsError as error:
                _log.error("failed", extra={"step": name, "reason": str(error)})
                raise
        _log.info("done", extra={"step": name, "seconds": round(time.monotonic() - began, 3)})

    def report_failure(self, run_id: str, step: str, reason: str, seconds: float) -> None:
        """Send a message that says so, if there is mail."""
        if self.settings.mail_missing:
            _log.warning("no mail to tell of it", extra={"missing": self.settings.mail_missing})
            return
        send(self.settings.mail, reports.failure(run_id, step, reason, seconds, datetime.now(UTC)).mail())


LearningResource = dg.ResourceParam[Learning]


class LearningFile(DuckDBFile):
    """The settings of the learning pipeline, its log, and its database, a file."""


def learning_resource(settings: LearningSettings) -> LearningFile | dg.ResourceDefinition:
    """What assets get as ``learning``; the web UI shows the file with it, and of another database only that there is one."""

    @contextmanager
    def running(connect: Connect | None, context: dg.InitResourceContext) -> Iterator[Learning]:
        run, run_id = Learning(settings, connect), context.run.run_id if context.run else "none"
        with logging_to(settings.logs):
            _log.info("run begins", extra={"run": run_id})
            yield run
            _log.info("run ends", extra={"run": run_id, "run_time": duration(run.seconds)})

    @dg.resource(description="The settings of the learning pipeline, its log, and its database, PostgreSQL.")
    def elsewhere(context: dg.InitResourceContext) -> Iterator[Learning]:
        with running(None, context) as run:
            yield run

    if settings.database_url:
        return elsewhere
    return LearningFile.handing_out(running)(database=str(settings.database_file), connection_config=DUCKDB_CONFIG)
