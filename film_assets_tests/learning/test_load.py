"""Loading, and what is computed of it: the same in PostgreSQL and in DuckDB."""

import ast
import json
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from film_assets.errors import DatabaseError, TransientError
from film_assets.learning.database import Database, opened
from film_assets.learning.load import Loaded, load
from film_assets.learning.reports import mark_reported, study_metrics, unreported
from film_assets.learning.schema import prepare
from film_assets.learning.settings import LearningSettings
from film_assets_tests.learning.conftest import IN_BOTH
from film_assets_tests.learning.statistics import row
from film_assets_tests.postgres import PostgreSql

DAY = date(2026, 1, 1)
ANNA = row("anna", "2026-01-01 10:00:00.123456", correct=1)
BEN = row("ben", "2026-01-01 11:00:00")
SOLUTIONS = "select user_id, is_correct, attempt_type, created_at from solutions order by created_at, user_id"
FAULTS = "select study_date, user_id, created_at, reason, text from passback_faults order by id"
REJECTED = "select study_date, reason, text from rejected_attempts order by text"


@pytest.fixture
def database(settings: LearningSettings) -> Iterator[Database]:
    with opened(settings) as database:
        prepare(database)
        yield database


def put(database: Database, *rows: Any, day: date = DAY) -> Loaded:
    return load(database, day, [[json.dumps(one)] for one in rows])


@IN_BOTH
def test_every_attempt_is_loaded_once(database: Database) -> None:
    assert put(database, ANNA, BEN, ANNA) == Loaded(fetched=3, valid=3, rejected=0, new=2, newly_rejected=0)
    before = database.rows("select * from solutions order by id")
    assert [found[1:] for found in before] == [
        ("anna", *params(ANNA), 1, "submit", at("2026-01-01T10:00:00.123456")),
        ("ben", *params(BEN), None, "run", at("2026-01-01T11:00:00")),
    ]
    assert put(database, ANNA, BEN) == Loaded(fetched=2, valid=2, rejected=0, new=0, newly_rejected=0)
    assert database.rows("select * from solutions order by id") == before


@IN_BOTH
def test_late_rows_come_in_without_touching_what_is_there(database: Database) -> None:
    put(database, ANNA)
    changed = ANNA | {"is_correct": 0}
    assert put(database, changed, BEN).new == 1
    assert [found[:2] for found in database.rows(SOLUTIONS)] == [("anna", 1), ("ben", None)]


@IN_BOTH
def test_the_database_itself_keeps_the_rules(database: Database) -> None:
    put(database, ANNA)
    insert = "insert into solutions (user_id, is_correct, attempt_type, created_at) values ($1, $2, $3, $4)"
    good = ["carl", 1, "run", at("2026-01-01T10:00:00")]
    database.run(insert, good)
    for wrong in (["carl", *good[1:]], ["x", 2, *good[2:]], ["x", 1, "walk", good[3]], [None, *good[1:]], ["x", 1, "run", None]):
        with pytest.raises(Exception, match=r"(?i)constraint"):
            database.run(insert, wrong)


@IN_BOTH
def test_a_day_of_many_attempts_is_loaded_again_as_fast_as_at_first(database: Database) -> None:
    rows = [json.dumps(row(f"user {index}", "2026-01-01 10:00:00", passback_params="{}")) for index in range(40_000)]
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        load(database, DAY, [rows[:20_000], rows[20_000:]])
        seconds.append(time.monotonic() - began)
    assert seconds[1] < 2 * seconds[0] + 1, "DuckDB's own way of leaving out what is there takes many times as long"


@IN_BOTH
def test_a_bad_row_is_put_aside_and_stops_no_other(database: Database) -> None:
    bad = BEN | {"attempt_type": 'wa"l,k\n'}
    assert put(database, ANNA, bad, 5, bad, BEN) == Loaded(fetched=5, valid=2, rejected=3, new=2, newly_rejected=2)
    assert len(database.rows(SOLUTIONS)) == 2
    assert database.rows(REJECTED) == [
        (DAY, "row: input should be an object", "5"),
        (DAY, "attempt_type: input should be 'run' or 'submit'", json.dumps(bad)),
    ]
    assert put(database, ANNA, bad, 5, BEN).newly_rejected == 0
    assert len(database.rows(REJECTED)) == 2


@IN_BOTH
def test_an_attempt_with_params_that_cannot_be_read_is_loaded_and_the_fault_noted_once(database: Database) -> None:
    empty, null, odd = (
        row(user, "2026-01-01 12:00:00", passback_params=params) for user, params in (("c", ""), ("d", None), ("e", "\x00 電"))
    )
    expected = Loaded(fetched=4, valid=4, rejected=0, new=4, newly_rejected=0, faulty=3, newly_faulty=3)
    assert put(database, ANNA, empty, null, odd) == expected
    lti = "select user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url from solutions order by id"
    assert database.rows(lti) == [("anna", *params(ANNA)), *((user, None, None, None) for user in "cde")]
    noted = [
        (DAY, "c", at("2026-01-01T12:00:00"), "is empty", '""'),
        (DAY, "d", at("2026-01-01T12:00:00"), "is null", "null"),
        (DAY, "e", at("2026-01-01T12:00:00"), "is no Python literal", '"\\u0000 電"'),
    ]
    assert database.rows(FAULTS) == noted
    again = put(database, ANNA, empty, null, odd, day=date(2026, 1, 2))
    assert again == Loaded(fetched=4, valid=4, rejected=0, new=0, newly_rejected=0, faulty=3, newly_faulty=0)
    assert database.rows(FAULTS) == noted


@IN_BOTH
def test_a_fault_is_noted_only_of_a_row_that_was_loaded(database: Database) -> None:
    bad = ANNA | {"passback_params": "[]"}
    assert put(database, ANNA, bad, BEN).newly_faulty == 0
    assert put(database, bad).newly_faulty == 0
    assert database.rows(FAULTS) == []
    carl = row("carl", "2026-01-01 12:00:00")
    assert put(database, carl | {"passback_params": "[]"}, carl, carl | {"passback_params": ""}).newly_faulty == 1
    assert [found[1:2] + found[3:] for found in database.rows(FAULTS)] == [("carl", "is no dict", '"[]"')]


@IN_BOTH
def test_many_faults_are_noted_about_as_fast_as_attempts_are_loaded(database: Database) -> None:
    seconds = []
    for params in ("{}", ""):
        rows = [
            json.dumps(row(f"user {index}{params}", "2026-01-01 10:00:00", passback_params=params)) for index in range(40_000)
        ]
        began = time.monotonic()
        load(database, DAY, [rows[:20_000], rows[20_000:]])
        seconds.append(time.monotonic() - began)
    assert database.rows("select count(*) from passback_faults") == [(40_000,)]
    assert seconds[1] < 3 * seconds[0] + 1


@IN_BOTH
def test_a_database_of_the_release_before_gets_the_table_of_faults_and_keeps_its_rows(settings: LearningSettings) -> None:
    with opened(settings) as database:
        prepare(database)
        put(database, ANNA, 5)
        database.run("drop table passback_faults")
        before = [database.rows(f"select * from {table}") for table in ("solutions", "rejected_attempts", "loads")]
    with opened(settings) as database:
        prepare(database)
        assert [database.rows(f"select * from {table}") for table in ("solutions", "rejected_attempts", "loads")] == before
        assert put(database, BEN | {"passback_params": ""}).newly_faulty == 1


@IN_BOTH
def test_texts_of_any_kind_and_length_are_kept(database: Database) -> None:
    odd = 'quote " comma , newline \n tab \t back \\ \\N \\. ünïcödé 電影 😀'
    long = {"lti_user_id": "x" * 3_000_000}
    assert put(database, row(odd, "2026-01-01 10:00:00"), long, {"nothing": "\x00 \ud800"}).new == 1
    assert database.rows("select user_id from solutions") == [(odd,)]
    texts = [text for _, _, text in database.rows(REJECTED)]
    assert texts == [json.dumps(long), json.dumps({"nothing": "\x00 \ud800"})]


@IN_BOTH
def test_an_empty_day_is_loaded_too(database: Database) -> None:
    assert put(database) == Loaded(fetched=0, valid=0, rejected=0, new=0, newly_rejected=0)
    loads = unreported(database)
    assert loads
    assert (loads.first, loads.counts["rows_fetched"]) == (DAY, 0)


@IN_BOTH
def test_a_day_is_loaded_whole_or_not_at_all(database: Database) -> None:
    def breaks() -> Iterator[list[str]]:
        yield [json.dumps(ANNA), "5"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(database, DAY, breaks())
    assert database.rows(SOLUTIONS) == []
    assert database.rows(REJECTED) == []
    assert unreported(database) is None
    assert put(database, ANNA, 5).new == 1


@IN_BOTH
def test_metrics_of_each_day(database: Database) -> None:
    assert study_metrics(database).rows() == []
    put(database, ANNA, BEN, row("ben", "2026-01-01 12:00:00", correct=0))
    put(
        database,
        row("anna", "2026-01-02 23:59:59.999999", correct=1),
        row("anna", "2026-01-03 00:00:00", correct=1),
        row("carl", "2026-01-03 00:00:01", correct=1),
    )
    assert study_metrics(database).rows() == [
        (date(2026, 1, 1), 3, 1, 2, 2),
        (date(2026, 1, 2), 1, 1, 1, 0),
        (date(2026, 1, 3), 2, 2, 2, 1),
    ]
    put(database, row("carl", "2026-01-01 09:00:00"))
    assert study_metrics(database)["new_users_per_day"].to_list() == [3, 0, 0], "a late row moves a learner's first day"


@IN_BOTH
def test_what_is_new_is_reported_once(database: Database) -> None:
    put(database, ANNA, 5)
    put(database, ANNA, BEN, 5)
    put(database, BEN, day=date(2026, 1, 2))
    loads = unreported(database)
    assert loads
    assert (loads.first, loads.last) == (DAY, date(2026, 1, 2))
    assert loads.counts == {"rows_fetched": 4, "rows_valid": 3, "rows_rejected": 1, "rows_new": 2}
    assert loads.rejected == [("row: input should be an object", 1)]
    assert loads.faults == []
    mark_reported(database, loads)
    assert unreported(database) is None
    put(database, ANNA, BEN, 5)
    assert unreported(database) is None, "there was nothing new"
    put(database, 6)
    assert unreported(database)


@IN_BOTH
def test_a_prepared_database_is_prepared_again_without_harm(settings: LearningSettings) -> None:
    for expected in (1, 0):
        with opened(settings) as database:
            prepare(database)
            assert put(database, ANNA).new == expected


def test_what_is_wrong_with_the_address_is_told_without_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, postgresql: PostgreSql
) -> None:
    addresses = {
        "postgresql//user:CANARY@host": (DatabaseError, "LEARNING_DATABASE_URL is none"),
        "postgresql://user:CANARY@@127.0.0.1:port/x": (TransientError, "PostgreSQL cannot be reached"),
        "postgresql://postgres:CANARY@127.0.0.1:9/x": (TransientError, "PostgreSQL cannot be reached"),
        f"postgresql://postgres:CANARY@127.0.0.1:{postgresql.port}/x": (DatabaseError, "user and password are not accepted"),
        postgresql.url("nothing"): (DatabaseError, "there is no such database or user"),
    }
    for address, (kind, words) in addresses.items():
        monkeypatch.setenv("LEARNING_DATABASE_URL", address)
        settings = LearningSettings.load()
        with pytest.raises(kind, match=words) as caught, opened(settings):
            pass
        assert "CANARY" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r} {settings!r}"


@pytest.mark.parametrize("home", ["postgresql"], indirect=True)
def test_a_connection_that_is_lost_may_come_back(settings: LearningSettings) -> None:
    with pytest.raises(TransientError, match="PostgreSQL: terminating connection"), opened(settings) as database:
        database.rows("select pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(DatabaseError, match=r"PostgreSQL: division by zero \(22012\)"), opened(settings) as database:
        database.rows("select 1 / 0")


def test_a_file_that_is_no_database_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEARNING_DATABASE_URL", raising=False)
    settings = LearningSettings.load()
    settings.database_file.parent.mkdir(parents=True)
    settings.database_file.write_text("no database")
    with pytest.raises(DatabaseError, match=r"learning\.duckdb"), opened(settings):
        pass


@IN_BOTH
def test_a_table_that_is_another_is_told(settings: LearningSettings) -> None:
    with opened(settings) as database:
        database.run("create table solutions (other integer)")
    with pytest.raises(DatabaseError, match="created_at"), opened(settings) as database:
        prepare(database)


def params(attempt: dict[str, Any]) -> list[str]:
    return list(ast.literal_eval(attempt["passback_params"]).values())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
