"""A folder of this machine as a source.

Belongs here: looking at the folder and using its files in place. Does not belong here: reading and decompressing them
(``local``).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from film_assets.common.progress import Progress
from film_assets.errors import SourceError
from film_assets.sources.base import Entry, Fetched, Files, Listed, check_range, find
from film_assets.sources.local import LocalFiles, file_version, home_faults, is_compressed, read_range


class FolderSource:
    """The files of one folder; a file's version is its time of modification and its size."""

    def __init__(self, folder: Path, files: Files) -> None:
        """Look at nothing yet.

        Args:
            folder: The folder.
            files: The blobs by short name, with the names each may have.
        """
        self._folder, self._files = folder.absolute(), files

    @property
    def label(self) -> str:
        """The folder's path."""
        return str(self._folder)

    def list(self) -> Mapping[str, Listed]:
        """Every blob there is, by short name.

        Raises:
            SourceError: There is no such folder, or it lacks a blob; the text says what to do.
        """
        return {blob: self._find(blob) for blob in self._files}

    def entries(self) -> Sequence[Entry]:
        """Every file there is, in folders too, by name.

        Raises:
            SourceError: There is no such folder, or it cannot be read.
        """
        self._ensure_there()
        try:
            files = [(path, path.stat()) for path in sorted(self._folder.rglob("*")) if path.is_file()]
        except OSError as error:
            raise SourceError(f"{error.filename}: cannot be read ({error.strerror}); mend its permissions") from error
        return [
            Entry(str(path.relative_to(self._folder)), state.st_size, datetime.fromtimestamp(state.st_mtime, UTC))
            for path, state in files
        ]

    def fetch(self, listed: Listed, folder: Path, progress: Progress) -> Fetched:
        """The file itself where it is plain, else what it decompresses to, whatever it is called; as it is now.

        Args:
            listed: The blob, as listed.
            folder: Where a decompressed file is put; an existing folder.
            progress: Told of decompressing.

        Raises:
            SourceError: It cannot be read.
            HomeError: ``folder`` cannot be written to, or the disk is full.
        """
        listed = self._find(listed.blob)
        path = self._folder / listed.file
        if not is_compressed(path, self.label, listed):
            return Fetched(listed, path, temporary=False)
        local = LocalFiles(folder, listed, self.label)
        with home_faults(folder):
            local.sweep()
            if not local.plain.exists():
                local.decompress(path, self.label, progress)
        return Fetched(listed, local.plain, temporary=True)

    def read_range(self, listed: Listed, start: int, stop: int) -> bytes:
        """The bytes from ``start`` up to ``stop`` of that version of the file as it is: of a ``.gz`` the compressed.

        Raises:
            SourceError: It cannot be read; ``TransientError`` if it is another version now, or gone.
            ValueError: The range does not lie within the file.
        """
        check_range(listed, start, stop)
        return read_range(self._folder / listed.file, listed.version, start, stop)

    def _ensure_there(self) -> None:
        if not self._folder.is_dir():
            kind = "is not a folder" if self._folder.exists() else "does not exist"
            raise SourceError(f"{self.label}: the source {kind}; set it to the folder the files are in")

    def _find(self, blob: str) -> Listed:
        self._ensure_there()
        return find(self.label, blob, self._files[blob], self._look, thorough=True)

    def _look(self, blob: str, name: str) -> Listed | None:
        path = self._folder / name
        try:
            if not path.is_file():
                return None
            with path.open("rb"):
                state = path.stat()
        except OSError as error:
            raise SourceError(f"{path}: cannot be read ({error.strerror}); mend its permissions") from error
        return Listed(
            blob=blob,
            file=name,
            bytes=state.st_size,
            version=file_version(state),
            last_modified=datetime.fromtimestamp(state.st_mtime, UTC),
        )
