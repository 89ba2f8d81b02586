"""What the tests of delivery share: an authority that all trust, Google, a mailbox, and no waiting between tries."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
import trustme

from film_assets_tests import google as google_service, mailbox as mail_service
from film_assets_tests.google import Google
from film_assets_tests.mailbox import Mailbox

TRIES = 3


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    """The folder in which the authority's certificate lies."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    return tmp_path


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=TRIES):
        yield


@pytest.fixture
def google(authority: trustme.CA, trusted: Path) -> Iterator[Google]:
    with google_service.running(authority, trusted) as running:
        yield running


@pytest.fixture
def mailbox(authority: trustme.CA, trusted: Path) -> Iterator[Mailbox]:
    with mail_service.running(authority, trusted) as running:
        yield running
