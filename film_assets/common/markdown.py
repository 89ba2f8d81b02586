"""Tables in Markdown, for pages and for the web UI. Does not belong here: what is in them."""

from collections.abc import Iterable, Sequence

_MAX_WIDTH = 60


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of values of any kind; a long one is cut, and none is nothing."""
    return "\n".join(lines(columns, ([_cut(value) for value in row] for row in rows)))


def lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """The lines of a table of texts, whole."""
    yield _line(columns)
    yield _line(["---"] * len(columns))
    yield from (_line(row) for row in rows)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _cut(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _MAX_WIDTH else text[: _MAX_WIDTH - 1] + "…"
