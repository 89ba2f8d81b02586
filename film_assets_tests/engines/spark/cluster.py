"""A real Spark cluster on loopback: a standalone master, workers, and a Spark Connect server, each a process of its own.

Belongs here: starting, killing and stopping them, and the configuration of applications that use them. Does not belong here: what
is tested.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import pytest

_SPARK_HOME = Path(find_spec("pyspark").origin).parent
_START_SECONDS = 120
_SMALL_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss4m"
"""Half the start-up and a third of the memory; right for tests, wrong for large jobs."""

_DIRECT_MEMORY = "256m"
"""Executors with less than 200 MiB die when they start, and are started anew for ever."""

_GUARD = """
import os, signal, sys
groups = [int(line) for line in sys.stdin]
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""
"""Kills the processes it is told of, when whoever tells it ends, however that ends."""


class Cluster:
    """A master and workers, each of which has a core for each of several applications at once.

    Without workers there is no master either: a driver computes by itself, with two threads.

    Attributes:
        url: The master's address.
        folder: Where logs and configuration are.
    """

    def __init__(self, folder: Path, *, workers: int = 2, applications: int = 3) -> None:
        self.folder = folder
        self._applications = applications
        self._processes: list[subprocess.Popen[bytes]] = []
        self._workers: list[subprocess.Popen[bytes]] = []
        self._guard = subprocess.Popen([sys.executable, "-c", _GUARD], stdin=subprocess.PIPE, start_new_session=True)
        folder.mkdir(parents=True, exist_ok=True)
        self.variables = {
            "SPARK_CONF_DIR": str(self.configuration("conf")),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(folder / "local"),
            "PYSPARK_PYTHON": sys.executable,
        }
        self.url = "local[2]"
        if not workers:
            return
        try:
            self.url = self._start("master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0",
                                   "--webui-port", "0", until=r"Starting Spark master at (spark://\S+)")  # fmt: skip
            for _ in range(workers):
                self.start_worker()
        except BaseException:
            self.stop()
            raise

    def configuration(self, name: str, **changed: str) -> Path:
        """A new folder for ``SPARK_CONF_DIR`` with ``spark-defaults.conf``; ``spark_executor_memory="1g"`` sets that name."""
        settings = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "512m",
            "spark.driver.extraJavaOptions": _SMALL_JVM,
            "spark.executor.memory": "512m",
            "spark.executor.cores": "1",
            "spark.cores.max": "2",
            "spark.executor.extraJavaOptions": f"{_SMALL_JVM} -XX:MaxDirectMemorySize={_DIRECT_MEMORY}",
            "spark.sql.shuffle.partitions": "4",
            "spark.ui.enabled": "false",
            **{key.replace("_", "."): value for key, value in changed.items()},
        }
        folder = self.folder / name
        folder.mkdir()
        (folder / "spark-defaults.conf").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        return folder

    @contextmanager
    def environment(self, **changed: str) -> Iterator[None]:
        """The environment of a process that uses the cluster, for as long as the block runs."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (self.variables | changed).items():
                patch.setenv(name, value)
            yield

    def start_worker(self) -> int:
        """Start one more worker; its number."""
        number = len(self._workers)
        self._start(f"worker-{number}", "org.apache.spark.deploy.worker.Worker", self.url, "--host", "127.0.0.1",
                    "--webui-port", "0", "-c", str(self._applications), "-m", f"{self._applications}g",
                    "-d", str(self.folder / "work"), until="Successfully registered with master")  # fmt: skip
        self._workers.append(self._processes[-1])
        return number

    def kill_worker(self, number: int) -> None:
        """Kill a worker and its executors, as a machine dies."""
        os.killpg(self._workers[number].pid, signal.SIGKILL)
        self._workers[number].wait()

    def start_connect(self) -> "Server":
        """Start a Spark Connect server on the cluster."""
        port = self._start(
            "connect", "org.apache.spark.deploy.SparkSubmit", "--master", self.url,
            "--conf", "spark.connect.grpc.binding.address=127.0.0.1", "--conf", "spark.connect.grpc.binding.port=0",
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal",
            until=r"Spark Connect server started at: \S*?:(\d+)",
            SPARK_DAEMON_MEMORY="512m",  # the driver's: for this class spark.driver.memory is not looked at
        )  # fmt: skip
        return Server(f"sc://127.0.0.1:{port}", self._processes[-1])

    def stop(self) -> None:
        """End everything."""
        for process in reversed(self._processes):
            _signal(process, signal.SIGTERM)
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            _signal(process, signal.SIGKILL)  # its executors, too
            process.wait()
        self._guard.kill()
        self._guard.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, name: str, *command: str, until: str, **variables: str) -> str:
        """Start a process and wait until its log says so; the first group of what it says, or all of it."""
        environment = {
            **os.environ,
            **self.variables,
            "SPARK_HOME": str(_SPARK_HOME),
            "SPARK_NO_DAEMONIZE": "1",
            "SPARK_DAEMON_MEMORY": "192m",
            "SPARK_DAEMON_JAVA_OPTS": _SMALL_JVM,
            **variables,
        }
        log = self.folder / f"{name}-{len(self._processes)}.log"
        with log.open("wb") as written:
            process = subprocess.Popen([_SPARK_HOME / "bin" / "spark-class", *command], env=environment, stdout=written,
                                       stderr=subprocess.STDOUT, start_new_session=True, cwd=self.folder)  # fmt: skip
        self._processes.append(process)
        self._guard.stdin.write(f"{process.pid}\n".encode())
        self._guard.stdin.flush()
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            if found := re.search(until, log.read_text(errors="replace")):
                return found[found.re.groups and 1]
            time.sleep(0.05)
        raise RuntimeError(f"{name} does not start: {log.read_text(errors='replace')[-2000:]}")


class Server:
    """A Spark Connect server."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self._process = process

    def kill(self) -> None:
        """Kill it, as a machine dies."""
        _signal(self._process, signal.SIGKILL)
        self._process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
