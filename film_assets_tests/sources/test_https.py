import base64
import gzip
import hashlib
import logging
import random
import traceback

import pytest
from werkzeug import Response

from film_assets.common.progress import Silent
from film_assets.errors import SourceError
from film_assets.sources import open_source
from film_assets_tests.sources.chaos import CuttingProxy, Recorded, WebFile

DATA = random.Random(3).randbytes(500_000)
OTHER = random.Random(4).randbytes(500_000)
FILES = {"titles": ("titles.tsv", "title.basics.tsv")}
MODIFIED = "Wed, 01 May 2024 10:00:00 GMT"


@pytest.fixture
def serve(httpserver):
    """Puts a file on the server, and gives the source."""
    httpserver.no_handler_status_code = 404

    def put(file, name="titles.tsv"):
        httpserver.expect_request(f"/imdb/{name}").respond_with_handler(file)
        return open_source(httpserver.url_for("/imdb/"), FILES)

    return put


def test_a_file_is_listed_and_fetched(serve, folder, httpserver):
    file = WebFile(DATA, ETag='W/"v1"', Last_Modified=MODIFIED)
    source, progress = serve(file), Recorded()
    listed = source.list()["titles"]
    assert (listed.etag, listed.version, listed.bytes, listed.file) == ("v1", "v1", len(DATA), "titles.tsv")
    assert listed.last_modified.isoformat() == "2024-05-01T10:00:00+00:00"
    fetched = source.fetch(listed, folder, progress)
    assert fetched.path.read_bytes() == DATA
    assert fetched.temporary
    assert list(folder.iterdir()) == [fetched.path]
    assert source.label == httpserver.url_for("/imdb")
    [(label, total, amounts)] = progress.tasks
    assert (label, total, sum(amounts)) == ("download titles.tsv", len(DATA), len(DATA))


@pytest.mark.parametrize(
    ("headers", "condition"),
    [({"ETag": '"v1"'}, '"v1"'), ({"Last_Modified": MODIFIED}, MODIFIED)],
    ids=["ETag", "Last-Modified"],
)
def test_a_cut_download_goes_on(serve, folder, headers, condition):
    file = WebFile(DATA, **headers)
    file.faults = [("cut", 200_000), ("cut", 100_000)]
    source = serve(file)
    assert source.fetch(source.list()["titles"], folder, Silent()).path.read_bytes() == DATA
    assert file.sent == [(None, None), ("bytes=200000-", condition), ("bytes=300000-", condition)]


@pytest.mark.parametrize(
    "file",
    [WebFile(DATA, ETag='"v1"', ranges=False), WebFile(DATA, ETag='W/"v1"'), WebFile(DATA)],
    ids=["no ranges", "weak ETag", "nothing to tell versions by"],
)
def test_a_cut_download_begins_anew_where_it_cannot_go_on(serve, folder, file):
    file.faults = [("cut", 200_000), ("cut", 300_000), ("cut", 100_000)]
    source, progress = serve(file), Recorded()
    assert source.fetch(source.list()["titles"], folder, progress).path.read_bytes() == DATA
    assert sum(progress.tasks[0][2]) == len(DATA)


def test_the_next_call_goes_on_where_the_last_one_was_cut(serve, folder):
    file = WebFile(DATA, ETag='"v1"')
    file.faults = [("cut", 200_000), *[("status", 503)] * 3]
    source = serve(file)
    with pytest.raises(SourceError, match="503"):
        source.fetch(source.list()["titles"], folder, Silent())
    assert source.fetch(source.list()["titles"], folder, Silent()).path.read_bytes() == DATA
    assert file.sent[-1] == ("bytes=200000-", '"v1"')


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"ETag": '"v1"'}, {"ETag": '"v2"'}),
        ({"Last_Modified": MODIFIED}, {"Last_Modified": "Thu, 02 May 2024 10:00:00 GMT"}),
    ],
    ids=["ETag", "Last-Modified"],
)
def test_a_file_that_changes_after_a_cut_is_fetched_as_it_is_now(serve, folder, ranges, before, after):
    file = WebFile(DATA, ranges=ranges, **before)

    def change():
        file.data, file.headers = OTHER, after

    file.faults = [("cut", 200_000, change)]
    source = serve(file)
    listed = source.list()["titles"]
    fetched = source.fetch(listed, folder, Silent())
    assert fetched.path.read_bytes() == OTHER
    assert fetched.listed.version != listed.version


def test_a_busy_server_is_asked_again(serve, folder):
    file = WebFile(DATA, ETag='"v1"')
    file.faults = [("status", 503), ("status", 429)]
    source = serve(file)
    assert source.fetch(source.list()["titles"], folder, Silent()).path.read_bytes() == DATA
    assert len(file.sent) == 3


@pytest.mark.parametrize(("status", "tries"), [(503, 3), (403, 1), (418, 1)])
def test_a_server_that_keeps_refusing_is_given_up(serve, folder, status, tries):
    file = WebFile(DATA, ETag='"v1"')
    file.faults = [("status", status)] * 9
    source = serve(file)
    with pytest.raises(SourceError, match=str(status)):
        source.fetch(source.list()["titles"], folder, Silent())
    assert len(file.sent) == tries


@pytest.mark.parametrize("status", [403, 405, 501])
@pytest.mark.parametrize("data", [DATA, b""], ids=["full", "empty"])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_server_that_refuses_head_is_asked_otherwise(serve, folder, status, data, ranges):
    source = serve(WebFile(data, heads=status, ranges=ranges, ETag='"v1"'))
    listed = source.list()["titles"]
    assert listed.bytes == len(data)
    assert source.fetch(listed, folder, Silent()).path.read_bytes() == data


def test_a_redirect_is_followed(serve, folder, httpserver):
    serve(WebFile(DATA, ETag='"v1"'), "elsewhere")
    target = httpserver.url_for("/imdb/elsewhere")
    source = serve(lambda _: Response(status=302, headers={"Location": target}))
    assert source.fetch(source.list()["titles"], folder, Silent()).path.read_bytes() == DATA


def test_imdb_names_are_found_where_missing_files_are_forbidden(serve, folder, httpserver):
    httpserver.no_handler_status_code = 403
    source = serve(WebFile(gzip.compress(DATA), ETag='"v1"'), "title.basics.tsv.gz")
    httpserver.no_handler_status_code = 403
    fetched = source.fetch(source.list()["titles"], folder, Silent())
    assert fetched.listed.file == "title.basics.tsv.gz"
    assert fetched.path.read_bytes() == DATA


def test_a_missing_file_is_told_with_the_names_looked_for(serve):
    source = serve(WebFile(DATA), "other.tsv")
    with pytest.raises(SourceError, match=r"blob titles is not there; looked for titles\.tsv, .*, title\.basics\.tsv\.gz$"):
        source.list()


def test_a_file_unlike_its_md5_is_given_up(serve, folder):
    right = base64.b64encode(hashlib.md5(DATA).digest()).decode()
    wrong = base64.b64encode(hashlib.md5(OTHER).digest()).decode()
    file = WebFile(DATA, ETag='"v1"', Content_MD5=right)
    source = serve(file)
    assert source.fetch(source.list()["titles"], folder, Silent()).path.read_bytes() == DATA
    file.headers = {"ETag": '"v2"', "Content-MD5": wrong}
    with pytest.raises(SourceError, match="MD5"):
        source.fetch(source.list()["titles"], folder, Silent())


def test_without_etag_and_time_every_listing_is_another_version(serve):
    source = serve(WebFile(DATA))
    assert source.list()["titles"].version != source.list()["titles"].version


def test_no_secret_is_told_anywhere(serve, folder, httpserver, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("werkzeug"), "disabled", True)  # the server's own log
    file = WebFile(DATA, ETag='"v1"')
    file.faults = [("status", 403)]
    serve(file)
    with CuttingProxy(1, []).running() as proxy:
        closed = proxy.port
    there, nowhere = (
        open_source(f"http://me:CANARY@127.0.0.1:{port}/imdb?token=CANARY", FILES) for port in (httpserver.port, closed)
    )
    listed = there.list()["titles"]
    told = [there.label, repr(there), repr(listed)]
    for failing in (
        lambda: there.fetch(listed, folder, Silent()),
        lambda: nowhere.fetch(listed, folder, Silent()),
        nowhere.list,
    ):
        with pytest.raises(SourceError) as caught:
            failing()
        told += traceback.format_exception(caught.value)
        assert caught.value.__context__ is None
    request, _ = httpserver.log[0]
    assert request.args["token"] == "CANARY"
    assert request.authorization.password == "CANARY"
    assert "HTTP Request" in caplog.text, "the library did log"
    assert "CANARY" not in "".join([*told, caplog.text])


def test_the_newer_file_is_taken_and_the_other_named(serve, folder):
    serve(WebFile(OTHER, ETag='"old"', Last_Modified=MODIFIED))
    source = serve(WebFile(gzip.compress(DATA), Last_Modified="Thu, 02 May 2024 10:00:00 GMT"), "title.basics.tsv.gz")
    listed = source.list()["titles"]
    assert (listed.file, listed.left) == ("title.basics.tsv.gz", ("titles.tsv",))
    assert source.fetch(listed, folder, Silent()).path.read_bytes() == DATA


def test_files_whose_age_is_not_told_are_both_named(serve):
    serve(WebFile(DATA, ETag='"v1"', Last_Modified=MODIFIED))
    source = serve(WebFile(gzip.compress(DATA), ETag='"v2"'), "title.basics.tsv.gz")
    with pytest.raises(SourceError, match=r"titles\.tsv and title\.basics\.tsv\.gz are both there, and nothing tells"):
        source.list()


def test_a_file_in_a_folder_of_its_name_is_looked_for_only_where_there_is_no_other(serve, httpserver):
    source = serve(WebFile(DATA, ETag='"v1"'), "title.basics.tsv/data.tsv")
    assert source.list()["titles"].file == "title.basics.tsv/data.tsv"
    serve(WebFile(DATA, ETag='"v2"'))
    httpserver.clear_log()
    assert source.list()["titles"].file == "titles.tsv"
    assert len(httpserver.log) == 4


@pytest.mark.parametrize("name", ["titles.tsv", "title.basics.tsv.zip"])
def test_a_zip_archive_is_refused_by_name(serve, folder, name):
    source = serve(WebFile(b"PK\x03\x04" + DATA, ETag='"v1"'), name)
    with pytest.raises(SourceError, match=f"{name} is a zip archive; unpack it"):
        source.fetch(source.list()["titles"], folder, Silent())
    assert list(folder.iterdir()) == []
