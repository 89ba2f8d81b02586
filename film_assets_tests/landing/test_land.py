"""Blobs of every dialect and with every fault, landed."""

import csv
import io
import random
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from polars.testing import assert_frame_equal

from film_assets.common.progress import Silent
from film_assets.errors import BlobError
from film_assets.landing import FileContent, FolderStore, Known, KnownSlice, Slice, land, read
from film_assets.tables import Blob, raw
from film_assets.tables.ranges import RANGE_KEYS, RANGES

HEADER = "\t".join(raw.titles.column_names)


def title(tconst: str, **values: str) -> str:
    """The line of a title."""
    fields = dict.fromkeys(raw.titles.column_names, "\\N") | {"tconst": tconst, "titleType": "movie", "isAdult": "0"} | values
    return "\t".join(fields.values())


def landed(
    folder: Path,
    lines: Iterable[str | bytes],
    *,
    blob: Blob = raw.titles,
    end: str = "\n",
    known: Known | None = None,
) -> list[Slice]:
    """Land a blob of these lines, the first of which is the header."""
    path = folder / "blob.tsv"
    encoded = (line if isinstance(line, bytes) else line.encode() for line in lines)
    path.write_bytes(b"".join(line + end.encode() for line in encoded))
    return land(blob, FileContent(path), FolderStore(folder / "landing"), known or {}, Silent())


def rows(folder: Path, slices: list[Slice]) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(folder / "landing" / item.written.file) for item in slices if item.written)


def rejects(slices: list[Slice]) -> list[tuple[int, str | None, str | None, str]]:
    """Line of the blob, column, value and reason of everything rejected."""
    found = [
        (item.first_line + line, column, value, reason)
        for item in slices
        if item.written
        for line, column, value, reason, _ in item.written.rejects.rows()
    ]
    return sorted(found, key=lambda reject: reject[0])


def counts(slices: list[Slice]) -> tuple[int, int, int]:
    written = [item.written for item in slices if item.written]
    read = sum(item.lines for item in slices) - sum(w.continued for w in written)
    return read, sum(w.rows for w in written), sum(w.rejected for w in written)


IDS = sorted(f"tt{number:07d}" for number in [*range(1, 9_999_999, 123_457), *range(10_000_000, 39_000_000, 1_234_567)])


@pytest.fixture
def titles() -> list[str]:
    return [title(tconst, primaryTitle=f'"Half {tconst}', startYear="1994", genres="Drama,Comedy") for tconst in IDS]


def test_a_sorted_blob_is_one_slice_a_range_in_order(tmp_path: Path, titles: list[str]) -> None:
    slices = landed(tmp_path, [HEADER, *titles])
    assert [item.range_key for item in slices] == list(RANGE_KEYS)
    assert rows(tmp_path, slices)["tconst"].to_list() == IDS
    assert counts(slices) == (len(IDS), len(IDS), 0)
    for item in slices:
        assert item.written
        bounds = RANGES["tconst"][item.range_key]
        for tconst in pl.read_parquet(tmp_path / "landing" / item.written.file)["tconst"]:
            assert (bounds.lower or "") <= tconst < (bounds.upper or "tu")


def test_known_slices_are_not_read_again(tmp_path: Path, titles: list[str]) -> None:
    first = landed(tmp_path, [HEADER, *titles])
    known = {item.range_key: {item.digest: KnownSlice(item.lines)} for item in first}
    again = landed(tmp_path, [HEADER, *titles], known=known)
    assert [item.written for item in again] == [None] * len(RANGE_KEYS)
    changed = [HEADER, title("tt0000000"), *titles]
    assert [item.range_key for item in landed(tmp_path, changed, known=known) if item.written] == ["00"]


def test_quotes_are_ordinary_characters(tmp_path: Path) -> None:
    slices = landed(tmp_path, [HEADER, title("tt0000001", primaryTitle='"Rolling in the Deep Dish', originalTitle='say "hi"')])
    assert rows(tmp_path, slices).row(0, named=True)["primaryTitle"] == '"Rolling in the Deep Dish'
    assert rows(tmp_path, slices).row(0, named=True)["originalTitle"] == 'say "hi"'


def test_the_order_of_rows_makes_no_difference(tmp_path: Path, titles: list[str]) -> None:
    wanted = rows(tmp_path, landed(tmp_path, [HEADER, *titles]))
    random.Random(5).shuffle(titles)
    slices = landed(tmp_path, [HEADER, *titles])
    assert_frame_equal(rows(tmp_path, slices), wanted)
    assert not list((tmp_path / "landing").rglob("unsorted*"))


def test_rejects_of_an_unsorted_blob_name_their_lines(tmp_path: Path, titles: list[str]) -> None:
    titles.reverse()
    slices = landed(tmp_path, [HEADER, *titles[:3], "what is this", *titles[3:], title(IDS[0])])
    assert counts(slices) == (len(IDS) + 2, len(IDS), 2)
    assert rejects(slices) == [
        (5, None, None, "row rejected: 1 fields instead of 9"),
        (len(IDS) + 3, "tconst", IDS[0], "row rejected: tconst stood on an earlier line"),
    ]


def test_windows_line_ends(tmp_path: Path, titles: list[str]) -> None:
    wanted = rows(tmp_path, landed(tmp_path, [HEADER, *titles]))
    assert_frame_equal(rows(tmp_path, landed(tmp_path, [HEADER, *titles], end="\r\n")), wanted)


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_rfc_4180_is_recognised(tmp_path: Path, titles: list[str], quoting: int) -> None:
    wanted = rows(tmp_path, landed(tmp_path, [HEADER, *titles]))
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", quoting=quoting, lineterminator="\n")
    writer.writerows(line.split("\t") for line in [HEADER, *titles])
    slices = landed(tmp_path, text.getvalue().splitlines())
    assert_frame_equal(rows(tmp_path, slices), wanted)
    assert rejects(slices) == []


def test_a_tab_inside_quotes_and_an_open_quote_in_rfc_4180(tmp_path: Path) -> None:
    wrapped = [title(f"tt{n:07d}", primaryTitle='"a ""b"" c"') for n in range(50)]
    with_tab = title("tt0000052", primaryTitle='"a ""tab""\there"')
    unclosed = title("tt0000053", primaryTitle='"a ""quote')
    slices = landed(tmp_path, [HEADER, *wrapped, with_tab, unclosed])
    assert rows(tmp_path, slices)["primaryTitle"].to_list() == ['a "b" c'] * 50 + ['a "tab"\there']
    assert rejects(slices) == [(53, None, None, "row rejected: a quote is not closed on its line")]


def test_mixed_dialects_are_refused(tmp_path: Path) -> None:
    wrapped = [title(f"tt{n:07d}", primaryTitle='"a ""b"" c"') for n in range(50)]
    plain = [title(f"tt{n:07d}", primaryTitle='a "b" c') for n in range(50, 99)]
    with pytest.raises(BlobError, match="titles: some fields are quoted as in CSV"):
        landed(tmp_path, [HEADER, *wrapped, *plain])


def test_columns_are_matched_by_name(tmp_path: Path, titles: list[str]) -> None:
    wanted = rows(tmp_path, landed(tmp_path, [HEADER, *titles]))
    turned = ["\t".join(["image.png", *reversed(line.split("\t"))]) for line in titles]
    header = "\t".join(["img_url_asset", *reversed(raw.titles.column_names)])
    assert_frame_equal(rows(tmp_path, landed(tmp_path, [header, *turned])), wanted)
    random.Random(5).shuffle(turned)
    assert_frame_equal(rows(tmp_path, landed(tmp_path, [header, *turned])), wanted)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER.replace("\tgenres", "")], "titles: column genres is missing; the header has tconst, titleType"),
        ([HEADER.replace("genres", "endYear"), "x"], "titles: column genres is missing"),
        ([HEADER + "\tgenres", "x"], "titles: column genres stands in the header more than once"),
        ([HEADER], "titles: there is no row after the header"),
        (["<html>not found</html>", "<p>"], "titles: this is no tab-separated file"),
        ([b"\x1f\x8b\x08\x00\xff", b"\x00"], "titles: this is no tab-separated file"),
        ([HEADER, "a", "b"], r"titles: not one row of it can be read \(1 fields instead of 9\)"),
    ],
)
def test_what_is_no_such_blob_is_one_clear_error(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(BlobError, match=message):
        landed(tmp_path, lines)


def test_an_empty_blob_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BlobError, match="titles: the blob is empty"):
        landed(tmp_path, [])


@pytest.fixture(params=[None, 1, 150], ids=["one chunk", "a chunk a line", "some chunks"])
def chunked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces are read in chunks of so many bytes; where that is, makes no difference."""
    if request.param:
        monkeypatch.setattr(read, "_CHUNK", request.param)


def test_every_kind_of_fault_is_rejected_with_line_and_reason(tmp_path: Path, chunked: None) -> None:
    good = title("tt0000001", startYear="1894", runtimeMinutes=" 7", primaryTitle=" blanks ")
    lines: list[str | bytes] = [
        HEADER,
        good,
        "tt0000002\tmovie",
        title("tt0000003") + "\textra",
        title("tt12"),
        title("nm0000004"),
        title("\\N"),
        title("tt0000001", startYear="MCM"),
        title("tt0000005", startYear="MCM", isAdult="2014"),
        title("tt0000006", primaryTitle="a\0b"),
        title("tt0000007", primaryTitle="a\rb"),
        title("tt0000008", primaryTitle="Zoé").encode("latin-1"),
        title("tt0000009", runtimeMinutes="-1", startYear="99999"),
        "",
    ]
    slices = landed(tmp_path, lines)
    assert counts(slices) == (13, 3, 10)
    assert rejects(slices) == [
        (3, None, None, "row rejected: 2 fields instead of 9"),
        (4, None, None, "row rejected: 10 fields instead of 9"),
        (5, "tconst", "tt12", "row rejected: not tt and at least seven digits"),
        (6, "tconst", "nm0000004", "row rejected: not tt and at least seven digits"),
        (7, "tconst", None, "row rejected: tconst is empty"),
        (8, "tconst", "tt0000001", "row rejected: tconst stood on an earlier line"),
        (9, "isAdult", "2014", "value dropped: not 0 or 1"),
        (9, "startYear", "MCM", "value dropped: not of type SMALLINT"),
        (10, None, None, "row rejected: a NUL byte in the line"),
        (11, None, None, "row rejected: a carriage return in the line"),
        (12, None, None, "row rejected: not UTF-8"),
        (13, "startYear", "99999", "value dropped: not of type SMALLINT"),
        (13, "runtimeMinutes", "-1", "value dropped: not 0 or more"),
        (14, None, None, "row rejected: 1 fields instead of 9"),
    ]
    loaded = rows(tmp_path, slices).to_dicts()
    assert [row["tconst"] for row in loaded] == ["tt0000001", "tt0000005", "tt0000009"]
    assert (loaded[0]["startYear"], loaded[0]["runtimeMinutes"], loaded[0]["primaryTitle"]) == (1894, 7, " blanks ")
    assert (loaded[1]["startYear"], loaded[1]["isAdult"]) == (None, None)


@pytest.mark.parametrize(
    ("characters", "good"),
    [
        ('["Self"]', True),
        ('["a \\"b\\", c", "d"]', True),
        ("[]", True),
        ('["\\u00e9\\ud83d\\ude00"]', True),
        ("Self", False),
        ('["Self"', False),
        ('["a" "b"]', False),
        ('["\\ud83d"]', False),
        ("[1]", False),
        ('{"a": 1}', False),
    ],
)
def test_characters_are_a_json_array_of_strings(tmp_path: Path, characters: str, good: bool) -> None:
    header = "\t".join(raw.cast.column_names)
    line = f"tt0000001\t1\tnm0000001\tself\t\\N\t{characters}"
    slices = landed(tmp_path, [header, line], blob=raw.cast)
    assert rows(tmp_path, slices)["characters"].to_list() == [characters if good else None]
    assert len(rejects(slices)) == (0 if good else 1)
    assert counts(slices) == (1, 1, 0)


def test_the_key_of_the_cast_is_title_and_ordering(tmp_path: Path, chunked: None) -> None:
    header = "\t".join(raw.cast.column_names)
    credit = "\tnm0000001\tself\t\\N\t\\N"
    keys = ["tt0000001\t1", "tt0000001\t2", "tt0000002\t1", "tt0000002\t1", "tt0000002\tx", "tt0000002\t0"]
    slices = landed(tmp_path, [header, *(key + credit for key in keys)], blob=raw.cast)
    assert counts(slices) == (6, 3, 3)


FIELD = st.text(st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), max_size=12)
NUMBER = st.one_of(st.integers(0, 3000).map(str), st.sampled_from(["\\N", "", "x", "1.5", "-3", "70000", " 12 "]))
LINES = st.lists(
    st.tuples(st.sampled_from(IDS), FIELD, FIELD, st.sampled_from(["0", "1", "2", "\\N"]), NUMBER, st.integers(0, 11)),
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=LINES)
def test_no_line_is_lost_whatever_is_in_it(tmp_path: Path, drawn: list[tuple[str, str, str, str, str, int]]) -> None:
    """Every line is loaded or rejected; loaded texts are what stood there; the order of lines decides nothing but duplicates."""
    broken = [
        "\t".join(line.split("\t")[:-1]) if spoil == 0 else line
        for line, spoil in (
            (title(i, primaryTitle=first, originalTitle=second, isAdult=adult, startYear=year), spoil)
            for i, first, second, adult, year, spoil in drawn
        )
    ]
    good = {"tt0000000": title("tt0000000", primaryTitle='certain "quote'), "tt9999999": title("tt9999999")}
    lines = [HEADER, good["tt0000000"], *broken, good["tt9999999"]]
    try:
        slices = landed(tmp_path, lines)
    except BlobError as error:
        if "save it in one dialect" in str(error):
            return
        raise
    read, loaded, rejected = counts(slices)
    assert read == len(lines) - 1 == loaded + rejected
    frame = rows(tmp_path, slices)
    assert frame["tconst"].n_unique() == frame.height == loaded
    if not any(first.startswith('"') for _, first, *_ in drawn):
        first_of = {}
        for line in lines[1:]:
            fields = line.split("\t")
            if len(fields) == len(raw.titles.columns):
                first_of.setdefault(fields[0], fields)
        for tconst, primary in frame.select("tconst", "primaryTitle").iter_rows():
            assert primary == (None if first_of[tconst][2] in ("", "\\N") else first_of[tconst][2])
