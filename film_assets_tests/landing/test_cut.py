"""Blobs recognised and cut where they lie: rightly, and with few and small reads."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st

from film_assets.errors import BlobError, TransientError
from film_assets.landing import Content, Dialect, FileContent, Piece, cut, in_place, recognise
from film_assets.tables import Blob, raw
from film_assets.tables.ranges import RANGES

WINDOW = 32
"""Bytes read at once in the test of the places, so that lines stretch over many."""

GOOD_ID = re.compile(rb"tt[0-9]{7,}")


class Memory:
    """Bytes in memory, of which every read is counted."""

    def __init__(self, data: bytes) -> None:
        self._data, self.reads = data, []

    @property
    def size(self) -> int:
        return len(self._data)

    def read(self, start: int, stop: int) -> bytes:
        assert 0 <= start <= stop <= self.size
        self.reads.append(stop - start)
        return self._data[start:stop]


class Invented:
    """A blob of many lines with ids of eight digits, made up when they are read; every read is counted."""

    WIDTH = 100

    def __init__(self, header: bytes, lines: int) -> None:
        self._header, self._lines, self.reads = header + b"\n", lines, []

    @property
    def size(self) -> int:
        return len(self._header) + self._lines * self.WIDTH

    def begin(self, line: int) -> int:
        return len(self._header) + line * self.WIDTH

    def line(self, number: int) -> bytes:
        return f"tt{number:08d}\t".encode().ljust(self.WIDTH - 1, b".") + b"\n"

    def read(self, start: int, stop: int) -> bytes:
        assert 0 <= start <= stop <= self.size
        self.reads.append(stop - start)
        first, last = (max(0, at - len(self._header)) // self.WIDTH for at in (start, stop))
        text = (self._header if start < len(self._header) else b"") + b"".join(
            self.line(number) for number in range(first, min(last + 1, self._lines))
        )
        skipped = start if start < len(self._header) else start - self.begin(first)
        return text[skipped : skipped + stop - start]


def header(blob: Blob) -> bytes:
    return "\t".join(blob.column_names).encode()


def pieces_of(content: Content, blob: Blob = raw.ratings) -> list[Piece]:
    found = in_place(blob, recognise(blob, content), content)
    assert found is not None
    return found


def plainly(data: bytes) -> list[tuple[str, int, int]]:
    """Where each range begins and ends: after the last line with an id below its lower bound."""
    lines = data.splitlines(keepends=True)
    ends, at = [], len(lines[0])
    for line in lines[1:]:
        at += len(line)
        tconst, tab, _ = line.partition(b"\t")
        if GOOD_ID.fullmatch(tconst) and tab:
            ends.append((tconst, at))
    begins = [
        max([len(lines[0]), *(end for tconst, end in ends if tconst < (item.lower or "").encode())])
        for item in RANGES["tconst"].values()
    ]
    return list(zip(RANGES["tconst"], begins, [*begins[1:], len(data)], strict=True))


def _near(bound: str) -> list[str]:
    """Ids at a bound and just below it."""
    number = int(bound.removeprefix("tt").ljust(8, "0"))
    return [f"tt{number:08d}", f"tt{number - 1:08d}", bound.ljust(9, "0")]


BOUNDS = [item.lower for item in RANGES["tconst"].values() if item.lower]
IDS = st.one_of(
    st.sampled_from([tconst for bound in BOUNDS for tconst in _near(bound)]),
    st.integers(0, 9_999_999).map("tt{:07d}".format),
    st.integers(10_000_000, 39_999_999).map("tt{:d}".format),
)
REST = st.one_of(st.text("abc \u00e9", max_size=8), st.integers(1, 10 * WINDOW).map("x".__mul__))
BAD = st.one_of(
    st.sampled_from(["", "\t", "tt12\tshort", "nm0000001\tof a person", "no tab", "\\N\t\\N", "tt0000001 \tblank"]),
    st.integers(1, 10 * WINDOW).map("y".__mul__),
)
GOOD_LINES = st.lists(st.tuples(IDS, REST), max_size=60)
BAD_LINES = st.lists(st.tuples(st.integers(0, 60), BAD), max_size=30)


@settings(max_examples=300, deadline=None)
@given(good=GOOD_LINES, bad=BAD_LINES, ended=st.booleans())
@example(good=[("tt0000001", "x" * 500), ("tt9999999", "")], bad=[(1, "y" * 700)] * 9, ended=False)
@example(good=[], bad=[(0, "y")], ended=True)
def test_a_sorted_blob_is_cut_where_a_plain_reading_cuts_it(
    good: list[tuple[str, str]], bad: list[tuple[int, str]], ended: bool
) -> None:
    """The same as by a plain reading of every line, however long lines are and whatever stands between them."""
    lines = [f"{tconst}\t{rest}" for tconst, rest in sorted(good)]
    for place, line in bad:
        lines.insert(place, line)
    data = header(raw.ratings) + b"\n" + "\n".join(lines).encode() + b"\n" * (ended or not lines or not lines[-1])
    if len(data) == len(header(raw.ratings)) + 1:
        data += b"\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "_WINDOW", WINDOW)
        found = pieces_of(Memory(data))
    assert [(piece.range_key, piece.start, piece.stop) for piece in found] == plainly(data)
    assert all(piece.lines is None for piece in found)


def test_a_large_blob_is_cut_with_few_and_small_reads() -> None:
    content = Invented(header(raw.ratings), 27_000_000)
    how = Dialect(raw.ratings.column_names, quoted=False, crlf=False, body=content.begin(0))
    found = in_place(raw.ratings, how, content)
    starts = [int((item.lower or "tt").removeprefix("tt").ljust(8, "0")) for item in RANGES["tconst"].values()]
    assert found
    assert [piece.start for piece in found] == [content.begin(min(start, 27_000_000)) for start in starts]
    assert content.size > 2_700_000_000
    assert len(content.reads) <= 400
    assert max(content.reads) <= 64 << 10


@pytest.mark.parametrize("line", [b"no id here", b"x" * 1_000_000], ids=["many lines", "long lines"])
def test_a_blob_without_ids_for_long_is_not_read_again_and_again(line: bytes) -> None:
    good = [b"tt0000001\t1\t1", b"tt9999999\t1\t1"]
    data = b"\n".join([header(raw.ratings), good[0], *[line] * (50_000_000 // len(line)), good[1], b""])
    content = Memory(data)
    how = Dialect(raw.ratings.column_names, quoted=False, crlf=False, body=data.index(b"\n") + 1)
    found = in_place(raw.ratings, how, content)
    assert found
    assert [(piece.range_key, piece.start, piece.stop) for piece in found] == plainly(data)
    assert sum(content.reads) < 4 * content.size
    assert len(content.reads) < 2000


def test_an_unsorted_blob_is_not_cut_where_it_lies() -> None:
    content = Memory(b"\n".join([header(raw.ratings), b"tt0000002\t1\t1", b"tt0000001\t1\t1"]))
    assert in_place(raw.ratings, recognise(raw.ratings, content), content) is None


MIB = 1 << 20


def quoted(line: int) -> bytes:
    return b'tt%07d\tmovie\t"a ""quoted"" one"\t\\N\t0\t\\N\t\\N\t\\N\t\\N\n' % line


def unquoted(line: int) -> bytes:
    return b'tt%07d\tmovie\t"a quote\t\\N\t0\t\\N\t\\N\t\\N\t\\N\n' % line


def without_quotes(size: int) -> bytes:
    line = b"tt0000001\tmovie\ta title\t\\N\t0\t\\N\t\\N\t\\N\t\\N\n"
    return line * (size // len(line))


def many(lines: Sequence[bytes], size: int) -> bytes:
    text = b"".join(lines)
    return text * (size // len(text))


def test_of_a_large_blob_a_bounded_part_is_looked_at() -> None:
    far_off = many([quoted(line) for line in range(100)], 20 * MIB)
    content = Memory(header(raw.titles) + b"\n" + without_quotes(80 * MIB) + far_off)
    assert recognise(raw.titles, content).quoted
    assert sum(content.reads) <= 64 * MIB
    assert len(content.reads) <= 64


def test_of_a_large_blob_no_dialect_is_overlooked() -> None:
    first, then = (many([make(line) for line in range(100)], 50 * MIB) for make in (unquoted, quoted))
    with pytest.raises(BlobError, match="some fields are quoted as in CSV"):
        recognise(raw.titles, Memory(header(raw.titles) + b"\n" + first + then))


def test_every_quote_of_a_smaller_blob_counts() -> None:
    one = without_quotes(40 * MIB) + quoted(7) + without_quotes(20 * MIB)
    assert recognise(raw.titles, Memory(header(raw.titles) + b"\n" + one)).quoted


@pytest.mark.parametrize("length", [MIB - 1, MIB, MIB + 1, 3 * MIB + 5])
def test_a_quoted_field_across_parts_counts_once(length: int) -> None:
    lines = b"x" * length + b'\t"a ""quoted"" one"\n' + b"y" * length + b"\t" + b'"' * 3 + b"b" * length + b'"""\n'
    assert recognise(raw.titles, Memory(header(raw.titles) + b"\n" + lines)).quoted


def test_a_file_that_is_written_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "ratings.tsv"
    path.write_bytes(header(raw.ratings) + b"\n" + b"tt0000001\t1\t1\n" * 10_000)
    content = FileContent(path)
    assert content.read(3, 30) == path.read_bytes()[3:30]
    with path.open("r+b") as file:
        file.truncate(100)
    for start, stop in ((0, 50), (50, 5000)):
        with pytest.raises(TransientError, match=r"ratings\.tsv was changed or removed while it was read; run again"):
            content.read(start, stop)
