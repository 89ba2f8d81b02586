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
_DAY = "-".join("[0-9]" * digits for digits in (4, 2, 2))
"""Names that may be days."""

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


def files_of_days(folder: Path, *suffixes: str) -> dict[Path, date]:
    """The files of a folder that are named by a day and one of these suffixes, as the pipeline's are -> that day."""
    names = [file for suffix in suffixes for file in folder.glob(f"{_DAY}{suffix}") if file.is_file()]
    return {file: day for file in names if (day := _day(file.stem))}


def delete_old_logs(folder: Path, keep_days: int, today: date) -> list[Path]:
    """Delete the files of all days but the last so many, counting today; which. What is not named as they are is not touched."""
    first = today - timedelta(days=keep_days - 1)
    old = [file for file, day in files_of_days(folder, _SUFFIX).items() if day < first]
    for file in old:
        file.unlink()
    return old


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
