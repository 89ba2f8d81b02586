"""What a person sees while a refresh runs: the command in a terminal of its own, as people run it."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from film_assets.refresh.estimate import CHECKS, INDEXES, PUBLISHING, steps
from film_assets.tables import BLOBS, COMPUTED
from film_assets_tests.command import PROGRAM

pytestmark = pytest.mark.slow

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shown(*arguments: object, **environment: str) -> str:
    """All that a command writes into a terminal."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *map(str, arguments)], stdin=terminal, stdout=terminal, stderr=terminal, env={**os.environ, **environment}
    ) as process:
        os.close(terminal)
        written = b"".join(iter(lambda: _read(controller), b""))
    os.close(controller)
    assert process.returncode == 0, written.decode()
    return CONTROL.sub("", written.decode())


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 1 << 16)
    except OSError:  # so Linux says that nobody writes to the terminal any more
        return b""


def test_every_phase_of_a_refresh_is_shown(sample: Path, tmp_path: Path) -> None:
    text = shown("refresh", "--source", sample, "--home", tmp_path / "home", COLUMNS="150", TERM="xterm")
    count = len(steps())
    phases = [*(f"land {blob.short}" for blob in BLOBS), *(f"build {table.name}" for table in COMPUTED)]
    assert [phase for phase in (*phases, CHECKS, INDEXES, PUBLISHING) if not re.search(rf"{re.escape(phase)} .*━", text)] == []
    assert [number for number in range(1, count + 1) if f"step {number} of {count} " not in text] == []
    assert re.search(rf"step {count} of {count} .* \d:\d\d:\d\d \d:\d\d:\d\d", text), "nothing says how long is left"
    assert re.search(rf"{PUBLISHING} .* 100% +\d", text)
