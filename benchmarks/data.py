"""The blobs that everything is measured on: invented ones at a scale, without faulty rows, and changed versions of them.

Belongs here: making files. Does not belong here: what is done with them.
"""

import gzip
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from film_assets.sample import write_sample
from film_assets.tables import BLOBS
from film_assets.tables.ranges import RANGES

_RANGE = "05"
_ROWS = 20


def make_blobs(folder: Path, scale: float) -> Path:
    """The folder of the five blobs at a scale; made if it is not there yet."""
    blobs = folder / f"blobs-{scale:g}"
    if not all((blobs / f"{blob.short}.tsv").exists() for blob in BLOBS):
        write_sample(blobs, scale=scale, faults=False)
    return blobs


def make_imdb_files(blobs: Path) -> Path:
    """The same blobs as IMDb delivers them, in a folder of their own: ``title.basics.tsv.gz``, ..."""
    folder = blobs.with_name(f"{blobs.name}-imdb")
    folder.mkdir(exist_ok=True)
    for blob in BLOBS:
        file = folder / f"{blob.files[1]}.gz"
        if not file.exists():
            with (blobs / blob.files[0]).open("rb") as plain, gzip.open(file, "wb", compresslevel=1) as packed:
                shutil.copyfileobj(plain, packed, 1 << 20)
    return folder


@dataclass(frozen=True)
class Change:
    """A change of one blob: its name, the blob, and what makes the changed file of the original one."""

    name: str
    blob: str
    edit: Callable[[pl.LazyFrame], pl.LazyFrame]


def _titles(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Other text, another year and other genres in the first rows of one id range."""
    ids = rows.filter(pl.col("tconst") >= RANGES["tconst"][_RANGE].lower).select("tconst").head(_ROWS).collect().to_series()
    return _where(
        pl.col("tconst").is_in(ids.implode()),
        rows,
        primaryTitle=pl.col("primaryTitle") + " (restored)",
        startYear=pl.lit("1994"),
        genres=pl.lit("Drama,Western"),
    )


def _ratings(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Another rating and one more vote in one row of a hundred."""
    rating, votes = pl.col("averageRating"), pl.col("numVotes")
    return _where(
        pl.col("_row") % 100 == 0,
        rows,
        averageRating=pl.when(rating == "7.7").then(pl.lit("6.6")).otherwise(pl.lit("7.7")),
        numVotes=(votes.cast(pl.Int64) + 1).cast(pl.String),
    )


def _cast(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Another person, that of the next row, in one row of a thousand."""
    person = pl.col("nconst")
    return _where(pl.col("_row") % 1000 == 0, rows, nconst=pl.coalesce(person.shift(-1), person))


def _where(chosen: pl.Expr, rows: pl.LazyFrame, **values: pl.Expr) -> pl.LazyFrame:
    edited = {name: pl.when(chosen).then(value).otherwise(pl.col(name)) for name, value in values.items()}
    return rows.with_columns(**edited)


CHANGES = (
    Change("20 rows of titles in one id range", "titles", _titles),
    Change("1 % of ratings, in all ranges", "ratings", _ratings),
    Change("0.1 % of cast rows, in all ranges", "cast", _cast),
)


class Source:
    """A folder to refresh from, in which each change can be made and taken back; no file is copied."""

    def __init__(self, blobs: Path, folder: Path) -> None:
        """Starts with the blobs as they are."""
        self.folder = folder
        self._blobs = blobs
        self._made: set[str] = set()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for blob in BLOBS:
            self._put(blobs / blob.files[0], blob.files[0])

    def toggle(self, change: Change) -> None:
        """Makes a change, or takes it back if it is made."""
        file = f"{change.blob}.tsv"
        if change.name in self._made:
            self._made.remove(change.name)
            self._put(self._blobs / file, file)
            return
        self._made.add(change.name)
        self._put(self._changed(change, file), file)

    def _changed(self, change: Change, file: str) -> Path:
        changed = self._blobs.with_name(f"{self._blobs.name}-changed") / file
        if not changed.exists():
            changed.parent.mkdir(exist_ok=True)
            rows = pl.scan_csv(
                self._blobs / file,
                separator="\t",
                quote_char=None,
                infer_schema=False,
                empty_string_is_null=False,
                row_index_name="_row",
            )
            unfinished = changed.with_suffix(".partial")
            change.edit(rows).drop("_row").sink_csv(unfinished, separator="\t", quote_style="never")
            unfinished.rename(changed)
        return changed

    def _put(self, source: Path, name: str) -> None:
        new = self.folder / f".{name}"
        os.link(source, new)
        new.replace(self.folder / name)
