"""The logs of the learning pipeline: JSON lines, a file a day in the home, kept for some days.

During a run everything the package logs goes there, with what it was given as ``extra``. Belongs here: the form and the
files. Does not belong here: what is said.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import structlog

_PACKAGE = "film_assets"
_SUFFIX = ".jsonl"
_CHAIN: list[structlog.typing.Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_FORMATTER = structlog.stdlib.ProcessorFormatter(
    foreign_pre_chain=_CHAIN,
    processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(default=str)],
)


class _DailyFiles(logging.Handler):
    """Appends a line to the file of the day."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.setFormatter(_FORMATTER)

    def emit(self, record: logging.LogRecord) -> None:
        day = datetime.fromtimestamp(record.created, UTC).date()
        with (self._folder / f"{day}{_SUFFIX}").open("a", encoding="utf-8") as file:
            file.write(self.format(record) + "\n")


@contextmanager
def logging_to(folder: Path) -> Iterator[None]:
    """For as long as the block runs, what the package logs is written to the files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    logger, handler = logging.getLogger(_PACKAGE), _DailyFiles(folder)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def delete_old_logs(folder: Path, keep_days: int, today: date) -> list[Path]:
    """Delete the files of days that lie more than so many days back; which."""
    old = [file for file in folder.glob(f"*{_SUFFIX}") if date.fromisoformat(file.stem) < today - timedelta(days=keep_days)]
    for file in old:
        file.unlink()
    return old
