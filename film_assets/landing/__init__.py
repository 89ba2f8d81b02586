"""Landing: a blob becomes typed Parquet slices, one an id range, with an account of every row.

The way of a blob, whose bytes are a *content* that is read by range, from a local file or where they lie at the source
(``content``): its *dialect* is recognised (``dialect``), it is *cut* into one piece an id range (``cut``; an unsorted one is
sorted into ranges first), each *piece* is hashed and, if it changed, read (``read``: strictly and fast if it is clean, line by
line with the reasons for each rejected row if not; ``fields`` takes quotes and escapes off before) and written as a *slice*
(``slices``), and an *account* is given of them all. ``land`` puts these together; any engine may call them one by one, and read
the pieces in processes or on machines of its own.

Belongs here: bytes and rows of the blobs as they are delivered. Does not belong here: DuckDB or any other engine, and which
slices are current (``engines``).
"""

from film_assets.landing.content import Content, FileContent, SourceContent
from film_assets.landing.cut import Piece, in_place, sorted_into_ranges
from film_assets.landing.dialect import Dialect, recognise
from film_assets.landing.land import account, in_threads, land
from film_assets.landing.slices import LANDING_VERSION, NotSortedError, Slice, Written, read_piece

__all__ = [
    "LANDING_VERSION",
    "Content",
    "Dialect",
    "FileContent",
    "NotSortedError",
    "Piece",
    "Slice",
    "SourceContent",
    "Written",
    "account",
    "in_place",
    "in_threads",
    "land",
    "read_piece",
    "recognise",
    "sorted_into_ranges",
]
