"""What a person sees in a terminal: progress bars and tables. Does not belong here: what is in them (``cli``)."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress as Bars,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column as BarsColumn, Table as Grid
from rich.text import Text

from film_assets.progress import Advance

_WIDE = 240


class _Amount(ProgressColumn):
    """How much is done: bytes with a rate, or a count, or nothing where the total is not known."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes, self._rate, self._count = DownloadColumn(), TransferSpeedColumn(), MofNCompleteColumn()

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("")
        if task.fields["unit"] != "bytes":
            return self._count.render(task)
        return Text.assemble(self._bytes.render(task), " ", self._rate.render(task))


class TerminalProgress:
    """Bars on standard error while work goes on; a finished one is wiped where another follows."""

    def __init__(self, console: Console) -> None:
        """Show them on this console, or nothing where it is no terminal."""
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", table_column=BarsColumn(min_width=32)),
            BarColumn(),
            TaskProgressColumn(),
            _Amount(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the terminal clean."""
        self._bars.stop()

    @contextmanager
    def task(self, label: str, total: float | None = None, unit: str = "") -> Iterator[Advance]:
        """A bar for as long as the block runs."""
        bar = self._bars.add_task(label, total=total, unit=unit)

        def advance(amount: float) -> None:
            self._bars.update(bar, advance=amount)

        try:
            yield advance
        finally:
            self._bars.remove_task(bar)


def console(*, errors: bool = False) -> Console:
    """Standard output, or standard error, as they are now; where it is no terminal, lines are as long as they need be."""
    shown = Console(file=sys.stderr if errors else sys.stdout, highlight=False, soft_wrap=True)
    if not shown.is_terminal and "COLUMNS" not in os.environ:
        shown.width = _WIDE
    return shown


def grid(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Grid:
    """A table to print: numbers to the right, thousands apart, nothing for None."""
    table = Grid(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | None) for row in rows)
        table.add_column(name, justify="right" if numeric and rows else "left", overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    return table


def _shown(value: object) -> Text:
    if value is None:
        return Text("")
    if isinstance(value, float):
        return Text(f"{value:,.2f}")
    return Text(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))
