"""The files of a lake in a folder, a container and a bucket, and what is said where there is none or it may not be written."""

import pickle
import resource
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from film_assets.engines.spark.engine import lake_of
from film_assets.engines.spark.lake.state import State
from film_assets.engines.spark.lake.storage import Storage, folder
from film_assets.engines.spark.lake.table import LakeTable
from film_assets.engines.spark.tasks import LakeContent, LakeSlices
from film_assets.errors import FilmAssetsError, HomeError, SettingsError, TransientError
from film_assets.settings import load_settings
from film_assets.tables import BLOBS
from film_assets_tests.azurite import KEY, Azurite
from film_assets_tests.engines.spark.lakes import SECRET, azure_options, container, s3_options

OTHER_KEY = "Q0FOQVJZLUtFWS1DQU5BUlktS0VZLUNBTkFSWS1LRVk="
ABFSS = "abfss://lake@devstoreaccount1.dfs.core.windows.net/films"


def said(call: Callable[[], object]) -> str:
    """The one line that an error of ours says, its traceback without any secret."""
    with pytest.raises(FilmAssetsError) as raised:
        call()
    assert "\n" not in str(raised.value)
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert not any(secret in told for secret in (KEY, SECRET, OTHER_KEY))
    return f"{type(raised.value).__name__}: {raised.value}"


def every_call(storage: Storage) -> list[Callable[[], object]]:
    """Each way in which a lake is used first."""
    return [
        lambda: storage.put("films/x", b"1"),
        lambda: list(storage.list("films")),
        lambda: LakeTable(storage, "films.x", {"a": "VARCHAR"}, "range", days=7).replace(["00"], []),
        lambda: State(storage, days=7).load(),
    ]


def test_files_are_written_read_listed_and_deleted(lake: Storage, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    assert lake.put("films/a/file", tmp_path / "file") == 10
    assert lake.put("films/b", b"bytes") == 5
    assert lake.put("films/b", b"others") == 6
    frame = pl.DataFrame({"id": ["tt1", "tt2"], "n": [1, None]})
    assert lake.write_frame("films/a/range=00/rows.parquet", frame) > 0

    assert sorted(lake.list("films")) == ["films/a/file", "films/a/range=00/rows.parquet", "films/b"]
    assert list(lake.list("nowhere")) == []
    assert lake.read_whole("films/b") == b"others"
    assert lake.read("films/a/file", 3, 6) == b"345"
    assert lake.read("films/a/file", 3, 3) == b""
    lake.fetch("films/a/file", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"0123456789"
    options = dict(lake.options) or None
    assert_frame_equal(pl.read_parquet(lake.url("films/a/range=00/rows.parquet"), storage_options=options), frame)

    lake.delete(["films/a/file", "films/never", "films/b"])
    assert list(lake.list("films")) == ["films/a/range=00/rows.parquet"]
    assert "films/b" in said(lambda: lake.read_whole("films/b"))
    assert {path.name for path in tmp_path.iterdir()} <= {"file", "fetched", "lake"}


def test_it_can_be_pickled_and_shows_no_secret(lake: Storage) -> None:
    lake.put("x", b"1")
    again = pickle.loads(pickle.dumps(lake))
    assert again == lake
    assert again.read_whole("x") == b"1"
    shown = repr([lake, LakeSlices(lake, BLOBS[0]), LakeContent(lake, "x", 1)]) + str(lake)
    assert not any(value in shown for value in (KEY, SECRET))


@pytest.mark.slow
def test_a_large_file_is_not_read_into_memory(azurite: Azurite, tmp_path: Path) -> None:
    lake, size = container(azurite), 200 << 20
    program = """
import pickle, resource, sys
from pathlib import Path
import obstore
lake = pickle.loads(bytes.fromhex(sys.stdin.readline()))
lake.put("small", b"1")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert lake.put("large", Path(sys.argv[1])) == int(sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    command = [sys.executable, "-c", program, str(tmp_path / "large"), str(size)]
    done = subprocess.run(command, input=pickle.dumps(lake).hex(), capture_output=True, text=True, check=True)
    assert int(done.stdout) < 130 << 10
    assert lake.read("large", size - 2, size) == b"\0\0"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("https://account.blob.core.windows.net/lake", "begins with abfss://, s3a:// or gs://"),
        ("/lakes/films*", "pattern"),
        ("s3a://bucket/our films", "' '"),
        ("/lakes/Größe", "'ö'"),
        ("/lakes/a%20b", "'%'"),
    ],
)
def test_places_that_are_none(place: str, why: str) -> None:
    text = said(lambda: Storage(place))
    assert text.startswith("SettingsError: FILM_ASSETS_LAKE=")
    assert why in text


def test_readers_do_not_find_what_is_refused(tmp_path: Path) -> None:
    """Polars does not find the rows of a Delta table whose path has a blank: once it does, the refusal can go."""
    from deltalake import write_deltalake

    write_deltalake(tmp_path / "a b", pl.DataFrame({"a": [1]}))
    with pytest.raises(FileNotFoundError):
        pl.scan_delta(str(tmp_path / "a b")).collect()


@pytest.mark.parametrize("given", ["account_key=...", '["a"]', '{"account_key": 1}'])
def test_options_that_are_none(given: str, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, lake=ABFSS, lake_options=given)
    assert said(lambda: lake_of(settings, settings.kept_in)).startswith("SettingsError: FILM_ASSETS_LAKE_OPTIONS is no JSON")


def test_options_are_shown_nowhere(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, lake=ABFSS, lake_options=f'{{"account_key": "{KEY}"}}')
    assert KEY not in repr(settings) + str(settings) + settings.model_dump_json() + repr(lake_of(settings, settings.kept_in))


@pytest.mark.slow
def test_a_service_that_refuses(azurite: Azurite) -> None:
    good = container(azurite)
    wrong = Storage(good.uri, {**good.options, "account_key": OTHER_KEY})
    none = Storage(ABFSS.replace("lake@", "none@"), good.options)
    read_only = {name: value for name, value in good.options.items() if name != "account_key"}
    signed = Storage(good.uri, {**read_only, "sas_token": azurite.sas(good.uri.partition("@")[0].removeprefix("abfss://"))})
    for call in every_call(wrong):
        assert "its service says 403 Forbidden" in said(call)
    for call in every_call(none):
        assert "The specified container does not exist" in said(call)
    for call in every_call(signed):
        assert "not authorized" in said(call)


@pytest.mark.slow
def test_an_option_that_there_is_not(azurite: Azurite) -> None:
    good = container(azurite)
    wrong = Storage(good.uri, {**good.options, "acount_kee": SECRET})
    assert "'acount_kee' is not valid" in said(lambda: State(wrong, days=7).load())


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["abfss", "s3a"])
def test_a_service_that_does_not_answer(scheme: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # which does not listen
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        options = s3_options(address) if scheme == "s3a" else azure_options(Azurite(f"{address}/devstoreaccount1"))
        lake = Storage("s3a://lake/films" if scheme == "s3a" else ABFSS, options)
        for call in (lambda: lake.put("x", b"1"), lambda: State(lake, days=7).load()):
            text = said(call)
            assert text.startswith(TransientError.__name__)
            assert "its service does not answer; run again" in text


@pytest.mark.slow
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    """As another user, where this one may do everything."""
    (tmp_path / "lake").mkdir(mode=0o500)
    program = """
import os, sys
import deltalake, deltalake.schema, deltalake.transaction, obstore
from film_assets.engines.spark.lake.table import LakeTable
from film_assets.engines.spark.lake.storage import Storage
from film_assets.errors import HomeError

if os.geteuid() == 0:
    os.setuid(65534)
lake = Storage(sys.argv[1])
table = LakeTable(lake, "films.x", {"a": "VARCHAR"}, "range", days=7)
for call in (lambda: lake.put("films/x", b"1"), lambda: table.replace(["00"], [])):
    try:
        call()
    except HomeError as error:
        print(error)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "lake")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("Permission denied" in line and "look after FILM_ASSETS_LAKE" in line for line in lines)


def test_a_full_disk(tmp_path: Path) -> None:
    """A limit on the size of files stands for it: writing fails amid a file, as it does there."""
    lake = Storage(folder(tmp_path / "lake"))
    lake.put("there", b"1")
    (tmp_path / "large").write_bytes(bytes(1 << 20))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, limits[1]))
    try:
        text = said(lambda: lake.put("films/large", tmp_path / "large"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert "File too large" in text
    assert list(lake.list("")) == ["there"]


def test_several_threads_write_and_read(lake: Storage) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: lake.put(f"films/{number}", f"{number}".encode()), range(20)))
        assert list(pool.map(lambda number: lake.read_whole(f"films/{number}"), range(20))) == [
            f"{number}".encode() for number in range(20)
        ]


def test_errors_are_of_the_kinds_that_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert said(lambda: Storage(folder(tmp_path / "file" / "lake")).put("x", b"1")).startswith(HomeError.__name__)
    assert issubclass(SettingsError, FilmAssetsError)
