"""The id ranges every table is partitioned by.

A range is an interval of the id *string* (``tconst >= 'tt12' AND tconst < 'tt14'``), so it is a contiguous run of bytes
in a blob sorted by id and a predicate that DuckDB prunes by. Titles and people share the range keys ``00`` to ``19``, each
with its own bounds, chosen so that ranges hold about the same number of rows on real id distributions: eight-digit
ids begin with 1 to 3 (titles) or 1 (people), so those prefixes are divided finer.

A table without ids is not partitioned: it is one range, ``all``.

Belongs here: keys, bounds, and which range an id falls into. Does not belong here: SQL, Dagster, files.
"""

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class IdRange:
    """One range of ids: ``lower <= id < upper``; None where it is open-ended."""

    key: str
    lower: str | None
    upper: str | None


_STARTS = {
    "tconst": "tt1 tt12 tt14 tt16 tt18 tt2 tt22 tt24 tt26 tt28 tt3 tt32 tt35 tt4 tt5 tt6 tt7 tt8 tt9",
    "nconst": "nm03 nm06 nm1 nm11 nm12 nm13 nm14 nm15 nm16 nm17 nm2 nm3 nm4 nm5 nm6 nm7 nm8 nm9 nm95",
}


def _ranges(starts: str) -> dict[str, IdRange]:
    bounds = [None, *starts.split(), None]
    return {f"{i:02d}": IdRange(f"{i:02d}", lower, upper) for i, (lower, upper) in enumerate(pairwise(bounds))}


RANGES: dict[str, dict[str, IdRange]] = {column: _ranges(starts) for column, starts in _STARTS.items()}
"""Id column (``tconst`` or ``nconst``) -> range key -> range, in the order of the ids."""

RANGE_KEYS: tuple[str, ...] = tuple(RANGES["tconst"])
"""The keys both kinds of id share, in order."""

assert tuple(RANGES["nconst"]) == RANGE_KEYS, "titles and people share one set of range keys"


UNPARTITIONED_KEYS: tuple[str, ...] = ("all",)
"""The only key of what is not partitioned by ids."""


def ranges_of(column: str) -> dict[str, IdRange]:
    """The ranges of a column of ids: ``tconst``, ``nconst``, or one whose name ends so, as ``directorNconst``."""
    return RANGES[column[-len("tconst") :].lower()]
