"""Rows in a Google Sheet: brought in by their key, without touching what people put there; and what is told where that fails."""

import json
import logging
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from film_assets.errors import DeliveryError, FilmAssetsError, TransientError
from film_assets.notifications.channels.sheets import SheetAccess, Written, upsert
from film_assets_tests.google import GOOD, LOGIN, LOST, SHEETS, Google, Worksheet

SHEET = "1x2y3z"
TAB = "study metrics"


@pytest.fixture
def access(google: Google) -> SheetAccess:
    google.spreadsheet(SHEET, TAB, "People's own")
    return SheetAccess(google.service_account_file, SHEET)


def tab(google: Google, title: str = TAB) -> Worksheet:
    return google.spreadsheets[SHEET][title]


def days(*attempts: int, first: date = date(2026, 1, 1)) -> pl.DataFrame:
    dates = [first + timedelta(days=index) for index in range(len(attempts))]
    return pl.DataFrame({"day": dates, "attempts": attempts}, {"day": pl.Date, "attempts": pl.Int64})


def test_rows_come_into_an_empty_sheet_in_one_request(google: Google, access: SheetAccess) -> None:
    assert upsert(access, TAB, days(5, 6), ["day"]) == Written(appended=2, updated=0, unchanged=0)
    assert tab(google).values() == [["day", "attempts"], ["2026-01-01", 5], ["2026-01-02", 6]]
    assert len(google.writes) == 1
    assert google.hosts == {LOGIN, SHEETS}


def test_what_is_there_already_is_not_written(google: Google, access: SheetAccess) -> None:
    upsert(access, TAB, days(5, 6), ["day"])
    before = tab(google).values()
    assert upsert(access, TAB, days(5, 6), ["day"]) == Written(appended=0, updated=0, unchanged=2)
    assert len(google.writes) == 1
    assert tab(google).values() == before


def test_only_cells_that_differ_are_written(google: Google, access: SheetAccess) -> None:
    upsert(access, TAB, days(5, 6, 7), ["day"])
    assert upsert(access, TAB, days(5, 60, 7, 8), ["day"]) == Written(appended=1, updated=1, unchanged=2)
    changed, appended, beside = google.writes[1]
    start = {"sheetId": 0, "rowIndex": 2, "columnIndex": 1}
    assert changed["updateCells"]["start"] == start
    assert changed["updateCells"]["rows"] == [{"values": [{"userEnteredValue": {"numberValue": 60}}]}]
    assert appended["updateCells"]["start"] == {"sheetId": 0, "rowIndex": 4, "columnIndex": 0}
    assert beside["updateCells"]["start"] == {"sheetId": 0, "rowIndex": 4, "columnIndex": 1}
    assert tab(google).values()[2:] == [["2026-01-02", 60], ["2026-01-03", 7], ["2026-01-04", 8]]


def test_what_people_added_stays(google: Google, access: SheetAccess) -> None:
    tab(google).put(
        ["remark", "attempts", None, "day"],
        ["a slow day", 1, "x", "2026-01-02"],
        [],
        ["", 99, None, "total"],
        [None, None, None, None, "far off"],
    )
    assert upsert(access, TAB, days(5, 6).with_columns(users=pl.lit(2)), ["day"]) == Written(appended=1, updated=1, unchanged=0)
    assert tab(google).values() == [
        ["remark", "attempts", "", "day", "", "users"],
        ["a slow day", 6, "x", "2026-01-02", "", 2],
        [],
        ["", 99, "", "total"],
        ["", "", "", "", "far off"],
        ["", 5, "", "2026-01-01", "", 2],
    ]


def test_a_date_that_a_person_typed_is_the_same_day(google: Google, access: SheetAccess) -> None:
    tab(google).put(["day", "attempts"], [46023, 5], [46024, 1])  # 2026-01-01 and the day after, as Sheets counts them
    assert upsert(access, TAB, days(5, 6), ["day"]) == Written(appended=0, updated=1, unchanged=1)
    assert tab(google).values() == [["day", "attempts"], [46023, 5], [46024, 6]]


def test_a_date_is_written_as_one_that_a_person_typed(google: Google, access: SheetAccess) -> None:
    tab(google).put(["note", "day", "attempts"])
    tab(google).type_date(1, 1, date(2026, 1, 1), "dd.mm.yyyy")
    tab(google).formats |= {(row, 2): {"type": "NUMBER", "pattern": "#,##0"} for row in range(9)}
    assert upsert(access, TAB, days(5, 6, 7), ["day"]) == Written(appended=2, updated=1, unchanged=0)
    assert tab(google).values()[1:] == [["", "01.01.2026", 5], ["", "2026-01-02", 6], ["", "2026-01-03", 7]]
    assert tab(google).unformatted()[1:] == [["", 46023, 5], ["", 46024, 6], ["", 46025, 7]]
    assert [tab(google).is_date(row, 1) for row in range(5)] == [False, True, True, True, False]
    assert len(google.writes) == 1
    assert {tab(google).formats[row, 2]["type"] for row in range(9)} == {"NUMBER"}, "other formats stay"
    assert upsert(access, TAB, days(5, 6, 7), ["day"]).unchanged == 3


def test_dates_stand_where_the_columns_are_mixed(google: Google, access: SheetAccess) -> None:
    tab(google).put(["attempts", "until", "day"])
    frame = days(5, 6).with_columns(until=pl.Series([date(2026, 2, 1), None], dtype=pl.Date))
    assert upsert(access, TAB, frame, ["day"]).appended == 2
    assert tab(google).values()[1:] == [[5, "2026-02-01", "2026-01-01"], [6, "", "2026-01-02"]]
    assert upsert(access, TAB, frame, ["day"]).unchanged == 2
    later = frame.with_columns(until=pl.Series([None, date(2026, 2, 2)], dtype=pl.Date))
    assert upsert(access, TAB, later, ["day"]).updated == 2
    assert tab(google).values()[1:] == [[5, "", "2026-01-01"], [6, "2026-02-02", "2026-01-02"]]


def test_a_row_is_found_by_its_date_as_a_date_and_as_text(google: Google, access: SheetAccess) -> None:
    tab(google).put(
        ["day", "attempts"], ["2026-01-01", 1], [46024, 1], [" 2026-01-03 ", 7], [10**12, 0], [-(10**12), 0], [True, 0]
    )
    tab(google).type_date(7, 0, date(2026, 1, 4), "mm/dd/yyyy")
    assert upsert(access, TAB, days(5, 6, 7, 8, 9), ["day"]).appended == 1
    assert [line[1] for line in tab(google).values()[1:]] == [5, 6, 7, 0, 0, 0, 8, 9]


def test_of_two_rows_with_a_key_the_first_is_kept_up_to_date(google: Google, access: SheetAccess) -> None:
    tab(google).put(["day", "attempts"], ["2026-01-01", 1], ["2026-01-01", 2])
    assert upsert(access, TAB, days(5), ["day"]) == Written(appended=0, updated=1, unchanged=0)
    assert tab(google).values()[1:] == [["2026-01-01", 5], ["2026-01-01", 2]]


def test_a_key_of_several_columns_and_every_kind_of_value(google: Google, access: SheetAccess) -> None:
    frame = pl.DataFrame(
        {
            "tconst": ["tt1", "tt1", "tt2"],
            "n": [1, 2, 1],
            "share": [0.5, float("nan"), None],
            "hit": [True, False, None],
            "sum": [Decimal("1.50"), None, Decimal(2)],
            "title": ["=1+1", "", "ö" * 10],
        }
    )
    upsert(access, TAB, frame, ["tconst", "n"])
    assert tab(google).values()[1:] == [
        ["tt1", 1, 0.5, True, 1.5, "=1+1"],
        ["tt1", 2, "", False],
        ["tt2", 1, "", "", 2.0, "ö" * 10],
    ]
    assert upsert(access, TAB, frame, ["tconst", "n"]).unchanged == 3
    assert len(google.writes) == 1


def test_an_emptied_value_is_emptied(google: Google, access: SheetAccess) -> None:
    upsert(access, TAB, days(5), ["day"])
    upsert(access, TAB, days(5).with_columns(attempts=pl.lit(None, pl.Int64)), ["day"])
    assert tab(google).values()[1:] == [["2026-01-01"]]


def test_the_grid_grows_when_it_must(google: Google, access: SheetAccess) -> None:
    tab(google).rows, tab(google).columns = 3, 1
    upsert(access, TAB, days(*range(1500)), ["day"])
    assert (tab(google).rows, tab(google).columns) == (1501, 2)
    assert len(tab(google).values()) == 1501
    assert len(google.writes) == 1


def test_a_worksheet_that_is_not_there_is_made(google: Google, access: SheetAccess) -> None:
    upsert(access, "it's new", days(*range(1200)), ["day"])
    assert len(tab(google, "it's new").values()) == 1201
    assert tab(google).values() == []
    assert len(google.writes) == 1
    upsert(access, "it's new", days(*range(1200)), ["day"])
    assert len(google.writes) == 1


@pytest.mark.parametrize("headers", [["day", "remark", "day"], ["attempts", "day", " attempts "]])
def test_headers_that_repeat_are_an_error_that_says_so(google: Google, access: SheetAccess, headers: list[str]) -> None:
    tab(google).put(headers)
    repeated = headers[0]
    with pytest.raises(DeliveryError, match=f"worksheet study metrics: row 1 has the header {repeated} more than once"):
        upsert(access, TAB, days(5), ["day"])
    assert google.writes == []


def test_headers_of_people_may_repeat(google: Google, access: SheetAccess) -> None:
    tab(google).put(["day", "remark", "remark", "attempts"], ["2026-01-01", "a", "b", 1])
    assert upsert(access, TAB, days(5, 6), ["day"]) == Written(appended=1, updated=1, unchanged=0)
    assert tab(google).values()[1:] == [["2026-01-01", "a", "b", 5], ["2026-01-02", "", "", 6]]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(google: Google, access: SheetAccess, status: int) -> None:
    google.faults += [status, status]
    assert upsert(access, TAB, days(5), ["day"]).appended == 1
    assert len(google.writes) == 1


def test_a_write_of_which_the_answer_is_lost_is_not_done_twice(google: Google, access: SheetAccess) -> None:
    tab(google).rows = 1
    google.faults += [GOOD, GOOD, LOST]
    upsert(access, TAB, days(5, 6), ["day"])
    assert tab(google).values() == [["day", "attempts"], ["2026-01-01", 5], ["2026-01-02", 6]]
    assert tab(google).rows == 3
    assert len(google.writes) == 1


def test_it_gives_up_within_its_limit(google: Google, access: SheetAccess) -> None:
    google.quota = 0
    with pytest.raises(TransientError, match=r"spreadsheet 1x2y3z: Google is not able to answer now \(429\)"):
        upsert(access, TAB, days(5), ["day"])
    assert [method for method, _ in google.requests].count("POST") == 3


def test_who_may_not_write_is_told_what_to_do(google: Google, access: SheetAccess, tmp_path: Path) -> None:
    google.faults += [403]
    with pytest.raises(DeliveryError, match="share it with the client_email in"):
        upsert(access, TAB, days(5), ["day"])
    with pytest.raises(DeliveryError, match="spreadsheet other: there is none of that id"):
        upsert(replace(access, spreadsheet_id="other"), TAB, days(5), ["day"])


def test_a_key_that_is_not_the_accounts_is_refused(google: Google, access: SheetAccess, trusted: Path, authority) -> None:
    info = json.loads(google.service_account_file.read_text())
    stranger = Google(authority, trusted)
    google.service_account_file.write_text(json.dumps(info | {"private_key": stranger.private_key}))
    with pytest.raises(DeliveryError, match="Google does not accept the service account of"):
        upsert(access, TAB, days(5), ["day"])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type": "service_account", "private_key": "CANARY"}'])
def test_a_file_that_is_no_key_is_named(google: Google, access: SheetAccess, text: str) -> None:
    access.service_account_file.write_text(text)
    with pytest.raises(DeliveryError, match="is no key file of a Google service account") as caught:
        upsert(access, TAB, days(5), ["day"])
    assert caught.value.__context__ is None
    access.service_account_file.unlink()
    with pytest.raises(DeliveryError, match="cannot read the service account file"):
        upsert(access, TAB, days(5), ["day"])


def test_a_host_that_cannot_be_reached_may_pass(google: Google, access: SheetAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    with pytest.raises(TransientError, match="cannot be reached"):
        upsert(access, TAB, days(5), ["day"])


def test_no_secret_is_told(google: Google, access: SheetAccess, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    upsert(access, TAB, days(5), ["day"])
    google.faults += [500] * 9
    with pytest.raises(FilmAssetsError) as caught:
        upsert(access, TAB, days(6), ["day"])
    told = caplog.text + repr(caught.value) + repr(access)
    assert "spreadsheets" in caplog.text, "the library did log"
    assert "CANARY" not in told
    assert google.private_key.splitlines()[5] not in told
