"""Sessions of Spark: on a cluster, on a Spark Connect server, on this machine; and what is said where there is none."""

import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from film_assets.engines.spark.session import Session, open_session
from film_assets.errors import BlobError, FilmAssetsError, TransientError
from film_assets.settings import Settings, load_settings
from film_assets_tests.engines.spark.cluster import Cluster

pytestmark = [pytest.mark.spark, pytest.mark.slow]

CLOSED_PORT = 1
TOKEN = "CANARY-TOKEN"


def settings(address: str, home: Path, wait: float = 120) -> Settings:
    return load_settings(spark=address, home=home, spark_wait=wait)


def fault(given: Settings) -> FilmAssetsError:
    """Why no session is opened: one line, and nothing is left of it."""
    processes, threads = children(), set(threading.enumerate())
    with pytest.raises(FilmAssetsError) as raised, open_session(given):
        pass
    assert "\n" not in str(raised.value)
    assert children() == processes
    until(lambda: set(threading.enumerate()) <= threads)
    return raised.value


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.05)


def runs_jobs(session: Session, folder: Path) -> None:
    """Whether jobs run with the package that is run here, tell how far they are, and say what is wrong in one line."""
    gates = [folder / "first", folder / "second"]

    def pass_gate(batches):
        for batch in batches:
            for number in batch["id"].to_pylist():
                while not gates[number // 2].exists():
                    time.sleep(0.01)
            yield batch

    def where(batches):
        import pyarrow as pa

        import film_assets

        for _ in batches:
            yield pa.RecordBatch.from_pydict({"file": [film_assets.__file__]})

    def refuse(batches):
        from film_assets.errors import BlobError

        raise BlobError(f"titles.tsv: {next(batches).num_rows} line that is none")

    assert session.percent() == 0
    with ThreadPoolExecutor(1) as pool, session.watched():
        job = pool.submit(lambda: session.spark.range(0, 4, 1, 4).mapInArrow(pass_gate, "id long").toArrow())
        gates[0].touch()
        until(lambda: session.percent() == 50)
        gates[1].touch()
        assert job.result().num_rows == 4
    until(lambda: session.percent() == 0)

    files = session.spark.range(0, 2, 1, 2).mapInArrow(where, "file string").toArrow()["file"].to_pylist()
    assert all("film_assets.zip" in file for file in files)
    assert session.spark.conf.get("spark.sql.session.timeZone") == "UTC"

    with pytest.raises(BlobError, match=r"^titles.tsv: 1 line that is none$"), session.watched():
        session.spark.range(0, 1, 1, 1).mapInArrow(refuse, "id long").toArrow()
    with pytest.raises(FilmAssetsError, match="UNRESOLVED_COLUMN") as raised, session.watched():
        session.spark.range(1).select("nowhere").toArrow()
    assert "\n" not in str(raised.value)


@pytest.mark.essential
def test_on_a_cluster(cluster: Cluster, tmp_path: Path) -> None:
    before = children()
    with cluster.environment(), open_session(settings(cluster.url, tmp_path)) as session:
        assert session.application["master"] == cluster.url
        assert session.application["application"].startswith("app-")
        with session.pool("tables"):
            runs_jobs(session, tmp_path)
    assert children() == before


def test_on_spark_connect_until_the_server_dies(cluster: Cluster, tmp_path: Path) -> None:
    server = cluster.start_connect()
    given = settings(f"{server.url}/;user_id=somebody", tmp_path)
    with open_session(given) as session:
        assert session.application["address"] == server.url
        with session.pool("tables"):
            runs_jobs(session, tmp_path)
    with open_session(given) as session:  # the server went on
        server.kill()
        with pytest.raises(TransientError, match="run again"), session.watched():
            session.spark.range(1).toArrow()


def test_on_this_machine_it_says_nothing_and_has_what_the_user_set(cluster: Cluster, tmp_path: Path) -> None:
    program = """
from film_assets.engines.spark.session import open_session
from film_assets.settings import load_settings

if __name__ == "__main__":
    with open_session(load_settings()) as session:
        session.spark.range(0, 4, 1, 4).mapInArrow(lambda batches: batches, "id long").toArrow()
        print(session.application["master"])
        print(session.spark.conf.get("spark.sql.shuffle.partitions"))
        print(session.spark.sparkContext.getConf().get("spark.driver.memory"))
"""
    variables = {"FILM_ASSETS_SPARK": "local[1]", "FILM_ASSETS_HOME": str(tmp_path), "FILM_ASSETS_MEMORY": "0.75"}
    with cluster.environment(**variables):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, done.stderr) == ("local[1]\n4\n768m\n", "")
    assert "WARN" in (tmp_path / "logs" / "spark.log").read_text()


def test_a_driver_that_dies(cluster: Cluster, tmp_path: Path) -> None:
    before, threads = children(), set(threading.enumerate())
    given = settings("local[1]", tmp_path)
    with cluster.environment(), open_session(given) as session:
        driver = next(process for process in psutil.Process().children() if process.pid not in before)
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(watched_job, session)
            until(lambda: session.spark.sparkContext.statusTracker().getActiveStageIds() != [])
            driver.kill()
            with pytest.raises(TransientError, match="run again"):
                job.result()
        assert session.percent() == 0
    assert children() == before
    until(lambda: set(threading.enumerate()) <= threads)
    with cluster.environment(), open_session(given):  # another one can be started
        pass


def watched_job(session: Session) -> None:
    """A job that does not end by itself."""

    def wait(batches):
        while True:
            time.sleep(0.1)

    with session.watched():
        session.spark.range(0, 1, 1, 1).mapInArrow(wait, "id long").toArrow()


@pytest.mark.parametrize("address", ["", "spark", "spark:/x", "spark://host", "sc:/host", "local[", "http://host:7077"])
def test_no_address_of_spark(address: str, tmp_path: Path) -> None:
    given = load_settings(home=tmp_path).model_copy(update={"spark": address})
    assert "FILM_ASSETS_SPARK is neither a master" in str(fault(given))


def test_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install Java 17 or newer" in str(fault(settings("local[1]", tmp_path)))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert f"no bin/java in JAVA_HOME={tmp_path}" in str(fault(settings("local[1]", tmp_path)))


@pytest.mark.parametrize("missing", ["deltalake", "grpc", "obstore", "pyspark"])
def test_no_extra(missing: str, tmp_path: Path) -> None:
    program = f"""
import sys

sys.modules[{missing!r}] = None
from film_assets.engines import peek
from film_assets.errors import FilmAssetsError
from film_assets.settings import load_settings

settings = load_settings(engine="spark")
try:
    peek(settings, settings.kept_in)
except FilmAssetsError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == (
        f"no {missing} is installed, which Spark needs: pip install 'film-assets[spark]'\n",
        "",
    )


def test_nobody_answers(tmp_path: Path) -> None:
    for address in (f"spark://127.0.0.1:{CLOSED_PORT}", f"sc://127.0.0.1:{CLOSED_PORT}"):
        error = fault(settings(address, tmp_path, wait=1))
        assert isinstance(error, TransientError)
        assert f"does not answer at {address} within 1 s" in str(error)


def test_no_token_is_shown(tmp_path: Path) -> None:
    for parameters in (f";token={TOKEN}", f"x;token={TOKEN}", f";token={TOKEN};use_ssl=nonsense"):
        error = fault(settings(f"sc://127.0.0.1:{CLOSED_PORT}/{parameters}", tmp_path, wait=1))
        assert TOKEN not in "".join(traceback.format_exception(error))


def test_no_executor_is_given(cluster: Cluster, tmp_path: Path) -> None:
    too_large = cluster.configuration("too-large", spark_executor_memory="1000g")
    with cluster.environment(SPARK_CONF_DIR=str(too_large)):
        error = fault(settings(cluster.url, tmp_path, wait=2))
    assert isinstance(error, TransientError)
    assert "Spark had no executor in 2 s: see in Spark's web UI whether workers are up" in str(error)


def test_executors_that_die_again_and_again(cluster: Cluster, tmp_path: Path) -> None:
    too_small = cluster.configuration("too-small", spark_executor_extraJavaOptions="-XX:MaxDirectMemorySize=100m")
    with cluster.environment(SPARK_CONF_DIR=str(too_small)):
        error = fault(settings(cluster.url, tmp_path, wait=15))
    assert "Spark's executors end again and again, and completed nothing in 15 s" in str(error)


def test_executors_without_the_libraries(cluster: Cluster, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    with cluster.environment(PYSPARK_PYTHON=str(tmp_path / "bare" / "bin" / "python")):
        said = str(fault(settings("local[1]", tmp_path)))
    assert "has no polars, pyarrow, numpy, narwhals, obstore: pip install 'film-assets[spark]' there" in said


def test_executors_with_another_python(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.environment(PYSPARK_PYTHON=another_python()):
        said = str(fault(settings("local[1]", tmp_path)))
    assert "set PYSPARK_PYTHON to the same minor version" in said


def another_python() -> str:
    """An interpreter of another minor version that Spark could run."""
    for minor in {11, 12, 13, 14} - {sys.version_info.minor}:
        pyenv = (Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/python")
        for found in (*pyenv, f"python3.{minor}"):
            with suppress(OSError):
                if subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
                    return str(found)
    pytest.skip("there is no Python of another minor version on this machine")
