"""Landing: a blob becomes typed Parquet slices, one an id range, with an account of every row.

The way of a blob, whose bytes are a *content* that is read by range, from a local file or where they lie at the source
(``content``): its *dialect* is recognised (``dialect``), it is *cut* into one piece an id range, or several (``cut``; the rows of
an unsorted one are put together by range first: ``unsorted``), each *piece* is hashed and, if it changed, read (``read``:
strictly and fast if it is clean, line by line with the reasons for each rejected row if not; ``fields`` takes quotes and escapes
off before) and written as a *slice* (``slices``) where all find it (``store``), and an *account* is given of them all. ``land``
puts these together; what can be done side by side is given as functions to what *runs* them (``run``), in processes or on
machines of an engine's own.

Belongs here: bytes and rows of the blobs as they are delivered. Does not belong here: DuckDB or any other engine, and which
slices are current (``engines``).
"""

from film_assets.landing.content import Content, FileContent, SourceContent
from film_assets.landing.cut import Piece, in_place
from film_assets.landing.dialect import Dialect, recognise
from film_assets.landing.land import account, land, one_behind_the_other
from film_assets.landing.run import Run, in_threads
from film_assets.landing.slices import LANDING_VERSION, Known, KnownSlice, NotSortedError, Slice, Written, read_piece
from film_assets.landing.store import FolderStore, SliceStore

__all__ = [
    "LANDING_VERSION",
    "Content",
    "Dialect",
    "FileContent",
    "FolderStore",
    "Known",
    "KnownSlice",
    "NotSortedError",
    "Piece",
    "Run",
    "Slice",
    "SliceStore",
    "SourceContent",
    "Written",
    "account",
    "in_place",
    "in_threads",
    "land",
    "one_behind_the_other",
    "read_piece",
    "recognise",
]
