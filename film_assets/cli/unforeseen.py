"""Errors that nobody foresaw: one line for people, and the traceback in a file.

Belongs here: how such an error is told. Does not belong here: errors that are meant for the user (``errors``), which are printed
as they are.
"""

import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from film_assets.common.redaction import redacted
from film_assets.errors import FilmAssetsError
from film_assets.home import Home
from film_assets.settings import load_settings

_LONGEST = 300
"""Characters that are told of an error's own text, which may hold anything."""
_KEPT = 50
"""How many files are kept in a home; the oldest go."""


def traceback_of(error: BaseException) -> str:
    """The whole traceback, without any secret that a library's text may hold."""
    return redacted("".join(traceback.format_exception(error)))


def told(error: BaseException, home: Home | None) -> str:
    """One line that says what happened and which file has the traceback, once it is written.

    Args:
        error: What nobody foresaw.
        home: Where the file is put if it can be; None for the home that the settings name.
    """
    lines = redacted(str(error)).splitlines()
    said = lines[0][:_LONGEST] if lines else type(error).__name__
    try:
        where = f"the traceback is in {_written(error, home)}"
    except OSError as failed:
        where = f"no file can be written to ({failed.strerror}); run it with --debug to see the traceback"
    return f"an error that nobody foresaw: {said}; {where}"


def _written(error: BaseException, home: Home | None) -> Path:
    now = datetime.now(UTC)
    text = f"{now.isoformat()} {redacted(' '.join(sys.argv))}\n{traceback_of(error)}"
    name = f"{now:%Y%m%dT%H%M%S%f}.log"
    try:
        path = _folder(home) / name
        path.write_text(text, encoding="utf-8")
        for old in sorted(path.parent.glob("*T*.log"))[:-_KEPT]:
            old.unlink()
    except OSError:
        path = Path(tempfile.mkdtemp(prefix="film-assets-")) / name
        path.write_text(text, encoding="utf-8")
    return path


def _folder(home: Home | None) -> Path:
    try:
        logs = (home or load_settings().kept_in).logs
    except FilmAssetsError:  # the settings name no home
        return Path(tempfile.mkdtemp(prefix="film-assets-"))
    logs.mkdir(parents=True, exist_ok=True)
    return logs
