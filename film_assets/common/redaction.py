"""Secrets in addresses, kept out of the log lines of the libraries that send the requests.

Belongs here: which libraries log addresses, and what is cut out of them. Own texts never hold a secret and need none of this.
"""

import logging
import re

_LOGGERS = ("urllib3.connectionpool", "httpx2")
_SECRET_PARTS = re.compile(r"""\?[^\s"']*|(?<=//)[^\s/@"']*@""")


class _WithoutSecrets(logging.Filter):
    """Takes the query, and user and password, out of every address in a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _SECRET_PARTS.sub("", record.getMessage()), ()
        return True


_FILTER = _WithoutSecrets()


def redact_logs() -> None:
    """From now on those libraries log addresses without query, user and password."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
