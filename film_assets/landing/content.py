"""The bytes of a blob, read range by range: of a local file, or where they lie at the source.

Belongs here: what can be read so, and its whole lines. Does not belong here: how a source reads a range (``sources``), what the
fields of a line mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from film_assets.errors import SourceError
from film_assets.sources import Listed, Source
from film_assets.sources.local import file_version, read_range


class Content(Protocol):
    """Bytes that stay the same; may be read from several threads, and pickled for other processes."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def read(self, start: int, stop: int) -> bytes:
        """Exactly the bytes from ``start`` up to ``stop``, which lie within the size.

        Raises:
            SourceError: They cannot be read; ``TransientError`` if that may pass, or if they are not the same any more.
        """
        ...


@dataclass(frozen=True)
class FileContent:
    """A local file as it is now; reading it raises ``TransientError`` once it is another one."""

    path: Path
    size: int = field(init=False)
    version: str = field(init=False)

    def __post_init__(self) -> None:
        state = self.path.stat()
        object.__setattr__(self, "size", state.st_size)
        object.__setattr__(self, "version", file_version(state))

    def read(self, start: int, stop: int) -> bytes:
        """Exactly the bytes from ``start`` up to ``stop``.

        Raises:
            SourceError: They cannot be read; ``TransientError`` if the file was written meanwhile, cut short or removed.
        """
        return read_range(self.path, self.version, start, stop)


@dataclass(frozen=True)
class SourceContent:
    """The listed version of a blob, read where it lies. A compressed one must be fetched instead."""

    source: Source
    listed: Listed

    def __post_init__(self) -> None:
        if self.listed.file.endswith(".gz"):
            raise SourceError(
                f"{self.source.label}: {self.listed.file} is compressed and cannot be landed where it lies; fetch it"
            )

    @property
    def size(self) -> int:
        """How many bytes it has at the source."""
        return self.listed.bytes

    def read(self, start: int, stop: int) -> bytes:
        """Exactly the bytes from ``start`` up to ``stop``.

        Raises:
            SourceError: As the source's ``read_range``.
        """
        return self.source.read_range(self.listed, start, stop)


@dataclass(frozen=True)
class Parts:
    """Bytes of other contents, each time from a start up to a stop, one after the other."""

    parts: Sequence[tuple[Content, int, int]]

    @property
    def size(self) -> int:
        """How many there are together."""
        return sum(stop - start for _, start, stop in self.parts)

    def read(self, start: int, stop: int) -> bytes:
        """Exactly the bytes from ``start`` up to ``stop``.

        Raises:
            SourceError: As the ``read`` of the contents.
        """
        found, begin = [], 0
        for content, first, last in self.parts:
            end = begin + last - first
            if start < end and begin < stop:
                found.append(content.read(first + max(start - begin, 0), last - max(end - stop, 0)))
            begin = end
        return b"".join(found)


def whole_lines(content: Content, start: int, size: int) -> Iterator[memoryview]:
    """The bytes from ``start`` on in pieces of whole lines, each of about that size or one longer line."""
    length = size
    while start < content.size:
        stop = min(start + length, content.size)
        data = content.read(start, stop)
        whole = len(data) if stop == content.size else data.rfind(b"\n") + 1
        if whole:
            yield memoryview(data)[:whole]
        start, length = start + whole, size if whole else length * 2
