"""Places for a lake in tests: a folder, a container of Azurite, a bucket of moto, each new and empty.

Belongs here: services, and what opens them. Does not belong here: what is tested.
"""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from film_assets.engines.spark.lake.storage import Storage, folder
from film_assets_tests.azurite import ACCOUNT, KEY, Azurite

PLACES = ("folder", pytest.param("azure", marks=pytest.mark.slow), pytest.param("s3", marks=pytest.mark.slow))
SECRET = "CANARY-SECRET"
"""Of the bucket; the container's is ``KEY``."""

_MOTO = """
import sys
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
sys.stdin.read()
server.stop()
"""


def azure_options(azurite: Azurite) -> dict[str, str]:
    """The names of options that delta-rs, obstore and Polars all take."""
    return {"account_name": ACCOUNT, "account_key": KEY, "endpoint": azurite.url, "allow_http": "true"}


def s3_options(address: str) -> dict[str, str]:
    """The same of S3."""
    return {
        "aws_access_key_id": "AKIA0000",
        "aws_secret_access_key": SECRET,
        "aws_region": "us-east-1",
        "aws_endpoint_url": address,
        "allow_http": "true",
    }


def container(azurite: Azurite) -> Storage:
    """A lake in a new container."""
    name = f"lake-{uuid.uuid4().hex}"
    azurite.container(name, public=False).close()
    return Storage(f"abfss://{name}@{ACCOUNT}.dfs.core.windows.net/films", azure_options(azurite))


def bucket(address: str) -> Storage:
    """A lake in a new bucket."""
    name = f"lake-{uuid.uuid4().hex}"
    with urlopen(Request(f"{address}/{name}", method="PUT")):  # who makes it is not asked
        return Storage(f"s3a://{name}/films", s3_options(address))


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of an S3 server that keeps conditional writes."""
    command = [sys.executable, "-W", "ignore", "-c", _MOTO]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield process.stdout.readline().strip()
        process.communicate()  # on which it ends, as it does when this process does


@pytest.fixture(params=PLACES)
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A lake in each kind of place."""
    if request.param == "azure":
        return container(request.getfixturevalue("azurite"))
    if request.param == "s3":
        return bucket(request.getfixturevalue("moto"))
    return Storage(folder(tmp_path / "lake"))
