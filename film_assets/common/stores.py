"""What obstore, delta-rs and Polars say of an object store that cannot be used, as one line without secrets.

Belongs here: taking their texts apart. Does not belong here: what is read or written there.
"""

import re
from collections.abc import Iterable

_PAINT = re.compile(r"\x1b\[\d+m|↳")
_STATUS = re.compile(r"\b([45]\d\d) [A-Z][a-z]+(?: [A-Z][a-z]+)*")
_MESSAGE = re.compile(r"<Message>([^<\n]+)")
_LONGEST = 300
_SHORT = 3
"""A secret of so few letters hides nothing, and masking it would make the text unreadable."""


def told(error: Exception, secrets: Iterable[str] = ()) -> tuple[str, bool]:
    """What an error says, and whether it may pass by itself.

    Args:
        error: What was raised.
        secrets: What must not be in the text.

    Returns:
        One line, and whether to try again may help: no answer, or one that the service is not able to give now.
    """
    what, transient = _told(str(error) or type(error).__name__)
    for secret in secrets:
        what = what.replace(secret, "***") if len(secret) > _SHORT else what
    return what, transient


def _told(text: str) -> tuple[str, bool]:
    plain = " ".join(_PAINT.sub(" ", text).partition("Debug source")[0].split())
    if not (answer := _STATUS.search(plain)):
        silent = "error sending request" in plain or "Connection refused" in plain
        return ("its service does not answer" if silent else plain[:_LONGEST]), silent
    about = plain.partition("Error performing")[0].strip(" :")
    message = _MESSAGE.search(text)
    parts = ["" if "Generic" in about else about, f"its service says {answer[0]}", message[1].strip(" .") if message else ""]
    return ": ".join(part for part in parts if part)[:_LONGEST], answer[1][0] == "5" or answer[1] == "429"
