"""Small blobs for tests: the rows that the real data begins with, and ways to change a blob."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from film_assets.tables import BLOBS

TITLES = (
    ("tt0000001", "short", "Carmencita", "Carmencita", "0", "1894", "\\N", "1", "Documentary,Short"),
    ("tt0000005", "short", "Blacksmith Scene", "Blacksmith Scene", "0", "1893", "\\N", "1", "Comedy,Short"),
    ("tt0000009", "movie", "Miss Jerry", "Miss Jerry", "0", "1894", "\\N", "45", "Romance"),
    (
        "tt10233364",
        "tvEpisode",
        '"Rolling in the Deep Dish',
        '"Rolling in the Deep Dish',
        "0",
        "2019",
        "\\N",
        "\\N",
        "Reality-TV",
    ),
    ("tt9999999", "movie", "Nobody Voted", "Keiner stimmte", "\\N", "\\N", "\\N", "\\N", "\\N"),
)
NAMES = (
    ("nm0000001", "Fred Astaire", "1899", "1987", "actor,miscellaneous,producer", "tt0000005,tt9999999"),
    ("nm0005690", "William K.L. Dickson", "1860", "1935", "cinematographer,director,producer", "tt0000001,tt0000005"),
    ("nm0085156", "Alexander Black", "1859", "1940", "director,writer", "tt0000009"),
    ("nm0443482", "Chas. Kayser", "1878", "1966", "actor", "tt0000005"),
    ("nm0653042", "John Ott", "1850", "1931", "actor", "tt0000005"),
    ("nm9993709", "A Writer of Nothing", "\\N", "\\N", "\\N", "\\N"),
)
RATINGS = (("tt0000001", "5.7", "2024"), ("tt0000005", "6.2", "2727"), ("tt0000009", "5.3", "209"))
CREW = (
    ("tt0000001", "nm0005690", "\\N"),
    ("tt0000005", "nm0005690", "\\N"),
    ("tt0000009", "nm0085156", "nm0085156"),
    ("tt10233364", "\\N", "nm9993709,nm0000001,nm9993709"),
    ("tt9999999", "\\N", "\\N"),
)
CAST = (
    ("tt0000001", "1", "nm0005690", "director", "\\N", "\\N"),
    ("tt0000005", "1", "nm0443482", "actor", "\\N", json.dumps(["Blacksmith"])),
    ("tt0000005", "2", "nm0653042", "actor", "\\N", json.dumps(["Assistant", 'The "Other", Smith'])),
    ("tt0000005", "3", "nm0443482", "actor", "\\N", json.dumps(["Assistant"])),
    ("tt0000009", "1", "nm0085156", "director", '"Picturized By", i.e., screenplay', "\\N"),
    ("tt10233364", "1", "nm0000001", "self", "\\N", json.dumps(["Self"])),
)
ROWS = {"titles": TITLES, "names": NAMES, "ratings": RATINGS, "crew": CREW, "cast": CAST}


def write_real_rows(folder: Path) -> Path:
    """Five blobs of rows as they are in the real data."""
    folder.mkdir(parents=True, exist_ok=True)
    for blob in BLOBS:
        lines = ["\t".join(blob.column_names), *("\t".join(row) for row in ROWS[blob.short])]
        (folder / f"{blob.short}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def copy(source: Path, target: Path) -> Path:
    """The blobs of one folder in another, to be changed there."""
    shutil.copytree(source, target)
    return target


def change(folder: Path, blob: str, wanted: str, edit: Callable[[list[str]], list[str] | None]) -> None:
    """Edit the fields of the first row of a blob that begins with ``wanted``; None removes it."""
    path = folder / f"{blob}.tsv"
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith(wanted))
    fields = edit(lines[at].split("\t"))
    lines[at : at + 1] = [] if fields is None else ["\t".join(fields)]
    path.write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
