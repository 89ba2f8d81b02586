"""Every table of a refresh against an independent computation."""

from pathlib import Path

import duckdb
import polars as pl
import pytest

from film_assets.settings import load_settings
from film_assets.tables import BLOBS, COMPUTED, Table
from film_assets_tests import expected
from film_assets_tests.conftest import refresh

CHECKED = [table for table in COMPUTED if table.name in expected.NAMES]


@pytest.fixture(scope="module")
def built(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    settings = load_settings(source=str(sample), home=tmp_path_factory.mktemp("home"))
    refresh(settings)
    return duckdb.connect(settings.kept_in.films, read_only=True)


@pytest.fixture(scope="module")
def wanted(sample: Path) -> dict[str, pl.DataFrame]:
    return expected.tables(sample)


@pytest.mark.parametrize("table", CHECKED, ids=lambda table: table.name)
def test_rows_are_those_of_an_independent_computation(
    built: duckdb.DuckDBPyConnection, wanted: dict[str, pl.DataFrame], table: Table
) -> None:
    found = built.sql(f"from {table.name}").pl()
    assert found.height > 0
    expected.assert_same(table.name, found, wanted[table.name], table.key)


@pytest.mark.parametrize("table", [*COMPUTED, *BLOBS], ids=lambda table: table.name)
def test_columns_and_types_are_those_declared(built: duckdb.DuckDBPyConnection, table: Table) -> None:
    relation = built.sql(f"from {table.name}")
    assert [*zip(relation.columns, map(str, relation.types), strict=True)] == [(c.name, c.type) for c in table.columns]


@pytest.mark.parametrize("table", [*COMPUTED, *BLOBS], ids=lambda table: table.name)
def test_one_row_a_key(built: duckdb.DuckDBPyConnection, table: Table) -> None:
    key = ", ".join(table.key)
    assert built.sql(f"select {key} from {table.name} group by all having count(*) > 1 limit 5").fetchall() == []
    for column in filter(table.is_required, table.columns):
        assert built.sql(f"select count(*) from {table.name} where {column.name} is null").fetchall() == [(0,)]


def test_keys_are_required_but_for_groups() -> None:
    for table in (*COMPUTED, *BLOBS):
        required = {column.name for column in table.columns if table.is_required(column)}
        assert required == (set(table.key) if table.name != "metrics.genre_success" else set())


@pytest.mark.parametrize("blob", BLOBS, ids=lambda blob: blob.short)
def test_every_row_of_a_blob_is_accounted_for(built: duckdb.DuckDBPyConnection, sample: Path, blob: Table) -> None:
    data_lines = (sample / f"{blob.short}.tsv").read_bytes().count(b"\n") - 1
    query = f"select rowsRead, rowsLoaded, rowsRejected, (select count(*) from {blob.name}) from quality.blobs where blob = ?"
    assert built.execute(query, [blob.short]).fetchall() == [(data_lines, data_lines, 0, data_lines)]


def test_words_of_the_declarations_are_in_the_file(built: duckdb.DuckDBPyConnection) -> None:
    silent = "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() where comment is null"
    assert built.sql(silent + " and schema_name in ('main', 'metrics', 'quality', 'raw') and not internal").fetchall() == []
