"""Asking the statistics API: what arrives, and what is told where it does not."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from film_assets.errors import FilmAssetsError, SourceError, TransientError
from film_assets.learning.api import Statistics as Access, fetch, fetch_days, texts
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


# ---- several days at once

LATER = [DAY + timedelta(days=index) for index in range(1, 5)]


def asked(statistics: Statistics) -> list[tuple[str, str]]:
    return [(one["start"][:10], one["end"][:10]) for one in statistics.asked]


def contents(folder: Path) -> dict[str, list[object]]:
    return {file.name: read(file) for file in sorted(folder.iterdir())}


def test_days_that_follow_one_another_are_fetched_in_one_request(statistics: Statistics, access: Access, tmp_path: Path) -> None:
    second = [row("carl", "2026-01-02T00:00:00+03:00"), row("dora", "2026-01-02")]
    third = [row("emil", "2026-01-03 23:59:59"), 5, {"created_at": "x"}, row("fay", "2027-01-01 10:00:00"), {"created_at": 5}]
    statistics.days |= {"2026-01-02": second, "2026-01-03": third}
    (answer,) = fetch_days(replace(access, most_days=9), [LATER[1], DAY, LATER[0]], tmp_path)
    assert statistics.asked == [{"client": CLIENT, "start": "2026-01-01 00:00:00.000000", "end": "2026-01-03 23:59:59.999999"}]
    assert contents(tmp_path) == {
        "2026-01-01.json": [*ROWS, *third[1:]],
        "2026-01-02.json": second,
        "2026-01-03.json": third[:1],
    }
    assert answer.rows == {DAY: 6, LATER[0]: 2, LATER[1]: 1}
    assert answer.status == 200
    assert 0 < answer.seconds < 30


def test_no_more_days_are_asked_for_at_once_than_may_be(statistics: Statistics, access: Access, tmp_path: Path) -> None:
    statistics.days |= {str(day): [row("anna", f"{day} 10:00:00")] for day in LATER}
    days = [DAY, *LATER, date(2026, 2, 1)]
    answers = list(fetch_days(replace(access, most_days=2), days, tmp_path))
    periods = [("01-01", "01-02"), ("01-03", "01-04"), ("01-05", "01-05"), ("02-01", "02-01")]
    assert asked(statistics) == [(f"2026-{first}", f"2026-{last}") for first, last in periods]
    assert [day for answer in answers for day in answer.rows] == days
    assert answers[-1].rows == {date(2026, 2, 1): 0}


def test_a_server_that_answers_for_one_day_of_a_period_is_asked_for_the_others(
    statistics: Statistics, access: Access, tmp_path: Path
) -> None:
    second = [row("carl", "2026-01-02 10:00:00")]
    statistics.days |= {"2026-01-02": second}
    statistics.single_days = True
    answers = list(fetch_days(replace(access, most_days=9), [DAY, *LATER[:2]], tmp_path))
    assert [answer.rows for answer in answers] == [{DAY: 2}, {LATER[0]: 1}, {LATER[1]: 0}]
    assert contents(tmp_path) == {"2026-01-01.json": ROWS, "2026-01-02.json": second, "2026-01-03.json": []}


def test_rows_of_a_period_come_as_they_are_however_odd(statistics: Statistics, access: Access, tmp_path: Path) -> None:
    first = ['{"created_at": "\\u0000"}', "[" * 50_000 + "]" * 50_000, "1e999", '{\n"a":\r\n"電" }', "null", '"2026-01-02"']
    second = '{"created_at":\t"2026-01-02T10:00:00.123456789Z", "a": "\\n"}'
    statistics.days[str(DAY)] = f"[{','.join([second, *first, second])}]".encode()
    list(fetch_days(replace(access, most_days=2), [DAY, LATER[0]], tmp_path))
    found = [[text for batch in texts(tmp_path / f"{day}.json", 2) for text in batch] for day in (DAY, LATER[0])]
    assert found == [first, [second, second]]


def test_a_period_that_cannot_be_had_says_what_else_to_try(statistics: Statistics, access: Access, tmp_path: Path) -> None:
    fetch(access, DAY, tmp_path / f"{DAY}.json")
    period = [DAY, LATER[0]]
    statistics.faults += [400, drip]
    words = r"does not answer as it should \(400\); check LEARNING_API_URL, or set LEARNING_API_DAYS to fewer days"
    with pytest.raises(SourceError, match=words):
        list(fetch_days(replace(access, most_days=2), period, tmp_path))
    words = r"has not sent the attempts of 2026-01-01 to 2026-01-02 within 0\.7 s.*, or set LEARNING_API_DAYS to fewer days"
    with pytest.raises(TransientError, match=words):
        list(fetch_days(replace(access, most_days=2, deadline=0.7), period, tmp_path))
    assert contents(tmp_path) == {"2026-01-01.json": ROWS}, "what was fetched before is still there, and nothing else"


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
