"""How long a day of many attempts takes to load, and how much memory, against plain COPY of the same rows as the limit.

    python benchmarks/learning_load.py [ROWS]

Each figure is of a process of its own. Plain COPY writes into the same tables with the same constraints, and reads rows that
are valid already, from CSV. PostgreSQL is a fresh one with its usual settings, but for fsync.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from film_assets.learning.api import texts
from film_assets.learning.attempts import ATTEMPTS, validate
from film_assets.learning.database import opened
from film_assets.learning.load import BATCH, load
from film_assets.learning.schema import prepare
from film_assets.learning.settings import LearningSettings
from film_assets_tests.learning.statistics import row
from film_assets_tests.postgres import running

DAY = date(2026, 1, 1)
LEARNERS, ATTEMPTS_A_TASK = 5_000, 8
COLUMNS = ", ".join(ATTEMPTS.names())


def write_answer(path: Path, rows: int) -> None:
    """An answer of the API with so many attempts: learners try each task several times, and many learn at once."""
    start, step = datetime(2026, 1, 1), timedelta(days=1) / rows  # noqa: DTZ001  (the API gives no zone)
    with path.open("w", encoding="utf-8") as file:
        for index in range(rows):
            learner = index % LEARNERS
            task = index // LEARNERS // ATTEMPTS_A_TASK
            attempt = row(f"learner-{learner:032d}", str(start + index * step), correct=[None, 0, 1][index % 3])
            attempt["passback_params"] = attempt["passback_params"].replace("DSPR", f"TASK{task}")
            file.write(("," if index else "[") + json.dumps(attempt))
        file.write("]")


def write_csv(answer: Path, path: Path) -> None:
    """The same rows, valid, as CSV."""
    with path.open("wb") as file:
        for batch in texts(answer, BATCH):
            file.write(validate(batch).attempts.write_csv(include_header=False, quote_style="non_numeric").encode())


def load_answer(folder: Path) -> None:
    """What the pipeline does."""
    with opened(LearningSettings.load()) as database:
        prepare(database)
        print(load(database, DAY, texts(folder / "answer.json", BATCH)))


def copy_csv(folder: Path) -> None:
    """The limit."""
    settings, csv = LearningSettings.load(), folder / "rows.csv"
    with opened(settings) as database:
        prepare(database)
    if settings.database_url is None:
        import duckdb

        with duckdb.connect(settings.database_file) as connection:
            connection.execute(f"copy solutions ({COLUMNS}) from '{csv}' (header false)").fetchall()
        return
    import psycopg

    with (
        psycopg.connect(settings.database_url.get_secret_value()) as connection,
        connection.cursor() as cursor,
        csv.open("rb") as file,
        cursor.copy(f"copy solutions ({COLUMNS}) from stdin (format csv)") as copy,
    ):
        while piece := file.read(1 << 20):
            copy.write(piece)


STEPS = {"load": load_answer, "again": load_answer, "copy": copy_csv}
PLACES = {"load": "loaded", "again": "loaded", "copy": "copied"}
"""Step -> which database; a day is loaded again where it is loaded already."""


def measured(step: str, folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds and MiB at the peak, of a step in a process of its own, without its imports."""
    command = [sys.executable, __file__, step, str(folder)]
    done = subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True)
    seconds, memory = done.stdout.splitlines()[-1].split()
    return float(seconds), float(memory)


def main(rows: int) -> None:
    """Print the figures of both databases."""
    with tempfile.TemporaryDirectory() as name, running() as server:
        folder = Path(name)
        write_answer(folder / "answer.json", rows)
        write_csv(folder / "answer.json", folder / "rows.csv")
        print(f"{rows:,} attempts, {(folder / 'answer.json').stat().st_size / 1e6:,.0f} MB of JSON")
        for kind in ("PostgreSQL", "DuckDB"):
            urls = {place: server.database(place) for place in set(PLACES.values())} if kind == "PostgreSQL" else {}
            limit = 0.0
            for step in ("copy", "load", "again"):
                place = PLACES[step]
                environment = {"FILM_ASSETS_HOME": f"{folder}/{place}"}
                if urls:
                    environment["LEARNING_DATABASE_URL"] = urls[place]
                seconds, memory = measured(step, folder, environment)
                limit = limit or seconds
                print(f"{kind}: {step} {seconds:.1f} s, {seconds / limit:.1f} times plain COPY, {memory:.0f} MiB at the peak")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in STEPS:
        began = time.perf_counter()
        STEPS[sys.argv[1]](Path(sys.argv[2]))
        print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
