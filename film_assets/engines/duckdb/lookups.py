"""What makes look-ups quick: copies of what people ask by, kept range by range like the tables themselves.

``lookup.credits`` has who has a part in what, sorted by person within each range of titles: the tables are in the order of
titles, and to find a person in them takes a second. ``lookup.names`` and ``lookup.titles`` have every name as it is compared,
without case and accents, and a signature of it: a bit for each pair of bytes that stand side by side. A text can only be in a
name whose signature has all the bits of its own, and numbers are compared ten times as fast as names.

Ids are numbers here (``code``), which sort and press better. Only the macros (``tables.macros``) know these tables. Belongs here:
how they are made and kept up to date. Does not belong here: what is asked of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from film_assets.engines.duckdb.landed import files, slices
from film_assets.engines.duckdb.warehouse import RangeState, Warehouse, digest
from film_assets.ranges import RANGE_KEYS
from film_assets.tables import TABLES, Blob
from film_assets.tables.macros import SIGNATURE_BITS, code, folded

_VERSION = "1"
"""To be raised when the same rows would be laid out differently."""

_AT_ONCE = 1 << 16
"""Names whose signatures are made at once: few enough that they stay in the processor's cache."""


@dataclass(frozen=True)
class _Lookup:
    """A table for look-ups.

    Attributes:
        name: What it is called.
        columns: Its columns as they are declared in SQL; ``cut`` is the number of the range.
        reads: Blob -> the columns it is made from.
        rows: The rows of a range.
    """

    name: str
    columns: str
    reads: Mapping[str, tuple[str, ...]]
    rows: Callable[[Warehouse, str], pl.DataFrame]


def refresh(warehouse: Warehouse) -> None:
    """Bring the ranges up to date whose inputs changed."""
    for statement in create_tables():
        warehouse.run(statement)
    for lookup in LOOKUPS:
        wanted = {key: _version(warehouse, lookup, key) for key in RANGE_KEYS}
        known = {key: state.own for key in RANGE_KEYS if (state := warehouse.ranges.get((lookup.name, key)))}
        stale = [key for key in RANGE_KEYS if known.get(key) != wanted[key]]
        if stale:
            with warehouse.transaction():
                _replace(warehouse, lookup, {key: wanted[key] for key in stale}, old=known.keys() & set(stale))


def create_tables() -> list[str]:
    """The statements that make the empty tables."""
    tables = (f"create table if not exists {lookup.name} ({lookup.columns})" for lookup in LOOKUPS)
    return ["create schema if not exists lookup", *tables]


def _version(warehouse: Warehouse, lookup: _Lookup, key: str) -> str:
    return digest(_VERSION, [warehouse.version(TABLES[name], key, columns) for name, columns in lookup.reads.items()])


def _replace(warehouse: Warehouse, lookup: _Lookup, wanted: Mapping[str, str], *, old: Iterable[str]) -> None:
    cuts = [RANGE_KEYS.index(key) for key in old]
    if cuts:
        warehouse.run(f"delete from {lookup.name} where cut in (select unnest(?))", [cuts])
    states = {}
    for key, version in wanted.items():
        count = 0
        if any(warehouse.row_count(TABLES[name], [key]) for name in lookup.reads):
            rows = lookup.rows(warehouse, key).with_columns(cut=pl.lit(RANGE_KEYS.index(key), pl.UInt8))
            warehouse.insert(lookup.name, rows)
            count = rows.height
        states[key] = RangeState(version, "", {}, count)
    warehouse.remember(lookup.name, states)


# ---- who has a part in what


def _credits(warehouse: Warehouse, key: str) -> pl.DataFrame:
    """Who has which part in the titles of a range: columns who, what and role, in the order of who."""
    cast = _landed(warehouse, "raw.cast", key).select(
        _number("nconst", "nm").alias("who"), _number("tconst", "tt").alias("what"), role="category"
    )
    crew = _landed(warehouse, "raw.crew", key)
    makers = (_makers(crew, *role) for role in (("directors", "director"), ("writers", "writer")))
    parts = pl.concat([cast, *makers]).drop_nulls(["who", "what"]).collect(engine="streaming")
    return parts.select(pl.all().gather(pl.Series(_order(parts["who"].to_numpy()))))


def _makers(crew: pl.LazyFrame, column: str, role: str) -> pl.LazyFrame:
    """The directors or writers of the titles."""
    listed = crew.select("tconst", pl.col(column).str.split(",")).drop_nulls().explode(column)
    return listed.select(_number(column, "nm").alias("who"), _number("tconst", "tt").alias("what"), role=pl.lit(role))


def _landed(warehouse: Warehouse, name: str, key: str) -> pl.LazyFrame:
    """A range of a blob, of which no more is in memory than need be."""
    found = files(warehouse, _blob(name), [key])
    return pl.scan_parquet(found) if found else pl.LazyFrame(schema=dict.fromkeys(CREDITS.reads[name], pl.String))


def _number(column: str, prefix: str) -> pl.Expr:
    """An id as ``code`` has it."""
    return pl.col(column).str.replace(prefix, "1", literal=True).cast(pl.Int64, strict=False)


def _order(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """The places of the numbers in their order: each is sorted together with its place, which is several times quicker."""
    width = len(numbers).bit_length()
    if numbers.size and int(numbers.max()).bit_length() + width > np.iinfo(np.uint64).bits:
        return np.argsort(numbers, kind="stable").astype(np.uint32)
    packed = (numbers.astype(np.uint64) << np.uint64(width)) | np.arange(len(numbers), dtype=np.uint64)
    packed.sort()
    return (packed & np.uint64((1 << width) - 1)).astype(np.uint32)


# ---- names as they are compared


def _named(name: str, identity: str, prefix: str, text: str) -> Callable[[Warehouse, str], pl.DataFrame]:
    def rows(warehouse: Warehouse, key: str) -> pl.DataFrame:
        """The names of a range: columns id, folded and signature."""
        source = slices(warehouse, _blob(name), [key])
        query = f"select {code(identity, prefix)} as id, {folded(text)} as folded from {source} where {text} is not null"
        found: pl.DataFrame = warehouse.connection.sql(query).pl()
        return found.with_columns(signature=pl.Series(signatures(found["folded"]), dtype=pl.UInt64))

    return rows


_PAIRS = np.uint64(1) << (np.arange(1 << 16, dtype=np.uint64) % np.uint64(SIGNATURE_BITS))
"""The bit of each pair of bytes, as the condition ``named`` has it."""


def signatures(texts: pl.Series) -> npt.NDArray[np.uint64]:
    """The signature of each text: the bits of all pairs of bytes of its UTF-8 that stand side by side."""
    parts = [_signatures(texts[at : at + _AT_ONCE]) for at in range(0, len(texts), _AT_ONCE)]
    return np.concatenate([np.empty(0, np.uint64), *parts])


def _signatures(texts: pl.Series) -> npt.NDArray[np.uint64]:
    chars = np.frombuffer(texts.str.join("").item().encode(), np.uint8)
    lengths = texts.str.len_bytes().cast(pl.Int64).to_numpy()
    ends = np.cumsum(lengths)
    bits = np.zeros(len(chars), np.uint64)
    bits[:-1] = _PAIRS[(chars[:-1].astype(np.uint16) << 8) | chars[1:]]
    there = lengths > 0
    bits[ends[there] - 1] = 0
    found = np.zeros(len(texts), np.uint64)
    if there.any():
        found[there] = np.bitwise_or.reduceat(bits, (ends - lengths)[there])
    return found


def _blob(name: str) -> Blob:
    blob = TABLES[name]
    assert isinstance(blob, Blob)
    return blob


CREDITS = _Lookup(
    "lookup.credits",
    "who bigint, what bigint, role varchar, cut utinyint",
    {"raw.cast": ("tconst", "nconst", "category"), "raw.crew": ("tconst", "directors", "writers")},
    _credits,
)
_NAME = "id bigint, folded varchar using compression uncompressed, signature ubigint, cut utinyint"
LOOKUPS = (
    CREDITS,
    _Lookup("lookup.names", _NAME, {"raw.names": ("nconst", "primaryName")}, _named("raw.names", "nconst", "nm", "primaryName")),
    _Lookup(
        "lookup.titles", _NAME, {"raw.titles": ("tconst", "primaryTitle")}, _named("raw.titles", "tconst", "tt", "primaryTitle")
    ),
)
