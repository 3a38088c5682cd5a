"""Servers behind TLS: read where their certificate is one of the authority that was named, else told why not."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import choice
from brokers.certificates import Certificates, certificates
from confluent_kafka import Producer
from record.runs import QUEUE, at_topic, copy_of_contracts, job, like, run
from redis import Redis, RedisError

from contract_test.transports.embedded import redis_program
from contract_test.transports.processes import Child, ChildFailedError, free_port, running


@pytest.fixture
def contracts(tmp_path):
    return copy_of_contracts(tmp_path)


@contextlib.contextmanager
def redis_behind_tls(folder: Path, made: Certificates) -> Iterator[str]:
    """Run a Redis that speaks nothing but TLS, and asks its clients for a certificate; gives HOST:PORT."""
    port = free_port()
    command = [
        redis_program()[0],
        "--bind",
        "127.0.0.1",
        "--port",
        0,
        "--tls-port",
        port,
        "--dir",
        folder,
        "--save",
        "",
    ]
    command += ["--tls-cert-file", made.chain, "--tls-key-file", made.key, "--tls-ca-cert-file", made.authority]

    def ready(child: Child) -> bool:
        try:
            with Redis(port=port, **as_client(made)) as redis:
                return bool(redis.info("server")["process_id"] == child.pid)
        except RedisError:
            return False

    with running(list(map(str, command)), ready=ready, seconds_to_start=10):
        yield f"127.0.0.1:{port}"


def as_client(made: Certificates) -> dict[str, object]:
    files = {"ssl_ca_certs": made.authority, "ssl_certfile": made.chain, "ssl_keyfile": made.key}
    return {"ssl": True, "ssl_check_hostname": False, **{name: str(path) for name, path in files.items()}}


def start_redis(stack, tmp_path, made, record_property):
    """Return the address of a Redis with TLS. Skip the test if there is none."""
    try:
        return stack.enter_context(redis_behind_tls(tmp_path, made))
    except ChildFailedError:
        advice = "install one that has it (Debian: apt-get install redis-server)"
        pytest.skip(choice.do_without("a Redis with TLS", advice, record_property))


def test_a_redis_behind_tls(contracts, tmp_path, record_property):
    made = certificates(tmp_path)
    options = f"ssl_certfile={made.chain}&ssl_keyfile={made.key}"
    with contextlib.ExitStack() as stack:
        server = start_redis(stack, tmp_path, made, record_property)
        redis = stack.enter_context(Redis(port=int(server.rpartition(":")[2]), **as_client(made)))
        redis.rpush(QUEUE, *[job(number) for number in range(20)])
        for url, told in [
            (f"rediss://{server}/0?ssl_ca_certs={made.authority}&{options}", "20 read"),
            (f"rediss://{server}/0?ssl_ca_certs={made.strangers}&{options}", "certificate verify failed"),
            (f"rediss://{server}/0?{options}", "certificate verify failed"),
            (f"rediss://{server}/0?ssl_ca_certs={made.authority}", "Redis did not answer"),
            (f"rediss://{server}/0?ssl_ca_certs={tmp_path}/none.pem&{options}", "Redis did not answer"),
            (f"redis://{server}/0", "Redis did not answer"),
        ]:
            code, said = run("record", url, "--channel", "transport", "--contracts", contracts)
            assert (code, told in said) == (0 if told == "20 read" else 3, True), (url, said)


def test_a_redis_with_the_certificate_of_another_host(contracts, tmp_path, record_property):
    made = certificates(tmp_path, "other.test")
    with contextlib.ExitStack() as stack:
        server = start_redis(stack, tmp_path, made, record_property)
        options = f"ssl_ca_certs={made.authority}&ssl_certfile={made.chain}&ssl_keyfile={made.key}"
        code, said = run("record", f"rediss://{server}/0?{options}", "--channel", "transport", "--contracts", contracts)
        assert (code, "IP address mismatch" in said) == (3, True), said


@pytest.mark.needs_real_kafka
def test_a_kafka_behind_tls(contracts, kafka_node, topic, tmp_path):
    at_topic(contracts, topic)
    producer = Producer({"bootstrap.servers": kafka_node.address})
    for number in range(20):
        producer.produce(topic, like(number))
    assert producer.flush(30) == 0
    url, made = f"kafka://{kafka_node.tls_address}?security.protocol=SSL", kafka_node.certificates
    group = ["--group", topic, "--results", tmp_path / "results"]
    for command, more in [("record", []), ("verify", []), ("verify", group)]:
        for options, (wanted, told) in [
            (f"&ssl.ca.location={made.authority}", (0, "20 ")),
            (f"&ssl.ca.location={made.strangers}", (3, "certificate verify failed")),
            (f"&ssl.ca.location={tmp_path}/none.pem", (2, "ssl.ca.location failed")),
        ]:
            channel = ["--channel", "activity", "--contracts", contracts]
            code, said = run(command, f"{url}{options}", *channel, *more)
            assert (code, told in said) == (wanted, True), (command, options, said)
            assert "***" not in said, "nothing in it was secret"
    code, said = run("record", f"kafka://{kafka_node.tls_address}", "--channel", "activity", "--contracts", contracts)
    assert (code, "Kafka did not answer" in said) == (3, True), said
