"""A session of Spark, whichever way the settings reach it, ready to compute: executors are there and can land blobs.

Belongs here: which kind of session it is, what it needs to be set, and what the engine asks of it. Does not belong here: the two
kinds (``classic``, ``connect``), and any table.
"""

import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from film_assets.common.progress import Progress, Silent
from film_assets.engines.spark.session.executors import check_executors
from film_assets.engines.spark.session.extra import ensure_installed
from film_assets.engines.spark.session.faults import readable_spark_faults
from film_assets.engines.spark.session.package import write_package
from film_assets.engines.spark.session.watch import Figures, Watch
from film_assets.errors import FilmAssetsError, SettingsError, TransientError
from film_assets.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MASTER = re.compile(r"local(\[[^\]]+\])?|spark://[^/\s,]+:\d+(,[^/\s,]+:\d+)*|yarn|k8s://\S+")
_SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
"""What our results depend on; everything else is the user's: ``spark-defaults.conf`` in ``SPARK_CONF_DIR``, or the server's."""


class _Kind(Protocol):
    """What a session is made of, and what the two kinds of it do each in their own way."""

    spark: "SparkSession"
    where: str

    @property
    def application(self) -> dict[str, str]: ...

    def look(self) -> Figures: ...

    def pool(self, name: str) -> AbstractContextManager[None]: ...

    def send(self, package: Path) -> None: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...


class Session:
    """A session of Spark; ends with ``close``, or with the block it is the context of.

    Attributes:
        spark: The session, a classic one or one of Spark Connect.
        application: The application's id and address, and its web UI where there is one; nothing of it is secret.
    """

    def __init__(self, kind: _Kind, wait: float) -> None:
        self._kind = kind
        self._watch = Watch(kind.look, kind.cancel, wait)
        self._files = tempfile.TemporaryDirectory(prefix="film_assets-")  # whose files executors fetch when they start
        self.spark = kind.spark
        self.application: Mapping[str, str] = {}

    def percent(self) -> float:
        """How far the stages under way are; 0 where none is. May be asked from any thread."""
        return self._kind.look().percent

    def pool(self, name: str) -> AbstractContextManager[None]:
        """A block whose jobs, started by this thread, share the executors fairly with those of other pools.

        On Spark Connect it changes nothing: there the server's ``spark.scheduler.mode`` says how jobs share them.
        """
        return self._kind.pool(name)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A block whose jobs fail where they would wait for ever; what Spark raises in it becomes one line.

        May be used by several threads at once: if one of them waits in vain, so do all.

        Raises:
            TransientError: There was no executor for as long as is waited for one, or executors die again and again; or the
                driver or the server died.
            FilmAssetsError: Anything else that Spark raised.
        """
        try:
            with self._watch.on(), readable_spark_faults(self._kind.where):
                yield
        except FilmAssetsError:
            if not self._watch.fault:
                raise
            raise TransientError(self._watch.fault) from None

    def close(self) -> None:
        """End the session: of a driver of our own the application and its JVM, of a server only the session."""
        self._kind.close()
        self._files.cleanup()

    def _prepare(self) -> None:
        self.application = self._kind.application
        for name, value in _SESSION.items():
            self.spark.conf.set(name, value)
        self._kind.send(write_package(Path(self._files.name)))
        check_executors(self.spark)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_session(settings: Settings, progress: Progress | None = None) -> Session:
    """Open a session, and see that executors are there and have what is needed.

    Args:
        settings: Where Spark is, how long to wait for it, and, on this machine alone, how much memory it may use.
        progress: Shows that it is being waited for.

    Raises:
        SettingsError: ``FILM_ASSETS_SPARK`` is neither a master nor a Spark Connect address.
        TransientError: Spark cannot be reached, or gives no executor in time.
        FilmAssetsError: pyspark or Java is missing here, or a library on the executors.
    """
    ensure_installed()
    _ignore_warnings()
    with (progress or Silent()).task("starting Spark"):
        session = Session(_open_kind(settings), settings.spark_wait)
        try:
            with session.watched():
                session._prepare()  # noqa: SLF001
        except BaseException:
            session.close()
            raise
        return session


def _ignore_warnings() -> None:
    """Those of pyspark that say nothing to the user: an error follows, or nothing of ours goes through pandas."""
    warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]", UserWarning)
    warnings.filterwarnings("ignore", r"PySpark does not yet fully support pandas >= 3\.0\.0", FutureWarning)


def _open_kind(settings: Settings) -> _Kind:
    if settings.spark.startswith("sc://"):
        from film_assets.engines.spark.session.connect import Client

        with readable_spark_faults(Client.where):
            return Client(settings.spark, settings.spark_wait)
    if _MASTER.fullmatch(settings.spark):
        from film_assets.engines.spark.session.classic import Driver

        return Driver(settings.spark, _SESSION | _memory(settings), settings.kept_in.logs / "spark.log", settings.spark_wait)
    raise SettingsError(
        "FILM_ASSETS_SPARK is neither a master (local[*], spark://host:7077, yarn, k8s://...) nor a Spark Connect address "
        "(sc://host:15002)"
    )


def _memory(settings: Settings) -> dict[str, str]:
    """On this machine alone the driver computes, and has the memory that a refresh may use."""
    if settings.memory and settings.spark.startswith("local"):
        return {"spark.driver.memory": f"{int(settings.memory * 1024)}m"}
    return {}
