"""How long a refresh with nothing to do takes as a whole process, and how much of it is importing.

    python benchmarks/empty_refresh.py [ROUNDS]

The two are measured in turns, so that a machine that slows down slows both.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("film-assets")
IMPORTS = [sys.executable, "-c", "import film_assets.cli, film_assets.assets.run"]


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """The wall time of a whole process that ends well."""
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def main(rounds: int) -> None:
    """Print medians, spread and the share of the imports."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "FILM_ASSETS_HOME": f"{folder}/home", "FILM_ASSETS_SOURCE": f"{folder}/blobs"}
        seconds([str(PROGRAM), "sample", f"{folder}/blobs"], environment)
        refresh = [str(PROGRAM), "refresh", "--json"]
        for _ in range(2):
            seconds(refresh, environment)
        pairs = [(seconds(refresh, environment), seconds(IMPORTS, environment)) for _ in range(rounds)]
    for name, figures in zip(("refresh", "imports"), zip(*pairs, strict=True), strict=True):
        print(f"{name}: median {statistics.median(figures):.2f} s, {min(figures):.2f} to {max(figures):.2f} s")
    print(f"imports: {statistics.median(part / whole for whole, part in pairs):.0%} of it, {rounds} rounds")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
