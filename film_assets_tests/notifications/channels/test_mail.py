"""Mail over TLS: what arrives, and what is told where it does not."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr

from film_assets.errors import DeliveryError, TransientError
from film_assets.notifications.channels.digest import Digest, Section, duration
from film_assets.notifications.channels.mail import MailServer, send
from film_assets_tests import mailbox as mail_service
from film_assets_tests.mailbox import PASSWORD, USER, Mailbox

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(20)
DIGEST = Digest(
    subject="Täglich: 3 <new> films",
    id="digest.1",
    facts={"rows new": 1234567, "share": 0.5, "nothing": None},
    sections=[Section("tables & rows", ("table", "rows"), [("films.titles", 12), ("<b>", 3)])],
    chart=PIXEL,
    chart_says="attempts per day",
)


@pytest.fixture
def server(mailbox: Mailbox) -> MailServer:
    return server_of(mailbox)


def server_of(mailbox: Mailbox, *, starttls: bool = False) -> MailServer:
    recipients = ["a@example.org", "b@example.org"]
    return MailServer("localhost", mailbox.port, starttls, USER, SecretStr(PASSWORD), "Robot <robot@example.org>", recipients)


def test_a_digest_arrives_as_text_and_as_html_with_its_chart(mailbox: Mailbox, server: MailServer) -> None:
    assert send(server, DIGEST.mail()) == []
    (message,) = mailbox.messages
    assert message["subject"] == DIGEST.subject
    assert message["to"] == "a@example.org, b@example.org"
    assert message["message-id"] == "<digest.1@example.org>"
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text
    assert html
    lines = text.get_content().splitlines()
    assert lines[:3] == ["rows new: 1,234,567", "share: 0.50", "nothing: "]
    assert lines[4:] == ["tables & rows", "-------------", "table         rows", "films.titles  12", "<b>           3"]
    page = html.get_content()
    assert "tables &amp; rows" in page
    assert "<td style='padding: 2px 12px 2px 0'>&lt;b&gt;</td>" in page
    assert 'src="cid:chart" alt="attempts per day"' in page
    (image,) = (part for part in message.walk() if part.get_content_type() == "image/png")
    assert image["content-id"] == "<chart>"
    assert image.get_content() == PIXEL
    assert image.get_content_disposition() == "inline"


def test_a_digest_needs_neither_chart_nor_tables(mailbox: Mailbox, server: MailServer) -> None:
    send(server, Digest(subject="failed", id="x", facts={"step": "solutions"}).mail())
    (message,) = mailbox.messages
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_tls_may_begin_by_starttls(authority: trustme.CA, trusted: Path) -> None:
    with mail_service.running(authority, trusted, starttls=True) as mailbox:
        send(server_of(mailbox, starttls=True), DIGEST.mail())
        assert mailbox.subjects == [DIGEST.subject]


def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    mailbox: Mailbox, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(DeliveryError, match="its certificate is not trusted"):
        send(server, DIGEST.mail())
    assert mailbox.messages == []


def test_a_certificate_for_another_name_is_not_trusted(mailbox: Mailbox, server: MailServer) -> None:
    with pytest.raises(DeliveryError, match=r"its certificate is not trusted .*127\.0\.0\.1"):
        send(replace(server, host="127.0.0.1"), DIGEST.mail())
    assert mailbox.messages == []


def test_a_wrong_password_is_told_and_not_shown(mailbox: Mailbox, server: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DeliveryError, match="does not accept user and password") as caught:
        send(replace(server, password=SecretStr("CANARY-WRONG")), DIGEST.mail())
    assert "CANARY" not in f"{caught.value} {caught.value.__context__} {server} {caplog.text}"


def test_what_may_pass_is_tried_again(mailbox: Mailbox, server: MailServer) -> None:
    mailbox.replies += ["451 try again", "421 busy"]
    send(server, DIGEST.mail())
    assert mailbox.subjects == [DIGEST.subject]


def test_what_does_not_pass_is_given_up(mailbox: Mailbox, server: MailServer) -> None:
    mailbox.replies += ["451 try again"] * 9
    with pytest.raises(TransientError, match=r"does not take the mail \(451\)"):
        send(server, DIGEST.mail())
    assert len(mailbox.replies) == 6
    mailbox.replies[:] = ["552 too large"]
    with pytest.raises(DeliveryError, match=r"does not take the mail \(552\)"):
        send(server, DIGEST.mail())
    with pytest.raises(TransientError, match=r"mail server localhost:9 cannot be reached"):
        send(replace(server, port=9), DIGEST.mail())


def test_a_server_without_tls_is_not_spoken_to(authority: trustme.CA, trusted: Path) -> None:
    with mail_service.running(authority, trusted, starttls=True) as mailbox:
        with pytest.raises(DeliveryError, match="speaks no TLS on this port"):
            send(server_of(mailbox), DIGEST.mail())
        assert mailbox.messages == []


def test_a_refused_recipient_is_told_while_others_get_it(mailbox: Mailbox, server: MailServer) -> None:
    mailbox.refused = {"b@example.org"}
    assert send(server, DIGEST.mail()) == ["b@example.org"]
    assert len(mailbox.messages) == 1
    mailbox.refused = {"a@example.org", "b@example.org"}
    with pytest.raises(DeliveryError, match=r"takes no mail for a@example\.org, b@example\.org"):
        send(server, DIGEST.mail())


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 d 0 h 0 min 0 s"), (3725, "0 d 1 h 2 min 5 s"), (2 * 86400 + 59.6, "2 d 0 h 1 min 0 s")]
)
def test_a_duration_is_told_in_days_hours_minutes_and_seconds(seconds: float, words: str) -> None:
    assert duration(seconds) == words
