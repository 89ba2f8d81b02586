"""What is known of a lake, in a folder, a container and a bucket; landing into it, and what readers get of it. Without Spark."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from film_assets.common.progress import Silent
from film_assets.engines.checks import Finding
from film_assets.engines.outcome import Outcome
from film_assets.engines.spark import landing
from film_assets.engines.spark.copy import LakeCopy
from film_assets.engines.spark.lake.state import State
from film_assets.engines.spark.lake.storage import Storage, folder
from film_assets.engines.spark.lake.table import File
from film_assets.engines.state import Ranges, RangeState
from film_assets.engines.working_file import connect
from film_assets.errors import HomeError
from film_assets.home import Home
from film_assets.landing import FileContent
from film_assets.landing.run import in_threads
from film_assets.settings import load_settings
from film_assets.snapshot import indexes
from film_assets.snapshot.publish import publish
from film_assets.sources import open_source
from film_assets.tables import BLOBS, COMPUTED, TABLES, raw
from film_assets_tests.blobs import change, copy, write_real_rows
from film_assets_tests.conftest import rebuilt, refresh

GENRES = TABLES["films.genres"]


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_real_rows(tmp_path_factory.mktemp("real") / "blobs")


def land(lake: Storage, state: State, blobs: Path, blob: raw.Blob = raw.titles, *, force: bool = False) -> Outcome:
    """Land a blob as the engine does, its pieces read by threads in place of executors."""
    source = open_source(str(blobs), {blob.short: blob.files})
    listed = source.list()[blob.short]
    content = FileContent(blobs / listed.file)
    ranges, settings = Ranges(state.ranges()), load_settings(max_lost_rows=1, max_lost_values=1)
    given = (lake, state, ranges, settings, blob, content, listed, source.label)
    return landing.land(in_threads, *given, lambda: None, force=force)


def rows(lake: Storage, state: State, name: str = "raw.titles") -> pl.DataFrame:
    files = [lake.url(path) for paths in state.lake[name].files().values() for path in paths]
    return pl.read_parquet(files, storage_options=dict(lake.options) or None, hive_partitioning=False)


def load(lake: Storage, days: int = 7) -> State:
    return State(lake, days=days).load()


def faulty(blobs: Path, target: Path) -> Path:
    """The same blobs, a rejected row in the first range of titles and a dropped value in the last."""
    found = copy(blobs, target)
    lines = (found / "titles.tsv").read_text().splitlines()
    fields = lines[-1].split("\t")
    fields[5] = "soon"
    (found / "titles.tsv").write_text("\n".join([lines[0], "tt0000000\tmovie", *lines[1:-1], "\t".join(fields)]) + "\n")
    return found


def test_a_blob_lands_and_everybody_knows(lake: Storage, blobs: Path) -> None:
    for blob in BLOBS:
        found = land(lake, load(lake), blobs, blob)
        assert found.rows > 0
    state = load(lake)
    assert state.mended == []
    assert {name: landed.rows_loaded for name, landed in state.landed_blobs().items()} == {
        blob.short: rows(lake, state, blob.name).height for blob in BLOBS
    }
    expected = pl.read_csv(blobs / "titles.tsv", separator="\t", quote_char=None, null_values="\\N", columns=["tconst"])
    assert_frame_equal(rows(lake, state).select("tconst"), expected, check_row_order=False)
    assert list(lake.list("staging")) == []

    versions = {name: table.version for name, table in state.lake.items() if table.version >= 0}
    again = land(lake, load(lake), blobs)
    assert again.rebuilt == {}
    assert {name: table.version for name, table in load(lake).lake.items() if table.version >= 0} == versions


def test_a_blob_in_any_order_lands_and_leaves_nothing_staged(lake: Storage, blobs: Path, tmp_path: Path) -> None:
    land(lake, load(lake), blobs)
    expected = rows(lake, load(lake)).sort("tconst")
    shuffled = copy(blobs, tmp_path / "shuffled")
    header, *lines = (shuffled / "titles.tsv").read_text().splitlines()
    (shuffled / "titles.tsv").write_text("\n".join([header, *reversed(lines)]) + "\n")
    assert land(lake, load(lake), shuffled).rebuilt == {}
    assert_frame_equal(rows(lake, load(lake)).sort("tconst"), expected)
    assert list(lake.list("staging")) == []


def test_a_changed_row_replaces_the_files_of_its_range_alone(lake: Storage, blobs: Path, tmp_path: Path) -> None:
    land(lake, load(lake), blobs)
    before = load(lake).lake["raw.titles"].files()
    changed = copy(blobs, tmp_path / "changed")
    change(changed, "titles", "tt0000009", lambda fields: [*fields[:2], "Another Name", *fields[3:]])
    found = land(lake, load(lake), changed)
    after = load(lake).lake["raw.titles"].files()
    ((key, how),) = found.rebuilt.items()
    assert how.difference.columns == ["primaryTitle"]
    assert {one for one in after if after[one] != before.get(one)} == {key}


def test_rejected_rows_of_slices_that_are_known_are_kept(lake: Storage, blobs: Path, tmp_path: Path) -> None:
    with_faults = faulty(blobs, tmp_path / "faulty")
    land(lake, load(lake), with_faults)
    first = load(lake).rejects(raw.titles).drop("digest").sort("range", "line")
    assert first["column"].to_list() == [None, "startYear"]

    change(with_faults, "titles", "tt0000009", lambda fields: [*fields[:2], "Another Name", *fields[3:]])
    land(lake, load(lake), with_faults)
    assert_frame_equal(load(lake).rejects(raw.titles).drop("digest").sort("range", "line"), first)
    assert load(lake).landed_blobs()["titles"].rows_rejected == 1

    land(lake, load(lake), blobs)
    assert load(lake).rejects(raw.titles).height == 0


def test_a_state_that_does_not_fit_the_files_counts_as_never_built(lake: Storage, blobs: Path) -> None:
    """As after a run that was killed between its two commits, or where somebody else wrote to the table."""
    land(lake, load(lake), blobs)
    state = load(lake)
    known = state.ranges()
    key = next(iter(state.lake["raw.titles"].files()))
    state.lake["raw.titles"].replace([key], [])

    state = load(lake)
    assert state.mended == ["raw.titles"]
    assert state.ranges() == {place: one for place, one in known.items() if place != ("raw.titles", key)}
    assert state.landed_blobs() == {}
    land(lake, state, blobs)
    assert load(lake).mended == []
    assert load(lake).ranges() == known


def test_what_somebody_else_wrote_meanwhile_is_not_taken_over(lake: Storage, blobs: Path, tmp_path: Path) -> None:
    land(lake, load(lake), blobs)
    changed = copy(blobs, tmp_path / "changed")
    change(changed, "titles", "tt0000009", lambda fields: [*fields[:2], "Another Name", *fields[3:]])
    late = load(lake)
    assert late.lake["raw.titles"].version == 0
    land(lake, load(lake), changed)
    change(changed, "titles", "tt0000009", lambda fields: [*fields[:2], "A Third", *fields[3:]])
    with pytest.raises(HomeError, match="somebody else wrote to it"):
        land(lake, late, changed)
    assert "Another Name" in rows(lake, load(lake))["primaryTitle"].to_list()


def test_findings_and_profiles_are_kept(lake: Storage) -> None:
    state = load(lake)
    finding = Finding("v", "l", 2, ["a", "b"])
    state.keep_findings({("films.titles", "Key()", "00"): finding, ("films.genres", "Key()", "00"): finding})
    state.keep_findings({("films.titles", "Key()", "01"): finding})
    assert load(lake).findings().keys() == {
        ("films.titles", "Key()", "00"), ("films.titles", "Key()", "01"), ("films.genres", "Key()", "00"),
    }  # fmt: skip
    assert state.profile(raw.titles) is None
    state.keep_profile(raw.titles, "version", [["tconst", 1]])
    assert load(lake).profile(raw.titles) == ("version", [["tconst", 1]])


def test_refreshes_of_the_last_days_are_written_down(tmp_path: Path, blobs: Path) -> None:
    lake = Storage(folder(tmp_path / "lake"))
    land(lake, load(lake), blobs)
    before = datetime.now(UTC)
    for _ in range(2):
        load(lake).note_refresh()
    found = pl.scan_delta(lake.url("state/refreshes")).collect()
    assert found.select("name", "version").rows() == [("raw.titles", 0)] * 2
    assert all(before < at < before + timedelta(minutes=5) for at in found["publishedAt"])


def genres(lake: Storage, state: State, key: str, titles: Mapping[str, str]) -> None:
    """Write a range of a computed table, as the engine does once Spark has written its files."""
    frame = pl.DataFrame({"tconst": list(titles), "genre": list(titles.values())})
    path = f"some/range={key}/{len(list(lake.list('films/genres')))}.parquet"
    size = lake.write_frame(f"films/genres/{path}", frame)
    version = dict.fromkeys(GENRES.column_names, str(titles))
    state.write(GENRES, {key: RangeState("own", "", version, frame.height)}, [(key, File(path, size, frame.height))], [key])


def published(lake: Storage, state: State, home: Home) -> None:
    """Publish a lake: to ``films.duckdb`` of a home."""
    with_settings = load_settings(home=home.folder)
    copied = LakeCopy(home, connect(with_settings, home), lake, state)
    try:
        copied.bring_up_to_date(Ranges(state.ranges()), Silent())
        indexes.refresh(copied, lambda _: None)
        publish(copied, home)
    finally:
        copied.close()


def asked(home: Home, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(home.films, read_only=True) as films:
        return films.sql(query).fetchall()


@pytest.mark.slow
def test_readers_get_what_is_in_the_lake(lake: Storage, blobs: Path, tmp_path: Path) -> None:
    """The raw tables are views over files, which any reader must be able to open, without an extension for the store."""
    home = load_settings(home=tmp_path / "home").kept_in
    home.prepare()
    for blob in BLOBS:
        land(lake, load(lake), blobs, blob)
    state = load(lake)
    genres(lake, state, "00", {"tt0000009": "Romance"})
    published(lake, state, home)
    expected = rows(lake, state).select(raw.titles.column_names).sort("tconst").rows()
    assert asked(home, "from raw.titles order by tconst") == expected
    assert asked(home, "select tconst, genre from films.genres") == [("tt0000009", "Romance")]
    fetched = sorted(home.landing.rglob("*.parquet"))
    assert bool(fetched) != lake.is_folder

    changed = copy(blobs, tmp_path / "changed")
    change(changed, "titles", "tt0000009", lambda fields: [*fields[:2], "Another Name", *fields[3:]])
    land(lake, load(lake), changed)
    state = load(lake)
    genres(lake, state, "00", {"tt0000009": "Drama"})
    times = {path: path.stat().st_mtime_ns for path in fetched}
    published(lake, state, home)
    assert asked(home, "select primaryTitle from raw.titles where tconst = 'tt0000009'") == [("Another Name",)]
    assert asked(home, "select genre from films.genres") == [("Drama",)]
    if not lake.is_folder:
        assert {path: path.stat().st_mtime_ns for path in fetched} == times  # fetched once
        assert len(sorted(home.landing.rglob("*.parquet"))) == len(fetched) + 1
        genres(lake, state, "00", {"tt0000009": "Comedy"})
        published(lake, state, home)  # nobody who opened the snapshot before the last one has it any more
        left = sorted(home.landing.rglob("*.parquet"))
        assert len(left) == len(fetched)
    assert asked(home, "select count(*) from raw.titles") == [(len(expected),)]


@pytest.mark.slow
def test_the_embedded_engine_begins_anew_in_the_home_of_a_lake_and_leaves_the_lake_alone(
    lake: Storage, blobs: Path, tmp_path: Path
) -> None:
    """What was fetched from the lake is the home's, and is deleted once no snapshot has it; what lies in the lake is not."""
    settings = load_settings(source=str(blobs), home=tmp_path / "home")
    settings.kept_in.prepare()
    land(lake, load(lake), blobs)
    published(lake, load(lake), settings.kept_in)
    before = sorted(lake.list(""))
    fetched = set(settings.kept_in.landing.rglob("*.parquet"))

    report = refresh(settings)
    assert "the tables in the home are of another engine or lake; all are built anew" in report.notices
    assert {table.name for table in COMPUTED} <= set(rebuilt(report))
    for name in ("Another Name", "A Third"):
        changed = copy(blobs, tmp_path / name)
        change(changed, "titles", "tt0000009", lambda fields, name=name: [*fields[:2], name, *fields[3:]])
        report = refresh(settings.model_copy(update={"source": str(changed)}))
        assert report.notices == []
    assert "A Third" in str(asked(settings.kept_in, "select primaryTitle from raw.titles"))
    with duckdb.connect(settings.kept_in.warehouse, read_only=True) as home:
        current = {file for (file,) in home.sql("select file from state.slices union select file from state.retired").fetchall()}
    there = {str(path.relative_to(settings.kept_in.landing)) for path in settings.kept_in.landing.rglob("*.parquet")}
    assert there == current
    assert bool(fetched) != lake.is_folder
    assert sorted(lake.list("")) == before
