"""Redis 6.2, the one on the PATH and Valkey: each does what the toolkit's taps and the services' scripts ask for."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from brokers import choice
from brokers.each_redis import KINDS, path_with, program_of
from redis import Redis
from redis.exceptions import NoPermissionError

from contract_test.data.reading import Reading
from contract_test.files.catalog import load_catalog
from contract_test.transports.embedded import Server, redis_server
from contract_test.transports.processes import free_port
from contract_test.transports.taps import tap

ROOT = Path(__file__).parents[2]
QUEUE = "resque:queue:transport"
TRANSPORT_ACL = "~resque:* ~{resque:* +@read +@write +@connection -@dangerous +eval +evalsha +info +time"
Record = Callable[[str, object], None]


@pytest.fixture(params=KINDS)
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> Iterator[Server]:
    program = program_of(request.param)
    if program is None:
        pytest.skip(choice.do_without(f"{request.param}'s Redis", KINDS[request.param], record_property))
    monkeypatch.setenv("PATH", path_with(program, tmp_path))
    with redis_server() as running:
        record_property(choice.RAN_ON, running.description.partition(" (")[0])
        yield running


def job() -> bytes:
    data = {
        "delivery_id": "d-000001",
        "kind": "push",
        "recipient": {"person_id": "p-ana001", "phone": "+4915112345678"},
        "text": "Bo likes your message",
        "enqueued_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        "caused_by": "l-5d21e0",
    }
    return json.dumps({"class": "DeliveryRequested", "args": [data]}).encode()


def test_a_user_who_may_only_read_the_queue_records_it(server: Server) -> None:
    address = server.address.removeprefix("redis://")
    channel = load_catalog(ROOT / "contracts").channels["transport"]
    with Redis.from_url(server.address) as admin:
        queued = job()
        admin.rpush(QUEUE, queued)
        assert f"ACL SETUSER recorder on >… ~{QUEUE} +lrange" in (ROOT / "docs" / "record.md").read_text()
        rules = f"on >secret ~{QUEUE} +lrange".split()
        admin.execute_command("ACL", "SETUSER", "recorder", *rules)
        with Redis.from_url(f"redis://recorder:secret@{address}") as recorder, pytest.raises(NoPermissionError):
            recorder.lpop(QUEUE)
        (read,) = tap(f"redis://recorder:secret@{address}", channel, Reading(limit=10))
        assert bytes(read.wire) == queued
        assert admin.llen(QUEUE) == 1


def test_the_transport_delivers_with_the_rights_that_its_readme_names(server: Server) -> None:
    """EVAL, EVALSHA, BLMOVE and the rest of the worker's commands."""
    assert f"on >password {TRANSPORT_ACL}" in (ROOT / "services/transport/README.md").read_text()
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"
    address = server.address.removeprefix("redis://")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "services" / "transport" / "src")}

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def delivered() -> int:
        try:
            with urllib.request.urlopen(f"{gateway}/ledger", timeout=5) as answer:
                return len(json.load(answer))
        except OSError:
            return 0

    with Redis.from_url(server.address) as admin:
        admin.rpush(QUEUE, job())
        admin.execute_command("ACL", "SETUSER", "transport", "on", ">password", *TRANSPORT_ACL.split())
        worker_url = f"redis://transport:password@{address}"
        with (
            start("transport.gateway_stub", "--port", str(port)) as stub,
            start("transport", "--redis", worker_url, "--gateway", gateway) as worker,
        ):
            deadline = time.monotonic() + 30
            while not delivered() and time.monotonic() < deadline and worker.poll() is None:
                time.sleep(0.05)
            count = delivered()
            worker.terminate()
            stub.terminate()
            _, said = worker.communicate()
        assert count == 1, said.decode()
        assert admin.llen(QUEUE) == 0
