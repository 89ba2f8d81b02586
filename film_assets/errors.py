"""The errors a user is meant to read: one line that says what is wrong and what to do.

Belongs here: exceptions that the command line prints as they are and Dagster shows as a failed step.
Does not belong here: programming errors, which stay ordinary exceptions with their traceback.
"""

import errno
from pathlib import Path


class FilmAssetsError(Exception):
    """Something the user can mend; its text is one line that says what is wrong and what to do."""


class SourceError(FilmAssetsError):
    """The place the blobs come from cannot be read: unreachable, unknown, not permitted, or a blob is missing."""


class TransientError(SourceError):
    """A failure that may pass by itself: no answer, or one that the service is not able to answer now."""


class BlobError(FilmAssetsError):
    """A blob cannot be landed as it is: empty, no TSV, a column missing. The previous landing stays."""


class HomeError(FilmAssetsError):
    """The home cannot be used: not writable, no space left, nothing published yet, or a refresh holds it."""


class SettingsError(FilmAssetsError):
    """A setting is missing or has no valid value; the text names it."""


class DatabaseError(FilmAssetsError):
    """A database cannot be opened or written to as it is."""


class DeliveryError(FilmAssetsError):
    """A sheet or an email cannot be delivered: refused, not permitted, or not as it must be."""


class UnknownNameError(FilmAssetsError):
    """No person, title, table or metric goes by what was asked for; the text names near ones."""


class AmbiguousNameError(FilmAssetsError):
    """Several people or titles go by the name that was asked for; the text tells them apart by their ids."""


def is_disk_full(error: OSError) -> bool:
    """Whether the system says that there is no room, on the disk or for this user."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def disk_full(folder: Path) -> HomeError:
    """That there is no room for the files of a folder."""
    return HomeError(
        f"{folder}: no space left on the disk; free some and run again, or set FILM_ASSETS_HOME to where there is more; "
        "nothing published was touched"
    )
