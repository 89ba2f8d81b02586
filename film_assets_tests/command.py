"""The command line as people run it: another process, its output and its exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("film-assets")


def film_assets(*arguments: object, home: Path, seconds: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a home, for so many seconds at most; nothing is read from the keyboard."""
    return subprocess.run(
        [str(PROGRAM), *map(str, arguments)],
        env={**os.environ, "FILM_ASSETS_HOME": str(home), "COLUMNS": "200", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def refresh(source: object, home: Path, *options: str) -> dict[str, Any]:
    """The JSON document of a refresh that went well."""
    done = film_assets("refresh", "--source", source, "--json", *options, home=home)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def rebuilt(document: dict[str, Any]) -> dict[str, list[str]]:
    """Table -> ranges that were rebuilt, of the tables where any was."""
    return {name: outcome["rebuilt"] for name, outcome in document["tables"].items() if outcome["rebuilt"]}
