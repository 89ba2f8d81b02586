"""Posts a message to a webhook, as JSON in the form that its host takes.

The address is the right to post, so no error, log line or repr has it. Belongs here: HTTP, and the forms. Does not belong here:
what is told, and when it is tried again.
"""

import json
import ssl
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from pydantic import SecretStr

from film_assets.errors import DeliveryError, FilmAssetsError, TransientError
from film_assets.notifications.channels.mail import Mail

_SETTING = "FILM_ASSETS_ALERT_URL"
_TIMEOUT_SECONDS = 15
_SLACK = ("slack.com",)
_TEAMS = ("webhook.office.com", "logic.azure.com", "powerplatform.com")
"""Hosts of the webhooks of Microsoft Teams and of its workflows, which take cards only."""

_MAY_PASS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


class _NoRedirects(HTTPRedirectHandler):
    """A redirect is an answer like any other: followed, it would take the message elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def post(url: SecretStr, mail: Mail) -> None:
    """Post a message, once.

    Args:
        url: The webhook, an http(s) address.
        mail: What is told; of its two forms the plain one.

    Raises:
        DeliveryError: The webhook does not take it; the text says what to do.
        TransientError: It cannot take it now.
    """
    address = url.get_secret_value()
    host = urlsplit(address).hostname or ""
    body = json.dumps(_document(host, mail)).encode()
    request = Request(address, body, {"Content-Type": "application/json"})  # noqa: S310  The setting takes http(s) only.
    opener = build_opener(_NoRedirects, HTTPSHandler(context=ssl.create_default_context()))
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS):
            return
    except (OSError, HTTPException, ValueError) as error:
        fault = _fault(host, error)
        if isinstance(error, HTTPError):
            error.close()  # it is the answer, too
    raise fault  # not in the handler: the library's error may hold the address


def _document(host: str, mail: Mail) -> Mapping[str, Any]:
    text = f"{mail.subject}\n{mail.text.rstrip()}"
    if _is_of(host, _SLACK):
        return {"text": escape(text, quote=False)}
    return _card(mail) if _is_of(host, _TEAMS) else {"text": text}


def _card(mail: Mail) -> Mapping[str, Any]:
    blocks = [{"type": "TextBlock", "text": mail.subject, "weight": "Bolder", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": line, "wrap": True} for line in mail.text.splitlines() if line]
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    return {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}]}


def _is_of(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _fault(host: str, error: Exception) -> FilmAssetsError:
    reason = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    match reason:
        case ssl.SSLCertVerificationError():
            return DeliveryError(f"webhook at {host}: its certificate is not trusted ({reason.verify_message}); check {_SETTING}")
        case HTTPError(code=code) if code not in _MAY_PASS and code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return DeliveryError(f"webhook at {host} does not take the message ({code}); check {_SETTING}")
        case HTTPError(code=code):
            return TransientError(f"webhook at {host} cannot take the message now ({code}); it is tried again")
        case ValueError() | InvalidURL():
            return DeliveryError(f"webhook at {host} cannot be asked ({type(reason).__name__}); check {_SETTING}")
    return TransientError(f"webhook at {host} cannot be reached ({type(reason).__name__}); it is tried again")
