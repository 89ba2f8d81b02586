"""Where blobs come from: ``open_source`` gives the source for a location, ``locate`` says what kind of place it is.

Belongs here: choosing the kind of source. Does not belong here: any service's library; the chosen kind imports its own.
"""

from film_assets.sources.base import Fetched, Files, Listed, Source
from film_assets.sources.location import AzureAccess, ContainerPlace, FolderPlace, Place, WebPlace, locate

__all__ = [
    "AzureAccess",
    "ContainerPlace",
    "Fetched",
    "Files",
    "FolderPlace",
    "Listed",
    "Place",
    "Source",
    "WebPlace",
    "locate",
    "open_source",
]


def open_source(location: str, files: Files, *, azure: AzureAccess | None = None) -> Source:
    """The source for a location. Nothing is read yet.

    Args:
        location: A folder (or ``file://`` URL), ``https://ACCOUNT.blob.core.windows.net/CONTAINER`` (Azurite:
            ``http://HOST:PORT/devstoreaccount1/CONTAINER``), with a shared access signature after ``?`` or none; or the
            http(s) address files lie under, with a login before ``@`` or a token after ``?`` or none.
        files: The blobs by short name, with the names each may have at the source.
        azure: The credentials a container is read with; None for what the environment says.

    Raises:
        SourceError: The location or the access is not well-formed; no text repeats a secret.
    """
    match locate(location):
        case FolderPlace(path):
            from film_assets.sources.folder import FolderSource

            return FolderSource(path, files)
        case ContainerPlace() as place:
            from film_assets.sources.azure import AzureSource

            return AzureSource(place, files, azure or AzureAccess.from_environment())
        case WebPlace() as place:
            from film_assets.sources.https import WebSource

            return WebSource(place, files)
