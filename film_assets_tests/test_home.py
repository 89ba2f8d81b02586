"""The lock of the home: who holds it, who is turned away, and that nobody keeps it who is gone."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from film_assets.errors import HomeError
from film_assets.home import Home

REPO = Path(__file__).parents[1]
DEADLINE = 30
HOLDS = """
import os, sys, time
from pathlib import Path
from film_assets.home import Home
with Home(Path(sys.argv[1])).locked():
    if sys.argv[2] == "with a child" and os.fork() == 0:
        time.sleep(60)
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@contextmanager
def holder(home: Home, how: str = "alone") -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the home, with all its children until the block ends."""
    command = [sys.executable, "-c", HOLDS, str(home.folder), how]
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, start_new_session=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            with suppress(ProcessLookupError):  # it is gone with all its children
                os.killpg(process.pid, signal.SIGKILL)


def refused(home: Home, *, wait_seconds: float = 0) -> str:
    """What is said to somebody who is turned away."""
    with pytest.raises(HomeError) as caught, home.locked(wait_seconds=wait_seconds):
        pass
    return str(caught.value)


def under_way(home: Home, process: object) -> str:
    return f"a refresh of {home.folder} is under way (process {process}); try again when it has ended"


def test_another_process_is_named_at_once_or_after_a_while(home: Home) -> None:
    with holder(home) as other:
        began = time.monotonic()
        assert refused(home) == under_way(home, other.pid)
        assert time.monotonic() - began < 2
        assert refused(home, wait_seconds=2) == under_way(home, other.pid)
        assert time.monotonic() - began >= 2
        assert refused(home) == under_way(home, other.pid), "who is turned away writes nothing down"


def test_the_same_process_does_not_get_it_twice(home: Home) -> None:
    with home.locked():
        assert refused(home) == under_way(home, os.getpid())
        assert refused(home, wait_seconds=0.1) == under_way(home, os.getpid())
    with home.locked():
        pass


@pytest.mark.parametrize("how", ["alone", "with a child"])
def test_a_killed_process_frees_it_for_who_waits(home: Home, how: str) -> None:
    with holder(home, how) as other:
        other.kill()
        other.wait(DEADLINE)
        with home.locked(wait_seconds=5):
            assert refused(home) == under_way(home, os.getpid())


def test_it_is_a_lock_of_the_system_on_a_file_that_stays(home: Home) -> None:
    with home.locked():
        pass
    with (home.folder / "refresh.lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        assert refused(home) == under_way(home, "unknown")
        fcntl.flock(file, fcntl.LOCK_UN)
        with home.locked(), pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.seek(0)
        assert file.read() == str(os.getpid())


def test_an_error_in_the_block_frees_it_too(home: Home) -> None:
    with pytest.raises(TimeoutError, match="of the block"), home.locked():
        raise TimeoutError("of the block")
    with home.locked():
        pass
