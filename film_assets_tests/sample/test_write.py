"""The sample as a whole: shape, shares, references and oddities of the files as they are written."""

import errno
import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from film_assets.errors import FilmAssetsError, HomeError
from film_assets.sample import DEMO_PEOPLE, FAULTS, world, write, write_sample
from film_assets.tables.ranges import RANGES
from film_assets.tables.raw import BLOBS

SCALE = 0.01
ROWS = {"cast": 596_272, "crew": 105_659, "names": 132_711, "ratings": 14_042, "titles": 105_659}
BYTES = {"cast": 2_668_643_291, "crew": 349_084_795, "names": 805_608_596, "ratings": 24_365_246, "titles": 907_670_788}
SMALL = 0.001


def read(folder: Path, blob: str) -> pl.DataFrame:
    return pl.read_csv(
        folder / f"{blob}.tsv",
        separator="\t",
        quote_char=None,
        null_values=[r"\N"],
        infer_schema=False,
        empty_string_is_null=False,
    )


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def lines(folder: Path, blob: str) -> list[bytes]:
    return (folder / f"{blob}.tsv").read_bytes().split(b"\n")[1:-1]


def listed(frame: pl.DataFrame, key: str, column: str) -> pl.DataFrame:
    return frame.select(key, pl.col(column).str.split(",")).drop_nulls().explode(column, empty_as_null=True)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faulty")
    assert write_sample(folder, scale=SCALE) == ROWS
    return folder


@pytest.fixture(scope="module")
def clean_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    assert write_sample(folder, scale=SCALE, faults=False) == ROWS
    return folder


@pytest.fixture(scope="module")
def clean(clean_folder):
    return {blob: read(clean_folder, blob) for blob in ROWS}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        write_sample(tmp_path / name, scale=SMALL, seed=seed)
    assert digests(tmp_path / "one") == digests(tmp_path / "again")
    assert not set(digests(tmp_path / "one").values()) & set(digests(tmp_path / "other").values())


def test_a_negative_seed_is_a_seed(tmp_path):
    assert write_sample(tmp_path, scale=SMALL, seed=-5)["names"] == 13_271


def test_bytes_do_not_depend_on_the_number_of_threads(tmp_path):
    write_sample(tmp_path / "many", scale=SMALL)
    program = "import sys, pathlib, film_assets.sample as s; s.write_sample(pathlib.Path(sys.argv[1]), scale=float(sys.argv[2]))"
    command = [sys.executable, "-c", program, str(tmp_path / "one"), str(SMALL)]
    subprocess.run(command, check=True, env={**os.environ, "POLARS_MAX_THREADS": "1", "PYTHONHASHSEED": "3"})
    assert digests(tmp_path / "one") == digests(tmp_path / "many")


def test_odd_rows_keep_their_places_across_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "_TITLES_AT_ONCE", 100 * world.BLOCK)
    monkeypatch.setattr(write, "_PEOPLE_AT_ONCE", 2000)
    rows = write_sample(tmp_path, scale=SMALL)
    for blob in rows:
        found = lines(tmp_path, blob)
        assert len(found) == rows[blob]
        assert sum(line.count(b"\t") for line in found) == rows[blob] * found[0].count(b"\t")
        assert sum(b"\xff" in line or b"\xe9alis" in line or b"\xa0345" in line or b"\xe7oise" in line or b"\xe8re" in line
                   for line in found) == 1  # fmt: skip


@pytest.mark.parametrize("blob", BLOBS, ids=lambda blob: blob.name)
def test_files_have_the_declared_header_unix_lines_and_all_rows(clean_folder, blob):
    short = blob.name.removeprefix("raw.")
    text = (clean_folder / f"{short}.tsv").read_bytes().decode()
    header, body = text.split("\n", 1)
    assert header.split("\t") == [column.name for column in blob.columns]
    assert body.count("\n") == ROWS[short]
    assert body.count("\t") == ROWS[short] * (len(blob.columns) - 1)
    assert body.endswith("\n")
    assert "\r" not in text


@pytest.mark.parametrize("blob", BLOBS, ids=lambda blob: blob.name)
def test_without_faults_every_value_is_good_and_every_key_unique(clean, blob):
    frame = clean[blob.name.removeprefix("raw.")]
    assert not frame.select(blob.key).is_duplicated().any()
    for column in blob.columns:
        values = frame[column.name].drop_nulls()
        if column.pattern and column.name != "characters":
            assert values.str.contains(f"^(?:{column.pattern})$").all(), column.name
        if column.type in ("SMALLINT", "INTEGER", "DOUBLE"):
            numbers = values.cast({"SMALLINT": pl.Int16, "INTEGER": pl.Int32, "DOUBLE": pl.Float64}[column.type])
            assert column.minimum is None or numbers.min() >= column.minimum
            assert column.maximum is None or numbers.max() <= column.maximum


@pytest.mark.parametrize("faults", [True, False])
def test_blobs_are_sorted_by_the_id_as_a_string(faulty, clean_folder, faults):
    for blob in ROWS:
        ids = [line.split(b"\t", 1)[0] for line in lines(faulty if faults else clean_folder, blob)]
        assert all(left <= right for left, right in itertools.pairwise(ids)), blob


def test_ordering_ascends_from_one_within_each_title(clean):
    orderings = clean["cast"].select("tconst", pl.col("ordering").cast(pl.Int32))
    within = orderings.select(pl.int_range(1, pl.len() + 1).over("tconst"))
    assert (orderings["ordering"] == within.to_series()).all()
    assert orderings["ordering"].max() == 75


def test_every_id_range_holds_its_share(clean):
    for blob, column, least in (
        ("titles", "tconst", 0.8),
        ("cast", "tconst", 0.8),
        ("ratings", "tconst", 0.75),
        ("names", "nconst", 0.35),
    ):
        ids = clean[blob][column]
        for place in RANGES[column].values():
            held = (ids >= (place.lower or "")) & (ids < (place.upper or "zz"))
            assert least / 20 < held.mean() < 1.5 / 20, (blob, place)


def test_ids_are_sparse_and_reach_far(clean):
    titles = clean["titles"]["tconst"].str.slice(2).cast(pl.Int64)
    people = clean["names"]["nconst"].str.slice(2).cast(pl.Int64)
    assert 38_900_000 < titles.max() < 39_000_002
    assert 16_990_000 < people.max() < 17_000_001
    assert (titles.filter(titles >= 10_000_000) % 2 == 0).mean() > 0.85
    assert titles.min() < 1000
    assert people.min() < 1000


def test_crew_has_one_row_for_each_title(clean):
    assert clean["crew"]["tconst"].equals(clean["titles"]["tconst"])


@pytest.mark.parametrize(
    ("blob", "column", "share"),
    [
        ("cast", "characters", 28_692_745 / 59_627_213),
        ("cast", "job", 9_800_948 / 59_627_213),
        ("crew", "directors", 6_063_726 / 10_565_899),
        ("crew", "writers", 5_462_206 / 10_565_899),
        ("titles", "genres", 10_095_773 / 10_565_899),
        ("titles", "startYear", 9_169_791 / 10_565_899),
        ("titles", "endYear", 119_028 / 10_565_899),
        ("titles", "runtimeMinutes", 3_249_656 / 10_565_899),
        ("names", "primaryProfession", 10_601_422 / 13_271_078),
        ("names", "knownForTitles", 11_709_625 / 13_271_078),
        ("names", "birthYear", 606_412 / 13_271_078),
        ("names", "deathYear", 225_482 / 13_271_078),
    ],
)
def test_shares_of_values_that_are_there(clean, blob, column, share):
    assert clean[blob][column].is_not_null().mean() == pytest.approx(share, rel=0.1)


@pytest.mark.parametrize("blob", ROWS)
def test_bytes_come_near_the_real_ones(clean_folder, blob):
    assert (clean_folder / f"{blob}.tsv").stat().st_size == pytest.approx(BYTES[blob] * SCALE, rel=0.12)


def test_kinds_and_categories_are_all_there_in_their_proportions(clean):
    kinds = Counter(clean["titles"]["titleType"])
    assert [kind for kind, _ in kinds.most_common(3)] == ["tvEpisode", "short", "movie"]
    assert kinds["tvEpisode"] / kinds.total() == pytest.approx(0.765, abs=0.02)
    assert kinds["tvPilot"] == 1
    assert len(kinds) == 11
    assert len(set(clean["cast"]["category"])) == 13


def test_credits_and_votes_are_skewed_and_ratings_bell_shaped(clean):
    per_person = clean["cast"].group_by("nconst").len()["len"]
    assert per_person.median() <= 3
    assert per_person.max() > 300
    votes = clean["ratings"]["numVotes"].cast(pl.Int64)
    assert votes.min() >= 5
    assert votes.mean() > 8 * votes.median()
    ratings = clean["ratings"]["averageRating"]
    assert ratings.str.contains(r"^\d+\.\d$").all()
    assert ratings.cast(pl.Float64).mean() == pytest.approx(6.9, abs=0.1)
    assert 0.9 < ratings.cast(pl.Float64).std() < 1.6
    sizes = clean["cast"].group_by("tconst").len().join(clean["ratings"], on="tconst")
    popular = sizes["numVotes"].cast(pl.Int64) > 400
    assert sizes.filter(popular)["len"].mean() > 1.5 * sizes.filter(~popular)["len"].mean()


@pytest.mark.parametrize(("column", "category"), [("directors", "director"), ("writers", "writer")])
def test_crew_lists_more_directors_and_writers_than_the_cast_and_never_fewer(clean, column, category):
    crew = listed(clean["crew"], "tconst", column).rename({column: "nconst"}).unique()
    cast = clean["cast"].filter(pl.col("category") == category).select("tconst", "nconst").unique()
    assert len(cast.join(crew, on=["tconst", "nconst"], how="anti")) == 0
    assert 0.4 < len(cast) / len(crew) < 0.97


def test_most_known_for_titles_are_the_persons_own_and_some_are_rated(clean):
    known = listed(clean["names"], "nconst", "knownForTitles").rename({"knownForTitles": "tconst"})
    own = pl.concat(
        [
            clean["cast"].select("tconst", "nconst"),
            *(listed(clean["crew"], "tconst", role).rename({role: "nconst"}) for role in ("directors", "writers")),
        ]
    )
    assert len(known.join(own, on=["nconst", "tconst"], how="semi")) / len(known) > 0.9
    assert 0.1 < len(known.join(clean["ratings"], on="tconst", how="semi")) / len(known) < 0.5
    assert not known.is_duplicated().any()


def test_a_few_orphans_stand_both_ways(clean):
    cast, titles, names = clean["cast"], clean["titles"], clean["names"]
    for lacking in (cast.join(titles, on="tconst", how="anti"), cast.join(names, on="nconst", how="anti")):
        assert 0.002 < len(lacking) / len(cast) < 0.01
    assert 0.001 < len(clean["ratings"].join(titles, on="tconst", how="anti")) / ROWS["ratings"] < 0.01
    assert len(titles.join(cast, on="tconst", how="anti")) > 0
    assert len(names.join(cast, on="nconst", how="anti")) > 0


def test_quirks_are_there(clean):
    titles, names, cast, crew = clean["titles"], clean["names"], clean["cast"], clean["crew"]
    every_title = set(titles["primaryTitle"])
    assert {'"Lighthouse, and Other Lies', "NULL", "2468", "  Two Blanks Ahead", ""} <= every_title
    assert any(title and title.count('"') == 1 for title in every_title)
    assert titles["isAdult"].null_count() == 1
    assert titles["originalTitle"].null_count() == 1
    assert titles["runtimeMinutes"].cast(pl.Int64).max() == 59_460
    assert titles["startYear"].cast(pl.Int64).max() == 2031
    assert names.filter((pl.col("birthYear") == "525") & (pl.col("deathYear") == "456")).height == 1
    assert crew["writers"].str.split(",").list.len().max() == 40
    assert (crew["writers"].str.split(",").list.n_unique() < crew["writers"].str.split(",").list.len()).any()
    assert cast["job"].str.starts_with('"').any()
    assert cast.select("tconst", "nconst", "category").is_duplicated().any()
    roles = cast.group_by("tconst", "nconst").agg(pl.col("category").unique())["category"]
    assert any(
        {"director", "writer"} < set(held) and {"actor", "actress"} & set(held) for held in roles.filter(roles.list.len() > 2)
    )


def test_characters_are_json_arrays_of_strings_with_all_that_strings_may_hold(clean):
    characters = clean["cast"]["characters"].drop_nulls().unique()
    parsed = [json.loads(text) for text in characters]
    assert all(isinstance(name, str) for names in parsed for name in names)
    assert max(map(len, parsed)) > 2
    for sign in ('"', ", ", "é", "К", "\\"):  # noqa: RUF001
        assert any(sign in name for names in parsed for name in names), sign
    assert characters.str.contains(r"\u00e9", literal=True).any()


def test_names_and_titles_come_in_several_scripts(clean):
    for column in (clean["names"]["primaryName"], clean["titles"]["primaryTitle"], clean["titles"]["originalTitle"]):
        for script in ("Latin", "Cyrillic", "Greek", "Han", "Hiragana", "Hangul", "Devanagari", "Arabic", "Hebrew"):
            assert column.str.contains(rf"\p{{{script}}}").any(), script


@pytest.mark.parametrize("scale", [0.0005, SMALL, SCALE])
def test_the_demo_people_have_dozens_of_rated_titles_and_overlapping_careers(tmp_path, scale):
    write_sample(tmp_path, scale=scale, faults=False)
    names = dict(read(tmp_path, "names").select("nconst", "primaryName").iter_rows())
    crew, ratings, titles = read(tmp_path, "crew"), read(tmp_path, "ratings"), read(tmp_path, "titles")
    careers = []
    for nconst, name in DEMO_PEOPLE:
        assert names[nconst] == name
        directed = crew.filter(pl.col("directors").str.contains(nconst)).join(ratings, on="tconst").join(titles, on="tconst")
        assert len(directed) >= 24
        careers.append(set(directed["startYear"].drop_nulls()))
    assert len(careers[0] & careers[1]) >= 5
    actor = read(tmp_path, "cast").filter((pl.col("nconst") == DEMO_PEOPLE[1][0]) & (pl.col("category") == "actor"))
    assert len(actor) >= 8


def test_each_fault_is_there_once(faulty):
    for blob, rows in ROWS.items():
        found = lines(faulty, blob)
        columns = next([column.name for column in known.columns] for known in BLOBS if known.name == f"raw.{blob}")
        width = len(columns)
        key = 2 if blob == "cast" else 1
        widths = Counter(line.count(b"\t") + 1 for line in found)
        keys = Counter(tuple(line.split(b"\t")[:key]) for line in found)
        assert widths == {width: rows - 2, width - 1: 1, width + 1: 1}
        assert sum(1 for times in keys.values() if times > 1) == 1
        assert sum(line.split(b"\t", 1)[0].endswith(b"-2") for line in found) == 1
        for fault in FAULTS:
            if fault.blob == blob and fault.text:
                place = columns.index(fault.column)
                assert sum(line.split(b"\t")[place : place + 1] == [fault.text] for line in found) == 1, fault


def test_each_blob_has_one_row_that_is_not_utf_8(faulty):
    for blob in ROWS:
        bad = 0
        for line in lines(faulty, blob):
            try:
                line.decode()
            except UnicodeDecodeError:
                bad += 1
        assert bad == 1, blob


def test_faults_change_no_other_row(faulty, clean_folder):
    for blob in ROWS:
        changed = sum(bad != good for bad, good in zip(lines(faulty, blob), lines(clean_folder, blob), strict=True))
        assert changed == sum(fault.blob == blob for fault in FAULTS)


@pytest.mark.parametrize("scale", [0, 0.0001, 3.5, float("nan"), -1])
def test_a_scale_out_of_bounds_is_refused(tmp_path, scale):
    with pytest.raises(FilmAssetsError, match="scale must be from"):
        write_sample(tmp_path / "new", scale=scale)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_a_home_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="cannot write the sample to") as caught:
        write_sample(tmp_path / "file" / "sample", scale=SMALL)
    assert "\n" not in str(caught.value)


def test_an_interrupted_run_leaves_the_earlier_sample_as_it_was(tmp_path, monkeypatch):
    write_sample(tmp_path, scale=SMALL)
    before = digests(tmp_path)

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(write.frames, "names", full)
    with pytest.raises(HomeError, match="No space left"):
        write_sample(tmp_path, scale=SMALL, seed=2)
    assert digests(tmp_path) == before


def test_progress_counts_the_rows_of_each_blob(tmp_path):
    class Recorder:
        def __init__(self):
            self.done = Counter()
            self.totals = {}

        def task(self, label, total=None, unit=""):
            self.totals[label] = (total, unit)
            recorder = self

            class Task:
                def __enter__(self):
                    return lambda amount: recorder.done.update({label: amount})

                def __exit__(self, *exception):
                    return None

            return Task()

    recorder = Recorder()
    rows = write_sample(tmp_path, scale=SMALL, progress=recorder)
    assert recorder.totals == {f"sample {blob}.tsv": (count, "rows") for blob, count in rows.items()}
    assert recorder.done == {f"sample {blob}.tsv": count for blob, count in rows.items()}
