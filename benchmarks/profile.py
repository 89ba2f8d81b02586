"""Where a refresh spends its time: its steps, and what is around them.

    python -m benchmarks.profile BLOBS HOME

runs one refresh and prints as JSON what each part of it took. Belongs here: what is a part. Does not belong here: how figures are
shown (``report``).
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from film_assets.common.progress import Silent

AROUND, STARTING = "Dagster around the steps", "start and imports"


class Stopwatch(Silent):
    """Notes how long each step takes.

    Attributes:
        parts: Step -> seconds, and seconds of processor time.
    """

    def __init__(self) -> None:
        """Nothing is noted yet."""
        self.parts: dict[str, tuple[float, float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Note how long the block takes."""
        started, busy = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            before = self.parts.get(name, (0.0, 0.0))
            self.parts[name] = (before[0] + time.perf_counter() - started, before[1] + time.process_time() - busy)


def parts(blobs: Path, home: Path) -> dict[str, tuple[float, float]]:
    """Part -> seconds, and seconds of processor time, of a refresh of that home in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.profile", str(blobs), str(home)]
    found: dict[str, tuple[float, float]] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _refresh(blobs: Path, home: Path) -> dict[str, tuple[float, float]]:
    from film_assets.definitions import build_defs
    from film_assets.orchestration.run import run_refresh
    from film_assets.settings import load_settings

    stopwatch = Stopwatch()
    began = (time.time() - psutil.Process().create_time(), time.process_time())
    started, busy = time.perf_counter(), time.process_time()
    run_refresh(build_defs, load_settings(source=str(blobs), home=home), progress=stopwatch)
    whole = (time.perf_counter() - started, time.process_time() - busy)
    seconds, processor = (sum(part[at] for part in stopwatch.parts.values()) for at in (0, 1))
    return {STARTING: began, **stopwatch.parts, AROUND: (whole[0] - seconds, whole[1] - processor)}


if __name__ == "__main__":
    print(json.dumps(_refresh(Path(sys.argv[1]), Path(sys.argv[2]))))
