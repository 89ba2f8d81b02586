"""A session on a Spark Connect server: no Java here, and the driver belongs to somebody else.

Belongs here: opening and ending the session, and what the server says of its progress. Does not belong here: a driver of our own
(``classic``).
"""

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from film_assets.engines.spark.session.watch import Figures, Stage
from film_assets.errors import SettingsError, TransientError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MODE = "SPARK_CONNECT_MODE_ENABLED"
"""The variable by which pyspark's functions know that the session is one of Spark Connect; pyspark sets it for good."""
_RETRIES = 8
"""Within about ten seconds: a server that starts anew has forgotten the session anyway."""


class Client:
    """A session on a server.

    Attributes:
        spark: The session.
        where: Where more is said; nowhere on this machine.
    """

    where = "the log of the Spark Connect server"

    def __init__(self, url: str, seconds: float) -> None:
        """Open it.

        Raises:
            SettingsError: The address is not well-formed; the text does not repeat what may hold a token.
            TransientError: No server answers within these seconds.
        """
        self._address = url.partition(";")[0].rstrip("/")
        self._operations: dict[str, Figures] = {}
        self._lock = Lock()
        self._await_server(url, seconds)
        self._mode = os.environ.get(_MODE)
        try:
            self.spark = self._open(url)
            self._try_again(_RETRIES)
        except BaseException:
            self._restore_mode()
            raise

    @property
    def application(self) -> dict[str, str]:
        """The id of the server's application, and its address without what may hold a token."""
        found = {"application": self.spark.conf.get("spark.app.id", None), "address": self._address}
        return {name: value for name, value in found.items() if value}

    def look(self) -> Figures:
        """How far the stages under way are, as the server last said."""
        with self._lock:
            under_way = list(self._operations.items())
        stages = {(name, key): stage for name, figures in under_way for key, stage in figures.stages.items()}
        return Figures(stages, sum(figures.running for _, figures in under_way))

    def pool(self, name: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Nothing: how jobs share the executors is the server's own setting, ``spark.scheduler.mode``."""
        return nullcontext()

    def send(self, package: Path) -> None:
        """Let executors import from this file."""
        self.spark.addArtifacts(str(package.absolute()), pyfile=True)

    def cancel(self) -> None:
        """Cancel all jobs of the session."""
        with suppress(Exception):  # nothing to cancel on a server that is dead
            self.spark.interruptAll()

    def close(self) -> None:
        """End the session; the server goes on."""
        self._try_again(1)
        with suppress(Exception):  # there is nothing to end on a server that is dead
            self.spark.stop()
        self._restore_mode()

    def _restore_mode(self) -> None:
        if self._mode is None:
            os.environ.pop(_MODE, None)

    def _await_server(self, url: str, seconds: float) -> None:
        import grpc
        from pyspark.errors import PySparkException
        from pyspark.sql.connect.client import DefaultChannelBuilder

        try:
            channel = DefaultChannelBuilder(url).toChannel()
        except (PySparkException, ValueError):
            channel = None
        if channel is None:
            raise SettingsError("FILM_ASSETS_SPARK: no address of Spark Connect, which is like sc://host:15002/;token=...")
        try:
            grpc.channel_ready_future(channel).result(seconds)
        except grpc.FutureTimeoutError:
            answers = False
        else:
            answers = True
        finally:
            channel.close()
        if not answers:
            raise TransientError(
                f"Spark Connect does not answer at {self._address} within {seconds:g} s: "
                "start its server there, or set FILM_ASSETS_SPARK to where it is"
            )

    def _open(self, url: str) -> "SparkSession":
        from pyspark.sql import SparkSession

        spark = SparkSession.builder.remote(url).create()
        spark.registerProgressHandler(self._note)  # type: ignore[arg-type]  # any callable does
        return spark

    def _try_again(self, times: int) -> None:
        """How often a server is tried that does not answer; pyspark does it for ten minutes."""
        from pyspark.sql.connect.client.retries import DefaultPolicy

        self.spark.client.set_retry_policies([DefaultPolicy(max_retries=times, backoff_multiplier=2, max_backoff=4000)])

    def _note(self, stages: Iterable[Any] | None, inflight_tasks: int, operation_id: str | None, done: bool) -> None:
        under_way = {
            stage.stage_id: Stage(stage.num_tasks, stage.num_completed_tasks) for stage in stages or () if not stage.done
        }
        with self._lock:
            if done:
                self._operations.pop(str(operation_id), None)
            else:
                self._operations[str(operation_id)] = Figures(under_way, inflight_tasks)
