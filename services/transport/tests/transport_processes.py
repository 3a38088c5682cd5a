"""Processes that the tests start: a Redis, a worker, the gateway stub."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from contract_test.transports.embedded import redis_program


def wait_until(true: Callable[[], object], what: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def asked_until(true: Callable[[], object], ask: Callable[[], object]) -> Callable[[], bool]:
    """Return a condition that asks for what it waits for: again at once if refused, and if nothing came of it in 10 s."""
    ask_at = 0.0

    def is_true() -> bool:
        nonlocal ask_at
        if true():
            return True
        if time.monotonic() >= ask_at:
            try:
                ask()
                ask_at = time.monotonic() + 10
            except ResponseError:  # not yet possible, or under way
                ask_at = time.monotonic() + 0.5
        return False

    return is_true


def is_master(redis: Redis) -> bool:
    with suppress(RedisConnectionError):  # a sentinel closes all connections of the server that it promotes
        return bool(redis.info("replication")["role"] == "master")
    return False


class RedisServer:
    """A redis-server process on a free loopback port, in a directory of its own."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory, self.options, self.port = directory, options, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> RedisServer:
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        where += ["--repl-diskless-sync-delay", "0"]
        options = self.options or ("--save", "")
        self.process = subprocess.Popen([redis_program()[0], *where, *options], stdout=subprocess.DEVNULL)
        with Redis(port=self.port) as client:
            wait_until(lambda: answers(client), "Redis answers")
        return self

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextmanager
def sentinel(home: Path, master: RedisServer, down_after: int = 1000, timeout: int = 5000) -> Iterator[Redis]:
    """A sentinel that knows the pair of a master as `mymaster`. Times are in milliseconds."""
    port, configuration = free_port(), home / "sentinel.conf"
    configuration.write_text(
        f"port {port}\nsentinel monitor mymaster 127.0.0.1 {master.port} 1\n"
        f"sentinel down-after-milliseconds mymaster {down_after}\nsentinel failover-timeout mymaster {timeout}\n"
    )
    command = [redis_program()[0], str(configuration), "--sentinel"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Redis(port=port) as client:
            wait_until(lambda: answers(client), "the sentinel")
            yield client
    finally:
        running.kill()
        running.wait()


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except Exception:  # noqa: BLE001 - not there yet, loading
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(*arguments: str) -> subprocess.Popen[str]:
    """`python -m …`."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m …`, ended with the test."""
    with start(*arguments) as running:
        try:
            yield running
        finally:
            running.kill()


def wait_ready(worker: subprocess.Popen[str]) -> None:
    assert worker.stderr is not None
    for line in worker.stderr:
        if '"event": "ready"' in line:
            return
    raise AssertionError(f"the worker ended with {worker.wait()}")


class Stub:
    """The gateway stub in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ledger(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/ledger") as answer:
            rows: list[dict[str, Any]] = json.load(answer)
        return rows
