"""The Spark engine comes to what the embedded one does: by the command line on a cluster, and blob by blob."""

import gzip
import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from polars.testing import assert_frame_equal

from film_assets.common.progress import Silent
from film_assets.engines.spark import landing
from film_assets.errors import BlobError
from film_assets.refresh.pipeline import Pipeline
from film_assets.settings import load_settings
from film_assets.tables import raw
from film_assets.tables.ranges import RANGE_KEYS
from film_assets_tests import command
from film_assets_tests.azurite import Azurite
from film_assets_tests.blobs import change, copy, write_real_rows
from film_assets_tests.conftest import refresh
from film_assets_tests.engines.spark.cluster import Cluster
from film_assets_tests.engines.spark.snapshots import assert_alike
from film_assets_tests.landing.test_fuzz import invented
from film_assets_tests.landing.test_pieces import shuffled

pytestmark = [pytest.mark.slow, pytest.mark.spark]

TINY = 200
"""Bytes of a piece: two to four rows."""


def refreshed(cluster: Cluster, source: Path, home: Path) -> dict[str, Any]:
    """The JSON document of a refresh by the command line on the cluster."""
    variables = cluster.variables | {"FILM_ASSETS_ENGINE": "spark", "FILM_ASSETS_SPARK": cluster.url}
    done = command.film_assets("refresh", "--source", source, "--json", home=home, seconds=900, **variables)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_refreshes_on_a_cluster_come_to_what_embedded_ones_do(cluster: Cluster, faulty_sample: Path, tmp_path: Path) -> None:
    source, embedded, spark = copy(faulty_sample, tmp_path / "blobs"), tmp_path / "embedded", tmp_path / "spark"
    for changes in (lambda: None, lambda: few_changes(source)):
        changes()
        wanted, found = command.refresh(source, embedded), refreshed(cluster, source, spark)
        assert_alike(embedded, spark)
        assert command.rebuilt(found) == command.rebuilt(wanted)
        for what in ("blobs", "dropped", "warnings", "notices", "published"):
            assert found[what] == wanted[what], what


def few_changes(folder: Path) -> None:
    change(folder, "names", "nm1", lambda fields: [fields[0], "Somebody Else", *fields[2:]])
    change(folder, "ratings", "tt2", lambda fields: [fields[0], "1.1", fields[2]])
    change(folder, "cast", "tt3", lambda _: None)
    change(folder, "crew", "tt5", lambda fields: [fields[0], "nm0000001,nm0000002", "nm0000003"])
    change(folder, "titles", "tt4", lambda fields: [*fields[:5], "MCM", *fields[6:]])


# ---- blob by blob


class Landed:
    """What became of a blob: its rows in their order, its account, its rejected rows."""

    def __init__(self, source: Path, home: Path, engine: str, **given: Any) -> None:
        self.fault, self.told = "", []
        with Pipeline(load_settings(source=str(source), home=home, engine=engine, **given)) as pipeline:
            try:
                pipeline.land(raw.titles)
            except BlobError as error:
                self.fault = str(error)
                return
            self.account = pipeline.report.accounts["titles"]
            store = pipeline.engine.to_publish(Silent())
            files = store.slice_files(raw.titles, RANGE_KEYS)
            frames = [pl.read_parquet(file, hive_partitioning=False) for file in files]
            self.rows = pl.concat(frames).sort(pl.all())
            self.rejects = sorted(store.rows("select * from quality.rejected_rows"), key=repr)


def assert_landed_alike(source: Path, folder: Path, spark_url: str) -> Landed:
    wanted = Landed(source, folder / "embedded", "duckdb")
    found = Landed(source, folder / "spark", "spark", spark=spark_url)
    assert found.fault == wanted.fault
    if not wanted.fault:
        assert found.account == wanted.account
        assert found.rejects == wanted.rejects
        assert_frame_equal(found.rows, wanted.rows, check_exact=True)
    assert not [path for path in (folder / "spark" / "lake" / "staging").rglob("*") if path.is_file()]
    return found


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(seed=st.integers(0, 1 << 32))
def test_any_blob_lands_alike(spark_url: str, seed: int) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing, "PIECE_BYTES", TINY)
        source = write_real_rows(Path(name) / "blobs")
        (source / "titles.tsv").write_bytes(invented(random.Random(seed)))
        assert_landed_alike(source, Path(name), spark_url)


def zipped(path: Path) -> None:
    path.with_suffix(".tsv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


@pytest.mark.parametrize("write", [zipped, lambda path: shuffled(path, path)], ids=["compressed", "unsorted"])
def test_a_blob_lands_alike_as_it_is_delivered(
    spark_url: str, faulty_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    source = copy(faulty_sample, tmp_path / "blobs")
    monkeypatch.setattr(landing, "PIECE_BYTES", (source / "titles.tsv").stat().st_size // 100)
    write(source / "titles.tsv")
    found = assert_landed_alike(source, tmp_path, spark_url)
    assert found.account["rowsRejected"] > 0
    assert len(list((tmp_path / "spark" / "lake" / "raw" / "titles").glob("range=*/*.parquet"))) > len(RANGE_KEYS)


def test_blobs_in_a_container_are_read_where_they_lie(spark_url: str, azurite: Azurite, sample: Path, tmp_path: Path) -> None:
    with azurite.container(f"films-{uuid.uuid4().hex}") as container:
        for path in sample.glob("*.tsv"):
            container.upload_blob(path.name, path.read_bytes())
        refresh(load_settings(source=container.url, home=tmp_path / "embedded"))
        given = load_settings(source=container.url, home=tmp_path / "spark", engine="spark", spark=spark_url)
        given.kept_in.prepare()
        before = given.kept_in.downloads.stat()
        refresh(given)
    assert given.kept_in.downloads.stat().st_mtime_ns == before.st_mtime_ns
    assert_alike(tmp_path / "embedded", tmp_path / "spark")
