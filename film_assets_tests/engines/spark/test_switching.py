"""One home used by the embedded engine, by Spark, by the embedded one again, and with another lake: nothing of theirs is lost."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from film_assets.engines.spark.lake.storage import Storage
from film_assets.settings import Settings, load_settings
from film_assets.tables import COMPUTED
from film_assets_tests.blobs import write_real_rows
from film_assets_tests.conftest import query, rebuilt, refresh

pytestmark = [pytest.mark.spark, pytest.mark.slow]

ASKED = "select tconst, genre from films.genres order by all"


def content(folder: Path) -> Mapping[str, bytes]:
    """The tables of a lake, file by file."""
    lake = Storage(str(folder))
    return {path: lake.read_whole(path) for path in lake.list("") if not path.startswith("state/")}


def retired(settings: Settings) -> list[str]:
    with duckdb.connect(settings.kept_in.warehouse, read_only=True) as home:
        return [file for (file,) in home.sql("select file from state.retired").fetchall()]


@pytest.fixture
def small_driver(java: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that computes by itself, in little memory."""
    conf = {
        "spark.driver.memory": "768m",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss4m",
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
    }
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in conf.items()))
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path / "conf"))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")


@pytest.mark.usefixtures("small_driver")
def test_engines_and_lakes_take_turns_in_a_home(tmp_path: Path) -> None:
    blobs, home = write_real_rows(tmp_path / "blobs"), tmp_path / "home"
    embedded = load_settings(source=str(blobs), home=home)
    spark = load_settings(source=str(blobs), home=home, engine="spark", spark="local[1]", lake=str(tmp_path / "lake"))
    other = spark.model_copy(update={"lake": str(tmp_path / "other")})
    every = {table.name for table in COMPUTED}

    refresh(embedded)
    rows, raw = query(embedded, ASKED), query(embedded, "from raw.titles order by all")
    assert rows

    assert every <= set(rebuilt(refresh(spark)))
    assert query(spark, ASKED) == rows
    assert query(spark, "from raw.titles order by all") == raw
    lake = content(tmp_path / "lake")

    assert every <= set(rebuilt(refresh(embedded)))
    assert query(embedded, ASKED) == rows
    assert query(embedded, "from raw.titles order by all") == raw
    for _ in range(2):  # what is retired is deleted at the second publication after it
        assert rebuilt(refresh(embedded)) == {}
    assert content(tmp_path / "lake") == lake
    assert not any(file == "" or "lake" in file for file in retired(embedded))

    assert rebuilt(refresh(spark)) == {}  # the lake has all of it, which is copied alone
    assert query(spark, ASKED) == rows
    assert content(tmp_path / "lake").keys() >= lake.keys()

    assert every <= set(rebuilt(refresh(other)))
    assert query(other, ASKED) == rows
    assert content(tmp_path / "lake").keys() >= lake.keys()
    assert not any(file == "" or "lake" in file or "other" in file for file in retired(other))
    assert query(other, "from raw.titles order by all") == raw
