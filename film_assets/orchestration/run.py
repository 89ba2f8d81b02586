"""Runs the job ``refresh`` in this process, with the same history as the web UI."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from film_assets.common.progress import Progress
from film_assets.errors import FilmAssetsError, SettingsError
from film_assets.orchestration import tags
from film_assets.orchestration.configuration import dagster_home
from film_assets.orchestration.conventions import EVERYTHING, FORCE, REFRESH_JOB, TableName
from film_assets.orchestration.failures import UNFORESEEN
from film_assets.orchestration.private import opened_history
from film_assets.refresh.pipeline import Report
from film_assets.settings import Settings

_QUIET: Mapping[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_refresh(
    build_defs: Callable[..., dg.Definitions],
    settings: Settings,
    *,
    rebuild: bool = False,
    tables: Sequence[str] = (),
    progress: Progress | None = None,
) -> Report:
    """Bring everything up to date and publish it.

    Args:
        build_defs: Gives the code location that has the job.
        settings: Where the blobs come from and where everything is kept.
        rebuild: Do the work even where nothing changed.
        tables: Not all of it, but the work of these tables.
        progress: Who is told how far it is.

    Raises:
        FilmAssetsError: A step failed for a reason the user can mend.
        StepError: A step failed for any other reason; the traceback is in its notes.
    """
    _ensure_known(tables)
    report = Report()
    job = build_defs(settings, progress=progress, report=report, wait_seconds=0).resolve_job_def(REFRESH_JOB)
    with opened_history(dagster_home(settings.kept_in)) as instance:
        config = {**_QUIET, "resources": {FORCE: {"config": {"rebuild": rebuild, "tables": list(tables)}}}}
        run_tags = {**EVERYTHING, **tags.COMMAND_LINE}
        result = job.execute_in_process(run_config=config, instance=instance, tags=run_tags, raise_on_error=False)
    if not result.success:
        raise _reason(result)
    return report


def _ensure_known(tables: Sequence[str]) -> None:
    known = [table.value for table in TableName]
    if unknown := [name for name in tables if name not in known]:
        raise SettingsError(f"there is no table {', '.join(unknown)} to rebuild; there are {', '.join(known)}")


class StepError(Exception):
    """A step failed for a reason that nobody foresaw."""


def _reason(result: dg.ExecuteInProcessResult) -> BaseException:
    for event in result.get_step_failure_events():
        data = event.step_failure_data
        said = data.user_failure_data
        if said is not None and said.description and UNFORESEEN not in said.metadata:
            return FilmAssetsError(said.description)
        if data.error and data.error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
            return KeyboardInterrupt()
        return _unforeseen(event.step_key or "", data.error)
    return StepError(f"run {result.run_id} failed")


def _unforeseen(step: str, error: Any) -> StepError:
    """The innermost of the errors that caused one another, with all their tracebacks in a note."""
    innermost = error
    while innermost is not None and innermost.cause is not None:
        innermost = innermost.cause
    fault = StepError(f"step {step} failed" + (f": {innermost.message.strip()}" if innermost else ""))
    if error is not None:
        fault.add_note(error.to_string())
    return fault
