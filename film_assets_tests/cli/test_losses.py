"""What a refresh tells of values that were dropped and of checks that warn, and how losses are accepted."""

from pathlib import Path

import pytest

from film_assets_tests.blobs import change, write_real_rows
from film_assets_tests.command import film_assets, refresh

pytestmark = pytest.mark.slow


def test_a_refresh_ends_with_what_was_dropped_and_what_warns(tmp_path: Path) -> None:
    blobs, home = write_real_rows(tmp_path / "blobs"), tmp_path / "home"
    change(blobs, "ratings", "tt0000005", lambda fields: [*fields[:2], "few"])
    change(blobs, "names", "nm0443482", lambda _: None)
    document = refresh(blobs, home)
    assert document["dropped"] == [
        {"blob": "ratings", "column": "numVotes", "reason": "value dropped: not of type INTEGER", "values": 1}
    ]
    assert "films.cast: nconst in films.names: 2 do not: nm0443482" in document["warnings"]
    assert "raw.ratings: no value dropped: 1 does not: ratings.numVotes 1 of 3 (33.333%)" in document["warnings"]
    done = film_assets("refresh", "--source", blobs, home=home)
    assert "1 value of ratings.numVotes was dropped: not of type INTEGER; see quality.rejected_rows\n" in done.stdout
    assert "warning: films.cast: nconst in films.names: 2 do not: nm0443482\n" in done.stdout


def test_sound_blobs_lose_nothing_and_warn_of_nothing(tmp_path: Path) -> None:
    document = refresh(write_real_rows(tmp_path / "blobs"), tmp_path / "home")
    assert (document["dropped"], document["warnings"]) == ([], [])


def test_losses_are_refused_in_one_line_and_accepted_by_an_option(tmp_path: Path) -> None:
    blobs, home = write_real_rows(tmp_path / "blobs"), tmp_path / "home"
    lines = [f"tt{number:07}\t5.5\tmany" for number in range(1, 21)]
    (blobs / "ratings.tsv").write_text("\n".join(["tconst\taverageRating\tnumVotes", *lines]) + "\n")
    done = film_assets("refresh", "--source", blobs, home=home)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("film-assets: ratings: 20 values of numVotes cannot be read, and 0 can; nothing was taken over")
    assert not (home / "films.duckdb").exists()
    document = refresh(blobs, home, "--accept-losses")
    assert document["dropped"][0]["values"] == 20
    assert refresh(blobs, home)["published"] is False
