"""Whatever is killed, and whoever else writes to the lake: the next refresh comes to what an undisturbed one does."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from deltalake import DeltaTable

from film_assets.errors import HomeError
from film_assets.refresh.pipeline import Pipeline
from film_assets.settings import Settings, load_settings
from film_assets.tables import TABLES, raw
from film_assets_tests.blobs import change
from film_assets_tests.command import PROGRAM
from film_assets_tests.conftest import refresh
from film_assets_tests.engines.spark import driver
from film_assets_tests.engines.spark.cluster import Cluster
from film_assets_tests.engines.spark.snapshots import assert_alike
from film_assets_tests.engines.spark.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.spark]


@pytest.fixture
def settings(refreshed_by_spark: Callable[[], Path], spark_url: str) -> Settings:
    """Settings of a home that was refreshed by Spark."""
    place = refreshed_by_spark()
    return load_settings(source=str(place / "blobs"), home=place / "home", engine="spark", spark=spark_url)


def few_changes(source: Path) -> None:
    """A value changed, one that is dropped, a row that is rejected, and one that is gone."""
    change(source, "ratings", "tt0000009", lambda fields: [fields[0], "9.9", "many"])
    change(source, "ratings", "tt0000001", lambda fields: fields[:2])
    change(source, "cast", "tt10233364", lambda _: None)


def embedded(settings: Settings, home: Path) -> Path:
    """A home with an undisturbed refresh of the same blobs by the embedded engine."""
    refresh(load_settings(source=settings.source, home=home))
    return home


def elsewhere(settings: Settings, home: Path) -> Settings:
    """Settings of another home on the same lake."""
    return settings.model_copy(update={"home": home, "lake": str(settings.home / "lake")})


def killed(settings: Settings, name: str, key: str, moment: str) -> None:
    """A refresh that is killed at that commit."""
    environment = {
        **os.environ,
        "FILM_ASSETS_SOURCE": str(settings.source),
        "FILM_ASSETS_HOME": str(settings.home),
        "FILM_ASSETS_ENGINE": "spark",
        "FILM_ASSETS_SPARK": settings.spark,
    }
    done = subprocess.run(
        [sys.executable, "-m", driver.__name__, name, key, moment], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("name", "key", "moment"),
    [
        ("raw.ratings", "", "before"),
        ("raw.ratings", "", "after"),
        ("state.tables", "raw.cast", "after"),
        ("films.ratings", "", "before"),
        ("films.ratings", "", "after"),
        ("state.tables", "metrics.comparison", "after"),
        ("state.refreshes", "", "before"),
    ],
)
def test_a_driver_that_is_killed_at_a_commit(settings: Settings, tmp_path: Path, name: str, key: str, moment: str) -> None:
    few_changes(Path(settings.source or ""))
    killed(settings, name, key, moment)
    refresh(settings)
    wanted = embedded(settings, tmp_path / "embedded")
    assert_alike(settings.home, wanted)
    refresh(elsewhere(settings, tmp_path / "other"))
    assert_alike(tmp_path / "other", wanted)


def test_what_a_killed_landing_staged_is_gone_after_the_next(settings: Settings, tmp_path: Path) -> None:
    staging, blob = settings.home / "lake" / "staging", Path(settings.source or "") / "ratings.tsv"
    few_changes(blob.parent)
    blob.with_suffix(".tsv.gz").write_bytes(gzip.compress(blob.read_bytes()))
    blob.unlink()
    (staging / "ratings" / "whole").mkdir(parents=True)
    (staging / "ratings" / "whole" / "left.tsv").touch()
    refresh(settings)
    assert not [path for path in staging.rglob("*") if path.is_file()]
    assert_alike(settings.home, embedded(settings, tmp_path / "embedded"))


def test_rejected_rows_are_those_of_the_blob_that_is_landed_however_the_landing_of_another_ended(
    settings: Settings, tmp_path: Path
) -> None:
    source = Path(settings.source or "")
    few_changes(source)
    refresh(settings)
    shutil.copytree(source, tmp_path / "before")
    change(source, "ratings", "tt0000009", lambda fields: [*fields[:2], "7"])
    killed(settings, "raw.ratings", "", "before")
    shutil.copytree(tmp_path / "before", source, dirs_exist_ok=True)
    refresh(elsewhere(settings, tmp_path / "other"))
    assert_alike(tmp_path / "other", embedded(settings, tmp_path / "embedded"))


def test_what_somebody_else_writes_to_the_lake_is_mended_and_said(settings: Settings, tmp_path: Path) -> None:
    for name in ("raw/ratings", "films/cast"):
        table = DeltaTable(str(settings.home / "lake" / name))
        table.optimize.z_order(["tconst"])
    report = refresh(settings)
    assert report.notices == [
        f"{name}: the lake has other files than were written down; what is not known is built anew"
        for name in ("films.cast", "raw.ratings")
    ]
    assert_alike(settings.home, embedded(settings, tmp_path / "embedded"))
    assert refresh(settings).notices == []


def test_two_homes_that_write_to_one_lake_at_the_same_time(settings: Settings, tmp_path: Path) -> None:
    few_changes(Path(settings.source or ""))
    other = elsewhere(settings, tmp_path / "other")
    with Pipeline(settings) as one, Pipeline(other) as two:
        assert two.engine.notices == []
        one.land(raw.ratings)
        one.rebuild(TABLES["films.ratings"])
        with pytest.raises(HomeError, match=r"^raw\.ratings: somebody else wrote to it in the lake .* meanwhile; run again"):
            two.land(raw.ratings)
    wanted = embedded(settings, tmp_path / "embedded")
    for home in (other, settings):
        refresh(home)
        assert_alike(home.home, wanted)


def test_two_first_refreshes_of_one_lake_at_the_same_time(settings: Settings, tmp_path: Path) -> None:
    homes = [settings.model_copy(update={"home": tmp_path / name, "lake": str(tmp_path / "lake")}) for name in ("one", "two")]
    with Pipeline(homes[0]) as one, Pipeline(homes[1]) as two:
        assert one.engine.notices == two.engine.notices == []
        one.land(raw.ratings)
        with pytest.raises(HomeError, match="somebody else wrote to it in the lake"):
            two.land(raw.ratings)
    wanted = embedded(settings, tmp_path / "embedded")
    for home in homes:
        refresh(home)
        assert_alike(home.home, wanted)


# ---- on a cluster of its own


def by_command_line(cluster: Cluster, settings: Settings) -> subprocess.Popen[str]:
    """A refresh by the command line on a cluster, under way."""
    variables = {
        **os.environ,
        **cluster.variables,
        "FILM_ASSETS_HOME": str(settings.home),
        "FILM_ASSETS_ENGINE": "spark",
        "FILM_ASSETS_SPARK": cluster.url,
    }
    command = [str(PROGRAM), "refresh", "--source", str(settings.source), "--json"]
    return subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)  # fmt: skip


def await_file(running: subprocess.Popen[str], settings: Settings, pattern: str) -> None:
    """Wait until a refresh under way has written such a file into its lake."""

    def is_there() -> bool:
        assert running.poll() is None, running.communicate()
        return any((settings.home / "lake").glob(pattern))

    until(is_there)


def test_a_worker_that_is_killed_while_blobs_are_landed_and_while_tables_are_built(
    java: None, sample: Path, tmp_path: Path
) -> None:
    settings = load_settings(source=str(sample), home=tmp_path / "spark")
    with Cluster(tmp_path / "cluster", workers=2) as cluster:
        running = by_command_line(cluster, settings)
        await_file(running, settings, "raw/titles/range=*/*.parquet")
        cluster.kill_worker(0)
        cluster.start_worker()
        await_file(running, settings, "films/*/*/_temporary")
        cluster.kill_worker(1)
        _, error = running.communicate(timeout=900)
        assert running.returncode == 0, error
    refresh(load_settings(source=str(sample), home=tmp_path / "embedded"))
    assert_alike(settings.home, tmp_path / "embedded")


@pytest.mark.parametrize("moment", ["raw/names/range=*/*.parquet", "films/*/*/_temporary", "metrics/*/_delta_log/*.json"])
def test_sparks_side_of_a_driver_that_is_killed_goes_away(cluster: Cluster, sample: Path, tmp_path: Path, moment: str) -> None:
    settings = load_settings(source=str(sample), home=tmp_path / "spark")
    running = by_command_line(cluster, settings)
    await_file(running, settings, moment)
    started = psutil.Process(running.pid).children(recursive=True)
    assert started
    running.kill()
    running.communicate()
    until(lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in started))
    again = by_command_line(cluster, settings)
    _, error = again.communicate(timeout=900)
    assert again.returncode == 0, error
    refresh(load_settings(source=str(sample), home=tmp_path / "embedded"))
    assert_alike(settings.home, tmp_path / "embedded")
