"""What tools write as tab-separated text, by those tools themselves: loaded equal to the raw twin, or refused in words."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import psycopg
import pytest
from hypothesis import given, settings, strategies as st
from polars.testing import assert_frame_equal

from film_assets.common.progress import Silent
from film_assets.errors import BlobError
from film_assets.landing import FileContent, FolderStore, Slice, land, read
from film_assets.tables import Blob, raw
from film_assets_tests.landing.test_land import rejects, rows
from film_assets_tests.postgres import PostgreSql, postgresql

__all__ = ["postgresql"]
pytestmark = pytest.mark.slow

Row = Sequence[str | None]
COLUMNS = raw.titles.column_names
CERTAIN = [
    ("tt0000001", "movie", 'The "certain" one', 'A "sure" \\ thing', "0", "1994", None, "90", "Drama,War"),
    ("tt0000002", "short", "Straße, 東京", None, "1", "1995", "1996", None, None),
    ("tt0000003", "movie", 'Say "hi"', 'C:\\dir "x"', "0", None, None, "7", "News"),
]


def write_csv(**options: object) -> Callable[[Sequence[Row]], bytes]:
    def write(lines: Sequence[Row]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter="\t", **{"lineterminator": "\n", **options}).writerows(
            [field or "" for field in line] for line in lines
        )
        return text.getvalue().encode()

    return write


def write_csv_with_nulls(**options: object) -> Callable[[Sequence[Row]], bytes]:
    plainly = write_csv(**options)
    return lambda lines: plainly([["\\N" if field is None else field for field in line] for line in lines])


def write_polars(style: str, columns: dict[str, pl.DataType]) -> Callable[[Sequence[Row]], bytes]:
    def write(lines: Sequence[Row]) -> bytes:
        frame = pl.DataFrame(lines[1:], schema=dict.fromkeys(lines[0], pl.String), orient="row").cast(columns)
        return frame.write_csv(separator="\t", quote_style=style).encode()

    return write


def write_duckdb(options: str = "") -> Callable[[Sequence[Row]], bytes]:
    def write(lines: Sequence[Row]) -> bytes:
        with TemporaryDirectory() as folder, duckdb.connect() as connection:
            connection.register("lines", pl.DataFrame(lines[1:], schema=dict.fromkeys(lines[0], pl.String), orient="row"))
            connection.sql(f"copy lines to '{folder}/out' (format csv, delimiter '\t', header {options})")
            return Path(folder, "out").read_bytes()

    return write


def write_pandas(types: dict[str, str], **options: Any) -> Callable[[Sequence[Row]], bytes]:
    def write(lines: Sequence[Row]) -> bytes:
        frame = pd.DataFrame(lines[1:], columns=lines[0], dtype="object").astype(
            {name: types.get(name, "object") for name in lines[0]}
        )
        return frame.to_csv(sep="\t", index=False, lineterminator="\n", **options).encode()

    return write


def write_r(lines: Sequence[Row]) -> bytes:
    """As R's ``write.table``: text is quoted, quotes are escaped, backslashes are not."""

    def written(field: str | None) -> str:
        return "\\N" if field is None else '"' + field.replace('"', '\\"') + '"'

    return "".join("\t".join(map(written, line)) + "\n" for line in lines).encode()


def write_mysql(lines: Sequence[Row]) -> bytes:
    """As MySQL's ``select ... into outfile``: a backslash before a backslash, and before a tab and a line feed themselves."""

    def written(field: str | None) -> str:
        return "\\N" if field is None else re.sub(r"([\\\t\n])", r"\\\1", field)

    return "".join("\t".join(map(written, line)) + "\n" for line in lines).encode()


def write_excel(lines: Sequence[Row]) -> bytes:
    """As Excel's "Text (tab delimited)": fields with a comma, a quote or a tab are wrapped."""

    def written(field: str | None) -> str:
        text = "\\N" if field is None else field
        return '"' + text.replace('"', '""') + '"' if re.search(r'[",\t\n]', text) else text

    return "".join("\t".join(map(written, line)) + "\r\n" for line in lines).encode()


NUMBERS = {"isAdult": pl.Int64, "startYear": pl.Int64, "endYear": pl.Int64, "runtimeMinutes": pl.Int64}
WITH_GAPS = dict.fromkeys(NUMBERS, pl.Float64)
FLOATS = dict.fromkeys(NUMBERS, "Float64") | {"isAdult": "Int64"}
WRITERS = {
    "csv minimal": write_csv(quoting=csv.QUOTE_MINIMAL),
    "csv all": write_csv(quoting=csv.QUOTE_ALL),
    "csv all, CR LF": write_csv(quoting=csv.QUOTE_ALL, lineterminator="\r\n"),
    "csv all, nulls": write_csv_with_nulls(quoting=csv.QUOTE_ALL),
    "csv minimal, nulls": write_csv_with_nulls(quoting=csv.QUOTE_MINIMAL),
    "csv non-numeric": write_csv(quoting=csv.QUOTE_NONNUMERIC),
    "csv all, escaped": write_csv(quoting=csv.QUOTE_ALL, doublequote=False, escapechar="\\"),
    "csv minimal, escaped": write_csv(quoting=csv.QUOTE_MINIMAL, doublequote=False, escapechar="\\"),
    "csv none, escaped": write_csv(quoting=csv.QUOTE_NONE, escapechar="\\"),
    **{f"polars {style}": write_polars(style, NUMBERS) for style in ("necessary", "always", "non_numeric")},
    "polars, numbers with gaps": write_polars("necessary", WITH_GAPS),
    "pandas": write_pandas(FLOATS),
    "pandas, nulls": write_pandas(FLOATS, na_rep="\\N"),
    "pandas, all": write_pandas(FLOATS, quoting=csv.QUOTE_ALL),
    "pandas, non-numeric": write_pandas(FLOATS, quoting=csv.QUOTE_NONNUMERIC),
    "pandas, escaped": write_pandas(FLOATS, doublequote=False, escapechar="\\"),
    "duckdb": write_duckdb(),
    "duckdb, nulls": write_duckdb(", nullstr '\\N'"),
    "duckdb, all": write_duckdb(", force_quote *"),
    "duckdb, escaped": write_duckdb(", escape '\\'"),
    "duckdb, all escaped": write_duckdb(", escape '\\', force_quote *"),
    "r": write_r,
    "mysql": write_mysql,
    "excel": write_excel,
}


def land_bytes(data: bytes, folder: Path, blob: Blob = raw.titles) -> list[Slice]:
    path = folder / "blob.tsv"
    path.write_bytes(data)
    return land(blob, FileContent(path), FolderStore(folder / "landing"), {}, Silent())


def expected(lines: Sequence[Row]) -> pl.DataFrame:
    """The rows as they are meant: what raw files write as null is null."""
    texts = [[None if field in ("", "\\N") else field for field in line] for line in lines]
    types = {column.name: read.POLARS[column.type] for column in raw.titles.columns}
    return pl.DataFrame(texts, schema=dict.fromkeys(COLUMNS, pl.String), orient="row").cast(types)


SOME = [
    '"',
    '""',
    "\\",
    "\\\\",
    "\t",
    "\n",
    ",",
    ";",
    "'",
    "\\N",
    "\\t",
    '\\"',
    " ",
    "a",
    "é",
    "東",
    "\u0440",
    "\U0001f600",
    "NULL",
    "|",
]
LOOKS_WRAPPED = re.compile(r'"(?:[^"]|""|\\")*"', re.DOTALL)
TEXT = st.one_of(
    st.none(),
    st.lists(st.sampled_from(SOME), max_size=6).map("".join),
    st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=8),
)
TITLES = st.lists(st.tuples(TEXT, TEXT), max_size=8)


def lines_with(drawn: list[tuple[str | None, str | None]]) -> list[Row]:
    drawn_lines = [
        (f"tt{10 + place:07d}", "movie", first, second, "0", "1990", None, "9", "War,News")
        for place, (first, second) in enumerate(drawn)
    ]
    return [*CERTAIN, *drawn_lines]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("late", [False, True], ids=["id first", "id late"])
@settings(max_examples=6, deadline=None)
@given(drawn=TITLES)
def test_what_a_tool_writes_is_loaded_like_its_raw_twin(
    writer: str, late: bool, drawn: list[tuple[str | None, str | None]]
) -> None:
    if writer == "r":  # which does not tell two backslashes from one, nor one before a quote
        drawn = [(first and first.replace("\\", "/"), second and second.replace("\\", "/")) for first, second in drawn]
    lines = lines_with(drawn)
    order = [3, 2, 8, 4, 6, 7, 5, 0, 1] if late else range(len(COLUMNS))
    data = WRITERS[writer]([[line[place] for place in order] for line in [COLUMNS, *lines]])
    _assert_loaded_or_refused(data, lines, drawn)


def _assert_loaded_or_refused(data: bytes, lines: list[Row], drawn: list[tuple[str | None, str | None]]) -> None:
    """Equal to the raw twin; where texts look as if a writer had wrapped them, it may be refused instead, in one line."""
    with TemporaryDirectory() as folder:
        try:
            slices = land_bytes(data, Path(folder))
        except BlobError as error:
            refused = str(error)
        else:
            assert rejects(slices) == []
            assert_frame_equal(rows(Path(folder), slices), expected(lines))
            return
    assert refused.endswith("save it in one dialect")
    assert [text for texts in drawn for text in texts if text and LOOKS_WRAPPED.fullmatch(text)]


@pytest.fixture
def connection(postgresql: PostgreSql) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgresql.url()) as connection:
        yield connection


@pytest.mark.parametrize(
    "options", ["", "format csv, delimiter E'\t'", "format csv, delimiter E'\t', force_quote *, escape '\\'"]
)
def test_what_postgresql_copies_is_loaded_like_its_raw_twin(connection: psycopg.Connection, options: str) -> None:
    columns = ", ".join(f'"{name}" text' for name in COLUMNS)
    statement = f"copy (select * from lines order by 1) to stdout (header, {options})".replace(", )", ")")

    @settings(max_examples=15, deadline=None)
    @given(drawn=st.lists(st.tuples(TEXT, TEXT), max_size=8))
    def check(drawn: list[tuple[str | None, str | None]]) -> None:
        lines = lines_with(drawn)
        with connection.cursor() as cursor:
            cursor.execute(f"drop table if exists lines; create table lines ({columns})")
            cursor.executemany(f"insert into lines values ({', '.join(['%s'] * len(COLUMNS))})", lines)
            with cursor.copy(statement) as copy:
                data = b"".join(copy)
        _assert_loaded_or_refused(data, lines, drawn)

    check()
