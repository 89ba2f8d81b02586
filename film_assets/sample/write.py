"""The sample's files: written chunk by chunk under temporary names, which become the blobs' names when all are whole.

Belongs here: files and their order. Does not belong here: what the rows hold (``frames``, ``oddities``).
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar

import polars as pl

from film_assets.common.progress import Advance, Progress, Silent
from film_assets.errors import FilmAssetsError, HomeError
from film_assets.sample import frames
from film_assets.sample.credits import draw_credits, remember
from film_assets.sample.oddities import Fault, places
from film_assets.sample.world import BLOCK, World, create, rows_at
from film_assets.tables.raw import BLOBS

_Odd = TypeVar("_Odd")
_SMALLEST, _LARGEST = 0.0005, 3.0
_TITLES_AT_ONCE = 10_000 * BLOCK
_PEOPLE_AT_ONCE = 500_000


def write_sample(
    folder: Path, *, scale: float = 0.01, seed: int = 1, progress: Progress | None = None, faults: bool = True
) -> dict[str, int]:
    """Writes an invented data set of the shape of the real one: cast, crew, names, ratings and titles, as ``.tsv``.

    The same scale and seed give the same bytes. Files of an earlier sample are replaced, all together, at the end.

    Args:
        folder: Where the files go; made if there is none.
        scale: 1 for as many rows as the real blobs have.
        seed: Another seed gives another sample.
        progress: Is told of the rows of each blob as they are written.
        faults: Whether the bad rows of ``FAULTS`` are among the rows.

    Returns:
        The number of rows of each blob, bad ones included, by its short name (``cast``).

    Raises:
        FilmAssetsError: If the scale is not from 0.0005 to 3.
        HomeError: If the folder cannot be written to.
    """
    if not _SMALLEST <= scale <= _LARGEST:
        raise FilmAssetsError(f"a sample's scale must be from {_SMALLEST} to {_LARGEST:g}, not {scale}")
    rows = rows_at(scale)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _replacing(folder, list(rows)) as files, ExitStack() as tasks:
            shown = {
                blob: tasks.enter_context((progress or Silent()).task(f"sample {blob}.tsv", rows[blob], "rows")) for blob in rows
            }
            outlets = {blob: _Outlet(blob, files[blob], rows[blob], shown[blob], faults=faults) for blob in rows}
            _write_all(create(scale, seed), outlets)
    except OSError as error:
        raise HomeError(f"cannot write the sample to {folder}: {error.strerror or error}") from error
    return rows


class _Outlet:
    """One blob's file: takes frames in order, puts the odd rows in their places."""

    def __init__(self, blob: str, file: BinaryIO, rows: int, advance: Advance, *, faults: bool) -> None:
        self._file, self._advance, self._row = file, advance, 0
        self._columns = next([column.name for column in known.columns] for known in BLOBS if known.name == f"raw.{blob}")
        self._quirks, self._faults = places(blob, rows)
        if not faults:
            self._faults = {}
        file.write("\t".join(self._columns).encode() + b"\n")

    def write(self, frame: pl.DataFrame) -> None:
        """Appends the rows of a frame."""
        frame = frame.select(self._columns)
        for row, cells in self._here(self._quirks, frame).items():
            for column, value in cells.items():
                frame[row, column] = value
        done = 0
        for spot, fault in self._here(self._faults, frame).items():
            row = _row_for(fault, frame, spot)
            self._file.write(_tsv(frame[done:row]))
            previous, fields = (line.split(b"\t") for line in _tsv(frame[row - 1 : row + 1]).splitlines())
            self._file.write(fault.spoil(self._columns, fields, previous))
            done = row + 1
        self._file.write(_tsv(frame[done:]))
        self._row += len(frame)
        self._advance(len(frame))

    def _here(self, spots: Mapping[int, _Odd], frame: pl.DataFrame) -> dict[int, _Odd]:
        """What stands in this frame, by its row there."""
        return {spot - self._row: odd for spot, odd in spots.items() if self._row <= spot < self._row + len(frame)}


def _row_for(fault: Fault, frame: pl.DataFrame, spot: int) -> int:
    """The row at or after the spot that can take the fault: it has one before it, and a bad id needs a title's first row."""
    row = max(spot, 1)
    while fault.kind == "bad id" and row + 1 < len(frame) and frame.item(row, 0) == frame.item(row - 1, 0):
        row += 1
    return row


def _tsv(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_csv(buffer, include_header=False, separator="\t", null_value=r"\N", quote_style="never")
    return buffer.getvalue()


def _write_all(world: World, outlets: Mapping[str, _Outlet]) -> None:
    """Titles with all that hangs on them first, then the people, whose known-for titles come of their credits."""
    for start, stop in _spans(len(world.titles.ids), _TITLES_AT_ONCE):
        drawn = draw_credits(world, start, stop)
        remember(world, drawn)
        outlets["titles"].write(frames.titles(world, start, stop))
        outlets["crew"].write(frames.crew(world, drawn))
        outlets["ratings"].write(frames.ratings(world, drawn))
        outlets["cast"].write(frames.cast(world, drawn))
    for start, stop in _spans(len(world.people.ids), _PEOPLE_AT_ONCE):
        outlets["names"].write(frames.names(world, start, stop))


def _spans(count: int, step: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + step, count)) for start in range(0, count, step))


@contextmanager
def _replacing(folder: Path, blobs: list[str]) -> Iterator[dict[str, BinaryIO]]:
    """Files that stand under their final names only once all of them are whole."""
    partial = {blob: folder / f".{blob}.tsv.partial" for blob in blobs}
    try:
        with ExitStack() as stack:
            yield {blob: stack.enter_context(path.open("wb")) for blob, path in partial.items()}
        for blob, path in partial.items():
            path.replace(folder / f"{blob}.tsv")
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)
