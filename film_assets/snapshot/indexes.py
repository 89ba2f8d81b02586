"""Secondary indexes, which make look-ups quick: copies of what people ask by, kept range by range like the tables themselves.

``lookup.credits`` has who has a part in what, sorted by person within each range of titles: the tables are in the order of
titles, and to find a person in them takes a second. The other four have every name as it is compared, without case and accents,
and a signature of it: a bit for each pair of bytes that stand side by side. A text can only be in a name whose signature has all
the bits of its own, and numbers are compared ten times as fast as names. ``lookup.known_people`` and ``lookup.rated_titles`` are
those who have votes; ``lookup.other_people`` and ``lookup.other_titles``, the most, are gone through only where those do not
fill an answer. ``lookup.titles_places`` and its like are filled when all is done and nothing moves any more: they say
between which rows the ids of each block of numbers are, so that a thousand are found as quickly as ten.

Ids are numbers here (``code``), which sort, press and join better. Only the macros (``macros``) know these tables. Belongs
here: how they are made and kept up to date. Does not belong here: what is asked of them.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from film_assets.common.database import CATALOG
from film_assets.common.folding import folded
from film_assets.common.progress import Advance
from film_assets.engines.base import Store
from film_assets.engines.state import Plan, RangeState
from film_assets.snapshot.macros import BY_ID, SIGNATURE_BITS, block, code
from film_assets.tables import TABLES, Blob, sql
from film_assets.tables.ranges import RANGE_KEYS

_STRETCH = 1 << 14
"""Rows of a table: a block of ids is told for each stretch it lies in."""

VERSION = "3"
"""To be raised when the rows of an index would come out otherwise: all are then built anew."""

_PREFIX = {"tconst": "tt", "nconst": "nm"}

_AT_ONCE = 1 << 16
"""Names whose signatures are made at once: few enough that they stay in the processor's cache."""


Rows = Callable[[], pl.DataFrame]
"""Makes the rows of a range; in another thread than the one that writes them."""

_Of = Callable[..., str]
"""The rows of a table in the range that is made, and of those the ones that a condition, if given, holds for."""


@dataclass(frozen=True)
class Index:
    """One of these tables.

    Attributes:
        name: What it is called.
        columns: Its columns as they are declared in SQL; ``cut``, the number of the range, is one more.
        range_column: The ids by whose ranges it is partitioned, as its tables are.
        number: Its own column that has these ids, as numbers.
        reads: Table -> the columns it is built from.
        rows: What makes the rows of these ranges, or of the ids in them that are ``touched``, without ``cut``.
    """

    name: str
    columns: str
    range_column: str
    number: str
    reads: Mapping[str, tuple[str, ...]]
    rows: Callable[[Store, Sequence[str], bool], Rows]

    @property
    def code_version(self) -> str:
        """That of all indexes."""
        return VERSION


@dataclass(frozen=True)
class Built:
    """What became of an index: how many rows it has, and which ranges of it were rebuilt and in how many seconds."""

    rows: int
    rebuilt: Sequence[str] = field(default=())
    seconds: float = 0.0


def refresh(store: Store, advance: Advance) -> Mapping[str, Built]:
    """Bring the ranges up to date whose inputs changed.

    Args:
        store: The database they are in.
        advance: Told of each of the ``RANGES``.

    Returns:
        Name of the index -> what became of it.
    """
    for statement in create_tables():
        store.run(statement)
    return {index.name: _refresh(store, index, advance) for index in INDEXES}


def _refresh(store: Store, index: Index, advance: Advance) -> Built:
    started = time.monotonic()
    plan = store.ranges.plan(index, RANGE_KEYS)
    advance(len(RANGE_KEYS) - len(plan.stale))
    if plan.stale:
        with store.transaction():
            touched = store.find_touched(index, plan.known)
            whole = [key for key in plan.stale if key not in touched]
            out_of_order = _amend(store, index, touched, advance) if touched else {}
            _replace(store, index, whole, set(plan.known) & set(whole), advance)
            _remember(store, index, plan, out_of_order)
    rows = sum(store.ranges[index.name, key].rows for key in RANGE_KEYS)
    return Built(rows, plan.stale, time.monotonic() - started)


def create_tables() -> list[str]:
    """The statements that make the empty tables."""
    tables = (f"create table if not exists {index.name} ({index.columns}, cut utinyint)" for index in INDEXES)
    places = (f"create table if not exists lookup.{name}_places (block bigint, first bigint, last bigint)" for name in BY_ID)
    return ["create schema if not exists lookup", *tables, *places]


def note_places(connection: duckdb.DuckDBPyConnection) -> None:
    """Write down, in a file that is to be the snapshot, between which rows the ids of each block are.

    Ids are written in about their order. Where a block is scattered, as where one range ends and another begins, it is told for
    each stretch of the table by itself, so that no block spans many rows.
    """
    for name, (table, number) in BY_ID.items():
        connection.execute(f"truncate lookup.{name}_places")
        connection.execute(f"""
            insert into lookup.{name}_places select {block(number)} as block, min(rowid) as first, max(rowid) as last
            from {table} group by block, rowid // {_STRETCH} order by block""")


def _amend(store: Store, index: Index, keys: Sequence[str], advance: Advance) -> dict[str, int]:
    """Bring the ids that are ``touched`` up to date; range -> how many of its rows are out of order now."""
    number, column = index.number, index.range_column
    cut = f"({sql.range_of(column, 'id')})::utinyint as cut"
    query = f"create or replace temp table codes as select {code('id', _PREFIX[column])} as {number}, {cut} from touched"
    store.run(query)
    here = f"cut in ({', '.join(str(RANGE_KEYS.index(key)) for key in keys)})"
    store.run(f"delete from {index.name} where {here} and {number} in (select {number} from codes)")
    rows = index.rows(store, keys, True)().join(_frame(store.connection, "from codes"), on=number)
    store.insert(index.name, rows)
    advance(len(keys))
    written = dict(rows.group_by("cut").len().iter_rows())
    return {key: written.get(RANGE_KEYS.index(key), 0) + store.ranges[index.name, key].out_of_order for key in keys}


def _replace(store: Store, index: Index, keys: Sequence[str], old: Iterable[str], advance: Advance) -> None:
    cuts = [RANGE_KEYS.index(key) for key in old]
    if cuts:
        store.run(f"delete from {index.name} where cut in (select unnest(?))", [cuts])
    filled = [key for key in keys if any(store.ranges.rows(TABLES[name], [key]) for name in index.reads)]
    advance(len(keys) - len(filled))
    for key, rows in zip(filled, _one_ahead([index.rows(store, [key], False) for key in filled]), strict=True):
        store.insert(index.name, rows.with_columns(cut=pl.lit(RANGE_KEYS.index(key), pl.UInt8)))
        advance(1)


def _remember(store: Store, index: Index, plan: Plan, out_of_order: Mapping[str, int]) -> None:
    counts = dict(store.rows(f"select cut, count(*) from {index.name} group by cut"))
    rows = {key: counts.get(RANGE_KEYS.index(key), 0) for key in plan.stale}
    states = {key: RangeState(*plan.inputs[key], {}, rows[key], out_of_order.get(key, 0), plan.read[key]) for key in plan.stale}
    store.remember(index.name, states)


def _one_ahead(makers: Sequence[Rows]) -> Iterator[pl.DataFrame]:
    """What each makes, in order, the next one being made while this one is used."""
    with ThreadPoolExecutor(1) as pool:
        following = [pool.submit(make) for make in makers[:1]]
        for number in range(len(makers)):
            rows = following.pop().result()
            following = [pool.submit(make) for make in makers[number + 1 : number + 2]]
            yield rows


# ---- who has a part in what


def _credits(store: Store, keys: Sequence[str], touched: bool) -> Rows:
    """Who has a part in the titles of these ranges.

    Columns who, what and part, which is the role and, behind a tab, the characters as the blob has them; sorted by who.
    """
    found = {name: store.slice_files(_blob(name), keys) for name in ("raw.cast", "raw.crew")}
    wanted = _frame(store.connection, "select id as tconst from touched").lazy() if touched else None

    def landed(name: str) -> pl.LazyFrame:
        schema = dict.fromkeys(_blob(name).column_names, pl.String)
        rows = pl.scan_parquet(found[name]) if found[name] else pl.LazyFrame(schema=schema)
        return rows if wanted is None else rows.join(wanted, on="tconst", how="semi")

    def rows() -> pl.DataFrame:
        made, played = landed("raw.crew"), pl.concat_str("category", "characters", separator="\t", ignore_nulls=True)
        parts = (_parts(landed("raw.cast"), "nconst", played), _made(made, "director"), _made(made, "writer"))
        # String by string from many pieces, sorting would take several times as long.
        whole = pl.concat(parts).drop_nulls(["who", "what"]).collect(engine="streaming").rechunk()
        return whole.sort("who", maintain_order=True)

    return rows


def _parts(rows: pl.LazyFrame, who: str, part: pl.Expr) -> pl.LazyFrame:
    return rows.select(_number(who, "nm").alias("who"), _number("tconst", "tt").alias("what"), part.alias("part"))


def _made(crew: pl.LazyFrame, role: str) -> pl.LazyFrame:
    listed = crew.select("tconst", pl.col(f"{role}s").str.split(",").alias(role)).drop_nulls().explode(role)
    return _parts(listed, role, pl.lit(role))


def _number(column: str, prefix: str) -> pl.Expr:
    """An id as ``code`` has it."""
    return pl.col(column).str.replace(prefix, "1", literal=True).cast(pl.Int64, strict=False)


# ---- how well known they are, and names as they are compared


def _computed(column: str, query: Callable[[_Of], str]) -> Callable[[Store, Sequence[str], bool], Rows]:
    """The rows of a query over the same ranges of tables, cut by a column of ids, with the signatures of the names among them."""

    def maker(store: Store, keys: Sequence[str], touched: bool) -> Rows:
        here = sql.in_ranges(column, keys) + (f" and {column} in (select id from touched)" if touched else "")

        def of(table: str, condition: str = "true") -> str:
            return f"(from {table} where {here} and {condition})"

        def rows() -> pl.DataFrame:
            # Beside what the warehouse is writing; but what is touched only its own connection knows.
            with nullcontext(store.connection) if touched else store.connection.cursor() as connection:
                connection.execute(f"use {CATALOG}")
                names = _frame(connection, f"{query(of)} order by id")
            return names.with_columns(signature=pl.Series(signatures(names["folded"].fill_null("")), dtype=pl.UInt64))

        return rows

    return maker


def _frame(connection: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    rows: pl.DataFrame = connection.sql(query).pl()
    return rows


_PAIRS = np.uint64(1) << (np.arange(1 << 16, dtype=np.uint64) % np.uint64(SIGNATURE_BITS))
"""The bit of each pair of bytes, as the condition ``signed`` has it."""


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
_PERSON = f"{code('nconst', 'nm')} as id, {folded('primaryName')} as folded, {code('tconst', 'tt')} as knownFor"
_TITLE = f"{code('tconst', 'tt')} as id, {folded('primaryTitle')} as folded"
_PEOPLE_READ = {"films.names": ("nconst", "primaryName"), "films.known_for": ("nconst", "tconst", "position")}
_TITLES_READ = {"films.titles": ("tconst", "primaryTitle")}
_KNOWN, _RATED = "metrics.known_for_success", "metrics.title_success"
_FIGURES = ("knownTitles", "knownAverageRating", "knownNumVotes")
_RATING = ("averageRating", "numVotes", "weightedRating")


def _people(of: _Of) -> str:
    """People, each with the title they are best known for."""
    return f"{of('films.names')} as person left join {of('films.known_for', 'position = 1')} as best using (nconst)"


def _known_people(of: _Of) -> str:
    return f"select {_PERSON}, {', '.join(_FIGURES)} from {_people(of)} join {of(_KNOWN)} as known using (nconst)"


def _other_people(of: _Of) -> str:
    named = "primaryName is not null"
    return f"select {_PERSON} from {_people(of)} anti join {of(_KNOWN)} as known using (nconst) where {named}"


def _rated_titles(of: _Of) -> str:
    rating = ", ".join(_RATING)
    return f"select {_TITLE}, {rating} from {of(_RATED)} as rated left join {of('films.titles')} as title using (tconst)"


def _other_titles(of: _Of) -> str:
    titles = of("films.titles", "primaryTitle is not null")
    return f"select {_TITLE} from {titles} as title anti join {of(_RATED)} as rated using (tconst)"


INDEXES = (
    Index(
        "lookup.credits",
        "who bigint, what bigint, part varchar",
        "tconst",
        "what",
        {
            "raw.cast": ("tconst", "ordering", "nconst", "category", "characters"),
            "raw.crew": ("tconst", "directors", "writers"),
        },
        _credits,
    ),
    Index(
        "lookup.known_people",
        f"{_NAME}, knownFor bigint, knownTitles integer, knownAverageRating double, knownNumVotes bigint",
        "nconst",
        "id",
        {**_PEOPLE_READ, _KNOWN: ("nconst", *_FIGURES)},
        _computed("nconst", _known_people),
    ),
    Index(
        "lookup.other_people",
        f"{_NAME}, knownFor bigint",
        "nconst",
        "id",
        {**_PEOPLE_READ, _KNOWN: ("nconst",)},
        _computed("nconst", _other_people),
    ),
    Index(
        "lookup.rated_titles",
        f"{_NAME}, averageRating double, numVotes integer, weightedRating double",
        "tconst",
        "id",
        {**_TITLES_READ, _RATED: ("tconst", *_RATING)},
        _computed("tconst", _rated_titles),
    ),
    Index(
        "lookup.other_titles",
        _NAME,
        "tconst",
        "id",
        {**_TITLES_READ, _RATED: ("tconst",)},
        _computed("tconst", _other_titles),
    ),
)

RANGES = len(INDEXES) * len(RANGE_KEYS)
"""How many ranges there are in all."""
