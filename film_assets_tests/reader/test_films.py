"""The answers of the reader, on rows that are all known."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl
import pytest

import film_assets
from film_assets.errors import AmbiguousNameError, FilmAssetsError, HomeError, UnknownNameError
from film_assets.reader import open_films
from film_assets_tests.reader.conftest import HOSTILE

DICKSON, KAYSER, JOSE, NOBODY = "nm0005690", "nm0443482", "nm0000010", "nm7777777"


def _row(frame: pl.DataFrame) -> dict[str, object]:
    (row,) = frame.to_dicts()
    return row


# ---- compare


def test_people_stand_in_the_order_given_with_the_default_metrics(films):
    frame = films.compare(KAYSER, "william k.l. DICKSON")
    assert frame["nconst"].to_list() == [KAYSER, DICKSON]
    defaults = films.metrics().filter(pl.col("isDefault") & (pl.col("kind") == "person"))
    assert frame.columns == ["nconst", *defaults["name"]]
    dickson = frame.row(1, named=True)
    assert dickson == {
        "nconst": DICKSON,
        "primaryName": "William K.L. Dickson",
        "birthYear": 1860,
        "titles": 3,
        "directorTitles": 3,
        "writerTitles": None,
        "actorTitles": None,
        "averageRating": pytest.approx((5.7 + 6.2 + 9.0) / 3),
        "voteWeightedRating": pytest.approx((5.7 * 2024 + 6.2 * 2727 + 9.0 * 10) / (2024 + 2727 + 10)),
        "numVotes": 2024 + 2727 + 10,
        "hitShare": 0.0,
        "knownAverageRating": pytest.approx((5.7 + 6.2) / 2),
        "knownNumVotes": 2024 + 2727,
        "bestTitle": None,
        "firstYear": 1893,
        "lastYear": 1894,
    }


def test_person_on_a_title_three_ways_has_it_once(films):
    assert _row(films.compare(JOSE, metrics=["titles", "directorTitles", "writerTitles", "actorTitles", "hitShare"])) == {
        "nconst": JOSE,
        "titles": 2,
        "directorTitles": 1,
        "writerTitles": 1,
        "actorTitles": 1,
        "hitShare": 0.5,
    }


def test_titles(films):
    frame = films.compare("tt0000021", "Carmencita", "Nobody Voted")
    assert frame.columns[:2] == ["tconst", "primaryTitle"]
    assert frame["weightedRating"].to_list() == [pytest.approx((7.7 * 40000 + 6900) / 41000), pytest.approx(18436.8 / 3024), None]
    assert frame["genres"].to_list() == ["Drama", "Documentary, Short", None]
    assert frame["directors"].to_list() == [NOBODY, "William K.L. Dickson", None]
    assert frame["startYear"].to_list() == [1996, 1894, None]


def test_who_only_appears_by_id_is_a_row_of_what_is_known(films):
    row = _row(films.compare(NOBODY))
    assert (row["primaryName"], row["birthYear"], row["titles"], row["bestTitle"]) == (None, None, 1, "Hamlet")
    title = _row(films.compare("tt7777777"))
    assert (title["primaryTitle"], title["averageRating"]) == (None, 9.0)


def test_names_do_not_mind_case_and_accents(films):
    assert films.compare("jose nandu", "JOSÉ ÑANDÚ", metrics=["titles"])["nconst"].to_list() == [JOSE]


def test_the_exact_spelling_decides(films):
    assert films.compare("MARIA SILVA", metrics=["primaryName"])["nconst"].to_list() == ["nm0000013"]


def test_name_of_a_person_and_a_title_is_the_person_unless_compared_to_titles(films):
    assert films.compare("Miss Jerry").columns[0] == "nconst"
    assert films.compare("Miss Jerry", "Carmencita").columns[0] == "tconst"


def test_transposed_has_a_column_each_as_text(films):
    frame = films.compare(DICKSON, NOBODY, metrics=["primaryName", "birthYear", "numVotes", "averageRating"], transpose=True)
    assert frame.to_dict(as_series=False) == {
        "metric": ["nconst", "birthYear", "numVotes", "averageRating"],
        "William K.L. Dickson": [DICKSON, "1860", "4,761", "6.97"],
        NOBODY: [NOBODY, None, "40,000", "7.70"],
    }


def test_transposed_namesakes_stand_under_their_ids(films):
    frame = films.compare("nm0000011", "nm0000012", transpose=True)
    assert frame.columns == ["metric", "nm0000011", "nm0000012"]


def test_metrics_are_those_of_the_declarations(films):
    catalogue = films.metrics()
    assert catalogue.columns == ["name", "kind", "description", "isDefault"]
    assert set(catalogue["kind"]) == {"person", "title"}
    assert catalogue["description"].str.len_chars().min() > 5
    for kind, item in (("person", DICKSON), ("title", "tt0000001")):
        names = catalogue.filter(kind=kind)["name"].to_list()
        assert films.compare(item, metrics=names).columns[1:] == names


def test_ambiguous_name_lists_who_is_meant(films):
    with pytest.raises(AmbiguousNameError) as caught:
        films.compare("Maria Silva", DICKSON)
    assert str(caught.value) == (
        "3 people are called 'Maria Silva', give an id: nm0000012 (born 1960, known for Blacksmith Scene); "
        "nm0000011 (born 1950, known for Carmencita); nm0000013 (nothing known)"
    )
    with pytest.raises(
        AmbiguousNameError, match=r"2 titles are called 'hamlet', give an id: tt0000021 \(movie, 1996\); tt0000020"
    ):
        films.people("hamlet")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Fred Astair", "no person is called 'Fred Astair'; did you mean 'Fred Astaire'?"),
        ("astaire", "no person is called 'astaire'; did you mean 'Fred Astaire'?"),
        ("Zzyzx Qqq", "no person is called 'Zzyzx Qqq'"),
        ("nm9999998", "no person has the id 'nm9999998'"),
        ("xx0000001", "no person is called 'xx0000001'"),
        ("nm1", "no person is called 'nm1'"),
        ("", "no person is called ''"),
        ("x" * 10_000, f"no person is called '{'x' * 79}…'"),
        ("'", 'no person is called "\'"'),
        ("nm0000001'; drop table names; --", 'no person is called "nm0000001\'; drop table names; --"'),
        ("tt0000001", "tt0000001 is a title; give a person"),
    ],
)
def test_unknown_name_is_one_clear_line(films, name, said):
    with pytest.raises(FilmAssetsError) as caught:
        films.credits(name)
    assert str(caught.value) == said


def test_people_and_titles_do_not_mix(films):
    with pytest.raises(FilmAssetsError, match="people or titles, not both: 'nm0005690' is a person, 'tt0000001' a title"):
        films.compare(DICKSON, "tt0000001")
    with pytest.raises(FilmAssetsError, match="ids or names"):
        films.compare()


def test_unknown_metric_names_near_ones(films):
    with pytest.raises(UnknownNameError, match="no metric of a person is called 'averagerating'; did you mean averageRating"):
        films.compare(DICKSON, metrics=["averagerating"])
    with pytest.raises(UnknownNameError, match="no metric of a title is called 'hitShare'"):
        films.compare("tt0000001", metrics=["hitShare"])


# ---- credits, people, find


def test_credits_are_each_title_once_newest_first(films):
    assert films.credits(JOSE).rows() == [
        ("tt0000021", "Hamlet", "movie", 1996, "actor, writer", "Hamlet", 7.7, 40000, pytest.approx(314900 / 41000)),
        ("tt7777777", None, None, None, "director", None, 9.0, 10, pytest.approx(6990 / 1010)),
    ]
    assert films.credits(KAYSER)["characters"].to_list() == ["Blacksmith, Assistant"]


def test_people_of_a_title_are_each_person_once_as_billed(films):
    assert films.people("tt0000005").select("nconst", "roles", "characters").rows() == [
        ("nm0443482", "actor", "Blacksmith, Assistant"),
        ("nm0653042", "actor", 'Assistant, The "Other", Smith'),
        (DICKSON, "director", None),
    ]
    assert films.people("tt0000021").select("nconst", "primaryName").rows() == [(JOSE, "José Ñandú"), (NOBODY, None)]


def test_find_has_the_best_known_first(films):
    frame = films.find("JERRY")
    assert frame.columns == ["id", "kind", "name", "year", "about", "averageRating", "numVotes"]
    assert frame.rows() == [
        ("tt0000009", "title", "Miss Jerry", 1894, "movie", 5.3, 209),
        ("nm0000016", "person", "Miss Jerry", None, None, None, None),
    ]
    assert films.find("silva")["id"].to_list() == ["nm0000012", "nm0000011", "nm0000013"]
    assert films.find("silva", limit=1)["id"].to_list() == ["nm0000012"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nandu", [JOSE]),
        ("ÑANDÚ", [JOSE]),
        ("%", ["nm0000015"]),
        ("🎬", ["nm0000015"]),
        ("_", []),
        ("\\", []),
        ("drop table", ["nm0000014"]),
        (HOSTILE, ["nm0000014"]),
        ('"rolling', ["tt10233364"]),
        ("x" * 10_000, []),
        ("\x00", []),
    ],
)
def test_find_takes_text_as_it_is(films, text, found):
    assert films.find(text)["id"].to_list() == found


def test_nothing_hostile_came_through(films):
    films.find(HOSTILE)
    assert films.sql("select count(*) from films.titles").fetchall() == [(7,)]


# ---- tables and SQL


def test_tables_and_sql(films):
    assert {"films.titles", "metrics.person_success", "raw.cast", "quality.blobs"} <= set(films.tables)
    assert not any(name.startswith(("state.", "main.")) for name in films.tables)
    for name in films.tables:
        assert films.table(name).columns
    assert films.table("films.titles").filter("tconst = 'tt0000001'").pl()["primaryTitle"].to_list() == ["Carmencita"]
    query = "select primaryName from films.names where birthYear < ? order by all"
    assert films.sql(query, [1855]).fetchall() == [("John Ott",)]
    assert films.sql("select $a as a", {"a": HOSTILE}).fetchall() == [(HOSTILE,)]


@pytest.mark.parametrize("table", ["raw.titles", "films.titles", "metrics.genre_success"])
def test_profile_tells_of_every_column(films, table):
    profile, rows = films.profile(table), films.table(table).pl()
    assert profile["column"].to_list() == rows.columns
    assert set(profile["rows"]) == {rows.height}
    assert profile["nulls"].to_list() == [rows[name].null_count() for name in rows.columns]
    for name, minimum, maximum, mean in profile.select("column", "minimum", "maximum", "mean").rows():
        column = rows[name].drop_nulls()
        if column.dtype == pl.Int16 and len(column):
            assert (int(minimum), int(maximum), mean) == (column.min(), column.max(), pytest.approx(column.mean()))


def test_profile_of_an_unknown_table(films):
    with pytest.raises(UnknownNameError, match=r"no table is called 'raw\.title'"):
        films.profile("raw.title")


def test_unknown_table(films):
    with pytest.raises(UnknownNameError, match=r"no table is called 'films.title'; did you mean films.titles"):
        films.table("films.title")
    with pytest.raises(UnknownNameError, match="no table is called"):
        films.table('films.titles"; drop table names; --')


def test_nobody_can_write(films):
    with pytest.raises(duckdb.Error, match="read-only"):
        films.sql("create table films.mine as select 1").fetchall()


@pytest.mark.parametrize("ending", ["parquet", "csv", "json"])
def test_export(films, tmp_path, ending):
    file = tmp_path / f"it's here.{ending}"
    assert films.export("films.titles", file) == 7
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "json": pl.read_ndjson}[ending]
    frame = read(file)
    assert frame.columns == films.table("films.titles").columns
    assert '"Rolling in the Deep Dish' in frame["primaryTitle"]


def test_export_that_cannot_be(films, tmp_path):
    with pytest.raises(FilmAssetsError, match=r"cannot tell the format of .*titles\.xlsx"):
        films.export("films.titles", tmp_path / "titles.xlsx")
    with pytest.raises(FilmAssetsError, match=r"cannot write .*titles\.csv"):
        films.export("films.titles", tmp_path / "no such folder" / "titles.csv")


@pytest.mark.parametrize("default", ["films", "memory"])
def test_macros_answer_any_client(home, default):
    with duckdb.connect() as connection:
        connection.execute(f"attach '{home / 'films.duckdb'}' as films (read_only)")
        connection.execute(f"use {default}")
        one = {
            "compare_people(['nm0005690', 'nm9999998'])": 2,
            "compare_titles(['tt0000001'])": 1,
            "credits_of('nm0005690')": 3,
            "people_of('tt0000005')": 3,
            "find_person('silva')": 3,
            "find_title('hamlet', most := 1)": 1,
        }
        for call, rows in one.items():
            assert len(connection.sql(f"from films.{call}").fetchall()) == rows, call


# ---- opening


def test_what_to_open(home, monkeypatch):
    with open_films(home / "films.duckdb") as by_file, open_films(str(home)) as by_home:
        assert by_file.path == by_home.path == home / "films.duckdb"
    monkeypatch.setenv("FILM_ASSETS_HOME", str(home))
    with film_assets.open_films() as by_setting:
        assert by_setting.path == home / "films.duckdb"


def test_nothing_published_yet(tmp_path):
    for missing in (tmp_path, tmp_path / "nowhere", tmp_path / "films.duckdb"):
        with pytest.raises(HomeError, match=r"nothing is published in .* yet; run `film-assets refresh` first"):
            open_films(missing)


def test_file_of_another_kind(tmp_path):
    file = tmp_path / "films.duckdb"
    file.write_text("not a database" * 1000)
    with pytest.raises(HomeError, match="cannot open") as caught:
        open_films(file)
    assert "\n" not in str(caught.value)


def test_reader_keeps_what_it_opened_until_it_reopens(home, tmp_path):
    file = tmp_path / "any name.duckdb"
    shutil.copy(home / "films.duckdb", file)
    with open_films(file) as films:
        assert abs(films.published_at - datetime.now(UTC)) < timedelta(minutes=1)
        assert not films.is_stale
        assert "newer" not in repr(films)
        _publish_without_hamlet(home, file)
        assert films.is_stale
        assert "reopen" in repr(films)
        assert films.find("hamlet").height == 2
        assert films.reopen() is films
        assert not films.is_stale
        assert films.find("hamlet").height == 0
        file.unlink()
        assert films.is_stale
        with pytest.raises(HomeError):
            films.reopen()
        assert films.find("carmencita").height == 1


def _publish_without_hamlet(home, file):
    """As a refresh does: another file, moved in place."""
    new = file.with_suffix(".new")
    shutil.copy(home / "films.duckdb", new)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{new}' as films")
        connection.execute("delete from films.titles where primaryTitle = 'Hamlet'")
        for names in ("rated_titles", "other_titles"):
            connection.execute(f"delete from films.lookup.{names} where folded = 'hamlet'")
    new.replace(file)


def test_importing_it_is_light():
    before, after = (
        json.loads(_python(f"import json, sys, {module}; print(json.dumps(list(sys.modules)))").stdout)
        for module in ("film_assets", "film_assets.reader")
    )
    assert "duckdb" not in before
    assert not {"dagster", "azure", "pydantic", "narwhals", "pyarrow"} & set(after)


def test_leaves_nothing_behind_at_exit(home):
    """DuckDB complains on standard error of anything that still holds on to it."""
    done = _python(
        "import film_assets, sys\nwith film_assets.open_films(sys.argv[1]) as f: print(f.find('astaire').height)", home
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


def _python(program, *arguments):
    return subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, check=True, text=True)
