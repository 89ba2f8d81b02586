"""Values as spreadsheets and dataframes write them: numbers with a decimal point, lists in many spellings, words for null."""

from pathlib import Path

import pytest

from film_assets.tables import raw
from film_assets_tests.landing.test_land import HEADER, counts, landed, rejects, rows, title

CREW = "\t".join(raw.crew.column_names)
NAMES = "\t".join(raw.names.column_names)
CAST = "\t".join(raw.cast.column_names)
LABEL = "value dropped: not a word without bracket, brace, quote, semicolon and pipe"
PERSON = "value dropped: not nm and at least seven digits"
WORD = "value dropped: a word that stands for null"


@pytest.mark.parametrize(
    ("text", "number"), [("1994.0", 1994), ("1994.00", 1994), (" 1994.0 ", 1994), ("-44.0", -44), ("+7.0", 7)]
)
def test_a_whole_number_with_a_decimal_point_is_that_number(tmp_path: Path, text: str, number: int) -> None:
    slices = landed(tmp_path, [HEADER, title("tt0000001", startYear=text)])
    assert rows(tmp_path, slices)["startYear"].to_list() == [number]
    assert rejects(slices) == []


@pytest.mark.parametrize(
    "text",
    ["1994.5", "1994,0", "1994.", ".0", "1.994e3", "1994.0.0", "70000.0", "1 994.0"]
    + [f"1994{blank}" for blank in ("\u0085", "\u00a0", "\u2028", "\u3000", "\x0b", "\x1c")],
)
def test_other_spellings_of_a_number_are_dropped(tmp_path: Path, text: str) -> None:
    slices = landed(tmp_path, [HEADER, title("tt0000001", startYear=text)])
    assert rows(tmp_path, slices)["startYear"].to_list() == [None]
    assert rejects(slices) == [(2, "startYear", text, "value dropped: not of type SMALLINT")]


def test_a_key_may_have_a_decimal_point(tmp_path: Path) -> None:
    slices = landed(tmp_path, [CAST, *(f"tt0000001\t{n}.0\tnm0000001\tself\t\\N\t\\N" for n in (1, 2))], blob=raw.cast)
    assert rows(tmp_path, slices)["ordering"].to_list() == [1, 2]
    assert rejects(slices) == []


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("Drama, Comedy", "Drama,Comedy", []),
        (" Drama ,\u00a0Film-Noir", "Drama,Film-Noir", []),
        ("Drama,,Comedy,", "Drama,Comedy", []),
        (" , ", None, []),
        ("Talk Show,Sci-Fi", "Talk Show,Sci-Fi", []),
        ("['War', 'News']", None, ["['War'", "'News']"]),
        ("{War,Sport,News}", "Sport", ["{War", "News}"]),
        ("War|News", None, ["War|News"]),
        ("War; News", None, ["War; News"]),
        ('["War"],Drama,["War"]', "Drama", ['["War"]']),
    ],
)
def test_the_good_elements_of_a_list_stay(tmp_path: Path, text: str, good: str | None, bad: list[str]) -> None:
    lines = [HEADER, title("tt0000001", genres="Drama,War"), title("tt0000002", genres=text), title("tt0000003")]
    slices = landed(tmp_path, lines)
    assert rows(tmp_path, slices)["genres"].to_list() == ["Drama,War", good, None]
    assert rejects(slices) == [(3, "genres", element, LABEL) for element in bad]
    assert counts(slices) == (3, 3, 0)


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("nm0000007, nm12345678", "nm0000007,nm12345678", []),
        ("[nm0000007]", None, ["[nm0000007]"]),
        ("nm7,nm0000008", "nm0000008", ["nm7"]),
        ("nm0000007;nm0000008", None, ["nm0000007;nm0000008"]),
        ("tt0000007,nm0000008", "nm0000008", ["tt0000007"]),
    ],
)
@pytest.mark.parametrize("column", ["directors", "writers"])
def test_ids_in_a_list_are_good_ids(tmp_path: Path, column: str, text: str, good: str | None, bad: list[str]) -> None:
    fields = {"tconst": "tt0000001", "directors": "\\N", "writers": "\\N", column: text}
    slices = landed(tmp_path, [CREW, "\t".join(fields.values())], blob=raw.crew)
    assert rows(tmp_path, slices)[column].to_list() == [good]
    assert rejects(slices) == [(2, column, element, PERSON) for element in bad]


def test_what_is_wrong_with_several_lists_of_a_line_is_all_told(tmp_path: Path) -> None:
    line = "nm0000001\tNone\t1950.0\tNA\tactor, none,{writer\ttt0000001 , tt2"
    slices = landed(tmp_path, [NAMES, line], blob=raw.names)
    assert rows(tmp_path, slices).row(0) == ("nm0000001", "None", 1950, None, "actor", "tt0000001")
    assert rejects(slices) == [
        (2, "deathYear", "NA", "value dropped: not of type SMALLINT"),
        (2, "primaryProfession", "none", WORD),
        (2, "primaryProfession", "{writer", LABEL),
        (2, "knownForTitles", "tt2", "value dropped: not tt and at least seven digits"),
    ]


def test_the_lists_of_a_rejected_row_are_not_told_of(tmp_path: Path) -> None:
    slices = landed(tmp_path, [HEADER, title("tt1", genres="{Drama"), title("tt0000001")])
    assert rejects(slices) == [(2, "tconst", "tt1", "row rejected: not tt and at least seven digits")]
    assert counts(slices) == (2, 1, 1)


@pytest.mark.parametrize("word", ["NA", "n/a", "<NA>", "NULL", "null", "nan", "NaN", "None"])
def test_a_word_for_null_is_no_label_but_may_be_a_name(tmp_path: Path, word: str) -> None:
    line = title("tt0000001", titleType=word, primaryTitle=word, genres=f"Drama,{word}")
    slices = landed(tmp_path, [HEADER, line])
    found = rows(tmp_path, slices).row(0, named=True)
    assert (found["titleType"], found["primaryTitle"], found["genres"]) == (None, word, "Drama")
    assert rejects(slices) == [(2, "titleType", word, WORD), (2, "genres", word, WORD)]
    slices = landed(tmp_path, [CAST, f"tt0000001\t1\tnm0000001\t{word}\t{word}\t\\N"], blob=raw.cast)
    assert rows(tmp_path, slices).row(0) == ("tt0000001", 1, "nm0000001", None, word, None)
    assert rejects(slices) == [(2, "category", word, WORD)]
