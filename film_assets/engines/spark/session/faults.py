"""What Spark raises, as one line: what happened, without the stack of a JVM.

Belongs here: finding the cause in the texts of Spark, py4j and gRPC. Does not belong here: what is told before Spark is asked
(``classic``, ``connect``), and that executors lack something (``executors``).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from film_assets import errors
from film_assets.common.redaction import redacted
from film_assets.errors import FilmAssetsError, TransientError

_LONGEST = 300

_STACK = re.compile(r"\n\s*(?:JVM stacktrace:|Driver stacktrace:|at [\w.$/]+\()")
_CAUSED_BY = re.compile(r"^Caused by: (.+)$", re.MULTILINE)
_RAISED = re.compile(r"^([\w.]+(?:Error|Exception|Interrupt|Exit|Warning)\b:? ?.*)$", re.MULTILINE)
_OURS = re.compile(r"^film_assets\.errors\.(\w+): (.+)$", re.MULTILINE)
_LOST = re.compile(
    r"SparkContext (?:was|has been) (?:shut ?down|stopped|cancelled)|stopped SparkContext|Master removed our application"
    r"|SESSION_(?:CLOSED|NOT_FOUND|CHANGED)|StatusCode\.UNAVAILABLE|OPERATION_NOT_FOUND|RETRIES_EXCEEDED|Connection refused"
)
_JAVA_CLASS = re.compile(r"^(?:[a-z]\w*\.)+(?=[A-Z])")

_ADVICE = (
    (
        re.compile(r"PYTHON_VERSION_MISMATCH"),
        "the executors' Python is of another version than this one: set PYSPARK_PYTHON to the same minor version, there and here",
    ),
    (
        re.compile(r"No module named '?(pyarrow|polars|narwhals|numpy|obstore|pyspark|py4j)"),
        "the executors' Python has no {0}: pip install 'film-assets[spark]' there, or set PYSPARK_PYTHON to a Python that has it",
    ),
    (
        re.compile(r"""Cannot run program "([^"]+)".*No such file"""),
        "the executors have no Python {0}: set PYSPARK_PYTHON to the one they have",
    ),
    (
        re.compile(r"Error from python worker:\s+(\S.*)"),
        "the executors' Python does not run ({0}): set PYSPARK_PYTHON to one that does",
    ),
    (
        re.compile(r"OutOfMemoryError|exceeding memory limits|OOMKilled"),
        "Spark ran out of memory: raise spark.executor.memory or spark.driver.memory in spark-defaults.conf",
    ),
    (re.compile(r"No space left on device"), "Spark ran out of disk: free some, or set spark.local.dir to where there is more"),
)


@contextmanager
def readable_spark_faults(where: str = "") -> Iterator[None]:
    """Raise what Spark raises in the block as an error of ours, one line long.

    Our own errors pass as they are, also those that were raised on an executor.

    Args:
        where: Where more is said, if that is known: a log file, or the address of Spark's web UI.

    Raises:
        TransientError: The driver or the server died, or the connection to it.
        FilmAssetsError: Anything else that Spark raised; the text says what.
    """
    try:
        yield
    except FilmAssetsError:
        raise
    except Exception as error:
        fault = readable(error, where)
        if fault is None:
            raise
        raise fault from None  # Spark's own text is pages long


def readable(error: Exception, where: str = "") -> FilmAssetsError | None:
    """The error as one of ours; None if it is not Spark's."""
    if not _is_sparks(error):
        return None
    text = _text(error)
    if (ours := _ours(text)) is not None:
        return ours
    more = f"; more in {where}" if where else ""
    for pattern, advice in _ADVICE:
        if found := pattern.search(text):
            return FilmAssetsError(advice.format(*found.groups()))
    cause = _shortened(redacted(_cause(text)))
    if _is_lost(error) or _LOST.search(text):
        return TransientError(f"the connection to Spark was lost, or Spark ended: {cause}; run again{more}")
    return FilmAssetsError(f"Spark failed: {cause}{more}")


def _text(error: Exception) -> str:
    """What it says; an error of Java's is asked for it, and no driver may be there any more that answers."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001
        return "Connection refused"


def _is_sparks(error: Exception) -> bool:
    return any(kind.__module__.partition(".")[0] in {"pyspark", "py4j", "grpc"} for kind in type(error).__mro__) or (
        isinstance(error, ConnectionError) and _raised_in(error, "py4j")
    )


def _is_lost(error: Exception) -> bool:
    """Whether nothing answers any more: what sockets say, and py4j where it has no error of Java's to tell."""
    return isinstance(error, ConnectionError) or type(error).__name__ in {"Py4JError", "Py4JNetworkError"}


def _raised_in(error: Exception, package: str) -> bool:
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_globals.get("__name__", "").partition(".")[0] == package:
            return True
        frame = frame.tb_next
    return False


def _ours(text: str) -> FilmAssetsError | None:
    """The error of ours that was raised on an executor."""
    if not (found := _OURS.search(text)):
        return None
    kind = getattr(errors, found[1], FilmAssetsError)
    return kind(found[2]) if issubclass(kind, FilmAssetsError) else None


def _cause(text: str) -> str:
    """The line that says it: the last exception of a Python traceback, else the innermost cause in Java, else the first line."""
    if "Traceback (most recent call last)" in text and (raised := _RAISED.findall(_STACK.split(text, maxsplit=1)[0])):
        return str(raised[-1])
    if causes := _CAUSED_BY.findall(text):
        return _JAVA_CLASS.sub("", causes[-1])
    lines = [line.strip() for line in _STACK.split(text, maxsplit=1)[0].splitlines() if line.strip()]
    said = lines[1] if len(lines) > 1 and lines[0].startswith("An error occurred while calling") else (lines or ["no reason"])[0]
    return _JAVA_CLASS.sub("", said.removeprefix(": "))


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 4]} ..."
