"""What every engine does: a second refresh rebuilds the ranges that depend on what changed, and no others.

Written once; each test runs with each engine. What an engine does of its own is tested beside it.
"""

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import narwhals as nw
import pytest

from film_assets import tables
from film_assets.common import profiling
from film_assets.engines import ENGINES
from film_assets.engines.duckdb import warehouse
from film_assets.engines.spark import copy as copy_of_lake, profiles as profiles_of_lake
from film_assets.engines.spark.lake import state as state_of_lake
from film_assets.errors import BlobError, HomeError, SettingsError
from film_assets.refresh import pipeline, plan as planning
from film_assets.refresh.pipeline import Pipeline, blob_status
from film_assets.settings import Settings, load_settings
from film_assets.tables import BLOBS, COMPUTED, TABLES, Table
from film_assets.tables.ranges import RANGE_KEYS
from film_assets.tables.rules import RULES
from film_assets_tests.blobs import change, copy, write_real_rows
from film_assets_tests.conftest import query, rebuilt, refresh
from film_assets_tests.engines import in_memory

pytestmark = pytest.mark.slow

_MODULES = {"duckdb": ENGINES["duckdb"], "memory": in_memory.__name__, "spark": ENGINES["spark"]}


@pytest.fixture(params=["duckdb", "memory", pytest.param("spark", marks=pytest.mark.spark)])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an engine."""
    monkeypatch.setitem(ENGINES, request.param, _MODULES[request.param])
    if request.param == "spark":
        monkeypatch.setenv("FILM_ASSETS_SPARK", request.getfixturevalue("spark_url"))
    name: str = request.param
    return name


@pytest.fixture
def counts_rows(engine: str) -> bool:
    """Whether the engine compares rows; else it tells which columns differ, and how many rows more or fewer there are."""
    return engine != "spark"


@pytest.fixture
def place(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with a few real rows in ``blobs``; with Spark they are refreshed already, but for tests ``from_nothing``."""
    if engine == "spark" and not request.node.get_closest_marker("from_nothing"):
        restored: Callable[[], Path] = request.getfixturevalue("refreshed_by_spark")
        return restored()
    write_real_rows(tmp_path / "blobs")
    return tmp_path


@pytest.fixture
def blobs(place: Path) -> Path:
    """The few real rows."""
    return place / "blobs"


@pytest.fixture
def settings(engine: str, place: Path) -> Settings:
    """Settings of a home for them."""
    return load_settings(source=str(place / "blobs"), home=place / "home", engine=engine)


@pytest.mark.from_nothing
def test_the_first_refresh_builds_everything(settings: Settings) -> None:
    report = refresh(settings)
    assert set(report.outcomes) == {table.name for table in (*BLOBS, *COMPUTED)}
    assert all(tuple(outcome.rebuilt) == outcome.table.range_keys for outcome in report.outcomes.values())
    assert report.published


@pytest.mark.essential
def test_nothing_changed_nothing_done(settings: Settings) -> None:
    refresh(settings)
    before = settings.kept_in.films.stat()
    report = refresh(settings)
    assert rebuilt(report) == {}
    assert report.downloaded == set()
    assert not report.published
    assert settings.kept_in.films.stat() == before


def test_a_touched_file_with_the_same_content_rebuilds_nothing(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    os.utime(blobs / "titles.tsv", ns=(1, 1))
    report = refresh(settings)
    assert report.downloaded == {"titles"}
    assert rebuilt(report) == {}


def test_the_same_rows_in_another_order_rebuild_nothing(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    header, *lines = (blobs / "titles.tsv").read_text().splitlines()
    (blobs / "titles.tsv").write_text("\n".join([header, *reversed(lines)]) + "\n")
    report = refresh(settings)
    assert report.downloaded == {"titles"}
    assert rebuilt(report) == {}
    assert rebuilt(refresh(settings)) == {}


@pytest.mark.parametrize(
    ("blob", "row", "field", "value", "wanted"),
    [
        (
            "titles",
            "tt0000005",
            8,
            "Drama",
            {"raw.titles": ["00"], "films.genres": ["00"], "metrics.genre_success": ["all"]},
        ),
        ("titles", "tt0000005", 7, "2", {"raw.titles": ["00"], "films.titles": ["00"]}),
        (
            "titles",
            "tt0000005",
            2,
            "The Forge",
            {"raw.titles": ["00"], "films.titles": ["00"], "metrics.comparison": ["00"], "metrics.title_success": []},
        ),
        ("cast", "tt10233364", 4, "as himself", {"raw.cast": ["01"], "films.cast": ["01"]}),
        ("names", "nm0085156", 4, "writer", {"raw.names": ["00"], "films.professions": ["00"]}),
        (
            "names",
            "nm0085156",
            1,
            "Alex Black",
            {"raw.names": ["00"], "films.names": ["00"], "metrics.comparison": ["00"]},
        ),
    ],
)
def test_one_changed_value_rebuilds_what_depends_on_it(
    settings: Settings, blobs: Path, blob: str, row: str, field: int, value: str, wanted: dict[str, list[str]]
) -> None:
    refresh(settings)
    change(blobs, blob, row, lambda fields: [*fields[:field], value, *fields[field + 1 :]])
    report = refresh(settings)
    assert rebuilt(report) == {name: keys for name, keys in wanted.items() if keys}
    assert report.published
    assert rebuilt(refresh(settings)) == {}


@pytest.mark.essential
def test_a_changed_rating_is_followed_to_the_people(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    change(blobs, "ratings", "tt0000009", lambda fields: [fields[0], "9.9", fields[2]])
    done = rebuilt(refresh(settings))
    assert done.pop("metrics.known_for_success") == ["00"]
    assert {name: keys for name, keys in done.items() if "success" not in name and "collaborations" not in name} == {
        "raw.ratings": ["00"],
        "films.ratings": ["00"],
        "metrics.actor_performance": ["00"],
        "metrics.director_performance": ["00"],
        "metrics.writer_performance": ["00"],
        "metrics.comparison": ["00"],
    }
    assert query(settings, "select averageRating, knownAverageRating from metrics.comparison where tconst = 'tt0000009'") == [
        (9.9, 9.9)
    ]


@pytest.mark.from_nothing
def test_a_change_during_a_run_is_picked_up_by_the_next(settings: Settings, blobs: Path) -> None:
    with Pipeline(settings) as running:
        for blob in BLOBS:
            running.land(blob)
        change(blobs, "titles", "tt0000009", lambda fields: [*fields[:8], "Drama"])
        for table in COMPUTED:
            running.rebuild(table)
        running.build_indexes()
        running.publish()
    assert query(settings, "select genre from films.genres where tconst = 'tt0000009'") == [("Romance",)]
    assert rebuilt(refresh(settings)) == {"raw.titles": ["00"], "films.genres": ["00"], "metrics.genre_success": ["all"]}
    assert query(settings, "select genre from films.genres where tconst = 'tt0000009'") == [("Drama",)]


def test_a_removed_title_is_gone_everywhere(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    for blob in ("titles", "ratings", "crew"):
        change(blobs, blob, "tt0000009", lambda _: None)
    change(blobs, "cast", "tt0000009", lambda _: None)
    refresh(settings)
    for table in COMPUTED:
        if "tconst" in table.column_names and table.name != "films.known_for":
            assert query(settings, f"select * from {table.name} where tconst = 'tt0000009'") == [], table.name


def test_rows_added_removed_and_changed_are_counted(settings: Settings, blobs: Path, counts_rows: bool) -> None:
    refresh(settings)
    change(blobs, "ratings", "tt0000001", lambda _: None)
    change(blobs, "ratings", "tt0000005", lambda fields: [*fields[:2], "1"])
    with (blobs / "ratings.tsv").open("a") as out:
        out.write("tt0000010\t1.0\t5\ntt0000011\t1.0\t5\n")
    found = refresh(settings).outcomes["films.ratings"].rebuilt["00"]
    counted = (found.difference.added, found.difference.removed, found.difference.changed)
    assert (counted, found.rows) == ((2, 1, 1) if counts_rows else (1, 0, None), 4)


def test_incremental_refreshes_come_to_the_same_as_a_first_one(engine: str, sample: Path, tmp_path: Path) -> None:
    folder = copy(sample, tmp_path / "blobs")
    settings = load_settings(source=str(folder), home=tmp_path / "home", engine=engine)
    refresh(settings)
    change(folder, "names", "nm1", lambda fields: [fields[0], "Somebody Else", *fields[2:]])
    change(folder, "ratings", "tt2", lambda fields: [fields[0], "1.1", fields[2]])
    change(folder, "cast", "tt3", lambda _: None)
    change(folder, "crew", "tt5", lambda fields: [fields[0], "nm0000001,nm0000002", "nm0000003"])
    refresh(settings)
    again = load_settings(source=str(folder), home=tmp_path / "other", engine=engine)
    refresh(again)
    with duckdb.connect(settings.kept_in.films, read_only=True) as films:
        films.execute(f"attach '{again.kept_in.films}' as fresh (read_only)")
        for table in COMPUTED:
            schema = "" if table.schema == "films" else f"{table.schema}."
            other = f"fresh.{schema}{table.short}"
            for one, two in ((table.name, other), (other, table.name)):
                assert films.sql(f"select * from (from {one} except all from {two}) limit 3").fetchall() == [], table.name


def test_rebuild_does_all_the_work_and_changes_nothing(settings: Settings) -> None:
    refresh(settings)
    report = refresh(settings, force=True)
    assert {name for name, outcome in report.outcomes.items() if outcome.rebuilt} == {table.name for table in (*BLOBS, *COMPUTED)}
    assert all(not item.difference for outcome in report.outcomes.values() for item in outcome.rebuilt.values())
    assert not report.published


def test_new_code_rebuilds_the_table_and_stops_where_nothing_came_of_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(settings)
    _replace(monkeypatch, "films.actors", lambda raw_cast: tables.films.actors.function(raw_cast).unique())
    assert rebuilt(refresh(settings)) == {"films.actors": list(RANGE_KEYS)}


@pytest.mark.essential
def test_new_code_that_changes_rows_is_followed_downwards(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh(settings)
    _replace(monkeypatch, "films.actors", lambda raw_cast: raw_cast.filter(nw.col("category") == "nobody"))
    done = rebuilt(refresh(settings))
    assert done["films.actors"] == list(RANGE_KEYS)
    assert done["metrics.actor_performance"] == ["00"]
    assert "films.directors" not in done
    assert query(settings, "select count(*) from films.actors") == [(0,)]


def _replace(monkeypatch: pytest.MonkeyPatch, name: str, function: Callable[..., object]) -> None:
    """Let a table be computed by another function, as a new release would."""
    new = dataclasses.replace(TABLES[name], function=function)
    order = tuple(new if table.name == name else table for table in COMPUTED)
    monkeypatch.setitem(TABLES, name, new)
    for module in (
        tables,
        warehouse,
        planning,
        in_memory,
        copy_of_lake,
        state_of_lake,
        sys.modules["film_assets_tests.conftest"],
    ):
        monkeypatch.setattr(module, "COMPUTED", order)


def test_a_moved_home_is_published_again(settings: Settings, tmp_path: Path) -> None:
    refresh(settings)
    settings.home.rename(tmp_path / "moved")
    moved = load_settings(source=settings.source, home=tmp_path / "moved", engine=settings.engine)
    report = refresh(moved)
    assert report.published
    assert rebuilt(report) == {}
    assert query(moved, "select count(*) from raw.titles") == [(5,)]


def test_a_reader_keeps_its_version_and_blocks_nobody(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    with duckdb.connect(settings.kept_in.films, read_only=True) as reader:
        change(blobs, "titles", "tt0000009", lambda fields: [*fields[:2], "Ms Jerry", *fields[3:]])
        assert refresh(settings).published
        old = "select primaryTitle from films.titles where tconst = 'tt0000009'"
        assert reader.sql(old).fetchall() == [("Miss Jerry",)]
        assert reader.sql(old.replace("films.", "raw.")).fetchall() == [("Miss Jerry",)]
    assert query(settings, old) == [("Ms Jerry",)]


@pytest.mark.essential
def test_a_bad_blob_leaves_everything_as_it_was(settings: Settings, blobs: Path) -> None:
    refresh(settings)
    (blobs / "titles.tsv").write_text("tconst\ttitleType\nx\ty\n")
    with pytest.raises(BlobError, match="titles: column primaryTitle"):
        refresh(settings)
    assert query(settings, "select count(*) from films.titles") == [(5,)]
    assert query(settings, "select count(*) from raw.titles") == [(5,)]


def _ratings(blobs: Path, *rows: tuple[object, ...]) -> None:
    lines = ["tconst\taverageRating\tnumVotes", *("\t".join(map(str, row)) for row in rows)]
    (blobs / "ratings.tsv").write_text("\n".join(lines) + "\n")


_TWENTY = [(f"tt{number:07}", "5.5", number) for number in range(1, 21)]
_MOST_ROWS_GONE = _TWENTY[:9]
_MOST_VALUES_GONE = [(*row[:2], "\\N") for row in _TWENTY[:11]] + _TWENTY[11:]
_MOST_VALUES_BAD = [(*row[:2], "many") for row in _TWENTY[:11]] + _TWENTY[11:]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (_MOST_ROWS_GONE, "ratings: 11 of 20 rows are gone since the last landing; .*FILM_ASSETS_MAX_LOST_ROWS=1"),
        (_MOST_VALUES_GONE, "ratings: 11 of 20 values of numVotes are gone since .*FILM_ASSETS_MAX_LOST_VALUES=1"),
        (_MOST_VALUES_BAD, "ratings: 11 values of numVotes cannot be read, and 9 can; nothing was taken over"),
    ],
    ids=["rows", "values", "bad values"],
)
def test_a_blob_that_lost_most_of_something_is_not_taken_over_until_that_is_accepted(
    settings: Settings, blobs: Path, rows: list[tuple[object, ...]], said: str
) -> None:
    _ratings(blobs, *_TWENTY)
    refresh(settings)
    _ratings(blobs, *rows)
    for _ in range(2):
        with pytest.raises(BlobError, match=said):
            refresh(settings)
    assert query(settings, "select count(*), count(numVotes) from raw.ratings") == [(20, 20)]
    with Pipeline(settings) as opened:
        assert opened.engine.dropped_values() == []
    refresh(settings.model_copy(update={"max_lost_rows": 1.0, "max_lost_values": 1.0}))
    left = sum(isinstance(votes, int) for _, _, votes in rows)
    assert query(settings, "select count(*), count(numVotes) from raw.ratings") == [(len(rows), left)]
    _ratings(blobs, *rows[1:])
    refresh(settings)


@pytest.mark.from_nothing
def test_a_column_of_which_most_values_cannot_be_read_is_not_landed_the_first_time(settings: Settings, blobs: Path) -> None:
    _ratings(blobs, *_MOST_VALUES_BAD)
    with pytest.raises(BlobError, match="ratings: 11 values of numVotes cannot be read"):
        refresh(settings)


@pytest.mark.from_nothing
def test_a_blob_of_which_most_rows_cannot_be_read_is_not_landed_the_first_time(settings: Settings, blobs: Path) -> None:
    _ratings(blobs, *[(f"title {tconst}", *row) for tconst, *row in _TWENTY[:11]], *_TWENTY[11:])
    with pytest.raises(BlobError, match="ratings: 11 rows cannot be read, and 9 can; nothing was taken"):
        refresh(settings)
    refresh(settings.model_copy(update={"max_lost_rows": 1.0}))
    assert query(settings, "select count(*) from raw.ratings") == [(9,)]


def test_half_may_be_lost(settings: Settings, blobs: Path) -> None:
    _ratings(blobs, *_TWENTY)
    refresh(settings)
    _ratings(blobs, *[(*row[:2], "many") for row in _TWENTY[:10]], *_TWENTY[10:])
    refresh(settings)
    _ratings(blobs, *_TWENTY[:10])
    refresh(settings)


@pytest.mark.from_nothing
def test_dropped_values_are_told_by_blob_column_and_reason(settings: Settings, blobs: Path) -> None:
    change(blobs, "ratings", "tt0000001", lambda fields: [fields[0], "11", "many"])
    change(blobs, "ratings", "tt0000005", lambda fields: [*fields[:2], "few"])
    change(blobs, "ratings", "tt0000009", lambda fields: fields[:2])
    with Pipeline(settings) as running:
        for blob in BLOBS:
            running.land(blob)
        assert list(map(str, running.engine.dropped_values())) == [
            "1 value of ratings.averageRating was dropped: not 1 to 10; see quality.rejected_rows",
            "2 values of ratings.numVotes were dropped: not of type INTEGER; see quality.rejected_rows",
        ]
        ((_, found),) = running.check([rule for rule in RULES["raw.ratings"] if not rule.fatal])
    (finding,) = found.values()
    assert finding.failing == 3
    assert list(finding.examples) == ["ratings.averageRating 1 of 2 (50.000%)", "ratings.numVotes 2 of 2 (100.000%)"]


@pytest.mark.essential
def test_rejected_rows_keep_their_lines_when_rows_come_before_them(settings: Settings, blobs: Path) -> None:
    with (blobs / "titles.tsv").open("a") as out:
        out.write("tt9999999\tmovie\n")
    refresh(settings)
    assert query(settings, "select blob, line, reason from quality.rejected_rows") == [
        ("titles", 7, "row rejected: 2 fields instead of 9")
    ]
    change(blobs, "titles", "tt0000001", lambda fields: ["\t".join(fields) + "\n" + "\t".join(["tt0000002", *fields[1:]])])
    refresh(settings)
    assert query(settings, "select line from quality.rejected_rows") == [(8,)]


def test_only_one_refresh_at_a_time(settings: Settings) -> None:
    with Pipeline(settings) as first:
        assert first.engine
        with pytest.raises(HomeError, match=f"is under way .process {os.getpid()}.; try again"), Pipeline(settings) as second:
            assert second.engine
    refresh(settings)


def test_a_full_disk_is_one_clear_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh(settings)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pipeline, "publish", full)
    with pytest.raises(HomeError, match="no space left on the disk"):
        refresh(settings)


def test_an_engine_that_is_none_is_one_clear_error(blobs: Path, tmp_path: Path) -> None:
    settings = load_settings(source=str(blobs), home=tmp_path / "home", engine="abacus")
    with pytest.raises(SettingsError, match="FILM_ASSETS_ENGINE='abacus': there is no such engine; set it to duckdb"):
        refresh(settings)


@pytest.mark.from_nothing
def test_what_is_landed_is_told_while_a_refresh_holds_the_home(settings: Settings) -> None:
    assert {blob.state for blob in blob_status(settings)} == {"new"}
    refresh(settings)
    with Pipeline(settings) as running:
        assert running.engine
        assert {(blob.state, blob.rows_rejected) for blob in blob_status(settings)} == {("unchanged", 0)}


def test_rules_are_evaluated_again_only_where_something_changed(settings: Settings, blobs: Path) -> None:
    rules = [rule for of in RULES.values() for rule in of]

    def looked_at() -> dict[str, int]:
        refresh(settings)
        with Pipeline(settings) as opened:
            before = opened.engine.check([])
            assert before == []
            found = opened.check(rules)
        assert [str(rule) for rule, ranges in found for item in ranges.values() if item.failing] == []
        return {f"{rule.table.name} {rule.name}": len(ranges) for rule, ranges in found}

    first = looked_at()
    assert first["films.titles key tconst"] == len(RANGE_KEYS)
    assert looked_at() == first


def test_a_broken_rule_is_found_with_examples(settings: Settings, blobs: Path) -> None:
    change(blobs, "names", "nm0443482", lambda _: None)
    change(blobs, "titles", "tt0000009", lambda fields: [fields[0], "opera", *fields[2:]])
    refresh(settings)
    with Pipeline(settings) as opened:
        found = opened.check([rule for of in RULES.values() for rule in of], full=True)
    broken = {
        f"{rule.table.name} {rule.name}": (item.failing, list(item.examples))
        for rule, ranges in found
        for item in ranges.values()
        if item.failing
    }
    assert broken == {
        "films.cast nconst in films.names": (2, ["nm0443482"]),
        "films.titles known titleType": (1, ["tt0000009: opera"]),
    }


@pytest.mark.from_nothing
def test_raw_tables_are_profiled_and_looked_at_again_only_where_they_changed(
    settings: Settings, blobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[object] = []
    for module, name in ((profiling, "profile"), (profiles_of_lake, "_look")):
        look = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, look=look: looked_at.append(given) or look(*given))
    refresh(settings)
    profile = 'select "column", "rows", nulls, "distinct", minimum, maximum, mean from quality.profiles'
    ratings = f"{profile} where blob = 'ratings' order by position"
    assert query(settings, ratings) == [
        ("tconst", 3, 0, 3, "tt0000001", "tt0000009", None),
        ("averageRating", 3, 0, 3, "5.3", "6.2", pytest.approx(17.2 / 3)),
        ("numVotes", 3, 0, 3, "209", "2727", pytest.approx(4960 / 3)),
    ]
    assert query(settings, f"{profile} where blob = 'titles' and \"column\" = 'endYear'")[0][1:3] == (5, 5)
    assert len(looked_at) == len(BLOBS)
    change(blobs, "ratings", "tt0000009", lambda fields: [fields[0], "9.9", fields[2]])
    refresh(settings)
    assert len(looked_at) == len(BLOBS) + 1
    assert query(settings, ratings)[1][5] == "9.9"


def test_declarations_read_only_what_they_say() -> None:
    """A function is given the declared columns alone, so one that uses another cannot be run at all."""
    undeclared = Table(
        "films.oops",
        ("tconst",),
        tables.raw.titles.take("tconst"),
        "",
        lambda raw_titles: raw_titles.filter(nw.col("isAdult") == 0),
    )
    assert undeclared.reads == {"raw.titles": ("tconst",)}
