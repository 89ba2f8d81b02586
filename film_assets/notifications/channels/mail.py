"""Sends an email over TLS, by a server whose certificate is verified and that is logged in to.

Which authorities are trusted is up to OpenSSL; ``SSL_CERT_FILE`` names others. Belongs here: SMTP, and a message's parts. Does
not belong here: what it says.
"""

import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate

import stamina
from pydantic import SecretStr

from film_assets.common.retries import log_retries
from film_assets.errors import DeliveryError, FilmAssetsError, TransientError

_TIMEOUT_SECONDS = 30
_FOR_GOOD = 500
"""A reply of the server from here on is final; those below may pass."""

_PATIENTLY = stamina.RetryingCaller(attempts=4, timeout=120, wait_initial=2, wait_max=30, wait_jitter=1).on(TransientError)


@dataclass(frozen=True)
class MailServer:
    """By which server mail goes, from whom and to whom."""

    host: str
    port: int
    starttls: bool
    user: str
    password: SecretStr
    sender: str
    recipients: Sequence[str]


@dataclass(frozen=True)
class Mail:
    """A message in two forms.

    Attributes:
        subject: One line.
        text: For those who read no HTML.
        html: The same for the others; shows an image by ``<img src="cid:NAME">``.
        id: The same for the same message, so that a mailbox which gets it twice can tell.
        images: Name -> PNG.
    """

    subject: str
    text: str
    html: str
    id: str
    images: Mapping[str, bytes] = field(default_factory=dict)


def send(server: MailServer, mail: Mail) -> Sequence[str]:
    """Send a message; the recipients that the server refused, while it took the message for others.

    Raises:
        DeliveryError: The server does not take it; the text says what to do.
        TransientError: The server is still not able to take it after several tries.
    """
    log_retries()
    return _PATIENTLY(_send, server, _message(server, mail))


def _message(server: MailServer, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = server.sender, ", ".join(server.recipients)
    message["Subject"], message["Date"] = mail.subject, formatdate()
    message["Message-ID"] = f"<{mail.id}@{server.sender.rpartition('@')[2].rstrip('>')}>"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    for name, image in mail.images.items():
        html = message.get_body(("html",))
        assert html is not None
        html.add_related(image, "image", "png", cid=f"<{name}>", disposition="inline", filename=f"{name}.png")
    return message


def _send(server: MailServer, message: EmailMessage) -> Sequence[str]:
    with _explained(server), _connection(server) as connection:
        connection.login(server.user, server.password.get_secret_value())
        return sorted(connection.send_message(message, to_addrs=list(server.recipients)))


def _connection(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if not server.starttls:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_SECONDS, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.starttls(context=context)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _explained(server: MailServer) -> Iterator[None]:
    """Turns what the library raises into one line that says what to do."""
    try:
        yield
    except (smtplib.SMTPException, OSError) as error:
        fault = _fault(f"mail server {server.host}:{server.port}", error)
    else:
        return
    raise fault


def _fault(name: str, error: Exception) -> FilmAssetsError:
    match error:
        case ssl.SSLCertVerificationError():
            return DeliveryError(f"{name}: its certificate is not trusted ({error.verify_message}); check the name of the server")
        case smtplib.SMTPAuthenticationError():
            final, said = True, "does not accept user and password"
        case smtplib.SMTPRecipientsRefused():
            final = all(code >= _FOR_GOOD for code, _ in error.recipients.values())
            said = f"takes no mail for {', '.join(sorted(error.recipients))}"
        case smtplib.SMTPNotSupportedError():
            final, said = True, "lets nobody log in over this connection"
        case smtplib.SMTPResponseException():
            final, said = error.smtp_code >= _FOR_GOOD, f"does not take the mail ({error.smtp_code})"
        case ssl.SSLError():
            final, said = True, "speaks no TLS on this port"
        case _:
            final, said = False, f"cannot be reached ({type(error).__name__})"
    return DeliveryError(f"{name} {said}; check its settings") if final else TransientError(f"{name} {said}; try again later")
