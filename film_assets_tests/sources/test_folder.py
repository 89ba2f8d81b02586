import gzip
import os
import re
from zipfile import ZipFile

import pytest

from film_assets.common.progress import Silent
from film_assets.errors import HomeError, SourceError
from film_assets.sources import open_source
from film_assets_tests.sources.chaos import Recorded

DATA = b"tconst\taverageRating\tnumVotes\n" + b"tt0000001\t5.7\t2024\n" * 5000


@pytest.fixture
def given(tmp_path):
    """A folder with both blobs."""
    path = tmp_path / "given"
    path.mkdir()
    (path / "ratings.tsv").write_bytes(DATA)
    (path / "titles.tsv").write_bytes(b"titles")
    return path


def test_plain_files_are_used_in_place(given, folder, files):
    source = open_source(str(given), files)
    listed = source.list()
    assert {blob: (each.file, each.bytes) for blob, each in listed.items()} == {
        "titles": ("titles.tsv", 6),
        "ratings": ("ratings.tsv", len(DATA)),
    }
    fetched = source.fetch(listed["ratings"], folder, Silent())
    assert (fetched.path, fetched.temporary) == (given / "ratings.tsv", False)
    assert list(folder.iterdir()) == []


def test_a_file_url_is_that_folder(given, files):
    assert open_source(given.as_uri(), files).label == str(given)


def test_a_changed_file_has_another_version_and_is_fetched_as_it_is_now(given, folder, files):
    source = open_source(str(given), files)
    before = source.list()["titles"]
    os.utime(given / "titles.tsv", ns=(1, 1))
    after = source.list()["titles"]
    assert after.version != before.version
    assert source.fetch(before, folder, Silent()).listed == after


def test_names_are_tried_in_order_and_plain_before_compressed(given, files):
    names = ("ratings.tsv", "ratings.tsv.gz", "title.ratings.tsv", "title.ratings.tsv.gz")
    for age, name in enumerate(names):
        (given / name).write_bytes(b"")
        os.utime(given / name, (1000 - age, 1000 - age))
    source = open_source(str(given), files)
    found = []
    for name in names:
        found.append((name, source.list()["ratings"].file))
        (given / name).unlink()
    assert all(expected == file for expected, file in found)
    with pytest.raises(SourceError, match=r"blob ratings is not there; looked for ratings\.tsv, .*title\.ratings\.tsv\.gz"):
        source.list()


def test_the_newer_file_is_taken_and_the_others_are_named(given, files):
    for age, name in enumerate(("title.ratings.tsv.gz", "ratings.tsv", "ratings.tsv.gz")):
        (given / name).write_bytes(DATA)
        os.utime(given / name, (1000 - age, 1000 - age))
    listed = open_source(str(given), files).list()
    assert listed["ratings"].file == "title.ratings.tsv.gz"
    assert listed["ratings"].left == ("ratings.tsv", "ratings.tsv.gz")
    assert "title.ratings.tsv.gz is taken, as it is newer than ratings.tsv and ratings.tsv.gz" in listed["ratings"].choice
    assert (listed["titles"].left, listed["titles"].choice) == ((), None)


def test_files_of_the_same_age_are_both_named(given, files):
    (given / "title.ratings.tsv").write_bytes(DATA)
    for name in ("ratings.tsv", "title.ratings.tsv"):
        os.utime(given / name, (1000, 1000))
    with pytest.raises(SourceError, match=r"ratings\.tsv and title\.ratings\.tsv are both there, and nothing tells"):
        open_source(str(given), files).list()


@pytest.mark.parametrize("inner", ["data.tsv", "title.ratings.tsv"])
def test_a_file_in_a_folder_of_its_name_is_found(given, folder, files, inner):
    (given / "ratings.tsv").unlink()
    (given / "title.ratings.tsv").mkdir()
    (given / "title.ratings.tsv" / inner).write_bytes(DATA)
    source = open_source(str(given), files)
    assert source.fetch(source.list()["ratings"], folder, Silent()).path.read_bytes() == DATA


def test_a_compressed_file_that_does_not_say_so_is_decompressed(given, folder, files):
    (given / "ratings.tsv").write_bytes(gzip.compress(DATA))
    source = open_source(str(given), files)
    fetched = source.fetch(source.list()["ratings"], folder, Silent())
    assert (fetched.path.read_bytes(), fetched.temporary) == (DATA, True)
    assert list(folder.iterdir()) == [fetched.path]


@pytest.mark.parametrize("name", ["ratings.tsv", "ratings.tsv.gz", "title.ratings.tsv.zip"])
def test_a_zip_archive_is_refused_by_name(given, folder, files, name):
    (given / "ratings.tsv").unlink()
    with ZipFile(given / name, "w") as archive:
        archive.writestr("data.tsv", DATA)
    source = open_source(str(given), files)
    with pytest.raises(SourceError, match=f"{re.escape(name)} is a zip archive; unpack it"):
        source.fetch(source.list()["ratings"], folder, Silent())
    assert list(folder.iterdir()) == []


def test_a_compressed_file_of_several_members_is_decompressed(given, folder, files):
    (given / "ratings.tsv").unlink()
    (given / "title.ratings.tsv.gz").write_bytes(gzip.compress(DATA[:1000]) + gzip.compress(DATA[1000:]))
    source, progress = open_source(str(given), files), Recorded()
    fetched = source.fetch(source.list()["ratings"], folder, progress)
    assert fetched.path.read_bytes() == DATA
    assert fetched.temporary
    assert list(folder.iterdir()) == [fetched.path]
    [(label, total, amounts)] = progress.tasks
    assert (label, total) == ("decompress title.ratings.tsv.gz", sum(amounts))


def _flipped(packed):
    middle = len(packed) // 2
    return packed[:middle] + bytes([packed[middle] ^ 0xFF]) + packed[middle + 1 :]


@pytest.mark.parametrize(
    "spoilt",
    [lambda packed: packed[:-20], lambda _: DATA, _flipped, lambda packed: packed + b"more"],
    ids=["cut", "not packed", "flipped", "too long"],
)
def test_a_faulty_compressed_file_is_named_with_its_fault(given, folder, files, spoilt):
    (given / "ratings.tsv").unlink()
    (given / "ratings.tsv.gz").write_bytes(spoilt(gzip.compress(os.urandom(5000))))
    source = open_source(str(given), files)
    with pytest.raises(SourceError, match=r"blob ratings cannot be decompressed from ratings\.tsv\.gz \(.+\)") as caught:
        source.fetch(source.list()["ratings"], folder, Silent())
    assert "\n" not in str(caught.value)
    assert list(folder.iterdir()) == []
    assert (given / "ratings.tsv.gz").exists()


def test_a_folder_that_is_none_is_named(tmp_path, files):
    with pytest.raises(SourceError, match="nowhere: the source does not exist"):
        open_source(str(tmp_path / "nowhere"), files).list()
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="file: the source is not a folder"):
        open_source(str(tmp_path / "file"), files).list()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(given, files):
    (given / "titles.tsv").chmod(0)
    with pytest.raises(SourceError, match=r"titles\.tsv: cannot be read \(Permission denied\)"):
        open_source(str(given), files).list()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")  # noqa: PTH110
def test_a_full_disk_is_told(given, folder, files):
    (given / "ratings.tsv").rename(given / "plain")
    (given / "ratings.tsv.gz").write_bytes(gzip.compress(DATA))
    source = open_source(str(given), files)
    listed = source.list()["ratings"]
    name = source.fetch(listed, folder, Silent()).path.name
    (folder / name).unlink()
    (folder / f"{name}.part").symlink_to("/dev/full")
    with pytest.raises(HomeError, match="no space left on the disk"):
        source.fetch(listed, folder, Silent())


def test_a_target_that_is_missing_is_told(given, tmp_path, files):
    (given / "ratings.tsv").unlink()
    (given / "ratings.tsv.gz").write_bytes(gzip.compress(DATA))
    source = open_source(str(given), files)
    with pytest.raises(HomeError, match="cannot be written to"):
        source.fetch(source.list()["ratings"], tmp_path / "nowhere", Silent())
