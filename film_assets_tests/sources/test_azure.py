import gzip
import logging
import math
import random
import traceback
import uuid
from datetime import UTC, datetime

import pytest
from azure.storage.blob import ContentSettings
from werkzeug import Response

from film_assets.common.progress import Silent
from film_assets.errors import SourceError
from film_assets.sources import AzureAccess, open_source
from film_assets.sources.azure import AzureSource
from film_assets.sources.location import locate
from film_assets_tests.azurite import ACCOUNT, KEY
from film_assets_tests.sources.chaos import CuttingProxy, Interrupting, Recorded

CHUNK = 1 << 16
DATA = random.Random(1).randbytes(20 * CHUNK + 17)
OTHER = random.Random(2).randbytes(20 * CHUNK + 17)
NOTHING = AzureAccess()


@pytest.fixture
def container(azurite):
    """A public container with both blobs."""
    with azurite.container(f"films-{uuid.uuid4().hex}") as client:
        client.upload_blob("titles.tsv", DATA)
        client.upload_blob("ratings.tsv", b"ratings")
        yield client


@pytest.fixture
def private(azurite):
    """A private container with both blobs."""
    with azurite.container(f"films-{uuid.uuid4().hex}", public=False) as client:
        client.upload_blob("titles.tsv", DATA)
        client.upload_blob("ratings.tsv", b"ratings")
        yield client


def opened(location, files, access=NOTHING):
    """The source, with chunks so small that a blob takes many."""
    return AzureSource(locate(location), files, access, chunk_bytes=CHUNK)


def test_a_public_container_is_listed_and_fetched_anonymously(container, folder, files):
    source, progress = open_source(container.url, files, azure=NOTHING), Recorded()
    listed = source.list()
    assert source.label == container.url
    assert {blob: (each.file, each.bytes) for blob, each in listed.items()} == {
        "titles": ("titles.tsv", len(DATA)),
        "ratings": ("ratings.tsv", 7),
    }
    assert listed["titles"].etag == container.get_blob_client("titles.tsv").get_blob_properties().etag.strip('"')
    assert listed["titles"].last_modified.utcoffset().total_seconds() == 0
    fetched = source.fetch(listed["titles"], folder, progress)
    assert fetched.path.read_bytes() == DATA
    assert fetched.temporary
    assert list(folder.iterdir()) == [fetched.path]
    [(label, total, amounts)] = progress.tasks
    assert (label, total, sum(amounts)) == ("download titles.tsv", len(DATA), len(DATA))


def test_many_chunks_arrive_in_order(container, folder, files):
    source = opened(container.url, files)
    assert source.fetch(source.list()["titles"], folder, Silent()).path.read_bytes() == DATA


def test_an_empty_blob_is_fetched(container, folder, files):
    container.upload_blob("titles.tsv", b"", overwrite=True)
    source = opened(container.url, files)
    assert source.fetch(source.list()["titles"], folder, Silent()).path.read_bytes() == b""


def test_a_whole_file_that_is_still_there_is_not_downloaded_again(container, folder, files):
    source, progress = opened(container.url, files), Recorded()
    listed = source.list()["titles"]
    first, second = source.fetch(listed, folder, progress), source.fetch(listed, folder, progress)
    assert first == second
    assert len(progress.tasks) == 1


def test_a_private_container_is_read_by_a_signature(azurite, private, folder, files, monkeypatch):
    sas = azurite.sas(private.container_name)
    in_address = open_source(f"{private.url}?{sas}", files, azure=NOTHING)
    given = open_source(private.url, files, azure=AzureAccess(sas_token=f"?{sas}"))
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", sas)
    from_environment = open_source(private.url, files)
    for source in (in_address, given, from_environment):
        assert source.label == private.url
        assert source.fetch(source.list()["ratings"], folder, Silent()).path.read_bytes() == b"ratings"


def test_a_private_container_is_read_by_a_connection_string(azurite, private, files, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite.connection_string)
    assert open_source(private.url, files).list()["ratings"].bytes == 7


def test_the_connection_string_of_another_account_is_not_used(azurite, container, private, files):
    foreign = f"DefaultEndpointsProtocol=https;AccountName=foreign;AccountKey={KEY};EndpointSuffix=core.windows.net"
    access = AzureAccess(connection_string=foreign)
    assert open_source(container.url, files, azure=access).list()["ratings"].bytes == 7
    with pytest.raises(SourceError, match="is for another account"):
        open_source(private.url, files, azure=access).list()


def test_anonymous_uses_none_of_what_is_there(azurite, private, files):
    access = AzureAccess(credential="anonymous", connection_string=azurite.connection_string)
    with pytest.raises(SourceError, match=r"not permitted \(403 .*tried anonymously: set AZURE_STORAGE_SAS_TOKEN"):
        open_source(private.url, files, azure=access).list()


def test_the_default_credential_is_not_sent_in_the_clear(container, files):
    with pytest.raises(SourceError, match="by https only"):
        open_source(container.url, files, azure=AzureAccess(credential="default"))


def test_a_key_that_is_none_is_told(container, files):
    text = f"AccountName={ACCOUNT};AccountKey=CANARY!;BlobEndpoint={container.url.rpartition('/')[0]};"
    with pytest.raises(SourceError, match="cannot sign in with AZURE_STORAGE_CONNECTION_STRING") as caught:
        open_source(container.url, files, azure=AzureAccess(connection_string=text)).list()
    assert "CANARY" not in str(caught.value)


def test_a_connection_string_that_is_none_is_told(container, files):
    with pytest.raises(SourceError, match="AZURE_STORAGE_CONNECTION_STRING is not well-formed") as caught:
        open_source(container.url, files, azure=AzureAccess(connection_string="CANARY"))
    assert "CANARY" not in str(caught.value)


def test_a_wrong_container_is_told(azurite, files):
    access = AzureAccess(connection_string=azurite.connection_string)
    with pytest.raises(SourceError, match="/nowhere: there is no such container"):
        open_source(f"{azurite.url}/nowhere", files, azure=access).list()


def test_a_missing_blob_is_told_with_the_names_looked_for(container, files):
    container.delete_blob("ratings.tsv")
    expected = r"ratings is not there; looked for ratings\.tsv, ratings\.tsv\.gz, title\.ratings\.tsv, title\.ratings\.tsv\.gz$"
    with pytest.raises(SourceError, match=expected):
        open_source(container.url, files, azure=NOTHING).list()


def test_an_unreachable_account_is_told(files):
    with CuttingProxy(1, [math.nan]).running() as proxy:
        port = proxy.port
    with pytest.raises(SourceError, match=r"cannot be reached \(the connection is refused\); check the address"):
        open_source(f"http://127.0.0.1:{port}/{ACCOUNT}/films", files, azure=NOTHING).list()


def test_imdb_names_and_folders_in_the_container_do(container, folder, files):
    container.upload_blob("imdb/daily/title.basics.tsv.gz", gzip.compress(DATA))
    container.upload_blob("imdb/daily/title.ratings.tsv", b"ratings")
    source, progress = opened(f"{container.url}/imdb/daily", files), Recorded()
    fetched = source.fetch(source.list()["titles"], folder, progress)
    assert fetched.listed.file == "title.basics.tsv.gz"
    assert fetched.path.read_bytes() == DATA
    assert list(folder.iterdir()) == [fetched.path]
    assert [label for label, _, _ in progress.tasks] == ["download title.basics.tsv.gz", "decompress title.basics.tsv.gz"]


def test_a_compressed_blob_that_does_not_say_so_is_decompressed(container, folder, files):
    settings = ContentSettings(content_encoding="gzip")
    container.upload_blob("titles.tsv", gzip.compress(DATA), overwrite=True, content_settings=settings)
    source = opened(container.url, files)
    assert source.fetch(source.list()["titles"], folder, Silent()).path.read_bytes() == DATA


def test_a_faulty_compressed_blob_leaves_nothing_behind(container, folder, files):
    container.delete_blob("titles.tsv")
    container.upload_blob("titles.tsv.gz", gzip.compress(DATA)[:-100])
    source = opened(container.url, files)
    with pytest.raises(SourceError, match=r"blob titles cannot be decompressed from titles\.tsv\.gz \(Compressed file ended"):
        source.fetch(source.list()["titles"], folder, Silent())
    assert list(folder.iterdir()) == []


def test_an_overwrite_gives_a_new_version(container, folder, files):
    source = opened(container.url, files)
    before = source.list()["titles"]
    source.fetch(before, folder, Silent())
    container.upload_blob("titles.tsv", OTHER, overwrite=True)
    after = source.list()["titles"]
    assert after.version != before.version
    fetched = source.fetch(after, folder, Silent())
    assert fetched.path.read_bytes() == OTHER
    assert list(folder.iterdir()) == [fetched.path], "the former version is gone"


def test_an_overwrite_during_the_download_gives_the_new_version_whole(container, folder, files):
    source = opened(container.url, files)
    overwrite = Interrupting(lambda: container.upload_blob("titles.tsv", OTHER, overwrite=True), times=1)
    listed = source.list()["titles"]
    fetched = source.fetch(listed, folder, overwrite)
    assert fetched.path.read_bytes() == OTHER
    assert fetched.listed == source.list()["titles"] != listed


def test_a_blob_that_never_keeps_still_is_given_up(container, folder, files):
    source = opened(container.url, files)
    overwrite = Interrupting(lambda: container.upload_blob("titles.tsv", OTHER, overwrite=True))
    with pytest.raises(SourceError, match=r"titles\.tsv was changed or removed while it was read, 3 times over"):
        source.fetch(source.list()["titles"], folder, overwrite)


def test_a_blob_that_is_deleted_during_the_download_is_told_missing(container, folder, files):
    source = opened(container.url, files)
    delete = Interrupting(lambda: container.delete_blob("titles.tsv"))
    with pytest.raises(SourceError, match="the blob titles is not there"):
        source.fetch(source.list()["titles"], folder, delete)


def test_a_blob_unlike_its_md5_is_given_up(container, folder, files):
    container.get_blob_client("titles.tsv").set_http_headers(ContentSettings(content_md5=bytearray(b"0123456789abcdef")))
    source = opened(container.url, files)
    with pytest.raises(SourceError, match="does not match the MD5 that stands with it, 3 times over"):
        source.fetch(source.list()["titles"], folder, Silent())
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("place", ["address", "token", "connection string"])
def test_a_signature_that_expired_is_told_with_its_time_and_never_itself(azurite, private, files, place):
    sas = azurite.sas(private.container_name, datetime(2024, 5, 1, 10, 30, tzinfo=UTC))
    account = private.url.rpartition("/")[0]
    location, access = {
        "address": (f"{private.url}?{sas}", NOTHING),
        "token": (private.url, AzureAccess(sas_token=sas)),
        "connection string": (
            private.url,
            AzureAccess(connection_string=f"BlobEndpoint={account};SharedAccessSignature={sas}"),
        ),
    }[place]
    with pytest.raises(SourceError, match=r"signature expired on 2024-05-01 at 10:30 UTC .*new one") as caught:
        open_source(location, files, azure=access).list()
    assert "sig" not in str(caught.value).replace("signature", "")


def test_a_signature_that_has_not_expired_is_not_said_to_have(azurite, private, files):
    other = azurite.sas("other")
    with pytest.raises(SourceError, match="not permitted") as caught:
        open_source(private.url, files, azure=AzureAccess(sas_token=other)).list()
    assert "expired" not in str(caught.value)


def test_an_archived_blob_is_named_with_what_to_do(container, folder, files):
    container.get_blob_client("titles.tsv").set_standard_blob_tier("Archive")
    source = opened(container.url, files)
    listed = source.list()
    with pytest.raises(
        SourceError, match=r"titles\.tsv is in the archive tier, .*; set its access tier to hot or cool"
    ) as caught:
        source.fetch(listed["titles"], folder, Silent())
    assert caught.value.__context__ is None
    assert source.fetch(listed["ratings"], folder, Silent()).path.read_bytes() == b"ratings"


@pytest.mark.parametrize("code", ["BlobArchived", "BlobBeingRehydrated"])
def test_a_blob_that_is_on_its_way_back_from_the_archive_is_named(httpserver, folder, files, code):
    blob = {"ETag": '"v1"', "Content-Length": "7", "x-ms-access-tier": "Archive", "x-ms-blob-type": "BlockBlob"}

    def answer(request):
        if request.method == "GET":
            return Response(status=409, headers={"x-ms-error-code": code})
        return Response(b"ratings", headers={**blob, "x-ms-archive-status": "rehydrate-pending-to-hot"})

    httpserver.no_handler_status_code = 404
    for name in ("titles.tsv", "ratings.tsv"):
        httpserver.expect_request(f"/{ACCOUNT}/films/{name}").respond_with_handler(answer)
    source = open_source(httpserver.url_for(f"/{ACCOUNT}/films"), files, azure=NOTHING)
    with pytest.raises(SourceError, match=r"ratings\.tsv is on its way back from the archive tier, .*run again when"):
        source.fetch(source.list()["ratings"], folder, Silent())


def through(proxy, container):
    return f"http://127.0.0.1:{proxy.port}/{ACCOUNT}/{container.container_name}"


def test_a_download_that_is_cut_again_and_again_goes_on(azurite, container, folder, files):
    with CuttingProxy(azurite.port, [7 * CHUNK] * 2).running() as proxy:
        source, progress = opened(through(proxy, container), files), Recorded()
        fetched = source.fetch(source.list()["titles"], folder, progress)
        assert proxy.allowances == [], "every cut has happened"
        assert fetched.path.read_bytes() == DATA
        assert sum(progress.tasks[0][2]) == len(DATA)
        del source


def test_the_next_call_goes_on_where_the_last_one_was_cut(azurite, container, folder, files):
    with CuttingProxy(azurite.port, [12 * CHUNK, math.nan]).running() as proxy:
        source = opened(through(proxy, container), files)
        listed = source.list()["titles"]
        with pytest.raises(SourceError, match="cannot be reached"):
            source.fetch(listed, folder, Silent())
        [part] = folder.iterdir()
        assert 6 * CHUNK <= part.stat().st_size < 12 * CHUNK
        assert DATA.startswith(part.read_bytes())
        missing = len(DATA) - part.stat().st_size
        proxy.allowances.clear()
        before, source = proxy.passed, opened(through(proxy, container), files)
        assert source.fetch(listed, folder, Silent()).path.read_bytes() == DATA
        assert proxy.passed - before < missing + CHUNK, "only what was missing was sent"
        del source


@pytest.mark.parametrize("place", ["address", "token", "connection string"])
def test_no_secret_is_told_anywhere(azurite, private, folder, files, place, caplog):
    caplog.set_level(logging.DEBUG)
    canary = "Q0FOQVJZ" * 5 + "Q0FOQVI="
    sas = f"sv=2024-01-01&sr=c&sp=r&se=2999-01-01T00:00:00Z&sig={canary}"

    def access_to(url):
        match place:
            case "address":
                return f"{url}?{sas}", NOTHING
            case "token":
                return url, AzureAccess(sas_token=sas)
        account = url.rpartition("/")[0]
        return url, AzureAccess(connection_string=f"AccountName={ACCOUNT};AccountKey={canary};BlobEndpoint={account};")

    with CuttingProxy(1, []).running() as proxy:
        nowhere = f"http://127.0.0.1:{proxy.port}/{ACCOUNT}/films"
    told = []
    for url, reason in ((private.url, "not permitted"), (nowhere, "cannot be reached")):
        location, access = access_to(url)
        source = open_source(location, files, azure=access)
        with pytest.raises(SourceError, match=reason) as caught:
            source.list()
        told += [source.label, repr(source), repr(access), repr(locate(location)), str(caught.value).partition("\n")[0]]
        told += traceback.format_exception(caught.value, chain=True)
        assert caught.value.__context__ is None
        assert "\n" not in str(caught.value)
    assert "urllib3" in caplog.text, "the library did log"
    assert "Q0FOQVJZ" not in "".join([*told, caplog.text])
