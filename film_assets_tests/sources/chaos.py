"""Faults that real networks and real users have, made to happen at a chosen moment.

Belongs here: a proxy that cuts connections, a file on a web server that answers wrongly, and a progress that acts in the middle
of a download.
"""

import math
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from werkzeug import Response

PIECE = 1 << 14


class CuttingProxy:
    """Passes TCP through to a port of this machine, and cuts connections by the number of bytes that came back.

    Attributes:
        port: Where it listens.
        passed: How many bytes came back through it so far.
        allowances: After so many bytes each, the connection that carried the last of them is cut; when all are
            used up, everything passes, or with ``math.nan`` at the end, nothing does.
    """

    def __init__(self, upstream: int, allowances: list[float]) -> None:
        self._upstream, self.allowances, self.passed = upstream, allowances, 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]

    @contextmanager
    def running(self) -> Iterator["CuttingProxy"]:
        self._threads[0].start()
        try:
            yield self
        finally:
            self._hang_up([self._listener, *self._open])
            for thread in self._threads:
                thread.join()
            self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is shut down
            while True:
                client, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._connect, args=(client,)))
                self._threads[-1].start()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._upstream)) as server:
            self._open |= {client, server}
            forth = threading.Thread(target=self._pass, args=(client, server, len))
            forth.start()
            self._pass(server, client, self._permitted)
            forth.join()
            self._open -= {client, server}

    def _pass(self, source: socket.socket, target: socket.socket, permitted: Callable[[bytes], int]) -> None:
        with suppress(OSError):  # either side has hung up
            while piece := source.recv(PIECE):
                target.sendall(piece[: permitted(piece)])
                if permitted is not len and self._is_cut():
                    break
        self._hang_up([source, target])

    def _permitted(self, piece: bytes) -> int:
        with self._lock:
            left = self.allowances[0] if self.allowances else math.inf
            count = 0 if math.isnan(left) else int(min(len(piece), left))
            self.passed += count
            if self.allowances:
                self.allowances[0] -= count
            return count

    def _is_cut(self) -> bool:
        with self._lock:
            if self.allowances[:1] == [0]:
                self.allowances.pop(0)
                return True
            return bool(self.allowances) and math.isnan(self.allowances[0])

    def _hang_up(self, sockets: list[socket.socket]) -> None:
        for each in sockets:
            with suppress(OSError):  # it is closed already
                each.shutdown(socket.SHUT_RDWR)


class Recorded:
    """Progress that keeps what it was told.

    Attributes:
        tasks: Each task's label and total, with the amounts it was advanced by.
    """

    def __init__(self) -> None:
        self.tasks: list[tuple[str, float | None, list[float]]] = []

    @contextmanager
    def task(self, label: str, total: float | None = None, unit: str = "") -> Iterator[Callable[[float], None]]:  # noqa: ARG002
        amounts: list[float] = []
        self.tasks.append((label, total, amounts))
        yield amounts.append


class Interrupting:
    """Progress that does something after the first bytes of every download, or of the first so many."""

    def __init__(self, action: Callable[[], object], times: float = math.inf) -> None:
        self._action, self._left = action, times

    @contextmanager
    def task(self, *_label_total_unit: object) -> Iterator[Callable[[float], None]]:
        acted = False

        def advance(amount: float) -> None:
            nonlocal acted
            if amount > 0 and not acted and self._left > 0:
                acted = True
                self._left -= 1
                self._action()

        yield advance


class WebFile:
    """A file on a web server, or a blob of an Azure account, with the faults it is told to have.

    Attributes:
        data: Its bytes.
        headers: Sent with every answer.
        ranges: Whether parts of it can be asked for.
        faults: Taken from the front, one for each GET: a status to answer; after how many bytes to cut the body, and what to do
            then; how many bytes to leave out at its end, or to repeat; or another ``Content-Range``, None for none.
        heads: The status of HEAD.
        sent: Of each GET, the range that was asked for, and on what condition.
    """

    def __init__(self, data, *, ranges=True, heads=200, **headers):
        self.data, self.ranges, self.heads, self.headers = data, ranges, heads, headers
        self.faults, self.sent = [], []

    def __call__(self, request):
        if request.method == "HEAD" and self.heads != 200:
            return Response(status=self.heads)
        response = Response(self.data, headers={name.replace("_", "-"): value for name, value in self.headers.items()})
        if "x-ms-range" in request.headers:
            request.environ["HTTP_RANGE"] = request.headers["x-ms-range"]
        if self.ranges:
            response.make_conditional(request, accept_ranges=True, complete_length=len(self.data))
        if request.if_match and not request.if_match.contains(response.get_etag()[0]):
            response = Response(status=412)
        return response if request.method == "HEAD" else self._spoilt(request, response)

    def _spoilt(self, request, response):
        self.sent.append((request.headers.get("Range"), request.headers.get("If-Range")))
        fault = self.faults.pop(0) if self.faults else None
        match fault:
            case ("status", status):
                return Response(status=status)
            case ("cut", count, *actions):
                for act in actions:
                    act()
                whole = response.get_data()
                headers = [*response.headers, ("Content-Length", str(len(whole)))]
                return Response(iter([whole[:count]]), response.status_code, dict(headers))
            case ("short", count):
                response.set_data(response.get_data()[:-count])
            case ("long", count):
                response.set_data(response.get_data() + response.get_data()[:count])
            case ("range", None):
                del response.headers["Content-Range"]
            case ("range", text):
                response.headers["Content-Range"] = text
        return response
