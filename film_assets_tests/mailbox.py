"""A mail server for tests: real SMTP over TLS with a login, that keeps what it takes.

Belongs here: the server and its mailbox. Does not belong here: what is tested.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = "robot", "CANARY-MAIL-PASSWORD"


@dataclass
class Mailbox:
    """What arrived, and how the server behaves.

    Attributes:
        port: Where it listens, on ``localhost``.
        messages: What arrived, in order.
        replies: What it says to the next messages instead of taking them, in order.
        refused: Recipients it takes no mail for.
    """

    port: int
    messages: list[EmailMessage] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @property
    def subjects(self) -> list[str]:
        return [message["subject"] for message in self.messages]

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.replies:
            return self.replies.pop(0)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 taken"


def _check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


class _Controller(Controller):
    """Starts the server, and lets people log in where TLS was there from the beginning: the server knows STARTTLS alone."""

    def factory(self) -> SMTP:
        server = super().factory()
        server._auth_require_tls = self.ssl_context is None
        return server


@contextmanager
def running(authority: trustme.CA, folder: Path, *, starttls: bool = False) -> Iterator[Mailbox]:
    """A mail server for as long as the block runs, trusted by all who respect the environment's authorities."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        mailbox = Mailbox(probe.getsockname()[1])
    how = {"tls_context": tls, "require_starttls": True} if starttls else {"ssl_context": tls}
    controller = _Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, authenticator=_check, auth_required=True, **how)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
        controller.start()
        try:
            yield mailbox
        finally:
            controller.stop()
