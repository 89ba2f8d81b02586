"""Which source a run reads: the one that is set, else the one that the home was last refreshed from.

Belongs here: choosing it, and the note in the home that remembers it, without any secret. Does not belong here: reading a source
(``sources``).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from film_assets.engines import peek
from film_assets.errors import FilmAssetsError, HomeError, SourceError
from film_assets.home import Home
from film_assets.settings import Settings
from film_assets.sources import AzureAccess, ContainerPlace, Place, Source, WebPlace, locate, open_source
from film_assets.tables import BLOBS

_NOT_SET = "no source is set: give --source or set FILM_ASSETS_SOURCE to a folder or a container URL"
_LOCATION, _SECRET = "location", "secret"
_SIGNATURE, _LOGIN, _QUERY = "signature", "login", "query"
"""What is left out of an address because it is, or may be, a secret."""

_REMEDIES: Mapping[str, str] = {
    _SIGNATURE: "a shared access signature in its address, which is not kept: set AZURE_STORAGE_SAS_TOKEN to it",
    _LOGIN: "a login in its address, which is not kept: set FILM_ASSETS_SOURCE to the whole address",
    _QUERY: "a query in its address, which may be a token and is not kept: set FILM_ASSETS_SOURCE to the whole address",
}


@dataclass(frozen=True)
class Chosen:
    """Where the blobs come from.

    Attributes:
        location: As ``open_source`` takes it.
        notice: One line that says why it is this one where nobody set it; empty where somebody did.
    """

    location: str
    notice: str = ""

    @property
    def source(self) -> Source:
        """The source itself; nothing is read yet.

        Raises:
            SourceError: It is none that can be read.
        """
        return open_source(self.location, {blob.short: blob.files for blob in BLOBS})

    @property
    def place(self) -> Place:
        """What kind of place it is.

        Raises:
            SourceError: It is none that can be read.
        """
        return locate(self.location)


def choose(settings: Settings) -> Chosen:
    """The source that these settings name, else the one that their home was last refreshed from.

    Raises:
        SourceError: There is neither, or the latter cannot be read without a secret that is not set; the text names the setting.
        HomeError: What the home has noted cannot be read.
    """
    if settings.source is not None:
        return Chosen(settings.source)
    remembered = _remembered(settings.kept_in) or _landed_from(settings)
    if remembered is None:
        raise SourceError(_NOT_SET)
    location, secret = remembered[_LOCATION], remembered[_SECRET]
    if secret and not (secret == _SIGNATURE and AzureAccess.from_environment() != AzureAccess()):
        raise SourceError(f"no source is set, and {location}, which this home was last refreshed from, had {_REMEDIES[secret]}")
    return Chosen(location, f"no source is set: the blobs come from {location}, which this home was last refreshed from")


def outlook(settings: Settings) -> tuple[str, Place | None]:
    """What people are told before they start a run: one line, empty where all is set; and what kind of place it would read.

    The place is None where a run would fail, and then the line says what to set.
    """
    try:
        chosen = choose(settings)
        place = chosen.place
    except FilmAssetsError as error:
        return str(error), None
    return chosen.notice, place


def remember(settings: Settings, source: Source) -> None:
    """Note in the home that it was refreshed from this source, if that is the one that is set."""
    home = settings.kept_in
    if settings.source is None:
        return
    now = {_LOCATION: source.label, _SECRET: _secret_in(locate(settings.source))}
    if _remembered(home) != now:
        unfinished = home.source.with_suffix(".new")
        unfinished.write_text(json.dumps(now), encoding="utf-8")
        unfinished.replace(home.source)


def _remembered(home: Home) -> dict[str, str] | None:
    try:
        found: dict[str, str] = json.loads(home.source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise HomeError(f"{home.source} cannot be read; delete it, and set FILM_ASSETS_SOURCE") from None
    return found


def _landed_from(settings: Settings) -> dict[str, str] | None:
    """The same of a home that an earlier release refreshed, as far as its blobs tell."""
    for landed in peek(settings, settings.kept_in).values():
        return {_LOCATION: landed.source, _SECRET: ""}
    return None


def _secret_in(place: Place) -> str:
    match place:
        case ContainerPlace(sas=sas) if sas:
            return _SIGNATURE
        case WebPlace(login=login) if login:
            return _LOGIN
        case WebPlace(query=query) if query:
            return _QUERY
    return ""
