"""``open_lake()``: the tables that the Spark engine keeps, as they were after any refresh of the last days.

A refresh is what ``state.refreshes`` of the lake says of it: the version of every table that belongs to it. So its tables fit
together, whatever is written meanwhile. Belongs here: reading a lake as a whole, with Polars. Does not belong here:
``films.duckdb`` (``films``), and how a lake is written (``engines``).
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from film_assets.common.stores import told
from film_assets.errors import FilmAssetsError, HomeError, SettingsError, TransientError, UnknownNameError

if TYPE_CHECKING:
    from deltalake import DeltaTable

_REFRESHES = "state.refreshes"
_PARTITION = "range"


def open_lake(place: str | Path, options: Mapping[str, str] | None = None) -> "Lake":
    """The lake at a place; nothing is read yet.

    Args:
        place: A folder, or a URL as abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER, s3a://BUCKET/FOLDER, gs://BUCKET/FOLDER.
        options: What opens it, as ``FILM_ASSETS_LAKE_OPTIONS`` has them.

    Raises:
        FilmAssetsError: What reads a lake is not installed.
    """
    try:
        import deltalake  # noqa: F401
    except ImportError:
        raise FilmAssetsError("no deltalake is installed, which reads a lake: pip install 'film-assets[spark]'") from None
    return Lake(place, options)


class Lake:
    """The tables of a lake, read only; shows no options."""

    def __init__(self, place: str | Path, options: Mapping[str, str] | None = None) -> None:
        """See ``open_lake``."""
        self._place = str(place) if "://" in str(place) else str(Path(place).expanduser().absolute())
        self._options = dict(options or {})

    def __repr__(self) -> str:
        return f"open_lake({self._place!r})"

    @property
    def refreshes(self) -> pl.DataFrame:
        """The refreshes that can be read, the last one first: when each was published, its tables, and the version of each.

        Raises:
            HomeError: There is no lake, or it may not be read.
            TransientError: It does not answer.
        """
        noted = self._noted()
        return noted.group_by("publishedAt").agg(tables="name", versions="version").sort("publishedAt", descending=True)

    def table(self, name: str, refresh: datetime | None = None) -> pl.LazyFrame:
        """A table as it was after a refresh, such as ``films.titles``.

        Args:
            name: Its name.
            refresh: When that was published, a value of ``refreshes``; None for the last one.

        Raises:
            UnknownNameError: There is no such table in it.
            SettingsError: There is no such refresh, or not any more.
            HomeError: There is no lake, or it may not be read.
            TransientError: It does not answer.
        """
        noted = self._noted()
        when = refresh or noted.select(pl.max("publishedAt")).item()
        versions = dict(noted.filter(pl.col("publishedAt") == when).select("name", "version").rows())
        if not versions:
            raise SettingsError(f"the lake {self._place} has no refresh of {when}; refreshes says which there are")
        if name not in versions:
            raise UnknownNameError(f"the lake {self._place} has no table {name!r} then; it has {', '.join(sorted(versions))}")
        return pl.scan_delta(self._opened(name, versions[name])).drop(_PARTITION)

    def _noted(self) -> pl.DataFrame:
        """Table, version and time of every refresh."""
        noted = self._opened(_REFRESHES)
        try:
            return pl.scan_delta(noted).select("name", "version", "publishedAt").sort("name").collect()
        except (OSError, pl.exceptions.PolarsError) as error:
            raise self._fault(error) from None

    def _opened(self, name: str, version: int | None = None) -> "DeltaTable":
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError

        url = f"{self._place}/{name.replace('.', '/')}"
        try:
            return DeltaTable(url, version=version, storage_options=self._options or None)
        except TableNotFoundError:
            raise HomeError(f"{self._place} is no lake that was published: it has no {name}") from None
        except (DeltaError, OSError, ValueError) as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> FilmAssetsError:
        what, transient = told(error, self._options.values())
        return (TransientError if transient else HomeError)(f"the lake {self._place}: {what}")
