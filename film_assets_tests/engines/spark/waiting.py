"""Waiting for what another process does."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object]) -> None:
    """Wait until it holds; fails when it does not come to that."""
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.02)
