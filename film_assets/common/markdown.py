"""Tables in Markdown, for pages and for the web UI. Does not belong here: what is in them."""

from collections.abc import Collection, Iterable, Sequence

from film_assets.common import values

_MAX_WIDTH = 60


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of values of any kind, as they are stored; a long one is cut."""
    return "\n".join(lines(columns, ([_cut(values.text(value, exact=True)) for value in row] for row in rows)))


def lines(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[str] = ()) -> Iterable[str]:
    """The lines of a table of texts, whole; some columns may stand to the right."""
    yield _line(columns)
    yield _line(["---:" if name in right else "---" for name in columns])
    yield from (_line(row) for row in rows)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_WIDTH else text[: _MAX_WIDTH - 1] + "…"
