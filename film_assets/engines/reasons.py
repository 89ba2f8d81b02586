"""Why a range was rebuilt, in words and as data.

Belongs here: the reasons there are, and which inputs they come from. Does not belong here: finding out that a range is out of
date (``state``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

_FEW = 5
"""So many ranges are named one by one."""


class Reason(StrEnum):
    """Why a range is out of date."""

    FIRST = "first build"
    FORCED = "forced"
    REJECTED = "was rejected by a check before"
    BYTES = "its bytes in the blob changed"
    CODE = "its code changed"
    INPUT = "an input changed"
    UNKNOWN = "its code or an input changed"


def named(ranges: Sequence[str]) -> str:
    """Ranges as people read them: few by their names, many by their number."""
    return ", ".join(ranges) if len(ranges) <= _FEW else f"{len(ranges)} ranges"


@dataclass(frozen=True)
class Cause:
    """An input that changed.

    Attributes:
        table: The table.
        columns: The columns of it that changed and are read.
        ranges: The ranges of it in which they did, as far as that is known.
        rows: How many of its rows came, went or changed in these ranges; None where that was not counted.
    """

    table: str
    columns: Sequence[str]
    ranges: Sequence[str] = ()
    rows: int | None = None

    def __str__(self) -> str:
        where = f" in {named(self.ranges)}" if self.ranges else ""
        counted = "" if self.rows is None else f" ({self.rows:,} row{'' if self.rows == 1 else 's'})"
        return f"{self.table}.{', '.join(self.columns)} changed{where}{counted}"


@dataclass(frozen=True)
class Why:
    """Why a range is out of date.

    Attributes:
        reason: The reason.
        causes: The inputs that changed, whatever the reason.
        elsewhere: Whether nothing changed but inputs that are partitioned by other ids.
    """

    reason: Reason
    causes: Sequence[Cause] = ()
    elsewhere: bool = False

    def __str__(self) -> str:
        causes = "; ".join(map(str, self.causes))
        if self.reason is Reason.INPUT and causes:
            return causes
        return f"{self.reason}; {causes}" if causes and self.reason is Reason.CODE else str(self.reason)

    @property
    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {"reason": self.reason.name.lower(), "words": str(self), "causes": [asdict(cause) for cause in self.causes]}


def changed(now: Mapping[str, str], before: Mapping[str, str]) -> Why:
    """What the columns of the inputs say, and the code, as they are ``now`` and were ``before``; empty where it is not known.

    Both have the version of the code under an empty name.
    """
    differ = [name for name in now.keys() | before.keys() if name and now.get(name) != before.get(name)]
    causes = tuple(_causes(sorted(differ))) if before else ()
    if not before:
        return Why(Reason.UNKNOWN)
    return Why(Reason.CODE if now.get("") != before.get("") else Reason.INPUT, causes)


def _causes(columns: Iterable[str]) -> Iterator[Cause]:
    tables: dict[str, list[str]] = {}
    for name in columns:
        table, _, column = name.rpartition(".")
        tables.setdefault(table, []).append(column)
    for table, names in tables.items():
        yield Cause(table, names)


def by_range(whys: Mapping[str, Why]) -> Mapping[str, Sequence[str]]:
    """Each of the reasons in words -> the ranges it goes for."""
    found: dict[str, list[str]] = {}
    for key, why in whys.items():
        found.setdefault(str(why), []).append(key)
    return found
