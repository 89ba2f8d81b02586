"""How it is told that something is tried again: one log line in words of our own, without any secret.

Belongs here: what all who try again share. Does not belong here: what is tried again, how often and after which pauses.
"""

import logging

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from film_assets.common.redaction import redact_logs
from film_assets.errors import TransientError

_log = logging.getLogger(__name__)


def log_retries() -> None:
    """From now on log every further try, and addresses without their secrets."""
    set_on_retry_hooks([_log_retry])  # stamina's own would print to standard output, where structlog is installed
    redact_logs()


def _log_retry(details: RetryDetails) -> None:
    fault = details.caused_by if isinstance(details.caused_by, TransientError) else type(details.caused_by).__name__
    _log.warning("%s (trying again in %.1f s)", fault, details.wait_for)
