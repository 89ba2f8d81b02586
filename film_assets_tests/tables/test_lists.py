"""Lists to rows, the same on every engine."""

import duckdb
import narwhals as nw
import polars as pl
import pytest

import film_assets.engines.duckdb  # noqa: F401  Its relations are computed on.
from film_assets.tables import lists

ENGINES = ["polars", "duckdb"]


def frame(engine: str, values: list[str | None]) -> nw.LazyFrame:
    rows = pl.LazyFrame({"id": range(len(values)), "of it": values}, schema={"id": pl.Int64, "of it": pl.String})
    if engine == "polars":
        return nw.from_native(rows)
    given = rows.collect().to_arrow()  # noqa: F841  Found by its name.
    return nw.from_native(duckdb.sql("select * from given"))


def rows(result: nw.LazyFrame) -> list[tuple[object, ...]]:
    return sorted(result.select("id", "position", "one").collect().rows())


@pytest.mark.parametrize("engine", ENGINES)
def test_split_gives_each_different_element_at_its_first_place(engine):
    found = lists.split(frame(engine, ["b,a", None, "", "a,b,a,,c", "é"]), "of it", "one")
    assert sorted(found.collect_schema().names()) == ["id", "one", "position"]
    assert rows(found) == [(0, 1, "b"), (0, 2, "a"), (3, 1, "a"), (3, 2, "b"), (3, 5, "c"), (4, 1, "é")]


@pytest.mark.parametrize("engine", ENGINES)
def test_json_strings_gives_each_element_in_order(engine):
    found = lists.json_strings(frame(engine, ['["b","a","b"]', None, "[]", r'["\"x\", \u00e9", ""]']), "of it", "one")
    assert sorted(found.collect_schema().names()) == ["id", "one", "position"]
    assert rows(found) == [(0, 1, "b"), (0, 2, "a"), (0, 3, "b"), (3, 1, '"x", é'), (3, 2, "")]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_rows_give_none(engine):
    for function in (lists.split, lists.json_strings):
        assert rows(function(frame(engine, []), "of it", "one")) == []


def test_an_engine_that_has_registered_none_is_named():
    with pytest.raises(LookupError, match="dask has no version of lists"):
        lists.native_version(nw.Implementation.DASK)
