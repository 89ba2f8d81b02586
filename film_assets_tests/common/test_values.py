"""Which text stands for a value, and that every table of values has the same."""

import io
from datetime import date, datetime

import polars as pl
import pytest
from rich.console import Console

from film_assets.cli import terminal
from film_assets.common import markdown, values
from film_assets.notifications.channels.digest import Digest, Section
from film_assets.reader.display import texts

CASES = [
    (None, "", ""),
    ("", "", ""),
    ("1234 <b>", "1234 <b>", "1234 <b>"),
    (0, "0", "0"),
    (1899, "1,899", "1899"),
    (-1234567, "-1,234,567", "-1234567"),
    (7.656, "7.66", "7.656"),
    (12345.0, "12,345.00", "12345.0"),
    (float("nan"), "nan", "nan"),
    (True, "True", "True"),
    (date(2026, 1, 31), "2026-01-31", "2026-01-31"),
    (datetime.fromisoformat("2026-01-31T05:00:00"), "2026-01-31 05:00:00", "2026-01-31 05:00:00"),
    (["Drama", "Short"], "['Drama', 'Short']", "['Drama', 'Short']"),
]


@pytest.mark.parametrize(("value", "text", "exact"), CASES)
def test_text_of_a_value(value: object, text: str, exact: str) -> None:
    assert values.text(value) == text
    assert values.text(value, exact=True) == exact


def test_answers_have_years_without_and_counts_with_thousands_apart() -> None:
    frame = pl.DataFrame(
        {"startYear": [1994, None], "numVotes": [1000, None], "rating": [7.656, None], "day": [date(2026, 1, 31), None]},
        schema_overrides={"startYear": pl.Int16},
    )
    assert texts(frame) == [("1994", "1,000", "7.66", "2026-01-31"), (None, None, None, None)]


def test_terminal_and_email_show_the_same_texts() -> None:
    rows = [[value] for value, text, _ in CASES if text]
    wanted = [text for _, text, _ in CASES if text]
    written = io.StringIO()
    Console(file=written, width=80).print(terminal.grid("", ["value"], rows))
    assert [line.rstrip() for line in written.getvalue().splitlines()] == ["value", *wanted]
    mail = Digest("subject", "id", sections=[Section("heading", ["value"], rows)]).mail()
    assert mail.text.splitlines()[3:] == ["value", *wanted]
    assert [text for text in wanted if f">{text}</td>" not in mail.html] == ["1234 <b>", "['Drama', 'Short']"]
    assert "1234 &lt;b&gt;</td>" in mail.html
    assert "[&#39;Drama&#39;, &#39;Short&#39;]</td>" in mail.html


def test_markdown_shows_what_is_stored_in_one_line_each() -> None:
    rows = [("tt0000001", 1894, 5.699999, None), ("a | b\nc", True, "x" * 61, "y")]
    assert markdown.table(("id", "year", "rating", ""), rows).splitlines() == [
        "| id | year | rating |  |",
        "| --- | --- | --- | --- |",
        "| tt0000001 | 1894 | 5.699999 |  |",
        f"| a \\| b c | True | {'x' * 59}… | y |",
    ]


def test_columns_of_a_page_may_stand_to_the_right() -> None:
    assert list(markdown.lines(["part", "seconds"], [["load", "1.5"]], right=["seconds"])) == [
        "| part | seconds |",
        "| --- | ---: |",
        "| load | 1.5 |",
    ]
