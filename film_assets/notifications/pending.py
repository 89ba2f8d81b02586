"""What has been delivered of which snapshot.

So a delivery that failed, or whose process died, is made good by the next refresh. Belongs here: the notes in the home that say
so. Does not belong here: delivering.
"""

from pathlib import Path

from film_assets.home import Home


class Pending:
    """The deliveries of a home."""

    def __init__(self, home: Home) -> None:
        """Nothing is touched yet."""
        self._home = home

    def delivered(self, kind: str) -> str | None:
        """The version that a delivery of this kind was last made of; None before the first."""
        note = self._note(kind)
        return note.read_text(encoding="utf-8") if note.exists() else None

    def note(self, kind: str, version: str) -> None:
        """Write down that it has been made."""
        self._home.delivery.mkdir(exist_ok=True)
        unfinished = self._note(kind).with_suffix(".new")
        unfinished.write_text(version, encoding="utf-8")
        unfinished.replace(self._note(kind))

    def forget_previous(self) -> None:
        """The snapshot before has been told of what came after it."""
        self._home.previous.unlink(missing_ok=True)

    def _note(self, kind: str) -> Path:
        return self._home.delivery / f"{kind}.txt"
