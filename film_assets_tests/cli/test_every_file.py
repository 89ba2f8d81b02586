"""``film-assets status --all``: every file at the source, whatever it is."""

import json
from pathlib import Path

import pytest

from film_assets_tests.azurite import Azurite
from film_assets_tests.blobs import write_real_rows
from film_assets_tests.command import film_assets

pytestmark = pytest.mark.slow


def listed(source: object, home: Path) -> dict[str, int]:
    """File -> bytes."""
    done = film_assets("status", "--all", "--json", "--source", source, home=home)
    assert done.returncode == 0, done.stderr
    return {entry["name"]: entry["bytes"] for entry in json.loads(done.stdout)}


def test_every_file_of_a_folder_and_of_a_container(azurite: Azurite, tmp_path: Path) -> None:
    blobs = write_real_rows(tmp_path / "blobs")
    (blobs / "notes").mkdir()
    (blobs / "notes" / "read me.txt").write_text("hello")
    sizes = {str(path.relative_to(blobs)): path.stat().st_size for path in blobs.rglob("*") if path.is_file()}
    assert listed(blobs, tmp_path / "home") == sizes
    with azurite.container("every-file") as container:
        for name in sizes:
            container.upload_blob(f"films/{name}", (blobs / name).read_bytes())
        assert listed(f"{azurite.url}/every-file/films", tmp_path / "home") == sizes
    table = film_assets("status", "--all", "--source", blobs, home=tmp_path / "home").stdout.splitlines()
    assert len(table) == len(sizes) + 1


def test_what_cannot_be_listed_is_one_line(tmp_path: Path) -> None:
    done = film_assets("status", "--all", "--source", "http://127.0.0.1:9/films", home=tmp_path / "home")
    words = "http://127.0.0.1:9/films: a web server does not tell which files it has; leave out --all"
    assert (done.returncode, done.stderr.strip()) == (1, f"film-assets: {words}")
