"""What of a refresh is told by mail and brought into a sheet; and that nothing is where nobody asked for it."""

from email.message import EmailMessage

import dagster as dg
import pytest

from film_assets.definitions import build_defs
from film_assets.errors import FilmAssetsError
from film_assets.orchestration.conventions import REFRESH_JOB
from film_assets.orchestration.run import run_refresh
from film_assets.refresh.pipeline import Pipeline
from film_assets.tables import BLOBS, COMPUTED
from film_assets_tests.blobs import change
from film_assets_tests.google import Google
from film_assets_tests.mailbox import PASSWORD, USER, Mailbox
from film_assets_tests.orchestration.conftest import Workshop

pytestmark = pytest.mark.slow

SHEET = "1x2y3z"


@pytest.fixture
def digest(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """A digest is asked for."""
    values = {"SMTP_HOST": "localhost", "SMTP_PORT": mailbox.port, "SMTP_USER": USER, "SMTP_PASSWORD": PASSWORD}
    values |= {"MAIL_FROM": "robot@example.org", "MAIL_TO": "a@example.org"}
    for name, value in values.items():
        monkeypatch.setenv(f"FILM_ASSETS_{name}", str(value))
    return mailbox


@pytest.fixture
def sheet(google: Google, monkeypatch: pytest.MonkeyPatch) -> Google:
    """Two tables are to be in a sheet."""
    google.spreadsheet(SHEET, "Notes")
    values = {"SERVICE_ACCOUNT_FILE": google.service_account_file, "ID": SHEET, "TOP": 2}
    values["TABLES"] = "metrics.title_success, metrics.person_success"
    for name, value in values.items():
        monkeypatch.setenv(f"FILM_ASSETS_SHEET_{name}", str(value))
    return google


def text(message: EmailMessage) -> list[str]:
    body = message.get_body(("plain",))
    assert body
    return [" ".join(line.split()) for line in body.get_content().splitlines()]


def vote(workshop: Workshop, title: str, rating: str, votes: str) -> None:
    change(workshop.blobs, "ratings", title, lambda fields: [fields[0], rating, votes])


def refresh(workshop: Workshop) -> str:
    """The work of a refresh without Dagster, and then, in it, the steps at the end; the line of the failure, if there is one."""
    with Pipeline(workshop.settings) as pipeline:
        for blob in BLOBS:
            pipeline.land(blob)
        for table in COMPUTED:
            pipeline.rebuild(table)
    job = workshop.defs.resolve_job_def(REFRESH_JOB)
    last = [key for key in job.asset_layer.executable_asset_keys if key.path[0] == "published"]
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, asset_selection=last, raise_on_error=False)
    failed = [event.step_failure_data.user_failure_data for event in result.get_step_failure_events()]
    return "; ".join(data.description or "" for data in failed if data)


def test_nothing_is_delivered_where_nobody_asked(workshop: Workshop) -> None:
    events = workshop.refresh()
    assert not {"published/digest", "published/sheet"} & set(events)
    assert not workshop.settings.kept_in.delivery.exists()


def test_a_digest_tells_what_is_new(workshop: Workshop, digest: Mailbox) -> None:
    assert refresh(workshop) == ""
    assert digest.subjects == ["Films: the first snapshot"]
    assert "films.titles 20 0 5" in text(digest.messages[0])
    vote(workshop, "tt0000001", "6.0", "3024")
    vote(workshop, "tt0000009", "4.9", "200")
    change(workshop.blobs, "names", "nm0443482", lambda fields: [*fields, "one too many"])
    assert refresh(workshop) == ""
    lines = text(digest.messages[1])
    assert digest.subjects[1].startswith("Films: news in ")
    assert "films.ratings 1 3 3" in lines
    assert "films.names 1 6 5" in lines
    assert not any(line.startswith("films.titles ") for line in lines)
    assert "newly rejected rows: 1" in lines
    assert "names row rejected: 7 fields instead of 6 1" in lines
    votes, ratings = lines.index("Movers in votes"), lines.index("Movers in rating")
    assert lines[votes + 3 : votes + 5] == [
        "Carmencita tt0000001 1,000 3,024 0.30 6.00",
        "Miss Jerry tt0000009 -9 200 -0.40 4.90",
    ]
    assert lines[ratings + 3].startswith("Miss Jerry tt0000009 -9 200 -0.40")
    (image,) = (part for part in digest.messages[1].walk() if part.get_content_type() == "image/png")
    assert image.get_content().startswith(b"\x89PNG")


def test_failing_checks_are_told(workshop: Workshop, digest: Mailbox) -> None:
    change(workshop.blobs, "ratings", "tt0000009", lambda fields: ["tt7777777", *fields[1:]])
    workshop.refresh()
    lines = text(digest.messages[0])
    assert "Checks that fail" in lines
    assert any(line.startswith("films.ratings ") for line in lines[lines.index("Checks that fail") :])


def test_a_refresh_that_changes_nothing_tells_nothing(workshop: Workshop, digest: Mailbox, sheet: Google) -> None:
    assert refresh(workshop) == ""
    asked = len(sheet.requests)
    assert refresh(workshop) == ""
    assert len(digest.messages) == 1
    assert len(sheet.requests) == asked
    assert not (workshop.settings.kept_in.delivery / "previous.duckdb").exists()


def test_a_digest_that_is_asked_for_later_waits_for_news(
    workshop: Workshop, mailbox: Mailbox, request: pytest.FixtureRequest
) -> None:
    assert refresh(workshop) == ""
    request.getfixturevalue("digest")
    assert refresh(workshop) == ""
    assert mailbox.subjects == []
    vote(workshop, "tt0000001", "5.8", "2030")
    assert refresh(workshop) == ""
    assert "Carmencita tt0000001 6 2,030 0.10 5.80" in text(mailbox.messages[0])


def test_a_digest_that_could_not_be_sent_is_made_good_and_covers_all_since(workshop: Workshop, digest: Mailbox) -> None:
    assert refresh(workshop) == ""
    vote(workshop, "tt0000001", "5.8", "2030")
    digest.replies += ["451 later"] * 3
    assert "does not take the mail (451)" in refresh(workshop)
    digest.replies += ["451 later"] * 3
    assert "does not take the mail (451)" in refresh(workshop)
    vote(workshop, "tt0000005", "6.2", "2728")
    assert refresh(workshop) == ""
    lines = text(digest.messages[1])
    assert len(digest.messages) == 2
    votes = lines.index("Movers in votes")
    assert [line.split()[0] for line in lines[votes + 3 : votes + 5]] == ["Carmencita", "Blacksmith"]


def test_the_first_rows_of_chosen_tables_are_brought_into_a_sheet(workshop: Workshop, sheet: Google) -> None:
    assert refresh(workshop) == ""
    tabs = sheet.spreadsheets[SHEET]
    assert set(tabs) == {"Notes", "metrics.title_success", "metrics.person_success"}
    header, *rows = tabs["metrics.title_success"].values()
    titles = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(row["tconst"], row["numVotes"], row["primaryTitle"]) for row in titles] == [
        ("tt0000005", 2727, "Blacksmith Scene"),
        ("tt0000001", 2024, "Carmencita"),
    ]
    people = tabs["metrics.person_success"].values()
    assert people[0][:2] == ["nconst", "role"]
    assert people[0][-1] == "primaryName"
    writes = len(sheet.writes)
    assert writes == 2
    tabs["metrics.title_success"].cells[1, 20] = "a remark"
    vote(workshop, "tt0000001", "5.7", "2025")
    assert refresh(workshop) == ""
    tab = sheet.spreadsheets[SHEET]["metrics.title_success"]
    assert len(tab.values()) == 3
    assert tab.cells[1, 20] == "a remark"
    assert 2025 in tab.values()[2]


def test_a_table_that_is_none_is_named(workshop: Workshop, sheet: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_ASSETS_SHEET_TABLES", "metrics.nothing")
    with pytest.raises(
        FilmAssetsError, match=r"FILM_ASSETS_SHEET_TABLES: there is no table metrics\.nothing; there are metrics\."
    ):
        run_refresh(build_defs, workshop.settings)
    assert workshop.settings.kept_in.films.exists(), "what is published is published"


def test_a_missing_setting_is_named(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_ASSETS_MAIL_TO", "a@example.org")
    monkeypatch.setenv("FILM_ASSETS_SMTP_HOST", "localhost")
    words = "FILM_ASSETS_SMTP_USER, FILM_ASSETS_SMTP_PASSWORD, FILM_ASSETS_MAIL_FROM are not set"
    with pytest.raises(FilmAssetsError, match=words):
        run_refresh(build_defs, workshop.settings)
