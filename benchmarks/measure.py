"""A whole process measured from outside: wall time, processor time and peak memory of it and all its children.

Belongs here: running and measuring one command. Does not belong here: which commands (``contest``), what is made of the
figures (``report``).
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_INTERVAL = 0.1
_SHOWN = 20
WELL, OUT_OF_MEMORY, OUT_OF_TIME = "well", "out of memory", "out of time"


@dataclass(frozen=True)
class Limits:
    """What a process may use before it is stopped: bytes of memory and seconds."""

    memory: int
    seconds: float = 3600

    @classmethod
    def of_this_machine(cls) -> "Limits":
        """Nearly all the memory that is free now, so that the machine itself does not run out of it."""
        return cls(int(psutil.virtual_memory().available * 0.92))


@dataclass(frozen=True)
class Run:
    """What a process took.

    Attributes:
        seconds: From its start to its end.
        cpu: Seconds of processor time, of it and its children; of those that nobody waited for, as they were last seen.
        peak: The most bytes of memory that it and its children held at one time, files mapped into memory included.
        ended: Whether it ended well, or which limit it was stopped at; then the other figures are those so far.
    """

    seconds: float
    cpu: float
    peak: int
    ended: str


class _Watch(threading.Thread):
    """Looks at the memory of a process and its children until it is told to stop, and ends them at a limit."""

    def __init__(self, pid: int, limits: Limits) -> None:
        super().__init__(daemon=True)
        self._process, self._pid, self._limits = psutil.Process(pid), pid, limits
        self._over = threading.Event()
        self._deadline = time.monotonic() + limits.seconds
        self.peak, self.ended = 0, WELL
        self._cpu: dict[psutil.Process, float] = {}

    @property
    def cpu(self) -> float:
        """Seconds of processor time of all processes as they were last seen, those that nobody waited for too."""
        return sum(self._cpu.values())

    def run(self) -> None:
        while not self._over.wait(_INTERVAL):
            self.peak = max(self.peak, self._memory())
            if self.peak > self._limits.memory:
                self._end(OUT_OF_MEMORY)
            elif time.monotonic() > self._deadline:
                self._end(OUT_OF_TIME)

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _memory(self) -> int:
        total = 0
        try:
            for process in (self._process, *self._process.children(recursive=True)):
                with process.oneshot():
                    total += process.memory_info().rss
                    used = process.cpu_times()
                    self._cpu[process] = used.user + used.system
        except psutil.NoSuchProcess:
            return 0  # one ended while it was looked at; the next look tells
        return total

    def _end(self, reason: str) -> None:
        self.ended = reason
        os.killpg(self._pid, signal.SIGKILL)
        self._over.set()


def run(command: Sequence[str], limits: Limits, environment: Mapping[str, str] | None = None) -> Run:
    """Runs a command to its end, in a process group of its own.

    Raises:
        RuntimeError: It failed by itself; the text has the end of what it wrote.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        watch = _Watch(process.pid, limits)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        watch.stop()
        process.returncode = os.waitstatus_to_exitcode(status)
        ended = OUT_OF_MEMORY if process.returncode == -signal.SIGKILL and watch.ended == WELL else watch.ended
        if process.returncode != 0 and ended == WELL:
            output.seek(0)
            told = "\n".join(output.read().decode(errors="replace").splitlines()[-_SHOWN:])
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    return Run(seconds, max(usage.ru_utime + usage.ru_stime, watch.cpu), watch.peak, ended)


def size(path: Path) -> int:
    """Bytes that a file, or all in a folder, take on the disk; what has several names counts once."""
    files = [path, *path.rglob("*")]
    blocks = {stat.st_ino: stat.st_blocks for file in files if file.exists() for stat in [file.lstat()]}
    return sum(blocks.values()) * 512
