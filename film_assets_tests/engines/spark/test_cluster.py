"""The cluster of these tests leaves nothing behind."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.spark, pytest.mark.slow]


def test_it_ends_with_the_process_that_started_it(java: None, tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from film_assets_tests.engines.spark.cluster import Cluster

with Cluster(Path(sys.argv[1]), workers=0):
    print("ready", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(tmp_path / "cluster")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    assert len(started) >= 2  # the master and the guard
    assert psutil.wait_procs(started, timeout=30)[1] == []
