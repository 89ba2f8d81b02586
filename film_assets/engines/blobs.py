"""Which version of each blob is landed, and the account of its rows: the same facts whichever engine keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from film_assets.errors import BlobError
from film_assets.landing import LANDING_VERSION
from film_assets.sources.base import Listed
from film_assets.tables import Blob


@dataclass(frozen=True)
class LandedBlob:
    """A blob as it was landed.

    Attributes:
        blob: Its short name.
        source: The source it is from, without any secret.
        version: Its version there.
        landing: The way blobs were landed then.
        etag: Its ETag at the source, or what stands for one there.
        bytes: Its size there.
        rows_read: Its lines but the header, and but those that go on with the row of the line before.
        rows_loaded: Rows in the raw table.
        rows_rejected: Rows rejected whole.
    """

    blob: str
    source: str
    version: str
    landing: str
    etag: str
    bytes: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int

    def is_current(self, blob: Blob, listed: Listed, source: str) -> bool:
        """Whether this very version is what is landed, the way blobs are landed now."""
        return (self.source, self.version, self.landing) == (source, listed.version, way_of_landing(blob))

    @property
    def account(self) -> dict[str, Any]:
        """What ``quality.blobs`` says of it, under the names of its columns."""
        return {
            "etag": self.etag,
            "bytes": self.bytes,
            "rowsRead": self.rows_read,
            "rowsLoaded": self.rows_loaded,
            "rowsRejected": self.rows_rejected,
        }

    def ensure_accounted_for(self) -> None:
        """Make sure that every row was loaded or rejected.

        Raises:
            BlobError: Some were neither.
        """
        if self.rows_read != self.rows_loaded + self.rows_rejected:
            raise BlobError(
                f"{self.blob}: of {self.rows_read} rows, {self.rows_loaded} were loaded and {self.rows_rejected} rejected; "
                "nothing was taken over"
            )


LandedBlobs = Mapping[str, LandedBlob]
"""Short name -> what is landed of the blob; those of which nothing is are not here."""


def way_of_landing(blob: Blob) -> str:
    """Changes when the same bytes would land differently."""
    return f"{LANDING_VERSION}:{blob.code_version}"
