r"""The rows a loader stumbles over: quirks, which are good data, and faults, which it must set aside.

Every sample holds each of them once, at places spread evenly over its blob, whatever the scale.
Belongs here: what the odd rows are and how a line is spoilt. Does not belong here: quirks that come of themselves with chance
(``phrases``, ``credits``), writing (``write``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["too few fields", "too many fields", "bad id", "repeated key", "bad value", "not UTF-8"]

QUIRKS: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "cast": (
        {"category": "actor", "job": None, "characters": r'["\"Ace\", the \"Kid\"","Narrator"]'},
        {"category": "actress", "job": None, "characters": r'["Caf\u00e9 Owner","\u0410\u043d\u043d\u0430","Zoë, \"the Owl\""]'},
        {"category": "producer", "job": '"Picturized By", i.e., screenplay', "characters": None},
        {"category": "producer", "job": '"unbalanced', "characters": None},
        {"category": "archive_sound", "job": None, "characters": '["Self"]'},
    ),
    "crew": (),
    "names": (
        {"primaryName": "Sophron of Kyrra", "birthYear": 525, "deathYear": 456},
        {"primaryProfession": "actor,actor"},
        {"primaryName": "NULL"},
        {"primaryName": 'Jo "The Lamp" Ferro'},
    ),
    "ratings": ({"averageRating": "10.0"}, {"averageRating": "1.0"}),
    "titles": (
        {"primaryTitle": '"Lighthouse, and Other Lies', "originalTitle": '"Lighthouse, and Other Lies'},
        {"primaryTitle": '"Fully Quoted"', "originalTitle": 'Half "Quoted'},
        {"primaryTitle": "NULL", "originalTitle": "null"},
        {"primaryTitle": "2468", "originalTitle": "2468"},
        {"primaryTitle": "  Two Blanks Ahead", "originalTitle": "A Blank Behind "},
        {"primaryTitle": "", "originalTitle": None},
        {"isAdult": None},
        {"startYear": 2031, "endYear": None},
        {"runtimeMinutes": 59_460},
        {"runtimeMinutes": 0},
        {"titleType": "tvPilot"},
        {"genres": "Drama,Drama"},
    ),
}
"""By blob, cells that replace those of one row each."""


@dataclass(frozen=True)
class Fault:
    """One bad row: in which blob, of which kind, and where it matters the column and what stands there."""

    blob: str
    kind: Kind
    column: str = ""
    text: bytes = b""

    def spoil(self, columns: list[str], fields: list[bytes], previous: list[bytes]) -> bytes:
        """The line with this fault, made of a good row's fields and those of the row before it; it sorts in its place."""
        match self.kind:
            case "too few fields":
                fields = fields[:-1]
            case "too many fields":
                fields = [*fields, b"surplus"]
            case "bad id":
                fields = [previous[0] + b"-2", *fields[1:]]
            case "repeated key":
                key = 2 if self.blob == "cast" else 1
                fields = previous[:key] + fields[key:]
            case "bad value" | "not UTF-8":
                place = columns.index(self.column)
                fields = [*fields[:place], self.text, *fields[place + 1 :]]
        return b"\t".join(fields) + b"\n"


FAULTS: tuple[Fault, ...] = (
    Fault("cast", "too few fields"),
    Fault("cast", "too many fields"),
    Fault("cast", "bad id"),
    Fault("cast", "bad value", "nconst", b"nm12"),
    Fault("cast", "repeated key"),
    Fault("cast", "bad value", "ordering", b"first"),
    Fault("cast", "bad value", "characters", b'["Self"'),
    Fault("cast", "bad value", "characters", b"Self"),
    Fault("cast", "not UTF-8", "job", b"r\xe9alisateur"),
    Fault("crew", "too few fields"),
    Fault("crew", "too many fields"),
    Fault("crew", "bad id"),
    Fault("crew", "repeated key"),
    Fault("crew", "not UTF-8", "writers", b"nm\xff000001"),
    Fault("names", "too few fields"),
    Fault("names", "too many fields"),
    Fault("names", "bad id"),
    Fault("names", "repeated key"),
    Fault("names", "bad value", "birthYear", b"c. 1950"),
    Fault("names", "not UTF-8", "primaryName", b"Fran\xe7oise Exemple"),
    Fault("ratings", "too few fields"),
    Fault("ratings", "too many fields"),
    Fault("ratings", "bad id"),
    Fault("ratings", "repeated key"),
    Fault("ratings", "bad value", "averageRating", b"n/a"),
    Fault("ratings", "bad value", "numVotes", b"many"),
    Fault("ratings", "not UTF-8", "numVotes", b"12\xa0345"),
    Fault("titles", "too few fields"),
    Fault("titles", "too many fields"),
    Fault("titles", "bad id"),
    Fault("titles", "repeated key"),
    Fault("titles", "bad value", "runtimeMinutes", b"abc"),
    Fault("titles", "bad value", "isAdult", b"2020"),
    Fault("titles", "bad value", "startYear", b"MMXX"),
    Fault("titles", "not UTF-8", "primaryTitle", b"La Lumi\xe8re"),
)
"""Every fault of a sample, once each."""


def places(blob: str, rows: int) -> tuple[dict[int, Mapping[str, object]], dict[int, Fault]]:
    """Where the quirks and the faults of a blob stand: by number of the row, from 0, spread evenly."""
    quirks, faults = QUIRKS[blob], [fault for fault in FAULTS if fault.blob == blob]
    spots = [rows * (turn + 1) // (len(quirks) + len(faults) + 1) for turn in range(len(quirks) + len(faults))]
    return dict(zip(spots[len(faults) :], quirks, strict=True)), dict(zip(spots, faults, strict=False))
