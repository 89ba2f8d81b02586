"""What the tests of the films' deliveries share: blobs and a home to refresh, Google and a mailbox."""

from film_assets_tests.assets.conftest import workshop
from film_assets_tests.publish.conftest import authority, google, mailbox, no_waiting, trusted

__all__ = ["authority", "google", "mailbox", "no_waiting", "trusted", "workshop"]
