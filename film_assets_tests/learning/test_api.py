"""Asking the statistics API: what arrives, and what is told where it does not."""

import json
import logging
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from film_assets.errors import FilmAssetsError, SourceError, TransientError
from film_assets.learning.api import Statistics as Access, fetch, texts
from film_assets_tests.learning.statistics import CLIENT, KEY, Statistics, cut, drip, redirect, reset, row

DAY = date(2026, 1, 1)
ROWS = [row("anna", "2026-01-01 10:00:00"), row("ben", "2026-01-01 11:00:00.5", correct=1)]


@pytest.fixture
def access(statistics: Statistics) -> Access:
    statistics.days[str(DAY)] = ROWS
    return Access(statistics.url, CLIENT, SecretStr(KEY), 30)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers" / "2026-01-01.json"


def read(file: Path) -> list[object]:
    return [json.loads(text) for batch in texts(file, 1000) for text in batch]


def test_a_day_is_asked_for_from_its_first_to_its_last_moment(statistics: Statistics, access: Access, file: Path) -> None:
    assert fetch(access, DAY, file) == 2
    assert read(file) == ROWS
    assert statistics.asked == [{"client": CLIENT, "start": "2026-01-01 00:00:00.000000", "end": "2026-01-01 23:59:59.999999"}]


def test_an_empty_day_is_no_fault(statistics: Statistics, access: Access, file: Path) -> None:
    statistics.days.clear()
    assert fetch(access, DAY, file) == 0
    assert read(file) == []


def test_a_long_answer_arrives_whole(statistics: Statistics, access: Access, file: Path) -> None:
    statistics.days[str(DAY)] = [row(f"user {index}", "2026-01-01 10:00:00") for index in range(100_000)]
    assert fetch(access, DAY, file) == 100_000
    sizes = [len(batch) for batch in texts(file, 30_000)]
    assert sum(sizes) == 100_000
    assert max(sizes) <= 30_000


@pytest.mark.parametrize("fault", [500, 503, 429, reset, cut])
def test_what_may_pass_is_tried_again(statistics: Statistics, access: Access, file: Path, fault: int | Callable) -> None:
    statistics.faults += [fault, fault]
    assert fetch(access, DAY, file) == 2
    assert read(file) == ROWS
    assert len(statistics.asked) == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (503, r"the statistics API is not able to answer now \(503\)"),
        (429, r"the statistics API is not able to answer now \(429\)"),
        (reset, "the statistics API cannot be reached"),
        (cut, "the statistics API has sent no whole list of attempts"),
    ],
)
def test_what_does_not_pass_is_given_up(
    statistics: Statistics, access: Access, file: Path, fault: int | Callable, words: str
) -> None:
    fetch(access, DAY, file)
    statistics.faults += [fault] * 9
    with pytest.raises(TransientError, match=words):
        fetch(access, DAY, file)
    assert len(statistics.faults) == 6
    assert read(file) == ROWS, "what was fetched before is still there"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("answer", [b'{"error": "CANARY"}', b"null", b'"text"'])
def test_an_answer_of_another_type_is_no_use(statistics: Statistics, access: Access, file: Path, answer: bytes) -> None:
    statistics.days[str(DAY)] = answer
    with pytest.raises(SourceError, match="answers with something else than a list of attempts"):
        fetch(access, DAY, file)
    assert len(statistics.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[",
        b"[1,",
        b'["\xff"]',
        b"[1] [2]",
        "ідуть роботи".encode("cp1251"),
        "[]".encode("utf-16"),
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_what_is_no_json_is_tried_again(statistics: Statistics, access: Access, file: Path, answer: bytes) -> None:
    statistics.days[str(DAY)] = answer
    with pytest.raises(TransientError, match="has sent no whole list of attempts"):
        fetch(access, DAY, file)
    assert len(statistics.asked) == 3


def test_rows_come_as_they_are_however_odd(statistics: Statistics, access: Access, file: Path) -> None:
    odd = ['{"a": "\\u0000"}', "[" * 50_000 + "]" * 50_000, "1e999", '"' + "x" * 20_000_000 + '"', '"\\ud83d\\ude00\\\\ud800"']
    statistics.days[str(DAY)] = f"[{','.join(odd)}]".encode()
    assert fetch(access, DAY, file) == 5
    assert [text for batch in texts(file, 2) for text in batch] == odd


def test_half_a_character_does_not_take_other_rows_with_it(statistics: Statistics, access: Access, file: Path) -> None:
    statistics.days[str(DAY)] = rb'["\ud83d\ude00", "\ud83d", "\\ud83d", "\ude00"]'
    assert fetch(access, DAY, file) == 4
    assert [text for batch in texts(file, 9) for text in batch] == [r'"\ud83d\ude00"', r'"\u0000"', r'"\\ud83d"', r'"\u0000"']


def test_a_slow_drip_ends_at_the_deadline(statistics: Statistics, access: Access, file: Path) -> None:
    statistics.faults += [drip]
    hasty = Access(access.url, access.client, access.key, 0.7)
    started = time.monotonic()
    with pytest.raises(TransientError, match=r"has not sent the attempts of 2026-01-01 within 0\.7 s; try again later"):
        fetch(hasty, DAY, file)
    assert 0.6 < time.monotonic() - started < 3
    assert list(file.parent.iterdir()) == []


def test_the_deadline_is_for_all_tries_together_and_tells_of_the_last(statistics: Statistics, access: Access, file: Path) -> None:
    statistics.faults += [503, drip]
    hasty = Access(access.url, access.client, access.key, 0.7)
    with pytest.raises(TransientError, match=r"within 0\.7 s \(the statistics API is not able to answer now \(503\)"):
        fetch(hasty, DAY, file)


@pytest.mark.parametrize(
    ("fault", "words"), [(401, "refuses the client"), (403, "refuses the client"), (404, "404"), (redirect, "302")]
)
def test_a_refusal_is_final(statistics: Statistics, access: Access, file: Path, fault: int | Callable, words: str) -> None:
    statistics.faults += [fault]
    with pytest.raises(SourceError, match=words) as caught:
        fetch(access, DAY, file)
    assert not isinstance(caught.value, TransientError)
    assert len(statistics.asked) == 1


def test_a_server_that_is_not_there_may_come_back(access: Access, file: Path) -> None:
    away = Access("http://127.0.0.1:9/api", access.client, access.key, 30)
    with pytest.raises(TransientError, match="cannot be reached"):
        fetch(away, DAY, file)


def test_answers_that_are_gone_are_named(file: Path) -> None:
    with pytest.raises(SourceError, match="the attempts of 2026-01-01 are not here any more; materialize attempts_raw"):
        next(texts(file, 1))


def test_the_key_is_told_nowhere(statistics: Statistics, access: Access, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    for fault in (500, reset, 403, redirect, cut, 200):
        statistics.faults += [fault] * 3
        try:
            fetch(access, DAY, file)
        except FilmAssetsError as error:
            told.append(f"{error!r} {error.__cause__!r} {error.__context__!r}")
        statistics.faults.clear()
    assert "HTTP Request" in caplog.text, "the library did log"
    assert len(told) == 5
    assert "CANARY" not in f"{told} {caplog.text} {access}"
