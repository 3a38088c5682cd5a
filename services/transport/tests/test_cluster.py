"""Three nodes that make a real Redis Cluster, and two workers on it."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import RedisCluster
from redis.crc import key_slot
from transport_processes import RedisServer, free_port, wait_until
from transport_support import GATEWAY_QUEUE, QUEUE, key, resque, running_worker, until

from contract_test.transports.embedded import redis_program
from transport.__main__ import main
from transport.gateway_stub import GatewayStub
from transport.limiter import Limits


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisServer]:
    version = subprocess.run([redis_program()[0], "--version"], capture_output=True, check=True).stdout
    if b"v=6." in version:
        pytest.skip("NOT RUN on Redis 6: a node cannot choose the port of its cluster bus there")
    options = ("--cluster-enabled", "yes", "--save", "", "--cluster-port")
    with ExitStack() as stack:
        nodes = []
        for number in range(3):
            home = tmp_path / str(number)
            home.mkdir()
            nodes.append(RedisServer(home, *options, str(free_port())).start())
            stack.callback(nodes[-1].stop)
        addresses = [f"127.0.0.1:{node.port}" for node in nodes]
        create = ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL, timeout=60)
        wait_until(lambda: all(whole(node) for node in nodes), "the cluster")
        yield nodes[0]


def whole(node: RedisServer) -> bool:
    """Whether a node knows every other and who holds which slots."""
    answer = subprocess.run(["redis-cli", "-p", str(node.port), "cluster", "info"], capture_output=True, check=True)
    return {b"cluster_state:ok", b"cluster_known_nodes:3", b"cluster_slots_ok:16384"} <= set(answer.stdout.split())


def test_the_keys_beside_a_queue_are_in_its_slot() -> None:
    names = ("in-flight:w", "leases", "scheduled", "waiting-jobs", "attempts", "quarantine", "counts", "claim:d-000001")
    assert {key_slot(key(name).encode()) for name in names} == {key_slot(QUEUE.encode())}
    assert key_slot(GATEWAY_QUEUE.encode()) == key_slot(QUEUE.encode())


def test_workers_deliver_from_a_cluster(cluster: RedisServer) -> None:
    stub = GatewayStub()
    with RedisCluster.from_url(cluster.url) as redis:
        redis.rpush(QUEUE, *(resque(number) for number in range(500)), b"nonsense", resque(500, kind="sms"))
        redis.rpush(
            "resque:queue:{resque:queue:transport}:low", *(resque(f"d-low{number:03}") for number in range(100))
        )

        async def walk() -> None:
            queues, limits = ("transport", "{resque:queue:transport}:low"), Limits(rate=2000)
            async with (
                stub.serving() as url,
                running_worker(cluster.url, url, queues=queues, limits=limits, cluster=True),
                running_worker(cluster.url, url, queues=queues, limits=limits, cluster=True),
            ):
                await until(lambda: len(stub.ledger) == 601, "all")

        asyncio.run(walk())
        assert redis.llen("resque:failed") == 1
        assert redis.get("resque:stat:processed") == b"602"
        assert int(redis.hget(key("counts"), "delivered")) == 501
        assert all(row.requests == 1 for row in stub.ledger.values())


def test_queues_in_different_slots_are_refused_at_start(capsys: pytest.CaptureFixture[str]) -> None:
    """One delivery must be sent once whatever queue it comes by, and a script cannot see two slots."""
    options = ["--redis", "redis://127.0.0.1:1/0", "--gateway", "http://127.0.0.1:1", "--cluster"]
    with pytest.raises(SystemExit) as ended:
        main([*options, "--queue", "urgent", "--queue", "transport"])
    assert ended.value.code == 2
    assert "need one hash tag" in capsys.readouterr().err
