"""``film-assets download``: the files alone, whole, and not twice."""

import gzip
import shutil
from pathlib import Path

import pytest

from film_assets_tests.azurite import Azurite
from film_assets_tests.blobs import write_real_rows
from film_assets_tests.command import film_assets

pytestmark = pytest.mark.slow


def download(source: object, folder: Path, *blobs: str) -> dict[str, str]:
    """Blob -> what the command says of it."""
    done = film_assets("download", folder, *blobs, "--source", source, home=folder.parent / "home")
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines()[1:]}


def test_files_of_a_container_arrive_whole_and_only_once(azurite: Azurite, tmp_path: Path) -> None:
    blobs, folder = write_real_rows(tmp_path / "blobs"), tmp_path / "files"
    with azurite.container("download") as container:
        for path in blobs.iterdir():
            container.upload_blob(path.name, path.read_bytes())
        url = f"{azurite.url}/download"
        assert set(download(url, folder).values()) == {"downloaded"}
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
            path.name: path.read_bytes() for path in blobs.iterdir()
        }
        assert set(download(url, folder).values()) == {"unchanged"}
        (folder / "crew.tsv").unlink()
        assert download(url, folder, "crew", "titles") == {"crew": "downloaded", "titles": "unchanged"}


def test_compressed_files_of_a_folder_arrive_plain_and_it_is_left_as_it_was(tmp_path: Path) -> None:
    blobs, folder = write_real_rows(tmp_path / "blobs"), tmp_path / "files"
    plain = (blobs / "ratings.tsv").read_bytes()
    with gzip.open(blobs / "title.ratings.tsv.gz", "wb") as packed:
        packed.write(plain)
    (blobs / "ratings.tsv").unlink()
    before = sorted(blobs.iterdir())
    download(blobs, folder, "ratings", "names")
    assert (folder / "ratings.tsv").read_bytes() == plain
    assert (folder / "names.tsv").read_bytes() == (blobs / "names.tsv").read_bytes()
    assert sorted(blobs.iterdir()) == before


def test_into_the_source_itself_nothing_is_lost(tmp_path: Path) -> None:
    blobs = write_real_rows(tmp_path / "blobs")
    before = {path.name: path.read_bytes() for path in blobs.iterdir()}
    assert set(download(blobs, blobs).values()) == {"unchanged"}
    assert {path.name: path.read_bytes() for path in blobs.iterdir()} == before


def test_what_cannot_be_is_one_line(tmp_path: Path) -> None:
    blobs = write_real_rows(tmp_path / "blobs")
    done = film_assets("download", tmp_path / "files", "akas", "--source", blobs, home=tmp_path / "home")
    assert (done.returncode, done.stderr.strip()) == (
        1,
        "film-assets: no blob is called akas; there are cast, crew, names, ratings, titles",
    )
    shutil.rmtree(tmp_path / "files", ignore_errors=True)
    (tmp_path / "files").write_text("a file")
    done = film_assets("download", tmp_path / "files", "--source", blobs, home=tmp_path / "home")
    assert done.returncode == 1
    assert done.stderr.startswith(f"film-assets: cannot write to {tmp_path / 'files'}: ")
    assert done.stderr.count("\n") == 1
