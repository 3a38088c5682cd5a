"""Three masters and a replica that make a real Redis Cluster, and workers on it."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from redis import Redis, RedisCluster
from redis.asyncio.connection import Connection
from redis.crc import key_slot
from transport_processes import RedisServer, asked_until, free_port, is_master, wait_until
from transport_support import QUEUE, key, resque, running_worker, settled, until

from contract_test.transports.embedded import redis_program
from transport.__main__ import main
from transport.connection import REDIS_UNAVAILABLE, connected
from transport.gateway_stub import GatewayStub
from transport.limiter import Limits


@dataclass
class Nodes:
    """The nodes of a Cluster. `master` and then `replica` hold the slot of the queue."""

    master: RedisServer
    replica: RedisServer

    @property
    def url(self) -> str:
        return self.master.url


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Nodes]:
    """The smallest Cluster that can fail over: a majority of three masters elects the replica of the dead one."""
    version = subprocess.run([redis_program()[0], "--version"], capture_output=True, check=True).stdout
    if b"v=6." in version:
        pytest.skip("NOT RUN on Redis 6: a node cannot choose the port of its cluster bus there")
    options = ["--cluster-enabled", "yes", "--save", "", "--cluster-node-timeout", "2000"]
    options += ("--cluster-replica-validity-factor", "0")  # a replica may take over however long its master was away
    with ExitStack() as stack:
        nodes = []
        for number in range(4):
            home = tmp_path / str(number)
            home.mkdir()
            nodes.append(RedisServer(home, *options, "--cluster-port", str(free_port())).start())
            stack.callback(nodes[-1].stop)
        *masters, replica = nodes
        addresses = [f"127.0.0.1:{node.port}" for node in nodes]
        ask_cluster("--cluster", "create", *addresses[:3], "--cluster-yes")
        wait_until(lambda: all(is_whole(node, 3) for node in masters), "the cluster")
        master = next(node for node in masters if holds(node, key_slot(QUEUE.encode())))
        name = ask_cluster("-p", str(master.port), "cluster", "myid").strip()
        ask_cluster("--cluster", "add-node", addresses[3], addresses[0], "--cluster-slave", "--cluster-master-id", name)
        wait_until(lambda: all(is_whole(node, 4) for node in nodes), "the cluster with the replica")
        wait_until(lambda: "master_link_status:up" in ask_cluster("-p", str(replica.port), "info"), "the replica")
        yield Nodes(master, replica)


def ask_cluster(*arguments: str) -> str:
    """Run redis-cli and return its output."""
    command = ["redis-cli", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=120).stdout


def is_whole(node: RedisServer, nodes: int) -> bool:
    """Whether a node knows every other and who holds which slots."""
    info = ask_cluster("-p", str(node.port), "cluster", "info").split()
    return {"cluster_state:ok", f"cluster_known_nodes:{nodes}", "cluster_slots_ok:16384"} <= set(info)


def holds(node: RedisServer, slot: int) -> bool:
    """Whether a node is the master of a slot."""
    rows = ask_cluster("-p", str(node.port), "cluster", "nodes").splitlines()
    (own,) = [row.split() for row in rows if "myself" in row]
    return any(int(first) <= slot <= int(last) for first, _, last in (each.partition("-") for each in own[8:]))


def test_the_keys_beside_a_queue_are_in_its_slot() -> None:
    names = ("in-flight:w", "leases", "scheduled", "waiting-jobs", "attempts", "quarantine", "counts", "claim:d-000001")
    assert {key_slot(key(name).encode()) for name in names} == {key_slot(QUEUE.encode())}


def test_workers_deliver_from_a_cluster(cluster: Nodes) -> None:
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


def test_a_connection_that_another_task_closes_meanwhile_is_an_error_of_redis(
    cluster: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def walk() -> None:
        async with connected(cluster.url, cluster=True) as redis:
            assert await redis.call(("SET", "{a}b", "1")) == [True]
            with monkeypatch.context() as patch:
                patch.setattr(Connection, "is_connected", True)  # it was, when the task looked
                for node in redis.get_nodes():
                    await node.disconnect()
                with pytest.raises(REDIS_UNAVAILABLE, match="the connection was closed"):
                    await redis.call(("GET", "{a}b"))
            assert await redis.call(("GET", "{a}b")) == [b"1"]

    asyncio.run(walk())


@pytest.mark.parametrize("how", ["asked", "the master is killed"])
def test_workers_follow_a_failover_of_their_cluster(cluster: Nodes, how: str) -> None:
    """Two workers deliver while the replica takes over the slot of their queue."""
    stub = GatewayStub()

    async def walk() -> None:
        limits = Limits(rate=200)
        async with (
            stub.serving() as url,
            running_worker(cluster.url, url, limits=limits, cluster=True) as first,
            running_worker(cluster.url, url, limits=limits, cluster=True) as second,
        ):
            with Redis(port=cluster.master.port) as old, Redis(port=cluster.replica.port) as new:
                old.rpush(QUEUE, *(resque(number) for number in range(300)))
                old.wait(1, 10_000)
                await until(lambda: len(stub.ledger) > 50, "some work")
                failed_over: Callable[[], bool] = partial(is_master, new)
                if how == "asked":
                    failed_over = asked_until(failed_over, lambda: new.execute_command("CLUSTER", "FAILOVER"))
                else:
                    cluster.master.process.kill()
                await until(failed_over, "the failover")
                new.rpush(QUEUE, *(resque(number) for number in range(300, 350)))
                await until(lambda: len(stub.ledger) == 350, "all")
                await until(lambda: first.state.in_flight == second.state.in_flight == 0, "the workers are idle")
                await until(lambda: settled(new), "all settled")
                assert new.zcard(key("leases")) == 2

    asyncio.run(walk())
    assert set(stub.ledger) == {f"d-{number:06}" for number in range(350)}
    print(sum(row.requests > 1 for row in stub.ledger.values()), "sent again under the same key")


def test_queues_in_different_slots_are_refused_at_start(capsys: pytest.CaptureFixture[str]) -> None:
    """One delivery must be sent once whatever queue it comes by, and a script cannot see two slots."""
    options = ["--redis", "redis://127.0.0.1:1/0", "--gateway", "http://127.0.0.1:1", "--cluster"]
    with pytest.raises(SystemExit) as ended:
        main([*options, "--queue", "urgent", "--queue", "transport"])
    assert ended.value.code == 2
    assert "need one hash tag" in capsys.readouterr().err
