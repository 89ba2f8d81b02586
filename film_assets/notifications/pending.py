"""What has been delivered of which snapshot, and the snapshot before, kept until its successor has been told of.

So a delivery that failed, or whose process died, is made good by the next refresh. Belongs here: the files in the home that say
so. Does not belong here: delivering.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from film_assets.home import Home


class Pending:
    """The deliveries of a home."""

    def __init__(self, home: Home) -> None:
        """Nothing is touched yet."""
        self._films = home.films
        self._folder = home.delivery

    @property
    def previous(self) -> Path:
        """The snapshot that was told of last; there only while a newer one has not been."""
        return self._folder / "previous.duckdb"

    def delivered(self, kind: str) -> str | None:
        """The version that a delivery of this kind was last made of; None before the first."""
        note = self._note(kind)
        return note.read_text(encoding="utf-8") if note.exists() else None

    def note(self, kind: str, version: str) -> None:
        """Write down that it has been made."""
        self._folder.mkdir(exist_ok=True)
        unfinished = self._note(kind).with_suffix(".new")
        unfinished.write_text(version, encoding="utf-8")
        unfinished.replace(self._note(kind))

    def forget_previous(self) -> None:
        """It has been told of what came after it."""
        self.previous.unlink(missing_ok=True)

    @contextmanager
    def keeping_previous(self) -> Iterator[None]:
        """The snapshot that the block replaces is kept, unless an older one still is; it takes no room until then."""
        if self._films.exists() and not self.previous.exists():
            self._folder.mkdir(exist_ok=True)
            try:
                os.link(self._films, self.previous)
            except OSError:  # a file system without links
                shutil.copyfile(self._films, self.previous)
        yield

    def _note(self, kind: str) -> Path:
        return self._folder / f"{kind}.txt"
