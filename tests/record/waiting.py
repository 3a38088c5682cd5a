"""Waiting for what a server does."""

import time
from collections.abc import Callable

SECONDS = 90


def wait_until(found: Callable[[], bool]) -> None:
    """Ask again and again until the answer is True."""
    deadline = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)
