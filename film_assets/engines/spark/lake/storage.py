"""The files of the lake, wherever they lie: a folder that all machines reach, or an object store.

Belongs here: bytes under paths, written whole or not at all, and how Spark and Polars call them. Does not belong here: which
files are rows of which table (``lake``).
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import unquote

import polars as pl

from film_assets.common.stores import told
from film_assets.errors import FilmAssetsError, HomeError, SettingsError, TransientError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("abfss", "abfs", "s3a", "s3", "gs")
_PATTERNS = re.compile(r"[*?\[\]{}\\]")
"""What Spark takes for a pattern in the path of a file to read."""
_ESCAPED = re.compile(r"""[^!-~]|["#%<>^`|]""")
"""What URLs have escaped: Polars escapes it once more when it reads a Delta table, and finds no file."""
_PROVIDER = re.compile(r"^(azure_storage|azure|aws|google)_")
_CLIENT = {
    "allow_http", "allow_invalid_certificates", "connect_timeout", "pool_idle_timeout", "pool_max_idle_per_host", "proxy_url",
    "timeout", "user_agent",
}  # fmt: skip
"""Options that are about connections, which obstore takes apart from the others."""


@dataclass(frozen=True)
class Storage:
    """The place of a lake; can be pickled, so that executors write to it too.

    Attributes:
        uri: A folder's absolute path, or the URL of a place in an object store.
        options: What opens it, as delta-rs and Polars take it; not shown.
    """

    uri: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        scheme, there, _ = self.uri.partition("://")
        if there and scheme not in SCHEMES:
            raise SettingsError(
                f"FILM_ASSETS_LAKE={self.uri!r}: set it to a folder, or to a URL that begins with abfss://, s3a:// or gs://"
            )
        if _PATTERNS.search(self.uri):
            raise SettingsError(
                f"FILM_ASSETS_LAKE={self.uri!r}: Spark takes one of * ? [ ] {{ }} \\ for a pattern; take a place without"
            )
        if found := _ESCAPED.search(self.uri):
            raise SettingsError(
                f"FILM_ASSETS_LAKE={self.uri!r}: readers of Delta tables do not find files of a path with {found[0]!r}; "
                "take a place of letters and digits of ASCII"
            )

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, which any program that reaches it can read."""
        return "://" not in self.uri

    def url(self, path: str) -> str:
        """A file as delta-rs, Polars and DuckDB name it."""
        return f"{self.uri}/{path}"

    def spark_url(self, path: str) -> str:
        """A file or folder as Spark names it."""
        return f"file://{self.uri}/{path}" if self.is_folder else self.url(path)

    def path_of(self, spark_url: str) -> str:
        """The path of a file that Spark names so, with its own escapes."""
        _, found, path = unquote(spark_url).partition(self.uri + "/")
        assert found, f"{spark_url} is not in the lake"
        return path

    def put(self, path: str, source: Path | bytes) -> int:
        """Write a file, which is whole whenever it is there; its size.

        Raises:
            HomeError: It cannot be written.
        """
        import obstore

        with self._readable_faults():
            obstore.put(self._store, path, source)
        return len(source) if isinstance(source, bytes) else source.stat().st_size

    def write_frame(self, path: str, frame: pl.DataFrame) -> int:
        """Write rows as a Parquet file; its size.

        Raises:
            HomeError: It cannot be written.
        """
        with TemporaryDirectory() as folder:
            file = Path(folder) / "rows.parquet"
            frame.write_parquet(file, compression="lz4", statistics=True)
            return self.put(path, file)

    def read_whole(self, path: str) -> bytes:
        """All bytes of a file.

        Raises:
            HomeError: It cannot be read.
        """
        import obstore

        with self._readable_faults():
            return bytes(obstore.get(self._store, path).bytes())

    def read(self, path: str, start: int, stop: int) -> bytes:
        """The bytes of a file from ``start`` up to ``stop``.

        Raises:
            HomeError: It cannot be read.
        """
        import obstore

        if start >= stop:
            return b""
        with self._readable_faults():
            return bytes(obstore.get_range(self._store, path, start=start, end=stop))

    def fetch(self, path: str, target: Path) -> None:
        """Copy a file out of the lake; it is whole whenever it is there.

        Raises:
            HomeError: It cannot be read, or not be written there.
        """
        import obstore

        unfinished = target.with_name(f"{target.name}.tmp")
        with self._readable_faults(), unfinished.open("wb") as out:
            for chunk in obstore.get(self._store, path).stream(min_chunk_size=8 << 20):
                out.write(chunk)
        unfinished.replace(target)

    def ensure_there(self, paths: Iterable[str]) -> None:
        """Make sure that files of a folder are there, which other machines say they have written.

        Raises:
            HomeError: One is not.
        """
        if self.is_folder and any(not Path(self.url(path)).exists() for path in paths):
            raise self.not_shared()

    def not_shared(self) -> HomeError:
        """That workers write where this machine does not read."""
        return HomeError(
            f"the lake {self.uri}: what workers have written is not there; set FILM_ASSETS_LAKE to a place that this machine and "
            "all workers reach under the same name"
        )

    def list(self, folder: str) -> Iterator[str]:
        """The paths of all files in a folder and those below it.

        Raises:
            HomeError: It cannot be read.
        """
        import obstore

        with self._readable_faults():
            for batch in obstore.list(self._store, folder):
                yield from (str(item["path"]) for item in batch)

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files, of which some may be gone already.

        Raises:
            HomeError: One cannot be deleted.
        """
        import obstore

        with self._readable_faults():
            for path in paths:
                try:
                    obstore.delete(self._store, path)
                except FileNotFoundError:
                    continue

    def check(self) -> None:
        """Make sure that the options are such as there are.

        Raises:
            HomeError: One of them is not.
        """
        with self._readable_faults():
            if not self.is_folder:  # which would be made
                self._store  # noqa: B018  made when it is asked for

    @cached_property
    def _store(self) -> "ObjectStore":
        from obstore.store import LocalStore, from_url

        if self.is_folder:
            return LocalStore(self.uri, mkdir=True)
        short = {name: _PROVIDER.sub("", name.lower()) for name in self.options}
        client = {short[name]: value for name, value in self.options.items() if short[name] in _CLIENT}
        config = {name: value for name, value in self.options.items() if short[name] not in _CLIENT}
        return from_url(self.uri, config=config, client_options=client)  # type: ignore[call-overload,no-any-return]

    @contextmanager
    def _readable_faults(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            raise self.fault(error) from None

    def fault(self, error: Exception) -> FilmAssetsError:
        """The error as the user reads it; one that may pass by itself is a ``TransientError``."""
        what, transient = told(error, self.options.values())
        if transient:
            return TransientError(f"the lake {self.uri}: {what}; run again, or look after FILM_ASSETS_LAKE")
        options = "" if self.is_folder else " and FILM_ASSETS_LAKE_OPTIONS"
        return HomeError(f"the lake {self.uri}: {what}; look after FILM_ASSETS_LAKE{options}")

    def __getstate__(self) -> dict[str, object]:
        return {"uri": self.uri, "options": self.options}


def folder(path: Path) -> str:
    """A folder as the place of a lake."""
    return os.path.abspath(path.expanduser())  # noqa: PTH100  a link stays what it is: workers may have another behind it
