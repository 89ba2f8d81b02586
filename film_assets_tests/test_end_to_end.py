"""From a public container to the published file by the command line, on a real Azure Blob service."""

from pathlib import Path

import duckdb
import pytest

from film_assets.tables import BLOBS, COMPUTED
from film_assets.tables.ranges import RANGE_KEYS, UNPARTITIONED_KEYS
from film_assets_tests import command, expected
from film_assets_tests.azurite import Azurite

pytestmark = pytest.mark.slow


def test_container_to_tables_and_back_again(azurite: Azurite, sample: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with azurite.container("films-end-to-end", public=True) as container:
        url = f"{azurite.url}/films-end-to-end"

        def upload(name: str, data: bytes) -> None:
            container.upload_blob(name, data, overwrite=True)

        for path in sample.glob("*.tsv"):
            upload(path.name, path.read_bytes())
        first = command.refresh(url, home)
        _check_first(first, home, sample)

        assert command.rebuilt(command.refresh(url, home)) == {}

        ratings = (sample / "ratings.tsv").read_bytes()
        tconst, changed = _with_one_rating_changed(ratings)
        upload("ratings.tsv", changed)
        second = command.refresh(url, home)
        assert second["blobs"]["ratings"]["changed"]
        assert not second["blobs"]["titles"]["downloaded"]
        assert second["published"]
        _check_second(command.rebuilt(second), home, tconst)

        upload("ratings.tsv", changed)
        third = command.refresh(url, home)
        assert third["blobs"]["ratings"]["downloaded"]
        assert not third["blobs"]["ratings"]["changed"]
        assert command.rebuilt(third) == {}
        assert not third["published"]
        assert not command.refresh(url, home)["blobs"]["ratings"]["downloaded"]
    assert not list((home / "landing" / "downloads").iterdir())


def _check_first(document: dict[str, object], home: Path, sample: Path) -> None:
    assert document["published"]
    assert set(document["tables"]) == {table.name for table in (*BLOBS, *COMPUTED)}
    assert {key for outcome in document["tables"].values() for key in outcome["rebuilt"]} == {*RANGE_KEYS, *UNPARTITIONED_KEYS}
    with duckdb.connect(home / "films.duckdb", read_only=True) as films:
        for name, wanted in expected.tables(sample).items():
            key = next(table.key for table in COMPUTED if table.name == name)
            expected.assert_same(name, films.sql(f"from {name}").pl(), wanted, key)
            assert document["tables"][name]["rows"] == wanted.height


def _with_one_rating_changed(blob: bytes) -> tuple[str, bytes]:
    lines = blob.split(b"\n")
    middle = len(lines) // 2
    tconst, rating, votes = lines[middle].split(b"\t")
    lines[middle] = b"\t".join([tconst, b"1.3" if rating != b"1.3" else b"1.4", votes])
    return tconst.decode(), b"\n".join(lines)


def _check_second(rebuilt: dict[str, list[str]], home: Path, tconst: str) -> None:
    from film_assets.tables import sql

    with duckdb.connect(home / "films.duckdb", read_only=True) as films:

        def ranges(column: str, query: str) -> list[str]:
            return [
                key for key in RANGE_KEYS if films.sql(f"select 1 from ({query}) where {sql.in_ranges(column, [key])}").fetchall()
            ]

        own = ranges("tconst", f"select '{tconst}' as tconst")
        people = f"select nconst from films.known_for where tconst = '{tconst}'"
        credits_ = f"select tconst from metrics.comparison where nconst in ({people}) union select '{tconst}'"
        assert rebuilt["raw.ratings"] == rebuilt["films.ratings"] == own
        assert rebuilt["metrics.director_performance"] == rebuilt["metrics.actor_performance"] == own
        assert rebuilt.get("metrics.known_for_success", []) == ranges("nconst", people)
        assert rebuilt["metrics.comparison"] == ranges("tconst", credits_)
    assert not [name for name in rebuilt if name.startswith(("raw.", "films.")) and not name.endswith(".ratings")]


def test_status_tells_what_changed(sample: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    new = command.film_assets("status", "--source", sample, home=home)
    assert new.returncode == 0
    assert new.stdout.count(" new") == len(BLOBS)
    command.refresh(sample, home)
    assert command.film_assets("status", "--source", sample, home=home).stdout.count("unchanged") == len(BLOBS)
    assert not (home / "elsewhere").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/nowhere/at/all", "/nowhere/at/all"),
        ("ftp://example.org/films", "ftp"),
        ("http://127.0.0.1:9/devstoreaccount1/films", "127.0.0.1:9"),
        (None, "no source is set"),
    ],
)
def test_a_source_that_cannot_be_is_one_line(tmp_path: Path, source: str | None, message: str) -> None:
    given = ["--source", source] if source else []
    done = command.film_assets("refresh", *given, home=tmp_path / "home")
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stdout == ""


def test_a_container_that_is_not_there_or_not_public_is_one_line(azurite: Azurite, tmp_path: Path) -> None:
    with azurite.container("films-private", public=False):
        for name in ("films-private", "films-absent"):
            done = command.film_assets("refresh", "--source", f"{azurite.url}/{name}", home=tmp_path / "home")
            assert done.returncode == 1
            assert len(done.stderr.strip().splitlines()) == 1, done.stderr
            assert name in done.stderr


def test_a_home_that_cannot_be_is_one_line(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = command.film_assets("refresh", "--source", sample, home=tmp_path / "file" / "home")
    assert done.returncode == 1
    assert "FILM_ASSETS_HOME" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_bad_blob_is_one_line_and_touches_nothing(sample: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command.refresh(sample, home)
    before = (home / "films.duckdb").stat()
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in sample.glob("*.tsv"):
        (broken / path.name).write_bytes(b"" if path.stem == "names" else path.read_bytes())
    done = command.film_assets("refresh", "--source", broken, home=home)
    assert done.returncode == 1
    assert done.stderr.strip() == "film-assets: names: the blob is empty; upload it again"
    assert (home / "films.duckdb").stat() == before


def test_faults_are_kept_with_their_lines(faulty_sample: Path, tmp_path: Path) -> None:
    document = command.refresh(faulty_sample, tmp_path / "home")
    with duckdb.connect(tmp_path / "home" / "films.duckdb", read_only=True) as films:
        rejected = films.sql("select blob, line, text from quality.rejected_rows").fetchall()
    assert {blob for blob, _, _ in rejected} == {blob.short for blob in BLOBS}
    for blob, line, text in rejected:
        there = (faulty_sample / f"{blob}.tsv").read_bytes().split(b"\n")[line - 1]
        assert there.decode(errors="replace") == text
    for account in document["blobs"].values():
        assert account["rowsRead"] == account["rowsLoaded"] + account["rowsRejected"]
        assert account["rowsRejected"] > 0
