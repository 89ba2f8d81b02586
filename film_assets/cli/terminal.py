"""What a person sees in a terminal: progress bars and tables. Does not belong here: what is in them (``commands``)."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Self

from rich.console import Console, RenderableType
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

from film_assets.common import values
from film_assets.common.progress import Advance, Done

_WIDE = 240
_LOOKS_PER_SECOND = 5


class _Amount(ProgressColumn):
    """How much is done: bytes with a rate, or a count, or nothing where the total is not known or counts nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes, self._rate, self._count = DownloadColumn(), TransferSpeedColumn(), MofNCompleteColumn()

    def render(self, task: Task) -> Text:
        if task.total is None or not task.fields["unit"]:
            return Text("")
        if task.fields["unit"] != "bytes":
            return self._count.render(task)
        return Text.assemble(self._bytes.render(task), " ", self._rate.render(task))


class _Left(ProgressColumn):
    """How long it will take: as the whole is reckoned, and a part by its speed."""

    def __init__(self) -> None:
        super().__init__()
        self._by_speed = TimeRemainingColumn()

    def render(self, task: Task) -> Text:
        if "left" not in task.fields:
            return self._by_speed.render(task)
        seconds = task.fields["left"]()
        return Text("-:--:--" if seconds is None else str(timedelta(seconds=round(seconds))), style="progress.remaining")


class _Bars(Bars):
    """Bars that ask for what is done when they are drawn, which costs nothing where nobody looks."""

    def get_renderables(self) -> Iterable[RenderableType]:
        """As drawn now."""
        for task in self.tasks:
            if done := task.fields.get("done"):
                self.update(task.id, completed=done())
        return super().get_renderables()


class TerminalProgress:
    """Bars on standard error while work goes on; a finished one is wiped where another follows."""

    def __init__(self, console: Console, steps: Mapping[str, float] = MappingProxyType({})) -> None:
        """Show them on this console, or nothing where it is no terminal.

        Args:
            console: Where to.
            steps: The steps of the whole and how long each takes beside the others; then there is a bar for the whole too.
        """
        from film_assets.refresh.estimate import Estimate  # which loads the declarations of the tables

        self._bars = _Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", table_column=BarsColumn(min_width=32)),
            BarColumn(),
            TaskProgressColumn(),
            _Amount(),
            TimeElapsedColumn(),
            _Left(),
            console=console,
            transient=True,
            refresh_per_second=_LOOKS_PER_SECOND,
            disable=not console.is_terminal,
        )
        self._steps, self._estimate, self._running = steps, Estimate(steps), ""

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bars.start()
        if self._steps:
            self._whole = self._bars.add_task("begin", total=sum(self._steps.values()), unit="", left=self._seconds_left)
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the terminal clean."""
        self._bars.stop()

    @contextmanager
    def task(self, label: str, total: float | None = None, unit: str = "", *, done: Done | None = None) -> Iterator[Advance]:
        """A bar for as long as the block runs."""
        bar = self._bars.add_task(label, total=total, unit=unit, done=done)

        def advance(amount: float) -> None:
            self._bars.update(bar, advance=amount)

        try:
            yield advance
        finally:
            self._bars.remove_task(bar)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One more step on the bar of the whole."""
        self._running = name
        if self._steps:
            number = f"step {len(self._estimate.done) + 1} of {len(self._steps)}"
            self._bars.update(self._whole, description=number)
        yield
        self._estimate.end(name)
        if self._steps:
            self._bars.update(self._whole, completed=self._estimate.weight)

    def _seconds_left(self) -> float | None:
        return self._estimate.left(self._running)


def console(*, errors: bool = False) -> Console:
    """Standard output, or standard error, as they are now; where it is no terminal, lines are as long as they need be."""
    shown = Console(file=sys.stderr if errors else sys.stdout, highlight=False, soft_wrap=True)
    if not shown.is_terminal and "COLUMNS" not in os.environ:
        shown.width = _WIDE
    return shown


def grid(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Grid:
    """A table to print: numbers to the right."""
    table = Grid(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | None) for row in rows)
        table.add_column(name, justify="right" if numeric and rows else "left", overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(values.text(value)) for value in row))
    return table
