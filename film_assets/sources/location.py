"""What the user says about where the blobs are, and the credentials they are read with.

Belongs here: telling a folder, a blob container and a web address apart, and keeping secrets in an address away from the rest of
it. Does not belong here: any service's library, so that this is quick to import.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import url2pathname

from film_assets.errors import SourceError

_AZURITE_ACCOUNT = "devstoreaccount1"
_FORMS = "a folder, https://ACCOUNT.blob.core.windows.net/CONTAINER, or the https:// address the files lie under"


@dataclass(frozen=True)
class FolderPlace:
    """A folder of this machine."""

    path: Path


@dataclass(frozen=True)
class ContainerPlace:
    """A container of an Azure storage account, or a folder in it.

    Attributes:
        account_url: The account's blob address, without any secret.
        container: The container's name.
        prefix: What the names of the blobs begin with there: empty, or ending in a slash.
        sas: The shared access signature that stood in the address, if any.
    """

    account_url: str
    container: str
    prefix: str = ""
    sas: str = field(default="", repr=False)


@dataclass(frozen=True)
class WebPlace:
    """An address that files lie under.

    Attributes:
        url: The address, without any secret and trailing slash.
        query: What follows the question mark in the address of each file; may be a token.
        login: User and password, if they stood in the address.
    """

    url: str
    query: str = field(default="", repr=False)
    login: tuple[str, str] | None = field(default=None, repr=False)


Place = FolderPlace | ContainerPlace | WebPlace


@dataclass(frozen=True)
class AzureAccess:
    """The credentials a container is read with; nothing set means anonymously.

    A signature in the address itself goes before all of these.

    Attributes:
        credential: ``default`` for the default Azure credential (managed identity, ``az login``, ...), ``anonymous`` to
            use none of the others, empty to use what is there.
        sas_token: A shared access signature.
        connection_string: Used where it is for the account that is read.
    """

    credential: str = ""
    sas_token: str = field(default="", repr=False)
    connection_string: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.credential not in {"", "anonymous", "default"}:
            raise SourceError(
                f"FILM_ASSETS_AZURE_CREDENTIAL is {self.credential!r}: set it to anonymous or default, or leave it out"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "AzureAccess":
        """As the environment has it.

        Raises:
            SourceError: ``FILM_ASSETS_AZURE_CREDENTIAL`` is neither ``anonymous`` nor ``default``.
        """
        return cls(
            credential=environment.get("FILM_ASSETS_AZURE_CREDENTIAL", ""),
            sas_token=environment.get("AZURE_STORAGE_SAS_TOKEN", ""),
            connection_string=environment.get("AZURE_STORAGE_CONNECTION_STRING", ""),
        )


def locate(location: str) -> Place:
    """What kind of place the location is.

    An address is a container's where its host has ``.blob.`` in its name, or its path begins with Azurite's own account.

    Raises:
        SourceError: It is none that can be read; the text repeats no part that may be secret.
    """
    if "AccountKey=" in location or "SharedAccessSignature=" in location:
        raise SourceError(
            f"the source is a connection string: set AZURE_STORAGE_CONNECTION_STRING to it, and the source to {_FORMS}"
        )
    if "://" not in location:
        return FolderPlace(_path(location))
    parts = _split(location)
    match parts.scheme:
        case "file" if parts.netloc in {"", "localhost"}:
            return FolderPlace(_path(url2pathname(parts.path)))
        case "http" | "https" if parts.hostname:
            return _container(parts) if _is_container(parts) else _web(parts)
    raise SourceError(f"the source is a {parts.scheme}:// address that cannot be read: set it to {_FORMS}")


def _path(text: str) -> Path:
    if not text.strip():
        raise SourceError(f"no source is given: set it to {_FORMS}")
    return Path(text).expanduser()


def _split(location: str) -> SplitResult:
    try:
        parts = urlsplit(location)
        _ = parts.port  # only looking at it finds out that it is no number
    except ValueError:
        fault = SourceError(f"the source is not a well-formed address: set it to {_FORMS}")
    else:
        return parts
    raise fault  # not in the handler: the cause would repeat the address


def _is_container(parts: SplitResult) -> bool:
    return ".blob." in (parts.hostname or "") or parts.path.split("/")[1:2] == [_AZURITE_ACCOUNT]


def _root(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _container(parts: SplitResult) -> ContainerPlace:
    root, names = _root(parts), [unquote(name) for name in parts.path.split("/") if name]
    if names[:1] == [_AZURITE_ACCOUNT]:
        root = f"{root}/{names.pop(0)}"
    if not names:
        raise SourceError(f"{root}: add the container's name to the source: {root}/CONTAINER")
    container, *folders = names
    sas = parts.query if "sig=" in parts.query else ""
    return ContainerPlace(root, container, "".join(f"{folder}/" for folder in folders), sas)


def _web(parts: SplitResult) -> WebPlace:
    login = (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None
    return WebPlace(_root(parts) + parts.path.rstrip("/"), parts.query, login)
