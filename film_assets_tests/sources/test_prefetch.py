"""One blob is fetched while the one before it is landed: from a web server, and in the order of a real run."""

import gzip
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from film_assets.common.progress import Silent
from film_assets.definitions import build_defs
from film_assets.errors import SourceError
from film_assets.orchestration.run import run_refresh
from film_assets.settings import load_settings
from film_assets.sources import open_source
from film_assets.sources.prefetch import Prefetcher

pytestmark = pytest.mark.slow

DEADLINE = 10
FILES = {"titles": ("titles.tsv",), "names": ("names.tsv",)}


class Watcher(Silent):
    """Progress that does something when a task begins, and when it tells how far it is."""

    def __init__(self, begins: Callable[[str], object], advances: Callable[[], object] = lambda: None) -> None:
        self._begins, self._advances = begins, advances

    @contextmanager
    def task(self, label: str, *_total_unit: object, **_done: object) -> Iterator[Callable[[float], None]]:
        self._begins(label)
        yield lambda amount: self._advances()  # noqa: ARG005


@pytest.fixture
def served(sample: Path) -> Iterator[str]:
    """The sample on a web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(sample))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


def test_a_blob_is_on_its_way_before_the_one_before_it_is_landed(served: str, tmp_path: Path) -> None:
    begun = {name: threading.Event() for name in ("cast", "crew", "names", "ratings", "titles")}
    overlapped = {}

    def begins(label: str) -> None:
        kind, _, name = label.partition(" ")
        if kind == "download":
            begun[name.removesuffix(".tsv")].set()
        elif kind == "land" and name != "titles":
            following = sorted(begun)[sorted(begun).index(name) + 1]
            overlapped[name] = begun[following].wait(DEADLINE)

    report = run_refresh(build_defs, load_settings(source=served, home=tmp_path), progress=Watcher(begins))
    assert overlapped == dict.fromkeys(("cast", "crew", "names", "ratings"), True)
    assert report.downloaded == set(begun)
    assert list((tmp_path / "landing" / "downloads").iterdir()) == []


def test_what_was_not_begun_is_fetched_when_it_is_wanted(sample: Path, tmp_path: Path) -> None:
    source = open_source(str(sample), FILES)
    prefetcher = Prefetcher(source, tmp_path, Silent())
    titles, names = source.list()["titles"], source.list()["names"]
    prefetcher.begin(titles)
    prefetcher.begin(names)
    assert prefetcher.take(names).path == sample / "names.tsv"
    assert prefetcher.take(titles).path == sample / "titles.tsv"
    prefetcher.close()


def test_what_goes_wrong_is_raised_where_the_blob_is_wanted(tmp_path: Path) -> None:
    for name in ("titles", "names"):
        (tmp_path / f"{name}.tsv.gz").write_bytes(b"no gzip at all")
    source = open_source(str(tmp_path), FILES)
    prefetcher = Prefetcher(source, tmp_path, Silent())
    titles = source.list()["titles"]
    prefetcher.begin(titles)
    with pytest.raises(SourceError, match="titles cannot be decompressed"):
        prefetcher.take(titles)
    prefetcher.close()


def test_closing_stops_what_is_under_way(tmp_path: Path) -> None:
    for name in ("titles", "names"):
        (tmp_path / f"{name}.tsv.gz").write_bytes(gzip.compress(os.urandom(8 << 20), 1))
    (downloads := tmp_path / "downloads").mkdir()
    source = open_source(str(tmp_path), FILES)
    under_way, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        under_way.set()
        go_on.wait(DEADLINE)

    prefetcher = Prefetcher(source, downloads, Watcher(lambda _: None, hold))
    prefetcher.begin(source.list()["titles"])
    assert under_way.wait(DEADLINE)
    threading.Timer(0.2, go_on.set).start()
    prefetcher.close()
    assert list(downloads.iterdir()) == []
