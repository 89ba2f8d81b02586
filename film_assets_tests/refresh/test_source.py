"""Which source a run reads where none is set, and that no secret is kept to know it."""

from pathlib import Path

import pytest

from film_assets.errors import HomeError, SourceError
from film_assets.refresh.source import choose, outlook, remember
from film_assets.settings import load_settings
from film_assets.sources import ContainerPlace, FolderPlace, WebPlace

CONTAINER, SIGNATURE = "https://account.blob.core.windows.net/films", "sv=2024-01-01&sig=CANARY"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def refreshed(home: Path, source: str) -> None:
    """As after a refresh from there."""
    settings = load_settings(source=source, home=home)
    remember(settings, choose(settings).source)


def test_what_is_set_wins_and_needs_no_word(home: Path) -> None:
    refreshed(home, CONTAINER)
    chosen = choose(load_settings(source="elsewhere", home=home))
    assert (chosen.location, chosen.notice) == ("elsewhere", "")
    assert outlook(load_settings(source="elsewhere", home=home)) == ("", FolderPlace(Path("elsewhere")))


def test_a_new_home_has_none(home: Path) -> None:
    settings = load_settings(home=home)
    with pytest.raises(SourceError, match=r"^no source is set: .*FILM_ASSETS_SOURCE") as caught:
        choose(settings)
    assert outlook(settings) == (str(caught.value), None)


@pytest.mark.parametrize("kind", [FolderPlace, ContainerPlace, WebPlace])
def test_a_refreshed_home_has_its_own_and_says_so(home: Path, monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    monkeypatch.chdir(home)
    given, kept = {
        FolderPlace: ("blobs", str(home / "blobs")),
        ContainerPlace: (f"{CONTAINER}/daily", f"{CONTAINER}/daily"),
        WebPlace: ("https://datasets.example.org/films/", "https://datasets.example.org/films"),
    }[kind]
    refreshed(home, given)
    monkeypatch.chdir("/")
    line, place = outlook(load_settings(home=home))
    assert choose(load_settings(home=home)).location == kept
    assert line == f"no source is set: the blobs come from {kept}, which this home was last refreshed from"
    assert isinstance(place, kind)


@pytest.mark.parametrize(
    ("address", "setting"),
    [
        (f"{CONTAINER}?{SIGNATURE}", "AZURE_STORAGE_SAS_TOKEN"),
        ("https://user:CANARY@example.org/films", "FILM_ASSETS_SOURCE"),
        ("https://example.org/films?token=CANARY", "FILM_ASSETS_SOURCE"),
    ],
)
def test_of_an_address_with_a_secret_the_missing_setting_is_named(home: Path, address: str, setting: str) -> None:
    refreshed(home, address)
    assert "CANARY" not in "".join(file.read_text() for file in home.iterdir())
    line, place = outlook(load_settings(home=home))
    assert line.startswith("no source is set, and https://")
    assert line.partition(": set ")[2].startswith(f"{setting} to ")
    assert "CANARY" not in line
    assert place is None


def test_a_signature_is_found_where_it_is_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refreshed(home, f"{CONTAINER}?{SIGNATURE}")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", SIGNATURE)
    settings = load_settings(home=home)
    assert choose(settings).location == CONTAINER
    remember(settings, choose(settings).source)
    monkeypatch.delenv("AZURE_STORAGE_SAS_TOKEN")
    with pytest.raises(SourceError, match="AZURE_STORAGE_SAS_TOKEN"):
        choose(settings)


def test_an_address_that_cannot_be_is_told_ahead(home: Path) -> None:
    line, place = outlook(load_settings(source="ftp://example.org/films", home=home))
    assert line.startswith("the source is a ftp:// address that cannot be read")
    assert place is None


def test_a_note_that_was_damaged_is_named(home: Path) -> None:
    (home / "source.json").write_text("{")
    with pytest.raises(HomeError, match=r"source\.json cannot be read; delete it"):
        choose(load_settings(home=home))
