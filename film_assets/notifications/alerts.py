"""What people are told who must do something: a run that failed, a snapshot that is late.

Belongs here: the words, and the link into the web UI. Does not belong here: finding out (``orchestration.alerts``), and how it
is sent (``channels``).
"""

from datetime import datetime

from film_assets.notifications.channels.digest import Digest

_LONGEST = 1_000
"""Characters of the reason; the run tells more."""

_NO_LINK = "set FILM_ASSETS_UI_URL to the web UI's address for a link"


def failed_run(job: str, run_id: str, step: str, why: str, ended: datetime, ui_url: str | None) -> Digest:
    """That a run failed.

    Args:
        job: What ran.
        run_id: The run.
        step: Its first step that failed; empty where none did, as when its process died.
        why: One line.
        ended: When, in UTC.
        ui_url: The address of the web UI, if it is known.
    """
    said = why if len(why) <= _LONGEST else f"{why[:_LONGEST]}..."
    facts = {"why": said, "step": step or "none", "ended": _minute(ended), "run": _link(ui_url, f"runs/{run_id}", run_id)}
    return Digest(subject=f"Films: {job} failed" + (f" in {step}" if step else ""), id=f"films.failure.{run_id}", facts=facts)


def late_snapshot(refreshed: datetime, ui_url: str | None) -> Digest:
    """That the films were not refreshed for longer than a day.

    Args:
        refreshed: When they were last, in UTC.
        ui_url: The address of the web UI, if it is known.
    """
    why = f"the last good refresh was on {_minute(refreshed)}, and none came since"
    facts = {"why": why, "asset": _link(ui_url, "assets/published/films", "published/films")}
    return Digest(subject="Films: the snapshot is late", id=f"films.late.{refreshed:%Y%m%dT%H%M%S}", facts=facts)


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _link(ui_url: str | None, path: str, name: str) -> str:
    return f"{ui_url.rstrip('/')}/{path}" if ui_url else f"{name} ({_NO_LINK})"
