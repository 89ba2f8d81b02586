"""Several files for one blob at a source, as people who refresh see them: a line says which was left."""

import gzip
import json
import os
from pathlib import Path

import pytest

from film_assets_tests.blobs import write_real_rows
from film_assets_tests.command import film_assets, refresh

pytestmark = pytest.mark.slow


def test_the_renewed_file_beside_an_old_one_is_taken_and_told(tmp_path: Path) -> None:
    blobs, home = write_real_rows(tmp_path / "blobs"), tmp_path / "home"
    assert refresh(blobs, home)["notices"] == []
    old = blobs / "ratings.tsv"
    os.utime(old, (1_000_000, 1_000_000))
    new = blobs / "title.ratings.tsv.gz"
    new.write_bytes(gzip.compress(old.read_bytes() + b"tt9999999\t9.9\t9\n"))
    document = refresh(blobs, home)
    words = "ratings: title.ratings.tsv.gz is taken, as it is newer than ratings.tsv; remove what is not wanted"
    assert document["notices"] == [words]
    assert document["blobs"]["ratings"]["rowsLoaded"] == 4
    again = film_assets("refresh", "--source", blobs, home=home)
    assert f"note: {words}" in again.stdout
    status = film_assets("status", "--source", blobs, home=home)
    assert f"note: {words}" in status.stdout
    found = json.loads(film_assets("status", "--source", blobs, "--json", home=home).stdout)
    assert [blob["choice"] for blob in found if blob["choice"]] == [words]
