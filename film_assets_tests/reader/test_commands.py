"""compare, credits, find and export, as people and programs use them."""

import csv
import io
import json

import polars as pl
import pytest

from film_assets.cli.output import Format, format_for, write
from film_assets_tests.command import film_assets

DICKSON = "nm0005690"


def test_compare_prints_a_column_each(home):
    done = film_assets("compare", DICKSON, "fred astaire", "--metrics", "primaryName, birthYear,numVotes", home=home)
    assert done.returncode == 0, done.stderr
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == ["metric", "nconst", "birthYear", "numVotes"]
    header, _, born, votes = (line.split() for line in done.stdout.splitlines())
    assert header == ["metric", "William", "K.L.", "Dickson", "Fred", "Astaire"]
    assert (born, votes) == (["birthYear", "1860", "1899"], ["numVotes", "4,761"])
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_wide_tables_are_not_folded_in_a_pipe(home):
    done = film_assets("credits", DICKSON, home=home, COLUMNS="40")
    assert done.stdout.splitlines()[0].split()[-1] == "weightedRating"
    assert len(done.stdout.splitlines()) == 4


def test_programs_get_csv_and_json(home):
    as_csv = film_assets("credits", DICKSON, "--format", "csv", home=home)
    rows = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert [row["tconst"] for row in rows] == ["tt0000001", "tt0000005", "tt7777777"]
    as_json = film_assets("find", "silva", "--limit", "2", "-f", "json", home=home)
    assert [row["id"] for row in json.loads(as_json.stdout)] == ["nm0000012", "nm0000011"]


def test_answers_go_to_files(home, tmp_path):
    file = tmp_path / "credits.parquet"
    done = film_assets("credits", DICKSON, "--output", file, home=home)
    assert (done.returncode, done.stdout) == (0, "")
    assert pl.read_parquet(file).height == 3


def test_profile_prints_a_line_a_column(home):
    done = film_assets("profile", "raw.ratings", home=home)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["column", "tconst", "averageRating", "numVotes"]


def test_export(home, tmp_path):
    file = tmp_path / "titles.parquet"
    done = film_assets("export", "films.titles", file, home=home)
    assert done.stdout == f"7 rows of films.titles written to {file}\n"
    assert pl.read_parquet(file).height == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "Maria Silva"), "film-assets: 3 people are called 'Maria Silva', give an id: nm0000012"),
        (("credits", "[bold]"), "film-assets: no person is called '[bold]'"),
        (
            ("credits", DICKSON, "-f", "parquet"),
            "film-assets: parquet cannot be read in a terminal: say where to with --output FILE",
        ),
        (("credits", DICKSON, "-o", "/nowhere/credits.csv"), "film-assets: cannot write /nowhere/credits.csv: No such file"),
        (("export", "films.title", "/nowhere/x.csv"), "film-assets: no table is called 'films.title'; did you mean"),
        (
            ("find", "x", "--home", "/nowhere"),
            "film-assets: nothing is published in /nowhere yet; run `film-assets refresh` first",
        ),
    ],
)
def test_errors_are_one_line(home, arguments, said):
    done = film_assets(*arguments, home=home)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_format_goes_by_the_name_of_the_file(tmp_path):
    assert format_for(None, None) is Format.TABLE
    assert format_for(None, tmp_path / "x.CSV") is Format.CSV
    assert format_for(None, tmp_path / "x.txt") is Format.TABLE
    assert format_for(Format.JSON, tmp_path / "x.csv") is Format.JSON


@pytest.mark.parametrize("form", list(Format))
def test_every_format_can_be_written_to_a_file(tmp_path, form):
    file = tmp_path / "answer"
    write(pl.DataFrame({"name": ["Ñ, 🎬"], "startYear": pl.Series([1994], dtype=pl.Int16), "numVotes": [1000]}), form, file)
    written = file.read_bytes()
    if form is not Format.PARQUET:
        wanted = {
            Format.TABLE: "name   startYear  numVotes\nÑ, 🎬  1994       1,000   \n",
            Format.CSV: 'name,startYear,numVotes\n"Ñ, 🎬",1994,1000\n',
            Format.JSON: '[{"name":"Ñ, 🎬","startYear":1994,"numVotes":1000}]\n',
        }
        assert written.decode() == wanted[form]
    else:
        assert pl.read_parquet(file).height == 1
