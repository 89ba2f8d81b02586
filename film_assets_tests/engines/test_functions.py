"""Every table from the same rows on Polars, DuckDB and Spark: the same values, to the last digit, and the declared types."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from polars.testing import assert_frame_equal

import film_assets.engines.duckdb
import film_assets.engines.spark  # noqa: F401  Both let tables be computed on their frames.
from film_assets.engines.spark.frames import _schema as schema_of
from film_assets.engines.spark.session import Session, open_session
from film_assets.settings import load_settings
from film_assets.tables import COMPUTED, TABLES, Table, raw
from film_assets.tables.declaration import DTYPES
from film_assets_tests.tables.chain import _POLARS, blobs, computed

Native = Callable[[Table, pl.DataFrame], Any]

TITLES = [f"tt{number:07}" for number in range(1, 9)]
PEOPLE = [f"nm{number:07}" for number in range(1, 7)]
SMALL, LARGE = st.integers(-(1 << 15), (1 << 15) - 1), st.integers(0, (1 << 31) - 1)
YEARS = st.none() | st.sampled_from([1999, 2000, 2001, -1, -10, 0, 9]) | SMALL
RATED = st.none() | st.integers(10, 100).map(lambda tenths: tenths / 10) | st.floats(1, 10)
TEXT = st.none() | st.sampled_from(["", " ", "\u017f", "a\u0301", "\U0001f600", '"', "\\", "null"]) | st.text(max_size=5)
WORDS = st.sampled_from(["actor", "Sci-Fi", "a b", "é", "東"])
CHARACTERS = st.lists(TEXT.filter(lambda text: text is not None), max_size=3)


def several(of: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    """A list of ids or words, as blobs have them, of which one can stand there twice."""
    return st.none() | st.lists(of, min_size=1, max_size=4).map(",".join)


def written(names: list[str], ascii_alone: bool, spaced: bool) -> str:
    return json.dumps(names, ensure_ascii=ascii_alone, separators=(" , ", ":") if spaced else None)


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, pl.DataFrame]:
    """Rows as landing lets them through."""
    some = st.lists(st.sampled_from(TITLES), unique=True, min_size=3)
    titles, persons = st.sampled_from(TITLES), st.sampled_from(PEOPLE)
    cast = draw(st.lists(st.tuples(titles, st.none() | persons), min_size=5, max_size=30))
    return blobs(
        titles=[
            {
                "tconst": tconst,
                "titleType": draw(st.sampled_from([None, "movie", "short"])),
                "primaryTitle": draw(TEXT),
                "originalTitle": draw(TEXT),
                "isAdult": draw(st.sampled_from([None, 0, 1])),
                "startYear": draw(YEARS),
                "endYear": draw(YEARS),
                "runtimeMinutes": draw(st.none() | LARGE),
                "genres": draw(several(WORDS)),
            }
            for tconst in draw(some)
        ],
        ratings=[
            {"tconst": tconst, "averageRating": draw(RATED), "numVotes": draw(st.none() | LARGE | st.sampled_from([0, 1, 999]))}
            for tconst in draw(some)
        ],
        crew=[
            {"tconst": tconst, "directors": draw(several(persons)), "writers": draw(several(persons))} for tconst in draw(some)
        ],
        names=[
            {
                "nconst": nconst,
                "primaryName": draw(TEXT),
                "birthYear": draw(YEARS),
                "deathYear": draw(YEARS),
                "primaryProfession": draw(several(WORDS)),
                "knownForTitles": draw(several(titles)),
            }
            for nconst in draw(st.lists(persons, unique=True, min_size=2))
        ],
        cast=[
            {
                "tconst": tconst,
                "ordering": ordering,
                "nconst": nconst,
                "category": draw(st.none() | st.sampled_from(raw.cast.column("category").allowed[:5])),
                "job": draw(TEXT),
                "characters": draw(st.none() | st.builds(written, CHARACTERS, st.booleans(), st.booleans())),
            }
            for ordering, (tconst, nconst) in enumerate(cast, 1)
        ],
    )


def types(table: Table) -> dict[str, pl.DataType]:
    return {column.name: _POLARS[type(DTYPES[column.type])]() for column in table.columns}


def assert_computed_alike(world: Mapping[str, pl.DataFrame], to_native: Native, to_polars: Callable[[Any], pl.DataFrame]) -> None:
    """Each table from the rows that Polars came to, so that what differs is named where it begins."""
    wanted = computed(world)
    given = {name: to_native(TABLES[name], frame) for name, frame in wanted.items()}
    for table in COMPUTED:
        inputs = {name: nw.from_native(given[name]).select(*columns) for name, columns in table.reads.items()}
        found = to_polars(table.compute(inputs).to_native())
        assert found.schema == types(table), table.name
        assert wanted[table.name].schema == types(table), table.name
        assert_frame_equal(found.sort(pl.all()), wanted[table.name].sort(pl.all()), check_exact=True)


EXAMPLES = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
"""None is made smaller: on Spark that would take minutes."""


@pytest.mark.slow
@settings(EXAMPLES, max_examples=20)
@given(world=worlds())
def test_duckdb_computes_what_polars_does(world: Mapping[str, pl.DataFrame]) -> None:
    with duckdb.connect() as connection:
        assert_computed_alike(world, lambda _, frame: connection.from_arrow(frame.to_arrow()), lambda found: found.pl())


@pytest.fixture(scope="module")
def session(spark_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    given = load_settings(spark=spark_url, home=tmp_path_factory.mktemp("home"))
    with open_session(given) as session:
        yield session


@pytest.mark.slow
@pytest.mark.spark
@settings(EXAMPLES, max_examples=6)
@given(world=worlds())
def test_spark_computes_what_polars_does(session: Session, world: Mapping[str, pl.DataFrame]) -> None:
    def to_native(table: Table, frame: pl.DataFrame) -> Any:
        rows = frame.to_arrow(compat_level=pl.CompatLevel.oldest()) if frame.height else []
        return session.spark.createDataFrame(rows, schema_of(table))

    with session.watched():
        assert_computed_alike(world, to_native, lambda found: pl.from_arrow(found.toArrow()))
