"""The files for running it as services: that what they start is there, and what can be checked without a service manager."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPO = Path(__file__).parents[1]
DEPLOY = REPO / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
PROGRAMS = Path(sys.executable).parent
INSTALLED = "/opt/film-assets/.venv/bin"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_one_that_systemd_takes(unit: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace(INSTALLED, str(PROGRAMS)))
    done = subprocess.run(["systemd-analyze", "verify", here], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_images_and_units_start_the_same_programs() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    found = {}
    for unit in UNITS:
        first, then = re.findall(rf"^ExecStart(?:Pre)?={INSTALLED}/(.*)$", unit.read_text(), re.MULTILINE)
        found[unit.stem.removeprefix("film-assets-")] = f'sh -c "{first} && exec {then}"'
    started = {name: service["command"] for name, service in services.items() if "command" in service}
    assert {name: text.replace("0.0.0.0", "127.0.0.1") for name, text in started.items()} == found
    for program in re.findall(r'(?:"|exec )([\w-]+)', " ".join(found.values())):
        assert (PROGRAMS / program).exists()


def test_the_image_has_every_file_that_it_copies() -> None:
    copied = re.findall(r"^COPY (.*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    let_in = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    names = {name for line in copied for name in line.split()}
    assert names == let_in
    assert [name for name in names if not (REPO / name).exists()] == []
