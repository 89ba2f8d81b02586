"""Errors a user can read, in Dagster: the step fails with one line, after further tries if nobody sits before it.

Belongs here: what the steps of every pipeline share. Does not belong here: the errors themselves (``errors``).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

from film_assets.errors import FilmAssetsError, TransientError

PATIENT: Mapping[str, str] = {"film_assets/patient": "yes"}
"""A run tag by which a step tries again later if what failed may pass; nobody sits before it and waits."""

_PAUSES = (60, 240, 900)
"""Seconds before a patient run tries again; within each try what failed has already been tried several times."""


@contextmanager
def readable_failures() -> Iterator[None]:
    """An error that is meant for the user fails the step with its one line; a patient run first tries again if it may pass."""
    try:
        yield
    except FilmAssetsError as error:
        context = dg.OpExecutionContext.get()
        patient = isinstance(error, TransientError) and PATIENT.items() <= context.run.tags.items()
        if patient and context.retry_number < len(_PAUSES):
            pause = _PAUSES[context.retry_number]
            context.log.warning("%s (trying again in %s s)", error, pause)
            raise dg.RetryRequested(len(_PAUSES), pause) from error
        raise dg.Failure(description=str(error), allow_retries=False) from error
