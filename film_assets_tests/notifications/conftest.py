"""What the tests of the films' deliveries share: blobs and a home to refresh, Google and a mailbox."""

from film_assets_tests.notifications.channels.conftest import authority, google, mailbox, no_waiting, trusted
from film_assets_tests.orchestration.conftest import workshop

__all__ = ["authority", "google", "mailbox", "no_waiting", "trusted", "workshop"]
