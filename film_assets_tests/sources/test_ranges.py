"""Ranges of bytes, from every kind of source: exactly those of the version that was listed, or an error."""

import gzip
import os
import pickle
import random
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from film_assets.common.progress import Silent
from film_assets.errors import SourceError, TransientError
from film_assets.sources import AzureAccess, open_source
from film_assets.sources.azure import AzureSource
from film_assets.sources.location import locate
from film_assets_tests.azurite import ACCOUNT
from film_assets_tests.sources.chaos import WebFile

CHUNK = 1 << 16
DATA = random.Random(5).randbytes(6 * CHUNK + 17)
OTHER = random.Random(6).randbytes(6 * CHUNK + 17)
FILES = {"titles": ("titles.tsv",)}
MODIFIED = "Wed, 01 May 2024 10:00:00 GMT"
RANGES = [(0, 1), (0, len(DATA)), (7, 7), (CHUNK - 1, 3 * CHUNK + 1), (len(DATA) - 5, len(DATA))]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "titles.tsv"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def container(azurite):
    with azurite.container(f"films-{uuid.uuid4().hex}") as client:
        client.upload_blob("titles.tsv", DATA)
        yield client


@pytest.fixture(params=["azure", "https"])
def serve(request, httpserver):
    """Puts a file on the server, as a web server or an Azure account has it, and gives the source."""
    place = f"/{ACCOUNT}/films" if request.param == "azure" else "/films"
    httpserver.no_handler_status_code = 404

    def put(file, query=""):
        httpserver.expect_request(f"{place}/titles.tsv").respond_with_handler(file)
        location = httpserver.url_for(place) + query
        return open_source(location, FILES, azure=AzureAccess())

    return put


@pytest.fixture
def web(httpserver):
    """Puts a file on a web server, and gives the source."""
    httpserver.no_handler_status_code = 404

    def put(file):
        httpserver.expect_request("/films/titles.tsv").respond_with_handler(file)
        return open_source(httpserver.url_for("/films"), FILES)

    return put


def versioned(**headers):
    return WebFile(DATA, ETag='"v1"', Last_Modified=MODIFIED, **headers)


def opened(container):
    """The source, with chunks so small that a range takes many."""
    return AzureSource(locate(container.url), FILES, AzureAccess(), chunk_bytes=CHUNK)


@pytest.mark.parametrize(("start", "stop"), RANGES)
def test_a_range_of_a_file_is_those_bytes(path, start, stop):
    source = open_source(str(path.parent), FILES)
    assert source.read_range(source.list()["titles"], start, stop) == DATA[start:stop]


@pytest.mark.parametrize(("start", "stop"), RANGES)
def test_a_range_of_a_blob_is_those_bytes(container, start, stop):
    source = opened(container)
    assert source.read_range(source.list()["titles"], start, stop) == DATA[start:stop]


@pytest.mark.parametrize(("start", "stop"), RANGES)
def test_a_range_of_a_file_on_a_server_is_those_bytes(serve, start, stop):
    source = serve(versioned())
    assert source.read_range(source.list()["titles"], start, stop) == DATA[start:stop]


def test_a_range_of_a_compressed_blob_is_of_the_compressed_bytes(container):
    packed = gzip.compress(DATA)
    container.delete_blob("titles.tsv")
    container.upload_blob("titles.tsv.gz", packed)
    source = opened(container)
    assert source.read_range(source.list()["titles"], 0, 100) == packed[:100]


def test_ranges_are_read_from_several_threads_and_by_a_pickled_source(container, path):
    for source in (opened(container), open_source(str(path.parent), FILES)):
        listed = source.list()["titles"]
        copied = pickle.loads(pickle.dumps(source))
        with ThreadPoolExecutor(4) as threads:
            parts = threads.map(lambda start, one=copied, of=listed: one.read_range(of, start, start + 99), range(0, 9999, 99))
            assert b"".join(parts) == DATA[:9999]


def test_a_pickled_source_reads_with_the_same_credentials(azurite):
    with azurite.container(f"films-{uuid.uuid4().hex}", public=False) as private:
        private.upload_blob("titles.tsv", DATA)
        address = f"{private.url}?{azurite.sas(private.container_name)}"
        for source in (
            open_source(address, FILES, azure=AzureAccess()),
            open_source(private.url, FILES, azure=AzureAccess(connection_string=azurite.connection_string)),
        ):
            copied = pickle.loads(pickle.dumps(source))
            assert copied.read_range(copied.list()["titles"], 3, 9) == DATA[3:9]


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, len(DATA) + 1)])
def test_a_range_that_is_none_of_the_blob_is_refused(path, web, start, stop):
    for source in (open_source(str(path.parent), FILES), web(versioned())):
        with pytest.raises(ValueError, match=r"do not lie within the .* of titles\.tsv"):
            source.read_range(source.list()["titles"], start, stop)


def _write_in_place(path: Path) -> None:
    path.write_bytes(OTHER)


def _replace(path: Path) -> None:
    path.with_suffix(".new").write_bytes(OTHER)
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize(
    "change",
    [_write_in_place, _replace, Path.unlink, lambda path: os.truncate(path, 100), lambda path: os.utime(path, ns=(1, 1))],
    ids=["written", "replaced", "removed", "truncated", "touched"],
)
def test_another_version_of_a_file_is_not_read(path, change):
    source = open_source(str(path.parent), FILES)
    listed = source.list()["titles"]
    change(path)
    with pytest.raises(TransientError, match=r"titles\.tsv was changed or removed while it was read; run again") as caught:
        source.read_range(listed, 50, 200)
    assert "\n" not in str(caught.value)


def test_another_version_of_a_blob_is_not_read(container):
    source = opened(container)
    listed = source.list()["titles"]
    container.upload_blob("titles.tsv", OTHER, overwrite=True)
    with pytest.raises(TransientError, match=r"titles\.tsv was changed or removed while it was read; run again"):
        source.read_range(listed, 50, 200)
    container.delete_blob("titles.tsv")
    with pytest.raises(TransientError, match=r"titles\.tsv was changed or removed while it was read; run again"):
        source.read_range(listed, 50, 200)


@pytest.mark.parametrize("headers", [{"ETag": '"v2"'}, {"ETag": '"v2"', "Last_Modified": MODIFIED}])
def test_another_version_on_a_server_is_not_read(serve, headers):
    file = versioned()
    source = serve(file)
    listed = source.list()["titles"]
    file.data, file.headers = OTHER, headers
    with pytest.raises(TransientError, match=r"titles\.tsv was changed"):
        source.read_range(listed, 50, 200)
    assert len(file.sent) == 1, "it is not asked for again"


@pytest.mark.parametrize("after", [{"Last_Modified": "Thu, 02 May 2024 10:00:00 GMT"}, {"ETag": '"v1"'}])
def test_without_etag_the_time_of_modification_tells_versions_apart(web, after):
    file = WebFile(DATA, Last_Modified=MODIFIED)
    source = web(file)
    listed = source.list()["titles"]
    assert source.read_range(listed, 50, 200) == DATA[50:200]
    file.headers = after
    with pytest.raises(SourceError, match=r"titles\.tsv was changed|which version of titles\.tsv"):
        source.read_range(listed, 50, 200)


def test_a_weak_etag_tells_versions_apart(web):
    file = WebFile(DATA, ETag='W/"v1"')
    source = web(file)
    listed = source.list()["titles"]
    assert source.read_range(listed, 50, 200) == DATA[50:200]
    file.headers = {"ETag": 'W/"v2"'}
    with pytest.raises(TransientError, match=r"titles\.tsv was changed"):
        source.read_range(listed, 50, 200)


def test_a_server_that_tells_no_versions_is_refused(web):
    source = web(WebFile(DATA))
    with pytest.raises(SourceError, match=r"does not tell which version of titles\.tsv it sends; put it on one that sends ETags"):
        source.read_range(source.list()["titles"], 50, 200)


def test_a_server_that_sends_no_ranges_is_refused(web):
    file = WebFile(DATA, ranges=False, ETag='"v1"')
    source = web(file)
    listed = source.list()["titles"]
    with pytest.raises(SourceError, match=r"sends titles\.tsv only as a whole; put it on one that sends ranges") as caught:
        source.read_range(listed, 50, 200)
    assert not isinstance(caught.value, TransientError)
    assert len(file.sent) == 1, "it is not asked for again"
    assert source.read_range(listed, 0, len(DATA)) == DATA
    file.data, file.headers = OTHER, {"ETag": '"v2"'}
    with pytest.raises(TransientError, match=r"titles\.tsv was changed"):
        source.read_range(listed, 50, 200)


FAULTS = {
    "503": ("status", 503),
    "429": ("status", 429),
    "no Content-Range": ("range", None),
    "a malformed Content-Range": ("range", "bytes 50-199"),
    "no Content-Range of bytes": ("range", f"lines 50-199/{len(DATA)}"),
    "another begin": ("range", f"bytes 49-199/{len(DATA)}"),
    "another end": ("range", f"bytes 50-198/{len(DATA)}"),
    "too short": ("short", 10),
    "too long": ("long", 10),
    "nothing": ("short", 150),
    "cut": ("cut", 100),
    "cut at once": ("cut", 0),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_faulty_answer_is_asked_for_again(serve, fault, monkeypatch):
    monkeypatch.setattr("azure.storage.blob._download.time.sleep", lambda _: None)
    file = versioned()
    source = serve(file)
    listed = source.list()["titles"]
    file.faults = [fault]
    assert source.read_range(listed, 50, 200) == DATA[50:200]
    assert len(file.sent) == 2
    assert file.faults == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (("status", 503), "the service is not able to answer"),
        (("range", None), r"the service sends other bytes of titles\.tsv than were asked for"),
        (("range", f"bytes 0-149/{len(DATA)}"), r"the service sends other bytes of titles\.tsv than were asked for"),
        (("short", 150), r"titles\.tsv ended before it was whole|cannot be reached"),
    ],
)
def test_a_server_that_goes_on_answering_wrongly_is_given_up(serve, fault, reason, monkeypatch):
    monkeypatch.setattr("azure.storage.blob._download.time.sleep", lambda _: None)
    file = versioned()
    source = serve(file)
    listed = source.list()["titles"]
    file.faults = [fault] * 30
    with pytest.raises(TransientError, match=reason):
        source.read_range(listed, 50, 200)
    assert len(file.sent) < 30


def test_a_range_that_is_cut_again_and_again_goes_on(web):
    file = versioned()
    file.faults = [("cut", 1000)] * 9
    source = web(file)
    assert source.read_range(source.list()["titles"], 50, 10_000) == DATA[50:10_000]
    assert [asked for asked, _ in file.sent] == [f"bytes={start}-9999" for start in range(50, 10_000, 1000)]


def test_an_overwrite_after_a_cut_is_not_read_on(web):
    file = versioned()

    def overwrite():
        file.data, file.headers = OTHER, {"ETag": '"v2"'}

    file.faults = [("cut", 1000, overwrite)]
    source = web(file)
    with pytest.raises(TransientError, match=r"titles\.tsv was changed"):
        source.read_range(source.list()["titles"], 50, 10_000)


@pytest.mark.parametrize("status", [401, 403, 404, 418])
def test_what_is_refused_is_not_asked_for_again_and_tells_no_secret(serve, status):
    file = versioned()
    source = serve(file, "?sv=1&sig=CANARY")
    listed = source.list()["titles"]
    file.faults = [("status", status)]
    with pytest.raises(SourceError) as caught:
        source.read_range(listed, 50, 200)
    assert len(file.sent) == 1
    assert caught.value.__context__ is None
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def test_a_download_does_not_go_on_behind_a_gap(web, folder):
    file = versioned()
    file.faults = [("cut", 1000), ("range", f"bytes 2000-{len(DATA) - 1}/{len(DATA)}"), ("range", None)]
    source = web(file)
    assert source.fetch(source.list()["titles"], folder, Silent()).path.read_bytes() == DATA
    assert len(file.sent) == 4
