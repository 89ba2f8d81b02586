"""Dialects told apart by what little there is to tell, and what cannot be read refused in one line."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from film_assets.common.progress import Silent
from film_assets.errors import BlobError
from film_assets.landing import FileContent, FolderStore, Slice, land, recognise
from film_assets.tables import raw
from film_assets_tests.landing.test_land import HEADER, counts, landed, rejects, rows, title

CREW = "\t".join(raw.crew.column_names)
CAST = "\t".join(raw.cast.column_names)


def test_lists_alone_are_wrapped_where_they_have_a_comma(tmp_path: Path) -> None:
    lines = [CREW, 'tt0000007\t"nm0000004,nm0000005"\tnm0000006', "tt0000008\tnm0000004\t\\N"]
    slices = landed(tmp_path, lines, blob=raw.crew, end="\r\n")
    assert rows(tmp_path, slices).rows() == [
        ("tt0000007", "nm0000004,nm0000005", "nm0000006"),
        ("tt0000008", "nm0000004", None),
    ]
    assert rejects(slices) == []


@pytest.mark.parametrize(
    "characters",
    [
        r"""["Eve \"Evie\" B", "C:\\D"]""",
        r'''"[""Eve \""Evie\"" B"", ""C:\\D""]"''',
        r'''"[\"Eve \\\"Evie\\\" B\", \"C:\\\\D\"]"''',
        r"""["Eve \\"Evie\\" B", "C:\\\\D"]""",
    ],
    ids=["raw", "quotes doubled", "quotes escaped", "copied"],
)
def test_json_is_the_same_in_every_dialect(tmp_path: Path, characters: str) -> None:
    slices = landed(tmp_path, [CAST, f"tt0000001\t1\tnm0000001\tself\t\\N\t{characters}"], blob=raw.cast)
    assert rows(tmp_path, slices)["characters"].to_list() == ['["Eve \\"Evie\\" B", "C:\\\\D"]']
    assert rejects(slices) == []


@pytest.mark.parametrize("odd", ['"x""y"', '""', '"\\\\"', "a\\tb"])
def test_one_odd_title_does_not_decide_for_the_blob(tmp_path: Path, odd: str) -> None:
    lines = [title("tt0000001", primaryTitle=odd), title("tt0000002", primaryTitle='The "plain" one'), title("tt0000003")]
    for chosen in (lines, [lines[0], lines[2]]):
        slices = landed(tmp_path, [HEADER, *chosen])
        assert rows(tmp_path, slices)["primaryTitle"].to_list()[0] == odd
        assert rejects(slices) == []


def test_a_short_row_is_no_better_for_a_tab_in_another(tmp_path: Path) -> None:
    lines = [
        HEADER,
        title("tt0000001", primaryTitle='"a ""b""\tc"'),
        title("tt0000002").removesuffix("\t\\N"),
        title("tt0000003"),
    ]
    slices = landed(tmp_path, lines)
    assert counts(slices) == (3, 2, 1)
    assert rejects(slices) == [(3, None, None, "row rejected: 8 fields instead of 9")]
    assert rows(tmp_path, slices)["primaryTitle"].to_list() == ['a "b"\tc', None]


def test_a_field_that_is_neither_wrapped_nor_bare_is_refused(tmp_path: Path) -> None:
    wrapped = [title(f"tt{n:07d}", primaryTitle='"a ""b"" c"') for n in range(1, 21)]
    slices = landed(tmp_path, [HEADER, *wrapped, title("tt0000021", primaryTitle='a "b" c')])
    assert rejects(slices) == [(22, None, None, "row rejected: a quote within a field that is not wrapped in quotes")]
    assert counts(slices) == (21, 20, 1)


WITH_LINE_BREAKS = {
    "doubled": '"one ""1""\n\n{}\ttwo"',
    "escaped": '"one \\"1\\"\n\n{}\ttwo"',
    "copied": 'one "1"\\\n\\\n{}\\\ttwo',
}
SPREAD = [f"tt{number:07d}" for number in (*range(1, 4), *range(10_000_000, 39_000_000, 500_000))]


@pytest.mark.parametrize("late", [False, True], ids=["id first", "id late"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("dialect", WITH_LINE_BREAKS)
@pytest.mark.parametrize("ids", [SPREAD, SPREAD[::-1]], ids=["sorted", "unsorted"])
def test_a_field_may_hold_line_breaks(tmp_path: Path, dialect: str, end: str, late: bool, ids: list[str]) -> None:
    columns = [*raw.titles.column_names[late:], *raw.titles.column_names[:late]]
    lines = ["\t".join(columns)]
    for tconst in ids:
        values = {"tconst": tconst, "titleType": "movie", "primaryTitle": WITH_LINE_BREAKS[dialect].format(tconst)}
        lines.append("\t".join(values.get(name, "\\N") for name in columns))
    slices = landed(tmp_path, lines, end=end)
    assert rejects(slices) == []
    assert counts(slices) == (len(ids), len(ids), 0)
    found = rows(tmp_path, slices).select("tconst", "titleType", "primaryTitle", "genres").rows()
    assert found == [(tconst, "movie", f'one "1"\n\n{tconst}\ttwo', None) for tconst in SPREAD]


CREW_LATE = "x\tdirectors\twriters\ttconst\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("form", ['"a ""q""\n{}"', "a \\\\ b\\\n{}"], ids=["quoted", "copied"])
def test_the_last_row_may_have_several_lines_and_no_line_feed_at_its_end(tmp_path: Path, form: str, end: str) -> None:
    lines = [f"{form.format(number)}\t\\N\t\\N\ttt000000{number}" for number in (1, 2, 3)]
    path = tmp_path / "blob.tsv"
    path.write_bytes((CREW_LATE + "\n".join(lines)).replace("\n", end).encode())
    slices = land(raw.crew, FileContent(path), FolderStore(tmp_path / "landing"), {}, Silent())
    assert rejects(slices) == []
    assert rows(tmp_path, slices)["tconst"].to_list() == ["tt0000001", "tt0000002", "tt0000003"]


def test_a_row_of_several_lines_may_lie_across_what_is_read_at_once(tmp_path: Path) -> None:
    long = f"tt0000001\t\t\t{'p' * 16_327}"
    lines = ["tconst\tdirectors\twriters\tx", long, 'tt0000002\t\t\t"a\nb\nc\nd"', "tt1000000\t\t\t"]
    slices = landed(tmp_path, lines, blob=raw.crew)
    assert rejects(slices) == []
    assert rows(tmp_path, slices)["tconst"].to_list() == ["tt0000001", "tt0000002", "tt1000000"]


def test_ids_within_fields_do_not_lead_rows_astray(tmp_path: Path) -> None:
    """With every control character in the file there is none to stand for a line break: then rows are refused, and told."""
    controls = bytes([*range(1, 9), 11, 12, *range(14, 32), 127])
    data = b'"directors"\t"writers"\t"tconst"\n\t"One\ntwo"\t"tt2000000"\n\t"nm0000001"\t"tt3000000"\n\t"'
    path = tmp_path / "blob.tsv"
    path.write_bytes(data + controls + b'"\t"tt9000000"\n')
    slices = land(raw.crew, FileContent(path), FolderStore(tmp_path / "landing"), {}, Silent())
    assert rows(tmp_path, slices)["tconst"].to_list() == ["tt3000000", "tt9000000"]
    assert {line for line, _, _, reason in rejects(slices) if reason.startswith("row")} == {2, 3}


@pytest.mark.parametrize(
    ("odd", "usual", "meant", "then"),
    [
        ('5 \\" disc', 'The "plain" one', '5 \\" disc', 'The "plain" one'),
        ("bad\\x", "a \\\\ b", "badx", "a \\ b"),
    ],
    ids=["an escape in raw text", "a stray backslash in copied text"],
)
def test_one_backslash_does_not_decide_for_the_blob(tmp_path: Path, odd: str, usual: str, meant: str, then: str) -> None:
    lines = [HEADER, title("tt0000001", primaryTitle=odd), *(title(f"tt{n:07d}", primaryTitle=usual) for n in range(2, 20))]
    slices = landed(tmp_path, lines)
    assert rows(tmp_path, slices)["primaryTitle"].to_list() == [meant, *[then] * 18]
    assert rejects(slices) == []


@pytest.mark.parametrize("line", ["\\\n", '"\\\n', '"\n', '\\"\n'])
def test_a_file_made_of_quotes_or_backslashes_is_looked_at_quickly(tmp_path: Path, line: str) -> None:
    path = tmp_path / "blob.tsv"
    path.write_bytes((HEADER + "\n" + title("tt0000001") + "\n" + line * 40_000).encode())
    recognise(raw.titles, FileContent(path))


@pytest.mark.parametrize("ids", [range(1, 9), range(8, 0, -1)], ids=["sorted", "unsorted"])
def test_a_quote_left_open_costs_its_own_line_alone(tmp_path: Path, ids: Iterable[int]) -> None:
    texts = {2: '"open', 3: 'closed"', 5: '"open\tto', 7: '"one\ntwo"', 8: '"x""y"'}
    header = "\t".join(f'"{name}"' for name in raw.titles.column_names)
    lines = [header, *(title(f"tt{number:07d}", primaryTitle=texts.get(number, '"a ""b"" c"'), isAdult="x") for number in ids)]
    slices = landed(tmp_path, lines)
    assert rows(tmp_path, slices)["primaryTitle"].to_list() == ['a "b" c', 'a "b" c', 'a "b" c', "one\ntwo", 'x"y']
    broken = {number for number, line in enumerate("\n".join(lines).split("\n"), 1) if "open" in line or "closed" in line}
    assert {line for line, _, _, reason in rejects(slices) if reason.startswith("row")} == broken
    values = {number for number, line in enumerate("\n".join(lines).split("\n"), 1) if "tt" in line} - broken
    assert {line for line, column, _, _ in rejects(slices) if column == "isAdult"} == values
    assert counts(slices) == (8, 5, 3)


def land_bytes(data: bytes, folder: Path) -> list[Slice]:
    path = folder / "blob.tsv"
    path.write_bytes(data)
    return land(raw.titles, FileContent(path), FolderStore(folder / "landing"), {}, Silent())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no BOM", "BOM"])
@pytest.mark.parametrize("form", ["{}", '"{}"'], ids=["bare", "wrapped"])
def test_a_column_without_a_name_and_no_last_line_feed(tmp_path: Path, end: str, mark: str, form: str) -> None:
    lines = [HEADER, title("tt0000001", primaryTitle="Ünder"), title("tt0000002", genres="News")]
    written = ["\t".join(map(form.format, line.split("\t"))) for line in lines]
    slices = land_bytes((mark + end.join(f"{line}\t" for line in written)).encode(), tmp_path)
    assert rows(tmp_path, slices).select("tconst", "primaryTitle", "genres").rows() == [
        ("tt0000001", "Ünder", None),
        ("tt0000002", None, "News"),
    ]
    assert rejects(slices) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("\r".join([HEADER, *[title("tt0000001")] * 4000]), "titles: lines end with CR alone; save it with line feeds"),
        ("\r".join([HEADER, title("tt0000001")]) + "\n", "titles: lines end with CR alone; save it with line feeds"),
        (HEADER.replace("\t", ",") + "\nx\n", "titles: the fields are separated by commas; save it with tabs between them"),
        (HEADER.replace("\t", ";") + "\nx\n", "titles: the fields are separated by semicolons; save it with tabs"),
        ('"' + HEADER.replace("\t", '","') + '"\nx\n', "titles: the fields are separated by commas"),
        ("a\t" * 30_000 + "\nx\n", "titles: column tconst, titleType, .* is missing; the header has a, a"),
    ],
    ids=["CR", "CR and one LF", "commas", "semicolons", "quotes and commas", "a long header"],
)
def test_what_cannot_be_read_is_one_short_line(tmp_path: Path, data: str, message: str) -> None:
    with pytest.raises(BlobError, match=message) as error:
        land_bytes(data.encode(), tmp_path)
    assert len(str(error.value)) < 500
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("null", ["\\\\N", ""])
def test_doubled_backslashes_beside_doubled_quotes_are_refused(tmp_path: Path, null: str) -> None:
    lines = [title(f"tt{n:07d}", primaryTitle='"C:\\\\dir ""x"""', originalTitle=null) for n in (1, 2, 3)]
    with pytest.raises(BlobError, match="titles: quotes are doubled and backslashes too; save it without an escape character"):
        landed(tmp_path, [HEADER, *lines])


def test_a_byte_order_mark_within_a_blob_is_a_character(tmp_path: Path) -> None:
    columns = ["primaryTitle", *(name for name in raw.titles.column_names if name != "primaryTitle")]
    lines = ["\t".join(["\ufeffAb", f"tt000000{n}", *["\\N"] * 7]) for n in (1, 2)]
    slices = landed(tmp_path, ["\t".join(columns), *lines])
    assert rows(tmp_path, slices)["primaryTitle"].to_list() == ["\ufeffAb"] * 2


def test_utf_16_is_named(tmp_path: Path) -> None:
    with pytest.raises(BlobError, match="titles: the blob is written in UTF-16; save it as UTF-8"):
        land_bytes(f"{HEADER}\n".encode("utf-16"), tmp_path)
