"""A Redis of the tests' own, the worker and the gateway as processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

QUEUE = "resque:queue:transport"


class RedisServer:
    """A redis-server process on a free loopback port, in a directory of its own."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory, self.options, self.port = directory, options, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        where = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory))
        self.process = subprocess.Popen(
            ["redis-server", *where, "--save", "", *self.options], stdout=subprocess.DEVNULL
        )
        with Redis(port=self.port) as client:
            wait_until(lambda: answers(client), "Redis answers")

    def stop(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait()


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except OSError:
        return False
    except Exception:  # noqa: BLE001 - loading, not there yet
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], object], what: str, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m …`, ended with the test."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as running:
        try:
            yield running
        finally:
            running.kill()


class Stub:
    """The gateway stub in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ledger(self) -> list[dict[str, object]]:
        with urllib.request.urlopen(f"{self.url}/ledger") as answer:
            rows: list[dict[str, object]] = json.load(answer)
        return rows


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def stub() -> Iterator[Stub]:
    with process("transport.gateway_stub") as running:
        assert running.stdout is not None
        yield Stub(running.stdout.readline().strip())
