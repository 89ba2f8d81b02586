"""Landing piece by piece: in other processes, and straight from where a blob lies at its source."""

import hashlib
import pickle
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal
from pytest_httpserver import HTTPServer

from film_assets.common.progress import Silent
from film_assets.errors import SourceError, TransientError
from film_assets.landing import (
    LANDING_VERSION,
    Content,
    FileContent,
    FolderStore,
    KnownSlice,
    NotSortedError,
    Slice,
    SourceContent,
    in_place,
    land,
    read_piece,
    recognise,
)
from film_assets.sources import AzureAccess, Source, open_source
from film_assets.tables import BLOBS, Blob, raw
from film_assets.tables.ranges import RANGES
from film_assets_tests.azurite import Azurite
from film_assets_tests.sources.chaos import WebFile

FILES = {"titles": ("titles.tsv",)}


def land_file(blob: Blob, path: Path, landing: Path) -> list[Slice]:
    return land(blob, FileContent(path), FolderStore(landing), {}, Silent())


def assert_same(found: Sequence[Slice], folder: Path, wanted: Sequence[Slice], wanted_folder: Path) -> None:
    """The same slices, to the bytes of their files."""
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert (one.range_key, one.digest, one.lines, one.first_line) == (
            *(other.range_key, other.digest, other.lines, other.first_line),
        )
        assert one.written
        assert other.written
        assert (one.written.file, one.written.rows, one.written.rejected) == (
            *(other.written.file, other.written.rows, other.written.rejected),
        )
        assert_frame_equal(one.written.rejects, other.written.rejects)
        assert (folder / one.written.file).read_bytes() == (wanted_folder / other.written.file).read_bytes()


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def elsewhere(processes: ProcessPoolExecutor) -> Callable[[Sequence[Callable[[], Slice]]], Iterable[Slice]]:
    """Reads pieces in other processes, as an engine with workers does."""

    def run(readings: Sequence[Callable[[], Slice]]) -> Iterable[Slice]:
        return [future.result() for future in [processes.submit(reading) for reading in readings]]

    return run


@pytest.mark.parametrize("blob", BLOBS, ids=lambda blob: blob.short)
def test_pieces_are_read_alike_in_other_processes(faulty_sample: Path, tmp_path: Path, elsewhere, blob: Blob) -> None:
    path = faulty_sample / f"{blob.short}.tsv"
    wanted = land_file(blob, path, tmp_path / "here")
    found = land(blob, FileContent(path), FolderStore(tmp_path / "there"), {}, Silent(), run=elsewhere)
    assert_same(found, tmp_path / "there", wanted, tmp_path / "here")
    assert any(item.written.rejected for item in found if item.written)


def shuffled(path: Path, target: Path) -> Path:
    """The blob with its last third before the rest."""
    head, *lines = path.read_bytes().splitlines(keepends=True)
    third = len(lines) // 3
    target.write_bytes(b"".join([head, *lines[-third:], *lines[:-third]]))
    return target


def test_pieces_of_an_unsorted_blob_are_read_alike_in_other_processes(faulty_sample: Path, tmp_path: Path, elsewhere) -> None:
    path = shuffled(faulty_sample / "titles.tsv", tmp_path / "titles.tsv")
    wanted = land_file(raw.titles, path, tmp_path / "here")
    found = land(raw.titles, FileContent(path), FolderStore(tmp_path / "there"), {}, Silent(), run=elsewhere)
    assert_same(found, tmp_path / "there", wanted, tmp_path / "here")
    assert not list(tmp_path.rglob("unsorted*"))


def test_a_blob_that_only_looks_sorted_is_sorted_where_a_worker_finds_out(sample: Path, tmp_path: Path, elsewhere) -> None:
    head, *lines = (sample / "titles.tsv").read_bytes().splitlines(keepends=True)
    path = tmp_path / "titles.tsv"
    path.write_bytes(b"".join([head, lines[0], lines[-1], *lines[1:-1]]))
    content = FileContent(path)
    dialect = recognise(raw.titles, content)
    pieces = in_place(raw.titles, dialect, content)
    assert pieces
    with pytest.raises(NotSortedError):
        elsewhere([partial(read_piece, raw.titles, dialect, pieces[0], content, FolderStore(tmp_path))])
    found = land(raw.titles, content, FolderStore(tmp_path / "there"), {}, Silent(), run=elsewhere)
    assert sum(item.written.rows for item in found if item.written) == len(lines)


def test_a_piece_is_read_by_its_arguments_alone(faulty_sample: Path, tmp_path: Path, processes: ProcessPoolExecutor) -> None:
    content = FileContent(faulty_sample / "titles.tsv")
    dialect = recognise(raw.titles, content)
    wanted = land_file(raw.titles, content.path, tmp_path / "here")
    pieces = in_place(raw.titles, dialect, content)
    assert pieces
    arguments = pickle.loads(pickle.dumps((raw.titles, dialect, pieces[2], content, FolderStore(tmp_path / "there"))))
    found = processes.submit(read_piece, *arguments).result()
    assert found.written
    assert found.first_line == 0
    assert (found.range_key, found.digest, found.lines) == (wanted[2].range_key, wanted[2].digest, wanted[2].lines)
    file = tmp_path / "there" / found.written.file
    assert file.read_bytes() == (tmp_path / "here" / found.written.file).read_bytes()
    file.unlink()
    known = {found.digest: KnownSlice(found.lines, found.low, found.high)}
    again = processes.submit(read_piece, *arguments, known).result()
    assert again == replace(found, written=None)
    assert not file.exists()


def test_the_digest_of_a_slice_is_of_its_bytes_and_of_how_they_are_read(sample: Path, tmp_path: Path) -> None:
    path = sample / "titles.tsv"
    head, *lines = path.read_bytes().splitlines(keepends=True)
    how = (LANDING_VERSION, raw.titles.code_version, raw.titles.column_names, False, False)
    assert LANDING_VERSION == "3"
    assert head == "\t".join(raw.titles.column_names).encode() + b"\n"
    for item in land_file(raw.titles, path, tmp_path):
        bounds = RANGES["tconst"][item.range_key]
        inside = [
            line for line in lines if (bounds.lower or "").encode() <= line.partition(b"\t")[0] < (bounds.upper or "u").encode()
        ]
        assert item.digest == hashlib.sha256(repr(how).encode() + b"".join(inside)).hexdigest()
        assert item.lines == len(inside)


@pytest.fixture
def in_container(azurite: Azurite, faulty_sample: Path) -> Iterator[Source]:
    """A container with the blob of titles."""
    with azurite.container(f"films-{uuid.uuid4().hex}") as client:
        client.upload_blob("titles.tsv", (faulty_sample / "titles.tsv").read_bytes())
        yield open_source(client.url, FILES, azure=AzureAccess())


@pytest.fixture
def on_server(httpserver: HTTPServer, faulty_sample: Path) -> Source:
    """A web server with the blob of titles."""
    file = WebFile((faulty_sample / "titles.tsv").read_bytes(), ETag='"v1"')
    httpserver.no_handler_status_code = 404
    httpserver.expect_request("/films/titles.tsv").respond_with_handler(file)
    return open_source(httpserver.url_for("/films"), FILES)


class Counted:
    """A content of which every read is counted."""

    def __init__(self, content: Content) -> None:
        self._content, self.reads = content, []

    @property
    def size(self) -> int:
        return self._content.size

    def read(self, start: int, stop: int) -> bytes:
        self.reads.append(stop - start)
        return self._content.read(start, stop)


@pytest.mark.parametrize("where", ["in_container", "on_server"])
def test_a_sorted_blob_is_landed_from_where_it_lies(
    request: pytest.FixtureRequest, faulty_sample: Path, tmp_path: Path, where: str
) -> None:
    source: Source = request.getfixturevalue(where)
    wanted = land_file(raw.titles, faulty_sample / "titles.tsv", tmp_path / "here")
    content = Counted(SourceContent(source, source.list()["titles"]))
    found = land(raw.titles, content, FolderStore(tmp_path / "there"), {}, Silent())
    assert_same(found, tmp_path / "there", wanted, tmp_path / "here")
    assert sorted(path.suffix for path in (tmp_path / "there").rglob("*") if path.is_file()) == [".parquet"] * len(found)
    assert sum(content.reads) < 4 * content.size


def test_workers_read_pieces_from_where_they_lie(in_container: Source, faulty_sample: Path, tmp_path: Path, elsewhere) -> None:
    wanted = land_file(raw.titles, faulty_sample / "titles.tsv", tmp_path / "here")
    content = SourceContent(in_container, in_container.list()["titles"])
    found = land(raw.titles, content, FolderStore(tmp_path / "there"), {}, Silent(), run=elsewhere)
    assert_same(found, tmp_path / "there", wanted, tmp_path / "here")


def test_an_unsorted_blob_is_landed_from_where_it_lies(azurite: Azurite, faulty_sample: Path, tmp_path: Path) -> None:
    path = shuffled(faulty_sample / "titles.tsv", tmp_path / "titles.tsv")
    wanted = land_file(raw.titles, path, tmp_path / "here")
    with azurite.container(f"films-{uuid.uuid4().hex}") as client:
        client.upload_blob("titles.tsv", path.read_bytes())
        source = open_source(client.url, FILES, azure=AzureAccess())
        found = land(raw.titles, SourceContent(source, source.list()["titles"]), FolderStore(tmp_path / "there"), {}, Silent())
    assert_same(found, tmp_path / "there", wanted, tmp_path / "here")


def test_a_blob_that_is_written_while_it_is_landed_is_an_error(sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "titles.tsv"
    path.write_bytes((sample / "titles.tsv").read_bytes())
    source = open_source(str(tmp_path), FILES)
    for content in (FileContent(path), SourceContent(source, source.list()["titles"])):

        def run(readings: Sequence[Callable[[], Slice]]) -> Iterator[Slice]:
            yield readings[0]()
            path.write_bytes(path.read_bytes()[:-1])
            yield from (reading() for reading in readings[1:])

        with pytest.raises(TransientError, match=r"titles\.tsv was changed or removed while it was read; run again"):
            land(raw.titles, content, FolderStore(tmp_path / "landing"), {}, Silent(), run=run)


def test_a_compressed_blob_is_not_landed_from_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "titles.tsv.gz").write_bytes(b"")
    source = open_source(str(tmp_path), FILES)
    with pytest.raises(SourceError, match=r"titles\.tsv\.gz is compressed and cannot be landed where it lies; fetch it"):
        SourceContent(source, source.list()["titles"])


def test_landing_needs_no_engine() -> None:
    heavy = ("duckdb", "dagster", "film_assets.engines", "film_assets.refresh", "film_assets.orchestration")
    code = f"import sys, film_assets.landing; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
