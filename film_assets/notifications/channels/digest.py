"""A digest: facts, tables and a chart as one email, in plain text and in HTML, which is the template ``digest.html``.

Belongs here: how a digest looks. Does not belong here: what is in it, and how mail is sent (``mail``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined

from film_assets.common import values
from film_assets.notifications.channels.mail import Mail

_DAY, _HOUR, _MINUTE = 24 * 60 * 60, 60 * 60, 60
_CHART = "chart"

_TEMPLATES = Environment(
    loader=PackageLoader(__package__, ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters["text"] = values.text


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
        facts = [f"{name}: {values.text(value)}" for name, value in self.facts.items()]
        tables = [line for section in self.sections for line in _text_table(section)]
        return "\n".join([*facts, *tables, ""])

    def _html(self) -> str:
        return _TEMPLATES.get_template("digest.html").render(digest=self, chart=_CHART)


def duration(seconds: float) -> str:
    """A time in days, hours, minutes and seconds."""
    whole = round(seconds)
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h {whole % _HOUR // _MINUTE} min {whole % _MINUTE} s"


def _text_table(section: Section) -> Iterator[str]:
    lines = [section.columns, *([values.text(value) for value in row] for row in section.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    yield from ("", section.heading, "-" * len(section.heading))
    yield from ("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines)
