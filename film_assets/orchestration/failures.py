"""Errors a user can read, in Dagster: the step fails with one line, after further tries in an unattended run.

What nobody foresaw fails it with a line too, and keeps its traceback.

Belongs here: what the steps of every pipeline share. Does not belong here: the errors themselves (``errors``).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from film_assets.errors import FilmAssetsError, TransientError
from film_assets.orchestration import tags

_PAUSES = (60, 240, 900)
"""Seconds before an unattended run tries again; within each try what failed has already been tried several times."""


UNFORESEEN = "unforeseen"
"""In the metadata of a failure: the kind of an error that was not meant for the user."""


@contextmanager
def readable_failures() -> Iterator[None]:
    """An error that is meant for the user fails the step with its one line; in an unattended run it is first tried again."""
    try:
        yield
    except FilmAssetsError as error:
        context = dg.OpExecutionContext.get()
        unattended = isinstance(error, TransientError) and tags.UNATTENDED.items() <= context.run.tags.items()
        if unattended and context.retry_number < len(_PAUSES):
            pause = _PAUSES[context.retry_number]
            context.log.warning("%s (trying again in %s s)", error, pause)
            raise dg.RetryRequested(len(_PAUSES), pause) from error
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except (dg.DagsterError, dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        kind = type(error).__name__
        text = f"{kind}: an error that nobody foresaw; the traceback below says where it comes from"
        raise dg.Failure(description=text, metadata={UNFORESEEN: kind}) from error
