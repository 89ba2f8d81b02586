"""How fast a blob is downloaded from a container, beside plain clients that only fetch bytes into a file.

Azurite runs on this machine, in a process of its own, so that the network is none and what a client itself takes shows. Belongs
here: the clients. Does not belong here: how figures are shown (``report``).
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import requests
from azure.storage.blob import ContainerClient

from film_assets.common.progress import Silent
from film_assets.sources import AzureAccess, open_source
from film_assets_tests import azurite

PROJECT = "film-assets"
_CONTAINER, _BLOB = "films", "titles.tsv"
_MIB = 1 << 20
_UPLOAD = {"max_single_put_size": 64 * _MIB, "max_block_size": 64 * _MIB}

Client = Callable[[Path], None]
"""Puts the blob into a file."""
Get = Callable[[str, str], bytes]
"""The bytes that an address has in a range."""


def seconds(folder: Path, size: int, rounds: int) -> Iterator[tuple[str, int, float]]:
    """Each client, the round, and how long it took to download a blob of that many bytes; in turns."""
    azurite.install()
    folder.mkdir(parents=True, exist_ok=True)
    with azurite.running() as service, TemporaryDirectory(dir=folder) as target:
        _upload(service, size)
        with _clients(f"{service.url}/{_CONTAINER}", size) as clients:
            for number in range(rounds):
                for name, fetch in clients.items():
                    yield name, number, _timed(fetch, Path(target) / "blob", size)


def _upload(service: azurite.Azurite, size: int) -> None:
    """A blob of chance, which nothing on the way can make smaller."""
    service.container(_CONTAINER).close()
    with ContainerClient.from_connection_string(service.connection_string, _CONTAINER, **_UPLOAD) as container:
        container.upload_blob(_BLOB, (os.urandom(min(_MIB, size - at)) for at in range(0, size, _MIB)), length=size)


def _timed(fetch: Client, path: Path, size: int) -> float:
    started = time.perf_counter()
    fetch(path)
    taken = time.perf_counter() - started
    assert path.stat().st_size == size
    path.unlink()
    return taken


@contextmanager
def _clients(container: str, size: int) -> Iterator[dict[str, Client]]:
    """Azure's own library with few and many connections and small and large chunks, and ranges asked for by plain HTTP."""
    with httpx2.Client(timeout=60) as plain, requests.Session() as session:
        by_httpx: Get = lambda url, span: plain.get(url, headers={"Range": span}).content  # noqa: E731
        by_requests: Get = lambda url, span: session.get(url, headers={"Range": span}, timeout=60).content  # noqa: E731
        yield {
            PROJECT: _project(container),
            "azure-storage-blob as it comes": _library(container, 1, None),
            "azure-storage-blob, 4 at a time, 4 MiB each": _library(container, 4, 4 * _MIB),
            "azure-storage-blob, 4 at a time, 16 MiB each": _library(container, 4, 16 * _MIB),
            "azure-storage-blob, 8 at a time, 32 MiB each": _library(container, 8, 32 * _MIB),
            "httpx2, 4 ranges at a time, 16 MiB each": _ranges(container, size, 4, 16 * _MIB, by_httpx),
            "requests, 4 ranges at a time, 16 MiB each": _ranges(container, size, 4, 16 * _MIB, by_requests),
            "requests, 2 ranges at a time, 32 MiB each": _ranges(container, size, 2, 32 * _MIB, by_requests),
        }


def _project(container: str) -> Client:
    source = open_source(container, {"titles": (_BLOB,)}, azure=AzureAccess())

    def fetch(path: Path) -> None:
        source.fetch(source.list()["titles"], path.parent, Silent()).path.rename(path)

    return fetch


def _library(container: str, connections: int, chunk: int | None) -> Client:
    options = {"max_single_get_size": chunk, "max_chunk_get_size": chunk} if chunk else {}

    def fetch(path: Path) -> None:
        with ContainerClient.from_container_url(container, **options) as client, path.open("wb") as file:
            client.download_blob(_BLOB, max_concurrency=connections).readinto(file)

    return fetch


def _ranges(container: str, size: int, connections: int, chunk: int, get: Get) -> Client:
    def fetch(path: Path) -> None:
        with path.open("wb") as file, ThreadPoolExecutor(connections) as pool:

            def one(at: int) -> None:
                os.pwrite(file.fileno(), get(f"{container}/{_BLOB}", f"bytes={at}-{min(at + chunk, size) - 1}"), at)

            list(pool.map(one, range(0, size, chunk)))

    return fetch
