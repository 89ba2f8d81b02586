"""The commands in a home that was refreshed before, where no source is set."""

import json
import tarfile
from pathlib import Path

import pytest

from film_assets_tests.azurite import Azurite
from film_assets_tests.blobs import write_real_rows
from film_assets_tests.command import film_assets, refresh

pytestmark = pytest.mark.slow

WIDE = {"COLUMNS": "400"}
HOME_OF_AN_EARLIER_RELEASE = Path(__file__).parents[1] / "homes" / "0.1.0.tar.xz"


def test_a_folder_is_read_again(tmp_path: Path) -> None:
    blobs, home = write_real_rows(tmp_path / "blobs"), tmp_path / "home"
    refresh(blobs, home)
    line = f"no source is set: the blobs come from {blobs}, which this home was last refreshed from"
    done = film_assets("refresh", "--json", home=home)
    assert json.loads(done.stdout)["notices"] == [line]
    done = film_assets("status", home=home, **WIDE)
    assert done.stdout.count("unchanged") == 5
    assert done.stderr == f"note: {line}\n"


def test_a_container_that_was_read_with_a_signature_needs_it_again(azurite: Azurite, sample: Path, tmp_path: Path) -> None:
    home, name = tmp_path / "home", "films-remembered"
    with azurite.container(name, public=False) as container:
        for path in sample.glob("*.tsv"):
            container.upload_blob(path.name, path.read_bytes())
        signature = azurite.sas(name)
        refresh(f"{azurite.url}/{name}?{signature}", home)
        secret = signature.partition("sig=")[2].partition("&")[0].encode()
        assert not [path for path in home.rglob("*") if path.is_file() and secret in path.read_bytes()]

        done = film_assets("refresh", home=home, **WIDE)
        assert done.returncode == 1
        assert done.stderr == (
            f"film-assets: no source is set, and {azurite.url}/{name}, which this home was last refreshed from, "
            "had a shared access signature in its address, which is not kept: set AZURE_STORAGE_SAS_TOKEN to it\n"
        )
        done = film_assets("refresh", "--json", home=home, AZURE_STORAGE_SAS_TOKEN=signature)
        assert done.returncode == 0, done.stderr
        assert not any(blob["downloaded"] for blob in json.loads(done.stdout)["blobs"].values())


def test_a_home_of_an_earlier_release_tells_by_its_blobs(tmp_path: Path) -> None:
    with tarfile.open(HOME_OF_AN_EARLIER_RELEASE) as archive:
        archive.extractall(tmp_path, filter="data")
    done = film_assets("status", home=tmp_path / "home", **WIDE)
    assert "no source is set: the blobs come from /" in done.stderr
