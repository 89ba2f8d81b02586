"""Blobs with seeded faults, judged by a plain reading of them, one character after the other."""

import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from film_assets.common.progress import Silent
from film_assets.errors import BlobError
from film_assets.landing import Dialect, FileContent, FolderStore, land, recognise
from film_assets.tables import raw
from film_assets_tests.landing.test_land import counts, rejects, rows

pytestmark = pytest.mark.slow

BLOBS = int(os.environ.get("FILM_ASSETS_FUZZ", "60"))
"""How many mutated blobs; 2,000 take seven minutes."""

LIMITS = {"SMALLINT": 1 << 15, "INTEGER": 1 << 31}
LABEL = re.compile(r"""[^;|"'\[\]{}()]+""")
NULLS = {"na", "n/a", "<na>", "null", "nan", "none"}
TITLES = [
    "Alpha",
    'The "Beta"',
    "Two\nlines",
    'Three "\n"\nlines',
    '"Half',
    "Ünï 東",
    "5'",
    "a, b; c|d",
    "Null",
    "",
    "\\N",
    "end\\",
    '"x""y"',
]
GENRES = ["Drama", "Drama,War", "Drama, War", "{Drama,War}", "NA,War", "\\N", "War;News", "[]"]
NUMBERS = ["1994", "1994.0", "1994.5", "MCM", "\\N", "70000", "-1", " 7 "]
JUNK = [b"\t", b"\n", b"\r", b'"', b"\\", b"\0", b"\xff", b"x", b"tt0000001\t", b'""', b"\\\\", b"\xc3", b",", b"\t\t"]


MEANT = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "Z": "\x1a"}


def written(field: str, dialect: str) -> str:
    if dialect == "raw":
        return field.replace("\n", " ")
    if dialect == "all" or (dialect == "minimal" and re.search('["\t\n]', field)):
        return '"' + field.replace('"', '""') + '"'
    if dialect == "escaped":
        return '"' + field.replace("\\", "\\\\").replace('"', '\\"') + '"' if field != "\\N" else field
    if dialect == "copied" and field != "\\N":
        return field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\\n")
    return field


def invented(rng: random.Random) -> bytes:
    """A blob in some dialect with a few bytes changed, taken away or put in."""
    dialect = rng.choice(["raw", "raw", "minimal", "all", "escaped", "copied"])
    columns = list(raw.titles.column_names)
    if rng.random() < 0.3:
        rng.shuffle(columns)
    lines = [columns]
    ids = [rng.choice([rng.randrange(1, 10**7), rng.randrange(10**7, 4 * 10**7)]) for _ in range(rng.randrange(1, 30))]
    for number in ids if rng.random() < 0.2 else sorted(ids):
        values = {
            "tconst": f"tt{number:07d}",
            "titleType": rng.choice(["movie", "short", "none"]),
            "primaryTitle": rng.choice(TITLES),
            "originalTitle": rng.choice(TITLES),
            "isAdult": rng.choice("012"),
            **{name: rng.choice(NUMBERS) for name in ("startYear", "endYear", "runtimeMinutes")},
            "genres": rng.choice(GENRES),
        }
        lines.append([values[name] for name in columns])
    end = rng.choice(["\n", "\n", "\r\n"])
    data = bytearray(end.join("\t".join(written(field, dialect) for field in line) for line in lines).encode())
    data += end.encode() if rng.random() < 0.8 else b""
    body = data.index(b"\n") + 1
    for _ in range(rng.choice([0, 1, 1, 3, 8])):
        at = rng.randrange(body, len(data))
        data[at : at + rng.choice([0, 0, 1, 5])] = rng.choice(JUNK) if rng.random() < 0.8 else b""
    return bytes(data)


Taken = tuple[str, int] | None
"""A field, and where it ends; None where that cannot be told."""


def wrapped(line: str, at: int, escaped: bool) -> Taken:
    text = ""
    while at < len(line):
        pair = line[at : at + 2]
        if pair == '""' or (escaped and pair in {'\\"', "\\\\"}):
            text, at = text + pair[1], at + 2
        elif line[at] == '"':
            return text, at + 1
        else:
            text, at = text + line[at], at + 1
    return None


def bare(line: str, at: int, dialect: Dialect) -> Taken:
    text, quoted = "", dialect.quoted
    while at < len(line) and line[at] != "\t":
        following = line[at + 1 : at + 2]
        if quoted and line[at] == '"':
            return None
        if quoted and dialect.escaped and line[at] == "\\" and following and following in '"\\':
            text, at = text + (following if dialect.escaped_bare else line[at : at + 2]), at + 2
        elif dialect.escaped and not quoted and line[at] == "\\" and following != "N":
            if not following:
                return None
            text, at = text + MEANT.get(following, following), at + 2
        else:
            text, at = text + line[at], at + 1
    return text, at


def fields(line: str, dialect: Dialect) -> list[str] | None:
    """The fields of a line, read one character after the other; None where they cannot be told."""
    found: list[str] = []
    at = 0
    while True:
        begins_wrapped = dialect.quoted and line[at : at + 1] == '"'
        taken = wrapped(line, at + 1, dialect.escaped) if begins_wrapped else bare(line, at, dialect)
        if taken is None:
            return None
        found.append(taken[0])
        at = taken[1]
        if at == len(line):
            return found
        if line[at] != "\t":
            return None
        at += 1


class Read(NamedTuple):
    """What a plain reading finds: rows by id, lines that are rejected, and column and value of what is dropped, by line."""

    rows: dict[str, tuple[object, ...]]
    rejected: set[int]
    dropped: set[tuple[int, str, str]]


def values(given: dict[str, str]) -> Iterator[tuple[str, object, list[str]]]:
    for column in raw.titles.columns:
        text = given[column.name]
        value: object = None if text in ("", "\\N") else text
        bad: list[str] = []
        if value is not None and column.type != "VARCHAR":
            match = re.fullmatch(r"([+-]?[0-9]+)(\.0+)?", text.strip(" \t"))
            value = int(match[1]) if match else None
            low, high = {"isAdult": (0, 1), "runtimeMinutes": (0, 1 << 31)}.get(column.name, (-(1 << 31), 1 << 31))
            if value is None or not (low <= value <= high and -LIMITS[column.type] <= value < LIMITS[column.type]):
                value, bad = None, [text.strip(" \t")] if text.strip(" \t") else []
        elif value is not None and column.name == "genres":
            elements = [element for each in text.split(",") if (element := each.strip())]
            bad = [each for each in elements if each.lower() in NULLS or not LABEL.fullmatch(each)]
            value = ",".join(each for each in elements if each not in bad) or None
        elif value is not None and column.name == "titleType" and text.lower() in NULLS:
            value, bad = None, [text]
        yield column.name, value, bad


def plainly(data: bytes, dialect: Dialect) -> Read:
    columns = dialect.columns
    body = data[data.index(b"\n") + 1 :]
    lines = (body.replace(b"\r\n", b"\n") if dialect.crlf else body).removesuffix(b"\n").split(b"\n")
    read = Read({}, set(), set())
    at = 0
    while at < len(lines):
        number, (line, apart, used) = at + 2, a_row(lines[at:], dialect)
        at += used
        found = dict(zip(columns, apart or [], strict=False))
        broken = apart is None or len(apart) != len(columns) or b"\r" in line or any("\0" in field for field in apart)
        broken = broken or line.decode(errors="ignore").encode() != line
        if broken or not re.fullmatch("tt[0-9]{7,}", found["tconst"]) or found["tconst"] in read.rows:
            read.rejected.add(number)
        else:
            judged = list(values(found))
            read.rows[found["tconst"]] = tuple(value for _, value, _ in judged)
            read.dropped.update((number, name, value) for name, _, bad in judged for value in bad)
    return read


def a_row(lines: list[bytes], dialect: Dialect) -> tuple[bytes, list[str] | None, int]:
    """The first row, its fields, and how many lines it has."""
    following, columns = 1, len(dialect.columns)
    if left_open(lines[0], dialect):
        while following < len(lines) and left_open(lines[following], dialect) != dialect.quoted:
            following += 1
        joined = b"\n".join(lines[: following + 1])
        apart = fields(joined.decode(errors="replace"), dialect)
        if apart and following < len(lines) and len(apart) == columns and joined.count(b"\t") < 2 * (columns - 1):
            return joined, apart, following + 1
    return lines[0], fields(lines[0].decode(errors="replace"), dialect), 1


def left_open(line: bytes, dialect: Dialect) -> bool:
    """Whether a line ends within a field."""
    if dialect.escaped:
        line = re.sub(rb"\\.", b"", line)
    return line.count(b'"') % 2 == 1 if dialect.quoted else dialect.escaped and line.endswith(b"\\")


@pytest.mark.parametrize("seed", range(BLOBS))
def test_a_mutated_blob_is_read_as_a_plain_reading_reads_it(tmp_path: Path, seed: int) -> None:
    data = invented(random.Random(seed))
    path = tmp_path / "titles.tsv"
    path.write_bytes(data)
    refused = ""
    try:
        dialect = recognise(raw.titles, FileContent(path))
        slices = land(raw.titles, FileContent(path), FolderStore(tmp_path / "landing"), {}, Silent())
    except BlobError as error:
        refused = str(error)
    if refused:
        assert re.search("save it in one dialect|not one row of it can be read|no row after the header", refused)
        return
    wanted = plainly(data, dialect)
    read, loaded, rejected = counts(slices)
    assert read == loaded + rejected
    found = {row[0]: row for row in rows(tmp_path, slices).rows()}
    assert found == wanted.rows, json.dumps(data.decode(errors="replace"))
    told = rejects(slices)
    assert {line for line, _, _, reason in told if reason.startswith("row")} == wanted.rejected
    assert {(line, column, value) for line, column, value, reason in told if reason.startswith("value")} == wanted.dropped
