"""A Redis Cluster: whichever node the URL names, the messages are read from the node that holds the key."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from record.runs import QUEUE, copy_of_contracts, job, run
from record.waiting import wait_until
from redis import Redis, RedisCluster, RedisError

from contract_test.transports.embedded import redis_program
from contract_test.transports.processes import Child, free_port, running


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """Run two nodes that share the slots, and give their ports."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("cluster")
        buses = {free_port(): free_port() for _ in range(2)}
        for port, bus in buses.items():
            home = folder / str(port)
            home.mkdir()
            command = [redis_program()[0], "--port", port, "--bind", "127.0.0.1", "--dir", home, "--save", ""]
            command += ["--cluster-enabled", "yes", "--cluster-port", bus]

            def answers(child: Child, at: int = port) -> bool:
                try:
                    with Redis(port=at) as redis:
                        return bool(redis.info("server")["process_id"] == child.pid)
                except RedisError:
                    return False

            stack.enter_context(running(list(map(str, command)), ready=answers, seconds_to_start=60))
        ports = list(buses)
        clients = [stack.enter_context(Redis(port=port, decode_responses=True)) for port in ports]
        clients[0].execute_command("CLUSTER ADDSLOTSRANGE", 0, 8191)
        clients[1].execute_command("CLUSTER ADDSLOTSRANGE", 8192, 16383)
        clients[0].execute_command("CLUSTER MEET", "127.0.0.1", ports[1], buses[ports[1]])
        wait_until(lambda: all(each.cluster("info")["cluster_state"] == "ok" for each in clients))
        yield ports


def test_record_and_verify_read_a_cluster_through_any_node_and_leave_it_as_it_was(tmp_path, nodes):
    contracts = copy_of_contracts(tmp_path)
    with RedisCluster("127.0.0.1", nodes[0]) as cluster:
        cluster.rpush(QUEUE, *[job(number) for number in range(60)])
        before = cluster.lrange(QUEUE, 0, -1)
        for port in nodes:
            url = f"redis://127.0.0.1:{port}/0"
            for command in ("record", "verify"):
                code, text = run(command, url, "--contracts", contracts, "--channel", "transport")
                assert code == 0, text
                assert "60" in text
        assert cluster.lrange(QUEUE, 0, -1) == before
        assert list(cluster.scan_iter()) == [QUEUE.encode()]
        cluster.delete(QUEUE)


def test_the_keys_of_a_pattern_are_found_on_every_node(tmp_path, nodes):
    contracts = copy_of_contracts(tmp_path)
    path = contracts / "catalog.toml"
    path.write_text(path.read_text().replace(QUEUE, "resque:queue:*"))
    with RedisCluster("127.0.0.1", nodes[0]) as cluster:
        for number in range(20):
            cluster.rpush(f"resque:queue:q{number}", job(number))
    code, text = run("verify", f"redis://127.0.0.1:{nodes[0]}", "--contracts", contracts, "--channel", "transport")
    assert code == 0, text
    assert "20 read" in text
