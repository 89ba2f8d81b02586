"""A webhook: what arrives at it in which form, and what is told where it does not; never its address."""

import json
import logging

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from film_assets.errors import DeliveryError, FilmAssetsError, TransientError
from film_assets.notifications.channels import webhook
from film_assets.notifications.channels.mail import Mail
from film_assets_tests.web_ui import free_port

CANARY = "T0CANARY"
MAIL = Mail("Films: refresh failed", "why: <3 & more>\nrun: http://127.0.0.1:3000/runs/1\n", "<p>", "films.failure.1")


def url(httpserver: HTTPServer) -> SecretStr:
    return SecretStr(httpserver.url_for(f"/services/{CANARY}?sig={CANARY}"))


def test_a_message_arrives_as_json(httpserver: HTTPServer) -> None:
    httpserver.expect_request(f"/services/{CANARY}", method="POST").respond_with_data("ok")
    webhook.post(url(httpserver), MAIL)
    ((request, _),) = httpserver.log
    assert request.content_type == "application/json"
    assert request.json == {"text": "Films: refresh failed\nwhy: <3 & more>\nrun: http://127.0.0.1:3000/runs/1"}


def test_slack_gets_text_in_its_own_escapes() -> None:
    document = webhook._document("hooks.slack.com", MAIL)
    assert document == {"text": "Films: refresh failed\nwhy: &lt;3 &amp; more&gt;\nrun: http://127.0.0.1:3000/runs/1"}


@pytest.mark.parametrize(
    "host", ["prod-1.westeurope.logic.azure.com", "a.environment.api.powerplatform.com", "x.webhook.office.com"]
)
def test_teams_gets_a_card(host: str) -> None:
    document = json.loads(json.dumps(webhook._document(host, MAIL)))
    (attachment,) = document["attachments"]
    assert document["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"
    assert [block["text"] for block in attachment["content"]["body"]] == [MAIL.subject, *MAIL.text.splitlines()]


def test_a_name_that_only_ends_like_one_is_no_such_host() -> None:
    assert set(webhook._document("notslack.com", MAIL)) == set(webhook._document("evil-logic.azure.com", MAIL)) == {"text"}


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (404, DeliveryError, "does not take the message (404); check FILM_ASSETS_ALERT_URL"),
        (302, DeliveryError, "does not take the message (302); check FILM_ASSETS_ALERT_URL"),
        (429, TransientError, "cannot take the message now (429); it is tried again"),
        (503, TransientError, "cannot take the message now (503); it is tried again"),
    ],
)
def test_what_does_not_arrive_is_one_line_without_the_address(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture, status: int, kind: type[FilmAssetsError], said: str
) -> None:
    caplog.set_level(logging.DEBUG)

    def answer(request: Request) -> Response:
        return Response(CANARY, status, {"Location": f"/elsewhere/{CANARY}"})

    httpserver.expect_request(f"/services/{CANARY}").respond_with_handler(answer)
    with pytest.raises(kind) as caught:
        webhook.post(url(httpserver), MAIL)
    assert str(caught.value) == f"webhook at {httpserver.host} {said}"
    of_ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]  # which is the server
    assert CANARY not in f"{caught.value!r} {caught.value.__context__} {of_ours}"
    assert len(httpserver.log) == 1, "nothing is followed"


def test_no_answer_is_told() -> None:
    address = SecretStr(f"http://localhost:{free_port()}/services/{CANARY}")
    words = r"^webhook at localhost cannot be reached \(ConnectionRefusedError\); it is tried again$"
    with pytest.raises(TransientError, match=words):
        webhook.post(address, MAIL)
    with pytest.raises(DeliveryError, match="cannot be asked") as caught:
        webhook.post(SecretStr(f"http://example.org/a b{CANARY}"), MAIL)
    assert CANARY not in f"{caught.value} {caught.value.__context__}"
