"""A Redis Cluster: whichever node the URL names, the messages are read from the node that holds the key."""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from brokers import choice
from brokers.certificates import certificates
from record.runs import QUEUE, copy_of_contracts, job, run
from record.waiting import wait_until
from redis import Redis, RedisCluster, RedisError

from contract_test.transports.embedded import redis_program
from contract_test.transports.processes import Child, ChildFailedError, free_port, running


@contextlib.contextmanager
def cluster(
    folder: Path, options: list[object], as_client: Mapping[str, object], port: str = "--port"
) -> Iterator[list[int]]:
    """Run two nodes that share the slots, and give their ports."""
    with ExitStack() as stack:
        buses = {free_port(): free_port() for _ in range(2)}
        for at, bus in buses.items():
            home = folder / str(at)
            home.mkdir()
            command = [redis_program()[0], port, at, "--bind", "127.0.0.1", "--dir", home, "--save", ""]
            command += ["--cluster-enabled", "yes", "--cluster-port", bus, *options]

            def answers(child: Child, at: int = at) -> bool:
                try:
                    with Redis("127.0.0.1", at, **as_client) as redis:
                        return bool(redis.info("server")["process_id"] == child.pid)
                except RedisError:
                    return False

            stack.enter_context(running(list(map(str, command)), ready=answers, seconds_to_start=60))
        ports = list(buses)
        clients = [stack.enter_context(Redis("127.0.0.1", each, decode_responses=True, **as_client)) for each in ports]
        clients[0].execute_command("CLUSTER ADDSLOTSRANGE", 0, 8191)
        clients[1].execute_command("CLUSTER ADDSLOTSRANGE", 8192, 16383)
        clients[0].execute_command("CLUSTER MEET", "127.0.0.1", ports[1], buses[ports[1]])
        wait_until(lambda: all(each.cluster("info")["cluster_state"] == "ok" for each in clients))
        yield ports


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    with cluster(tmp_path_factory.mktemp("cluster"), [], {}) as ports:
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


def on_all(nodes: list[int], *words: str) -> None:
    for port in nodes:
        with Redis(port=port) as redis:
            redis.execute_command(*words)


@pytest.mark.parametrize("protocol", ["redis-list", "redis-stream"])
def test_a_user_who_may_only_read_the_key_reads_it_through_any_node_or_is_told_what_it_lacks(tmp_path, nodes, protocol):
    contracts = copy_of_contracts(tmp_path)
    path = contracts / "catalog.toml"
    path.write_text(path.read_text().replace("redis-list", protocol).replace(QUEUE, f"jobs:{protocol}"))
    key, may = f"jobs:{protocol}", "+lrange" if protocol == "redis-list" else "+xrange"
    with RedisCluster("127.0.0.1", nodes[0]) as client:
        for number in range(3):
            client.rpush(key, job(number)) if protocol == "redis-list" else client.xadd(key, {"data": job(number)})

    def results() -> list[tuple[int, str]]:
        urls = [f"redis://recorder:s3cret@127.0.0.1:{port}" for port in nodes]
        return [run("verify", url, "--contracts", contracts, "--channel", "transport") for url in urls]

    on_all(nodes, "ACL", "SETUSER", "recorder", "reset", "on", ">s3cret", f"~{key}", may)
    outcomes = results()
    assert sorted(code for code, _ in outcomes) == [0, 3], "the node that holds the key needs no more"
    refused = next(text for code, text in outcomes if code == 3)
    assert "ACL SETUSER name +cluster|slots +command" in refused
    assert "s3cret" not in refused
    on_all(nodes, "ACL", "SETUSER", "recorder", "+cluster|slots", "+command")
    for code, text in results():
        assert (code, "3 read, 0 drifted" in text) == (0, True), text


def test_a_cluster_behind_tls(tmp_path, record_property):
    made = certificates(tmp_path)
    files = ["--tls-cert-file", made.chain, "--tls-key-file", made.key, "--tls-ca-cert-file", made.authority]
    as_client = {"ssl": True, "ssl_ca_certs": str(made.authority)}
    with ExitStack() as stack:
        options = ["--port", 0, "--tls-cluster", "yes", "--tls-auth-clients", "no", *files]
        try:
            nodes = stack.enter_context(cluster(tmp_path, options, as_client, "--tls-port"))
        except ChildFailedError:
            advice = "install one that has it (Debian: apt-get install redis-server)"
            pytest.skip(choice.do_without("a Redis with TLS", advice, record_property))
        client = stack.enter_context(RedisCluster("127.0.0.1", nodes[0], **as_client))
        client.rpush(QUEUE, job(1))
        contracts = copy_of_contracts(tmp_path)
        for port in nodes:
            url = f"rediss://127.0.0.1:{port}?ssl_ca_certs={made.authority}"
            code, text = run("record", url, "--contracts", contracts, "--channel", "transport")
            assert (code, "1 read" in text) == (0, True), text
