"""Secrets, kept out of texts of libraries: their log lines, and tracebacks that are written down.

Belongs here: which libraries log addresses, and what is cut out of a text. Own texts never hold a secret and need none of this.
"""

import logging
import re

_LOGGERS = ("urllib3.connectionpool", "httpx2")
_SECRET_PARTS = re.compile(r"""\?[^\s"']*|(?<=//)[^\s/@"']*@""")
_BARE_SECRETS = re.compile(r"""(?i)(\b(?:sig|AccountKey|SharedAccessSignature|password|token)=)[^\s;&"']+""")


def redacted(text: str) -> str:
    """A text without the query, user and password of addresses, and without signatures, keys and the like beside them."""
    return _BARE_SECRETS.sub(r"\1...", _SECRET_PARTS.sub("", text))


class _WithoutSecrets(logging.Filter):
    """Takes the secrets out of a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), ()
        return True


_FILTER = _WithoutSecrets()


def redact_logs() -> None:
    """From now on those libraries log addresses without query, user and password."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
