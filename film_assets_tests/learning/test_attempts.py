"""Rows of the API: which are attempts, and why the others are none."""

import json
from datetime import datetime
from typing import Any

import pytest

from film_assets.learning.attempts import validate
from film_assets_tests.learning.statistics import row

GOOD = row("anna", "2026-01-01 10:00:00.123456", correct=1)


def reason(text: str) -> str:
    """Why a row is none; good rows around it are not touched by it."""
    found = validate([json.dumps(GOOD), text, json.dumps(GOOD)])
    assert found.attempts.height == 2
    assert found.rejected["text"].to_list() == [text]
    return str(found.rejected["reason"][0])


def fault(params: object) -> str:
    """Why the params of a row cannot be read; the row is an attempt all the same, and good rows around it are as they were."""
    found = validate([json.dumps(one) for one in (GOOD, GOOD | {"passback_params": params}, GOOD)])
    assert found.rejected.is_empty()
    good, bad, other = found.attempts.rows(named=True)
    assert good == other
    assert bad == good | dict.fromkeys(("oauth_consumer_key", "lis_result_sourcedid", "lis_outcome_service_url"))
    (noted,) = found.faults.rows(named=True)
    assert (noted["position"], noted["user_id"], noted["created_at"]) == (1, bad["user_id"], bad["created_at"])
    assert json.loads(noted["text"]) == params
    return str(noted["reason"])


def test_an_attempt_is_taken_apart() -> None:
    (found,) = validate([json.dumps(GOOD)]).attempts.rows(named=True)
    assert found == {
        "user_id": "anna",
        "oauth_consumer_key": "",
        "lis_result_sourcedid": "course-v1:SkillFactory+DSPR-2.0+14JULY2021:lms.skillfactory.ru:anna",
        "lis_outcome_service_url": "https://lms.skillfactory.ru/courses/course-v1:SkillFactory+DSPR-2.0/xblock/handler",
        "is_correct": 1,
        "attempt_type": "submit",
        "created_at": datetime.fromisoformat("2026-01-01T10:00:00.123456"),
    }


@pytest.mark.parametrize("params", ["{}", "{'other': [1, (2, None)]}", "{'oauth_consumer_key': None}"])
def test_any_of_the_params_may_be_missing(params: str) -> None:
    (found,) = validate([json.dumps(GOOD | {"passback_params": params})]).attempts.rows()
    assert found[1:4] == (None, None, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T10:00:00", "2026-01-01T10:00:00"),
        ("2026-01-01 10:00", "2026-01-01T10:00:00"),
        ("2026-01-01T01:00:00+03:00", "2025-12-31T22:00:00"),
        ("2026-01-01 10:00:00Z", "2026-01-01T10:00:00"),
        ("2026-01-01 10:00:00z", "2026-01-01T10:00:00"),
        ("2026-01-01", "2026-01-01T00:00:00"),
        ("20260101", "2026-01-01T00:00:00"),
        ("2026-W01-4", "2026-01-01T00:00:00"),
        ("20260101T100000", "2026-01-01T10:00:00"),
        ("2026-01-01T10", "2026-01-01T10:00:00"),
        ("2026-01-01T10:00:00,5", "2026-01-01T10:00:00.500000"),
        ("20260101T010000+0300", "2025-12-31T22:00:00"),
    ],
)
def test_a_time_with_a_zone_is_kept_in_utc(text: str, moment: str) -> None:
    assert validate([json.dumps(GOOD | {"created_at": text})]).attempts["created_at"].to_list() == [
        datetime.fromisoformat(moment)
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lti_user_id": None}, "lti_user_id: input should be a valid string"),
        ({"lti_user_id": ""}, "lti_user_id: string should have at least 1 character"),
        ({"lti_user_id": "x" * 501}, "lti_user_id: string should have at most 500 characters"),
        ({"lti_user_id": "a\x00b"}, "lti_user_id: has a character that cannot be stored"),
        ({"is_correct": 2}, "is_correct: input should be less than or equal to 1"),
        ({"is_correct": "1"}, "is_correct: input should be a valid integer"),
        ({"attempt_type": "walk"}, "attempt_type: input should be 'run' or 'submit'"),
        ({"created_at": "yesterday"}, "created_at: is no ISO date and time"),
        ({"is_correct": 1.5}, "is_correct: input should be a valid integer"),
        ({"created_at": 1767225600}, "created_at: is no ISO date and time"),
        ({"created_at": "1767122412"}, "created_at: is no ISO date and time"),
        ({"created_at": "1767122412345"}, "created_at: is no ISO date and time"),
        ({"created_at": "2026-02-30"}, "created_at: is no ISO date and time"),
        ({"created_at": "2026-13-01 10:00:00"}, "created_at: input should be a valid datetime"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at: is out of range"),
        (
            {"passback_params": "{'lis_result_sourcedid': 5}"},
            "lis_result_sourcedid: input should be a valid string",
        ),
        ({"passback_params": "{'lis_result_sourcedid': '\\x00'}"}, "lis_result_sourcedid: has a character that cannot be stored"),
        (
            {"passback_params": "{'lis_result_sourcedid': '\\ud800'}"},
            "lis_result_sourcedid: has a character that cannot be stored",
        ),
        ({"is_correct": 5, "attempt_type": 5}, "is_correct: input should be less than or equal to 1; attempt_type: "),
    ],
)
def test_a_row_is_rejected_with_its_reasons(change: dict[str, Any], words: str) -> None:
    assert words in reason(json.dumps(GOOD | change))


@pytest.mark.parametrize("text", ["5", "null", '"text"', "[]", "[" * 100_000 + "]" * 100_000, '{"a": "\\ud800"}'])
def test_what_is_no_object_is_rejected(text: str) -> None:
    assert reason(text).startswith("row: ")


def test_missing_fields_are_named() -> None:
    assert reason("{}") == "; ".join(
        f"{name}: field required" for name in ("lti_user_id", "passback_params", "is_correct", "attempt_type", "created_at")
    )


@pytest.mark.parametrize(
    "params",
    [
        "{",
        "__import__('os').system('touch evaluated')",
        "{'a': open('evaluated', 'w')}",
        "[" * 3_000,
        "[" * 1_900 + "]" * 1_900,
        "-" * 3_999 + "1",
        "1+" * 1_900 + "1",
        "a" + "()" * 1_900,
        "{[]: 1}",
        "1if 1else 2",
    ],
)
def test_params_are_never_evaluated_and_cannot_do_harm(params: str, tmp_path) -> None:
    assert fault(params) == "is no Python literal"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("params", ["{'a': '" + "x" * 5_000_000 + "'}", "[" * 5_000_000, "{'a':" * 1_000_000])
def test_params_of_megabytes_are_not_even_parsed(params: str) -> None:
    assert fault(params) == "is longer than 4,000 characters"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (None, "is null"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("{'a': 1", "is no Python literal"),
        ("\x00", "is no Python literal"),
        ("null", "is no Python literal"),
        ("[]", "is no dict"),
        ("None", "is no dict"),
        ("5", "is no dict"),
        ("{'a'}", "is no dict"),
        (5, "is no text"),
        ({"oauth_consumer_key": ""}, "is no text"),
    ],
)
def test_an_attempt_whose_params_cannot_be_read_is_kept(params: object, words: str) -> None:
    assert fault(params) == words


def test_a_row_that_is_rejected_for_something_else_has_no_fault_besides() -> None:
    found = validate([json.dumps(GOOD | {"passback_params": "", "attempt_type": "walk"})])
    assert found.rejected["reason"].to_list() == ["attempt_type: input should be 'run' or 'submit'"]
    assert found.faults.is_empty()


@pytest.mark.parametrize(("value", "number"), [(True, 1), (False, 0), (None, None)])
def test_true_and_false_count_as_one_and_zero(value: bool | None, number: int | None) -> None:
    assert validate([json.dumps(GOOD | {"is_correct": value})]).attempts["is_correct"].to_list() == [number]
