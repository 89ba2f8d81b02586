"""Dagster's own settings of a home: those of the project, and over them what the user has put into the home.

Belongs here: where Dagster keeps its history, and by which settings. Does not belong here: how it is stored (``history``).
"""

import os
from pathlib import Path
from typing import Any

import yaml

from film_assets.errors import SettingsError
from film_assets.home import Home
from film_assets.orchestration.history import EventLog

_CONFIG = "dagster.yaml"
_PROJECT = Path(__file__).with_name(_CONFIG)
_STORAGE = {"storage", "run_storage", "event_log_storage", "schedule_storage"}
"""Where any of these is set, the history is kept as they say, and not in our files."""


def dagster_home(home: Home) -> Path:
    """The folder Dagster keeps its history in, with its settings: DAGSTER_HOME where it is set, else one in the home.

    The latter's settings are written anew each time: those of the project, and over them, section by section, those of
    ``home.dagster_settings``. A DAGSTER_HOME elsewhere is the user's own, and left alone.

    Raises:
        HomeError: The home cannot be written to.
        SettingsError: The user's settings are no YAML.
    """
    given = os.environ.get("DAGSTER_HOME")
    if given and Path(given).absolute() != home.dagster:
        return Path(given)
    own = _own(home.dagster_settings)
    home.prepare()
    home.dagster.mkdir(exist_ok=True)
    project: dict[str, Any] = yaml.safe_load(_PROJECT.read_text(encoding="utf-8"))
    if not _STORAGE & own.keys():
        project["event_log_storage"] = _history(home)
    text = f"# Written by film-assets before each run. Put settings of your own into {home.dagster_settings}.\n"
    file = home.dagster / _CONFIG
    unfinished = file.with_suffix(f".{os.getpid()}")  # services may start at the same time
    unfinished.write_text(text + yaml.safe_dump(_merged(project, own), sort_keys=False), encoding="utf-8")
    unfinished.replace(file)
    return home.dagster


def _own(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        line = getattr(error, "problem_mark", None)
        raise SettingsError(f"{file} is no YAML" + (f", see line {line.line + 1}" if line else "") + "; mend it") from None
    if not isinstance(found, dict):
        raise SettingsError(f"{file} must have sections as Dagster's dagster.yaml has, such as storage:")
    return found


def _history(home: Home) -> dict[str, Any]:
    where = {"base_dir": str(home.dagster / "history" / "runs")}
    return {"module": EventLog.__module__, "class": EventLog.__name__, "config": where}


def _merged(project: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The project's settings, with the user's over them: what is not named stays."""
    both = {key: _merged(project[key], own[key]) for key in project.keys() & own.keys() if _are_sections(project[key], own[key])}
    return {**project, **own, **both}


def _are_sections(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)
