"""What is known of one table of the lake, and how that is written down.

Belongs here: what there is to know, and for which files it goes. Does not belong here: where it is kept (``state``).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from film_assets.engines.blobs import LandedBlob
from film_assets.engines.state import RangeState, digest
from film_assets.tables import Blob


@dataclass(frozen=True)
class LandedSlice:
    """A slice as it is in the lake.

    Attributes:
        path: Of its file in the lake; empty where it has no row.
        digest: Of the bytes it was read from.
        lines: How many lines it has.
        rows: How many rows.
        rejected: How many rows were rejected whole.
        continued: How many lines go on with the row of the line before.
        first_line: The line of the blob its first line is; 0 where its rejects count lines of the blob themselves.
        low: Its least id, None where it has no row.
        high: Its greatest.
        size: Of its file, in bytes.
        prints: Column -> what its values are known by, together with the key.
        filled: Column -> how many rows have a value there.
    """

    path: str
    digest: str
    lines: int
    rows: int
    rejected: int
    continued: int
    first_line: int
    low: str | None
    high: str | None
    size: int
    prints: Mapping[str, str]
    filled: Mapping[str, int]


@dataclass
class Known:
    """What is known of one table.

    Attributes:
        ranges: Range -> its state.
        files: Range -> a digest of the paths of its files, those that the state is true of.
        slices: Range -> the slices of a blob, in the order of the blob.
        blob: Which version of a blob is landed, and when; empty for a computed table.
    """

    ranges: dict[str, RangeState] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    slices: dict[str, list[LandedSlice]] = field(default_factory=dict)
    blob: dict[str, Any] = field(default_factory=dict)

    def true_of(self, files: Mapping[str, Sequence[str]]) -> "Known":
        """What of it goes for these files: a blob is landed whole or not at all; slices that are there stay known."""
        good = {key for key, known in self.files.items() if known == digest(list(files.get(key, [])))}
        there = {path for paths in files.values() for path in paths}
        return Known(
            {key: state for key, state in self.ranges.items() if key in good},
            {key: known for key, known in self.files.items() if key in good},
            {key: [one for one in of if not one.path or one.path in there] for key, of in self.slices.items()},
            self.blob if good == self.files.keys() else {},
        )


def landed_blob(blob: Blob, known: Known) -> LandedBlob:
    """Which version of a blob is landed, with its account."""
    slices = [one for of in known.slices.values() for one in of]
    loaded, rejected = (sum(counts) for counts in zip(*((one.rows, one.rejected) for one in slices), strict=True))
    read = sum(one.lines - one.continued for one in slices)
    source, version, landing, etag, size = (known.blob[name] for name in ("source", "version", "landing", "etag", "bytes"))
    return LandedBlob(blob.short, source, version, landing, etag, size, read, loaded, rejected)


def document_of(known: Known) -> str:
    """What is known as JSON."""
    return json.dumps(
        {
            "ranges": {key: asdict(state) for key, state in known.ranges.items()},
            "files": known.files,
            "slices": {key: [asdict(one) for one in of] for key, of in known.slices.items()},
            "blob": known.blob,
        }
    )


def read_known(document: Mapping[str, Any]) -> Known:
    """The same from what was read of JSON."""
    return Known(
        {key: RangeState(**state) for key, state in document["ranges"].items()},
        document["files"],
        {key: [LandedSlice(**one) for one in of] for key, of in document["slices"].items()},
        document["blob"],
    )
