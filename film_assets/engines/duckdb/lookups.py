"""What makes look-ups quick: copies of what people ask by, kept range by range like the tables themselves.

``lookup.credits`` has who has a part in what, sorted by person within each range of titles: the tables are in the order of
titles, and to find a person in them takes a second. Of a title it has the place among those of its range, and once the snapshot
is written and nothing moves any more, ``lookup.starts`` says where each range of ``films.titles`` starts: both together are a row
id, by which a thousand titles are found as quickly as ten. ``lookup.names`` and ``lookup.titles`` have every name as it is
compared, without case and accents, and a signature of it: a bit for each pair of bytes that stand side by side. A text can only
be in a name whose signature has all the bits of its own, and numbers are compared ten times as fast as names. ``lookup.known``
and ``lookup.ratings`` say how well known people and titles are.

Ids are numbers here (``code``), which sort, press and join better. Only the macros (``tables.macros``) know these tables. Belongs
here: how they are made and kept up to date. Does not belong here: what is asked of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from film_assets.engines.duckdb import sql
from film_assets.engines.duckdb.landed import slices
from film_assets.engines.duckdb.warehouse import RangeState, Warehouse, digest
from film_assets.errors import HomeError
from film_assets.ranges import RANGE_KEYS
from film_assets.tables import TABLES, Blob
from film_assets.tables.macros import SIGNATURE_BITS, code, folded

_AT_ONCE = 1 << 16
"""Names whose signatures are made at once: few enough that they stay in the processor's cache."""


@dataclass(frozen=True)
class _Lookup:
    """A table for look-ups.

    Attributes:
        name: What it is called.
        columns: Its columns as they are declared in SQL; ``cut`` is the number of the range.
        reads: Table -> the columns it is made from.
        query: A query for the rows of a range in their order, without ``cut``.
        complete: Adds what SQL does not make.
    """

    name: str
    columns: str
    reads: Mapping[str, tuple[str, ...]]
    query: Callable[[Warehouse, str], str]
    complete: Callable[[pl.DataFrame], pl.DataFrame] | None = None

    def insert(self, warehouse: Warehouse, key: str) -> int:
        """Write the rows of a range; how many there are."""
        query = f"select *, {RANGE_KEYS.index(key)} as cut from ({self.query(warehouse, key)})"
        if self.complete is None:
            return int(warehouse.rows(f"insert into {self.name} by name {query}")[0][0])
        rows = self.complete(warehouse.connection.sql(query).pl())
        warehouse.insert(self.name, rows)
        return rows.height


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
    tables = (f"create table if not exists {lookup.name} ({lookup.columns}, cut utinyint)" for lookup in LOOKUPS)
    return ["create schema if not exists lookup", *tables]


def note_starts(connection: duckdb.DuckDBPyConnection) -> None:
    """Write down in a finished snapshot where each range of ``films.titles`` starts.

    Raises:
        HomeError: The rows of a range do not lie side by side.
    """
    table = "films.titles"
    parts = (
        f"select {cut} as cut, min(rowid) as first, max(rowid) - min(rowid) + 1 as span, count(*) as titles from {table} "
        f"where {sql.in_ranges(TABLES[table].range_column, [key])}"
        for cut, key in enumerate(RANGE_KEYS)
    )
    connection.execute(f"create or replace table lookup.starts as {' union all '.join(parts)}")
    if connection.execute("select bool_or(span <> titles) from lookup.starts").fetchall() == [(True,)]:
        raise HomeError(f"the rows of {table} lie scattered in the working file; run `film-assets refresh --rebuild`")


def _version(warehouse: Warehouse, lookup: _Lookup, key: str) -> str:
    return digest([warehouse.version(TABLES[name], key, columns) for name, columns in lookup.reads.items()])


def _replace(warehouse: Warehouse, lookup: _Lookup, wanted: Mapping[str, str], *, old: Iterable[str]) -> None:
    cuts = [RANGE_KEYS.index(key) for key in old]
    if cuts:
        warehouse.run(f"delete from {lookup.name} where cut in (select unnest(?))", [cuts])
    states = {}
    for key, version in wanted.items():
        there = any(warehouse.row_count(TABLES[name], [key]) for name in lookup.reads)
        states[key] = RangeState(version, "", {}, lookup.insert(warehouse, key) if there else 0)
    warehouse.remember(lookup.name, states)


def _credits(warehouse: Warehouse, key: str) -> str:
    """Who has which part in the titles of a range.

    Columns who, place, what (of titles that are not known, which have no place), role and characters as the blob has them.
    """
    cast, crew = (slices(warehouse, _blob(name), [key]) for name in ("raw.cast", "raw.crew"))
    makers = (
        f"select unnest(string_split({role}s, ',')), tconst, '{role}', null, null from {crew} where {role}s is not null"
        for role in ("director", "writer")
    )
    parts = " union all ".join((f"select nconst, tconst, category as role, characters, ordering from {cast}", *makers))
    return f"""
        select who, place, case when place is null then what end as what, role, characters
        from (select {code("nconst", "nm")} as who, {code("tconst", "tt")} as what, * from ({parts}))
            left join (
                select {code("tconst", "tt")} as what, row_number() over (order by tconst) - 1 as place
                from films.titles where {sql.in_ranges("tconst", [key])}) using (what)
        where who is not null and what is not null order by who, ordering"""


def _rows(table: str, columns: str) -> Callable[[Warehouse, str], str]:
    """A query for these columns of a range of a computed table."""
    column = TABLES[table].range_column
    return lambda _, key: f"select {columns} from {sql.quoted(table)} where {sql.in_ranges(column, [key])} order by id"


# ---- names as they are compared


def _named(name: str, text: str, columns: str) -> Callable[[Warehouse, str], str]:
    """A query for the names of a range as they are compared, and these columns."""
    return lambda warehouse, key: (
        f"select {columns}, {folded(text)} as folded from {slices(warehouse, _blob(name), [key])} "
        f"where {text} is not null order by id"
    )


def _signed(names: pl.DataFrame) -> pl.DataFrame:
    """The names with their signatures."""
    return names.with_columns(signature=pl.Series(signatures(names["folded"]), dtype=pl.UInt64))


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


_NAME = "id bigint, folded varchar using compression uncompressed, signature ubigint"
_FIRST_TITLE = code("split_part(ltrim(knownForTitles, ','), ',', 1)", "tt")
LOOKUPS = (
    _Lookup(
        "lookup.credits",
        "who bigint, place integer, what bigint, role varchar, characters varchar",
        {
            "raw.cast": ("tconst", "ordering", "nconst", "category", "characters"),
            "raw.crew": ("tconst", "directors", "writers"),
            "films.titles": ("tconst",),
        },
        _credits,
    ),
    _Lookup(
        "lookup.names",
        f"{_NAME}, knownFor bigint",
        {"raw.names": ("nconst", "primaryName", "knownForTitles")},
        _named("raw.names", "primaryName", f"{code('nconst', 'nm')} as id, {_FIRST_TITLE} as knownFor"),
        _signed,
    ),
    _Lookup(
        "lookup.titles",
        _NAME,
        {"raw.titles": ("tconst", "primaryTitle")},
        _named("raw.titles", "primaryTitle", f"{code('tconst', 'tt')} as id"),
        _signed,
    ),
    _Lookup(
        "lookup.known",
        "id bigint, knownAverageRating double, knownNumVotes bigint",
        {"metrics.known_for_success": ("nconst", "knownAverageRating", "knownNumVotes")},
        _rows("metrics.known_for_success", f"{code('nconst', 'nm')} as id, knownAverageRating, knownNumVotes"),
    ),
    _Lookup(
        "lookup.ratings",
        "id bigint, averageRating double, numVotes integer, weightedRating double",
        {"metrics.title_success": ("tconst", "averageRating", "numVotes", "weightedRating")},
        _rows("metrics.title_success", f"{code('tconst', 'tt')} as id, averageRating, numVotes, weightedRating"),
    ),
)
