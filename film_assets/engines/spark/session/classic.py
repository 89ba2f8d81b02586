"""A driver of our own: a JVM beside this process, on a local master or a cluster.

Belongs here: starting and ending it, and what its status tracker says. Does not belong here: a server's sessions (``connect``).
"""

import os
import shutil
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

from film_assets.engines.spark.session.faults import readable
from film_assets.engines.spark.session.watch import Figures, Stage
from film_assets.errors import FilmAssetsError, SettingsError, TransientError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_DRIVER = {
    "spark.app.name": "film_assets",
    "spark.scheduler.mode": "FAIR",
    "spark.ui.showConsoleProgress": "false",  # its log is a file
}
"""What is set for the driver; what is set for its session, stands in ``session``."""

_CLOSE_SECONDS = 15
_REGISTER_SECONDS = 60
"""How long a driver may take to start and to register with a master that listens, however little is waited for executors."""

_LISTEN_SECONDS = 5.0
_AGAIN_SECONDS = 0.2
_NO_JAVA = "Spark needs Java: install Java 17 or newer"


class Driver:
    """A Spark application whose driver is a JVM beside this process.

    Attributes:
        spark: Its session.
        where: Where more is said: the file of its log.
    """

    def __init__(self, master: str, conf: dict[str, str], log: Path, seconds: float) -> None:
        """Start it.

        Raises:
            SettingsError: Spark cannot do with this master.
            TransientError: No master answers within these seconds.
            FilmAssetsError: There is no Java, or the driver does not start.
        """
        find_java()
        if "SPARK_REMOTE" in os.environ:
            raise SettingsError(f"SPARK_REMOTE is set, but FILM_ASSETS_SPARK={master} is no address of Spark Connect: unset one")
        self.where = str(log)
        self._log = log
        self._master = master
        _await_master(master, seconds)
        with _on_this_machine_alone(master):
            self._gateway = self._launch({"spark.master": master, **_DRIVER, **conf})
            try:
                self.spark = self._connect(seconds)
            except BaseException:
                self._end()
                raise

    @property
    def application(self) -> dict[str, str]:
        """Its id, master and web UI."""
        context = self.spark.sparkContext
        found = {"application": context.applicationId, "master": self._master, "ui": context.uiWebUrl}
        return {name: value for name, value in found.items() if value}

    def look(self) -> Figures:
        """How far the stages under way are; what cannot be asked any more is at nothing."""
        from py4j.protocol import Py4JError

        try:
            tracker = self.spark.sparkContext.statusTracker()
            executors = len(tracker.getExecutorInfos())
            found = [info for stage in tracker.getActiveStageIds() if (info := tracker.getStageInfo(stage))]
        except (Py4JError, OSError, AttributeError):  # AttributeError: pyspark's context, once it is stopped
            return Figures()
        stages = {(info.stageId, info.currentAttemptId): Stage(info.numTasks, info.numCompletedTasks) for info in found}
        return Figures(stages, sum(info.numActiveTasks for info in found), executors)

    @contextmanager
    def pool(self, name: str) -> Iterator[None]:
        """Jobs that this thread starts in the block share the executors fairly with those of other pools."""
        context = self.spark.sparkContext
        context.setLocalProperty("spark.scheduler.pool", name)
        try:
            yield
        finally:
            with suppress(Exception):  # the driver may have died in the block, which says so itself
                context.setLocalProperty("spark.scheduler.pool", None)  # type: ignore[arg-type]  # which takes it off

    def send(self, package: Path) -> None:
        """Let executors import from this file."""
        self.spark.sparkContext.addPyFile(str(package))

    def cancel(self) -> None:
        """Cancel all jobs."""
        with suppress(Exception):  # nothing to cancel in a driver that is dead
            self.spark.sparkContext.cancelAllJobs()

    def close(self) -> None:
        """End the application and its JVM, in bounded time whatever state they are in."""
        context = self.spark.sparkContext
        with _or_else(_CLOSE_SECONDS, self._gateway.proc.kill), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # that a dead JVM cannot be shut down cleanly
            for stop in (self.spark.stop, context.stop):  # the first gives up half way if the JVM is dead
                with suppress(Exception):
                    stop()
        self._end()

    def _launch(self, conf: dict[str, str]) -> Any:
        from pyspark import SparkConf
        from pyspark.errors import PySparkRuntimeError
        from pyspark.java_gateway import launch_gateway

        given = SparkConf(loadDefaults=False).setAll(list(conf.items()))
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log, warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # pyspark leaves a pipe open to a driver that does not start
            try:
                return launch_gateway(given, {"stdout": log, "stderr": log})  # type: ignore[no-untyped-call]
            except PySparkRuntimeError:
                pass
        raise self._not_started()

    def _not_started(self) -> FilmAssetsError:
        said = self._log.read_text(errors="replace")
        if "UnsupportedClassVersionError" in said:
            return FilmAssetsError(f"{_NO_JAVA}; the one that was found is older")
        lines = [line.partition("Exception: ")[2] for line in said.splitlines() if "Exception: " in line]
        reason = f": {lines[0]}" if lines else ""
        return FilmAssetsError(f"Spark's driver does not start{reason}; more in {self.where}")

    def _connect(self, seconds: float) -> "SparkSession":
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        expired: list[bool] = []

        def end() -> None:
            expired.append(True)
            self._gateway.proc.kill()

        try:
            with _or_else(max(seconds, _REGISTER_SECONDS), end):
                context = SparkContext(gateway=self._gateway)
                # It would print a traceback if the JVM died, beside the error that says so.
                context._accumulatorServer.handle_error = lambda *_: None  # type: ignore[method-assign]  # noqa: SLF001
                return SparkSession(context)
        except Exception as error:
            fault = readable(error, self.where)
            if not expired and fault is None:
                raise
        if expired or isinstance(fault, TransientError) or "All masters are unresponsive" in str(fault):
            raise _no_answer(self._master, seconds)
        assert fault is not None
        raise fault

    def _end(self) -> None:
        """End the JVM, and let pyspark forget it: it keeps one for as long as the process lives, dead or alive."""
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        with suppress(Exception):
            self._gateway.shutdown()
        process = self._gateway.proc
        process.stdin.close()  # on which it ends by itself
        with _or_else(_CLOSE_SECONDS, process.kill):
            process.wait()
        SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None  # noqa: SLF001
        SparkSession._instantiatedSession = SparkSession._activeSession = None  # noqa: SLF001


def _await_master(master: str, seconds: float) -> None:
    """Wait until a standalone master listens; one of several is enough, the others stand by.

    Before the driver is started: it takes seconds to start, and a minute to give up.

    Raises:
        TransientError: None does within these seconds.
    """
    if not master.startswith("spark://"):
        return
    addresses = [address.rpartition(":") for address in master.removeprefix("spark://").split(",")]
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        for host, _, port in addresses:
            with suppress(OSError), socket.create_connection((host, int(port)), min(left, _LISTEN_SECONDS)):
                return
        time.sleep(min(left, _AGAIN_SECONDS))
    raise _no_answer(master, seconds)


def _no_answer(master: str, seconds: float) -> TransientError:
    return TransientError(
        f"Spark does not answer at {master} within {seconds:g} s: start it there, or set FILM_ASSETS_SPARK to where it is"
    )


def find_java() -> None:
    """Look for Java where Spark will: in ``JAVA_HOME``, else on the path.

    Raises:
        FilmAssetsError: There is none.
    """
    home = os.environ.get("JAVA_HOME")
    if home and not os.access(Path(home) / "bin" / "java", os.X_OK):
        raise FilmAssetsError(f"{_NO_JAVA}; there is no bin/java in JAVA_HOME={home}")
    if not home and not shutil.which("java"):
        raise FilmAssetsError(f"{_NO_JAVA}, or set JAVA_HOME to where it is")


@contextmanager
def _on_this_machine_alone(master: str) -> Iterator[None]:
    """There, executors run the interpreter that runs this, and nobody outside reaches the web UI, unless set otherwise."""
    wanted = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"} if master.startswith("local") else {}
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def _or_else(seconds: float, end: Any) -> Iterator[None]:
    """End what the block waits for, if it takes longer."""
    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
