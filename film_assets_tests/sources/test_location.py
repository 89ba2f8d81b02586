import subprocess
import sys
from pathlib import Path

import pytest

from film_assets.errors import SourceError
from film_assets.sources import AzureAccess, open_source
from film_assets.sources.location import ContainerPlace, FolderPlace, WebPlace, locate


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("data/imdb", FolderPlace(Path("data/imdb"))),
        ("file:///data/my%20films", FolderPlace(Path("/data/my films"))),
        ("https://acc.blob.core.windows.net/films", ContainerPlace("https://acc.blob.core.windows.net", "films")),
        ("https://acc.blob.core.windows.net/films/", ContainerPlace("https://acc.blob.core.windows.net", "films")),
        ("https://acc.blob.core.windows.net/films/2024", ContainerPlace("https://acc.blob.core.windows.net", "films", "2024/")),
        (
            "https://acc.blob.core.windows.net/films?sv=1&sig=a%3D",
            ContainerPlace("https://acc.blob.core.windows.net", "films", "", "sv=1&sig=a%3D"),
        ),
        (
            "https://acc.blob.core.windows.net/films?restype=container&comp=list",
            ContainerPlace("https://acc.blob.core.windows.net", "films"),
        ),
        ("http://127.0.0.1:99/devstoreaccount1/films", ContainerPlace("http://127.0.0.1:99/devstoreaccount1", "films")),
        ("http://azurite:99/devstoreaccount1/films", ContainerPlace("http://azurite:99/devstoreaccount1", "films")),
        ("http://127.0.0.1:99/some/folder", WebPlace("http://127.0.0.1:99/some/folder")),
        ("https://datasets.imdbws.com/", WebPlace("https://datasets.imdbws.com")),
        ("https://me:p%40ss@host/a?token=t", WebPlace("https://host/a", "token=t", ("me", "p@ss"))),
    ],
)
def test_a_location_is_told_apart(location, place):
    assert locate(location) == place


@pytest.mark.parametrize(
    "location",
    [
        "",
        "s3://bucket/CANARY",
        "file://CANARY/share",
        "https://CANARY@",
        "https://me:CANARY@host:port/x",
        "https://acc.blob.core.windows.net?sig=CANARY",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=CANARY;EndpointSuffix=core.windows.net",
    ],
)
def test_a_location_that_cannot_be_read_is_refused_in_one_line_that_repeats_nothing(location):
    with pytest.raises(SourceError) as caught:
        locate(location)
    assert "CANARY" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_unknown_credential_is_refused():
    with pytest.raises(SourceError, match="anonymous or default"):
        AzureAccess.from_environment({"FILM_ASSETS_AZURE_CREDENTIAL": "defualt"})


def test_access_is_taken_from_the_environment(monkeypatch, files):
    monkeypatch.setenv("FILM_ASSETS_AZURE_CREDENTIAL", "anonymus")
    with pytest.raises(SourceError, match="FILM_ASSETS_AZURE_CREDENTIAL"):
        open_source("https://acc.blob.core.windows.net/films", files)


def test_no_service_is_imported_before_it_is_needed():
    code = "import sys, film_assets.sources; print([name for name in ('azure', 'httpx2', 'stamina') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
