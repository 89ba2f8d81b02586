"""A digest: facts, tables and a chart as one email, in plain text and in HTML.

Belongs here: how a digest looks. Does not belong here: what is in it, and how mail is sent (``mail``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from film_assets.notifications.channels.mail import Mail

_DAY, _HOUR, _MINUTE = 24 * 60 * 60, 60 * 60, 60
_STYLE = "font-family: sans-serif; border-collapse: collapse"
_CELL = "padding: 2px 12px 2px 0"
_CHART = "chart"


@dataclass(frozen=True)
class Section:
    """A table under a heading, in a digest."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Digest:
    """What there is to tell.

    Attributes:
        subject: One line.
        facts: What each is called -> what it is.
        sections: Tables.
        chart: A PNG, and ``chart_says`` the words for those who do not see it; none if empty.
        id: The same for the same digest.
    """

    subject: str
    id: str
    facts: Mapping[str, object] = field(default_factory=dict)
    sections: Sequence[Section] = ()
    chart: bytes = b""
    chart_says: str = ""

    def mail(self) -> Mail:
        """It as a message."""
        images = {_CHART: self.chart} if self.chart else {}
        return Mail(self.subject, self._text(), self._html(), self.id, images)

    def _text(self) -> str:
        facts = [f"{name}: {_shown(value)}" for name, value in self.facts.items()]
        tables = [line for section in self.sections for line in _text_table(section)]
        return "\n".join([*facts, *tables, ""])

    def _html(self) -> str:
        facts = _html_rows((escape(name), f"<b>{escape(_shown(value))}</b>") for name, value in self.facts.items())
        parts = [f'<body style="font-family: sans-serif"><table style="{_STYLE}">{facts}</table>']
        if self.chart:
            parts.append(f'<p><img src="cid:{_CHART}" alt="{escape(self.chart_says)}" style="max-width: 100%"></p>')
        for section in self.sections:
            header = "".join(f'<th align="left" style="{_CELL}">{escape(name)}</th>' for name in section.columns)
            rows = _html_rows([escape(_shown(value)) for value in row] for row in section.rows)
            parts.append(f'<h3>{escape(section.heading)}</h3><table style="{_STYLE}"><tr>{header}</tr>{rows}</table>')
        return "\n".join(["<!doctype html><html>", *parts, "</body></html>"])


def duration(seconds: float) -> str:
    """A time in days, hours, minutes and seconds."""
    whole = round(seconds)
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h {whole % _HOUR // _MINUTE} min {whole % _MINUTE} s"


def _text_table(section: Section) -> list[str]:
    lines = [section.columns, *([_shown(value) for value in row] for row in section.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return ["", section.heading, "-" * len(section.heading), *padded]


def _html_rows(rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"<tr>{''.join(f'<td style={_CELL!r}>{cell}</td>' for cell in row)}</tr>" for row in rows)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
