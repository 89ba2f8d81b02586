"""The statistics API for tests: a real HTTP server, with the attempts of each day, and the faults that real ones have.

Belongs here: the server and rows as it delivers them. Does not belong here: what is tested.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLIENT, KEY = "Skillfactory", "CANARY-API-KEY"

Fault = Callable[["_Handler", bytes], None]


def row(user: str, at: str, *, correct: int | None = None, **other: Any) -> dict[str, Any]:
    """An attempt as the API delivers it."""
    passback = {
        "oauth_consumer_key": "",
        "lis_result_sourcedid": f"course-v1:SkillFactory+DSPR-2.0+14JULY2021:lms.skillfactory.ru:{user}",
        "lis_outcome_service_url": "https://lms.skillfactory.ru/courses/course-v1:SkillFactory+DSPR-2.0/xblock/handler",
    }
    attempt_type = "run" if correct is None else "submit"
    found = {"lti_user_id": user, "passback_params": str(passback), "is_correct": correct, "attempt_type": attempt_type}
    return {**found, "created_at": at, **other}


class Statistics:
    """The attempts of each day, and how the server behaves.

    Attributes:
        url: Where it is asked.
        days: Day -> its rows, or a text that is delivered as it is.
        faults: What happens to the next requests, in order: an HTTP status, or something done in place of an answer.
        single_days: Whether it answers only for the first day of a period.
        asked: The parameters of each request that was well-formed, without the key.
    """

    def __init__(self) -> None:
        self.url = ""
        self.days: dict[str, list[Any] | bytes] = {}
        self.faults: list[int | Fault] = []
        self.single_days = False
        self.asked: list[dict[str, str]] = []

    def body(self, start: str, end: str) -> bytes:
        """All rows of a period."""
        first = self.days.get(start[:10], [])
        if isinstance(first, bytes):
            return first
        wanted = [day for day in sorted(self.days) if start[:10] <= day <= (start if self.single_days else end)[:10]]
        return json.dumps([one for day in wanted for one in self.days[day]]).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    statistics: Statistics

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        asked = {name: value for name, (value,) in parse_qs(urlsplit(self.path).query).items()}
        key = asked.pop("client_key", "")
        self.statistics.asked.append(asked)
        body = self.statistics.body(asked["start"], asked["end"])
        fault = self.statistics.faults.pop(0) if self.statistics.faults else 200
        if callable(fault):
            with suppress(OSError):  # the client has given up
                fault(self, body)
        elif (asked["client"], key) != (CLIENT, KEY):
            self.answer(403, b"CANARY: who are you?")
        else:
            self.answer(fault, body if fault == 200 else b"CANARY: no")

    def answer(self, status: int, body: bytes, length: int | None = None) -> None:
        """An answer that says it is as long as it is, or as ``length``."""
        self.send_response(status)
        self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


def reset(handler: _Handler, body: bytes) -> None:
    """The connection is reset in the middle of the answer."""
    handler.answer(200, body[: len(body) // 2], len(body))
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def cut(handler: _Handler, body: bytes) -> None:
    """A part of the JSON comes as if it were all."""
    handler.answer(200, body[:-1].rpartition(b"}, {")[0] + b"},")


def drip(handler: _Handler, body: bytes) -> None:
    """Byte after byte comes, too slowly for ever to end, and never so slowly that a pause is suspicious."""
    handler.answer(200, b"", len(body))
    for index in range(len(body)):
        handler.wfile.write(body[index : index + 1])
        time.sleep(0.05)


def redirect(handler: _Handler, _body: bytes) -> None:
    """The client is sent elsewhere."""
    handler.send_response(302)
    handler.send_header("location", "http://127.0.0.1:9/elsewhere")
    handler.send_header("content-length", "0")
    handler.end_headers()


@contextmanager
def running() -> Iterator[Statistics]:
    """A server for as long as the block runs."""
    statistics = Statistics()
    handler = type("Handler", (_Handler,), {"statistics": statistics})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        statistics.url = f"http://127.0.0.1:{server.server_port}/api/statistics"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield statistics
        finally:
            server.shutdown()
            thread.join()
