"""Answers written out: as a table for people, or as CSV, JSON or Parquet for programs.

Does not belong here: the answers (``reader``), which text stands for a value (``common.values``).
"""

import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from film_assets.cli import terminal
from film_assets.errors import FilmAssetsError

if TYPE_CHECKING:
    import polars as pl

_WIDE = 10_000
"""Columns, more than any table has: only on a terminal, which has fewer, anything is folded."""


class Format(StrEnum):
    """How an answer is written: ``table`` for people, the others for programs."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def format_for(given: Format | None, output: Path | None) -> Format:
    """The format asked for; without one what the name of the file says, or a table.

    Raises:
        FilmAssetsError: Parquet without a file.
    """
    suffix = output.suffix.lstrip(".").lower() if output else ""
    form = given or (Format(suffix) if suffix in list(Format) else Format.TABLE)
    if form is Format.PARQUET and output is None:
        raise FilmAssetsError("parquet cannot be read in a terminal: say where to with --output FILE")
    return form


def write(frame: "pl.DataFrame", form: Format, output: Path | None) -> None:
    """Write an answer to a file, or without one to standard output.

    Raises:
        FilmAssetsError: The file cannot be written.
    """
    try:
        if form is Format.PARQUET and output is not None:
            frame.write_parquet(output)
            return
        with output.open("w", encoding="utf-8") if output else nullcontext(sys.stdout) as file:
            _write_text(frame, form, file)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise FilmAssetsError(f"cannot write {output}: {error.strerror or error}") from None


def _write_text(frame: "pl.DataFrame", form: Format, file: TextIO) -> None:
    if form is Format.CSV:
        file.write(frame.write_csv())
    elif form is Format.JSON:
        file.write(frame.write_json() + "\n")
    else:
        from film_assets.reader.display import texts

        console = Console(file=file, highlight=False, width=None if file.isatty() else _WIDE)
        console.print(terminal.grid("", frame.columns, texts(frame)))
