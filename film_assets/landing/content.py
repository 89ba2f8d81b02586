"""The bytes of a blob."""

from pathlib import Path
from typing import Protocol


class Content(Protocol):
    """The bytes of a blob."""

    path: Path


class FileContent:
    """The bytes of a file."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self.path = path
