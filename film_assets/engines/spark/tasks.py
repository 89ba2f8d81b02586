"""What runs on executors: a slice is written into the lake, and said what it holds.

Executors import this module, so it may import only what they have: libraries to land blobs with, and the lake's files. Belongs
here: how functions get there and results come back. Does not belong here: which pieces there are, and what follows (``landing``).
"""

import pickle
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from film_assets.engines.spark.lake.storage import Storage
from film_assets.errors import FilmAssetsError
from film_assets.landing import Content, Run
from film_assets.tables import Blob

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

T = TypeVar("T")

_MESSAGE = 4 << 20
"""Bytes of a result that are sent as one row; Spark Connect takes no message of more than 128 MiB."""

STAGING = "staging"
"""The folder of the lake for what is needed only while a blob is landed."""


@dataclass(frozen=True)
class Stored:
    """What is known of the file of a slice: fields of ``LandedSlice``."""

    path: str
    size: int
    prints: Mapping[str, str]
    filled: Mapping[str, int]


@dataclass(frozen=True)
class LakeSlices:
    """Where slices of a blob go: into the folder of its table in the lake.

    Attributes:
        storage: The lake.
        blob: The blob.
    """

    storage: Storage
    blob: Blob

    def write(self, file: str, frame: pl.DataFrame) -> Stored:
        """Write a slice, if it has a row, and say what it holds."""
        key, _, name = file.rpartition("/")[2].partition("-")
        path = f"{self.blob.name.replace('.', '/')}/range={key}/{name}" if frame.height else ""
        size = self.storage.write_frame(path, frame) if path else 0
        return Stored(path, size, _prints(self.blob, frame), {name: frame[name].count() for name in frame.columns})

    def stage(self, name: str, data: bytes) -> None:
        """Put bytes into the lake for as long as the blob is landed."""
        self.storage.put(f"{STAGING}/{name}", data)

    def staged(self, name: str, size: int) -> Content:
        """The bytes that were put there."""
        return LakeContent(self.storage, f"{STAGING}/{name}", size)

    def remove_staged(self, folder: str) -> None:
        """Delete what was put into this folder."""
        self.storage.delete(list(self.storage.list(f"{STAGING}/{folder}")))


def _prints(blob: Blob, frame: pl.DataFrame) -> dict[str, str]:
    """Column -> a sum over the rows of a hash of key and value, which does not depend on their order.

    Polars' hashes are the same within one of its versions.
    """
    hashed = frame.select(pl.struct(*dict.fromkeys((*blob.key, name))).hash().sum().alias(name) for name in blob.column_names)
    return {name: f"{pl.__version__}:{value}" for name, value in hashed.row(0, named=True).items()}


@dataclass(frozen=True)
class LakeContent:
    """A file of the lake as the content of a blob."""

    storage: Storage
    path: str
    size: int

    def read(self, start: int, stop: int) -> bytes:
        """Exactly the bytes from ``start`` up to ``stop``."""
        return self.storage.read(self.path, start, stop)


def _called(calls: bytes, places: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The results of some of the pickled functions, pickled, or what they raised."""
    functions = pickle.loads(calls)  # noqa: S301  made by the driver
    for place in places:
        try:
            result = (True, functions[place]())
        except Exception as error:  # noqa: BLE001  told to the driver, which raises it
            result = (False, (error, traceback.format_exc()))
        yield place, pickle.dumps(result)


def on_executors(spark: "SparkSession") -> Run:
    """Calls functions on executors, each in a task, and gives what they return in the same order."""

    def run(functions: Sequence[Callable[[], T]]) -> Iterable[T]:
        import pyarrow as pa

        calls, count = pickle.dumps(list(functions)), len(functions)
        schema = pa.schema([("place", pa.int64()), ("at", pa.int64()), ("result", pa.binary())])

        def call(batches: Iterable[Any]) -> Iterator[Any]:
            for batch in batches:
                for place, result in _called(calls, batch.column(0).to_pylist()):
                    for at in range(0, len(result), _MESSAGE):
                        row = {"place": place, "at": at, "result": result[at : at + _MESSAGE]}
                        yield pa.RecordBatch.from_pylist([row], schema=schema)

        if not count:
            return []
        answer = spark.range(0, count, 1, count).mapInArrow(call, "place long, at long, result binary").toArrow()
        parts: list[list[bytes]] = [[] for _ in functions]
        for place, _, part in sorted(zip(*(answer.column(name).to_pylist() for name in schema.names), strict=True)):
            parts[place].append(part)
        return [_result(b"".join(of)) for of in parts]

    return run


def _result(pickled: bytes) -> Any:
    good, found = pickle.loads(pickled)  # noqa: S301  made by an executor of ours
    if good:
        return found
    error, text = found
    if isinstance(error, ImportError):
        raise FilmAssetsError(f"the executors' Python has no {error.name}: pip install 'film-assets[spark]' there")
    error.add_note(f"on an executor:\n{text}")
    raise error
