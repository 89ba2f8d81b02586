"""What the command line says of a refresh: before it with ``--plan``, after it with ``--explain`` and ``--json``."""

import json
from pathlib import Path

import pytest

from film_assets_tests import command
from film_assets_tests.blobs import write_real_rows
from film_assets_tests.command import film_assets

pytestmark = pytest.mark.slow


def test_why_a_range_was_rebuilt_is_said_before_and_after(tmp_path: Path) -> None:
    blobs, home = write_real_rows(tmp_path / "blobs"), tmp_path / "home"
    command.refresh(blobs, home)
    ratings = blobs / "ratings.tsv"
    first, second, *rest = ratings.read_text().splitlines()
    ratings.write_text("\n".join([first, second + "0", *rest]) + "\n")

    planned = film_assets("refresh", "--plan", "--source", blobs, home=home)
    assert planned.stdout.splitlines()[0] == "raw.ratings: ratings.tsv is changed (20 ranges)"
    assert planned.stdout.splitlines()[-1] == "nothing was done"
    document = json.loads(film_assets("refresh", "--plan", "--json", "--source", blobs, home=home).stdout)
    assert document[0] == {"table": "raw.ratings", "ranges": document[0]["ranges"], "depends_on": [], "why": document[0]["why"]}

    done = film_assets("refresh", "--explain", "--source", blobs, home=home)
    assert "films.ratings 00: raw.ratings.numVotes changed in 00 (1 row)" in done.stdout.splitlines()
    forced = command.refresh(blobs, home, "--rebuild-table", "films.genres")
    assert forced["tables"]["films.genres"]["why"]["00"] == {"reason": "forced", "words": "forced", "causes": []}
    assert set(command.rebuilt(forced)) == {"films.genres"}

    wrong = film_assets("refresh", "--rebuild-table", "films.nothing", "--source", blobs, home=home)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("film-assets: there is no table films.nothing to rebuild; there are raw.")
    assert film_assets("refresh", "--plan", "--source", blobs, home=home).stdout == "there is nothing to do\n"
