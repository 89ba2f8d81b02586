"""What a refresh may use where nobody says so: what the machine, or the container, allows; each time in a process of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
WHAT = """
from film_assets.settings import load_settings
settings = load_settings()
import polars
from film_assets.engines import working_file
print(working_file.memory_limit(settings), working_file.threads(settings), polars.thread_pool_size())
"""
IN_CONTROL_GROUP = """
mount -t tmpfs none /sys/fs/cgroup
echo $((1 << 30)) > /sys/fs/cgroup/memory.max
echo '50000 100000' > /sys/fs/cgroup/cpu.max
exec "$@"
"""
"""What a container sees of its limits, mounted for one process and its children: 1 GiB and half a processor."""
ISOLATED = ("unshare", "--map-root-user", "--mount")


def allowed(*within: str, **environment: str) -> tuple[str, str, str]:
    """DuckDB's memory and threads, and Polars' threads, in a new process."""
    environment = {**os.environ, "PYTHONPATH": str(REPO), **environment}
    done = subprocess.run([*within, sys.executable, "-c", WHAT], env=environment, check=True, capture_output=True, text=True)
    memory, duckdb, polars = done.stdout.split()
    return memory, duckdb, polars


@pytest.fixture
def control_group() -> tuple[str, ...]:
    """A command that runs another under the limits of a container."""
    command = (*ISOLATED, "sh", "-ec", IN_CONTROL_GROUP, "sh")
    if not shutil.which("unshare") or subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no mount namespace can be made here to show a process the limits of a container")
    return command


@pytest.mark.skipif(not shutil.which("taskset"), reason="there is no taskset to allow one processor only")
def test_no_more_threads_than_processors_that_are_allowed() -> None:
    assert allowed("taskset", "-c", str(min(os.sched_getaffinity(0))))[1:] == ("1", "1")


def test_the_limits_of_a_container_hold(control_group: tuple[str, ...]) -> None:
    memory, threads, _ = allowed(*control_group)
    assert 0.4 * 1024 < float(memory.removesuffix("MiB")) < 0.8 * 0.6 * 1024 + 1
    assert threads == "1"


def test_no_refresh_takes_more_than_it_needs() -> None:
    memory, *_ = allowed()
    assert float(memory.removesuffix("MiB")) <= 4 * 0.6 * 1024 + 1


def test_what_is_set_wins(control_group: tuple[str, ...]) -> None:
    assert allowed(*control_group, FILM_ASSETS_MEMORY="5", FILM_ASSETS_THREADS="3") == ("3072MiB", "3", "3")


def test_the_command_line_finds_out_nothing_before_it_needs_to() -> None:
    code = (
        "import sys; from film_assets.cli import commands as c; c.load_settings(); print(*{'duckdb', 'polars'} & {*sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == ""
