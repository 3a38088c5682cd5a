"""What happens to pushes while Redis is away, moves, comes back empty, or belongs to somebody else."""

import contextlib
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import redis
from contract_test.transports.embedded import redis_program
from contract_test.transports.processes import running
from envelopes import decode
from tests.conftest import NOON, QUEUE, answers, fetch, free_port, run_redis, send_pushes, wait_until

from feed import Feed, Received, Store
from feed.__main__ import main
from feed.errors import UnusableError
from feed.metrics import OUTBOX_AGE, OUTBOX_PUSHES, PUSH_LATENCY, REDIS_DATA_LOSSES
from feed.outbox import SENT, STORE, Outbox
from feed.redis_client import drop_connections
from feed.store import Push


@pytest.fixture
def take_in(stored, like):
    """Take likes of different messages in, each as a batch of its own."""

    def take(*numbers, feed=stored, start=0):
        for offset, number in enumerate(numbers, start):
            feed.handle_batch([Received("t/0", offset, like(number, message=f"m-{number:04}"))])

    return take


def sent(client):
    return [decode(job, channel="transport").data.caused_by for job in client.lrange(QUEUE, 0, -1)]


def test_a_redis_that_comes_back_empty_gets_its_keys_and_no_push_that_was_sent(
    redis_url, mailbox, stored, take_in, caplog
):
    take_in(1)
    row = stored.store.waiting(["t/0"])
    outbox = send_pushes(stored.store, redis_url)
    losses = REDIS_DATA_LOSSES._value.get()
    mailbox.flushall()
    with stored.store.begin() as unit:  # as if the row had not been deleted when Redis was lost
        unit.enqueue(row[0], row[2], row[3])
    take_in(2, start=1)
    outbox.send()
    assert sent(mailbox) == ["l-0002"]
    assert mailbox.get(STORE).decode() == stored.store.identity
    assert mailbox.hget(SENT, "t/0") == b"1"
    assert REDIS_DATA_LOSSES._value.get() == losses + 1
    assert [record.message for record in caplog.records if "came back without its data" in record.message]


def test_members_with_different_stores_are_told_apart_and_a_store_can_be_adopted(
    redis_url, mailbox, stored, take_in, tmp_path
):
    take_in(1)
    former = send_pushes(stored.store, redis_url)
    other = Feed(Store(str(tmp_path / "other.db")))
    take_in(2, feed=other)
    with pytest.raises(UnusableError, match="share the store"):
        Outbox(other.store, redis_url).check()
    with pytest.raises(UnusableError, match="share the store"):
        send_pushes(other.store, redis_url)
    assert sent(mailbox) == ["l-0001"]
    Outbox(other.store, redis_url, adopt_store=True).check()
    take_in(3, start=1)
    with pytest.raises(UnusableError, match="--adopt-store"):
        former.send()
    assert sent(mailbox) == ["l-0001"]


def test_a_member_with_another_store_does_not_start(service, kafka, redis_url, port, tmp_path, caplog):
    first = service("--http", f"127.0.0.1:{port}")
    other = ["--kafka", kafka.address, "--redis", redis_url, "--store", str(tmp_path / "other.db")]
    assert main(other) == 2
    assert "ready" not in caplog.text
    Outbox(Store(str(tmp_path / "other.db")), redis_url, adopt_store=True).check()
    assert first.wait(120) == 2, "the store of the group is another one now"
    assert "--adopt-store" in first.stderr.read()


@pytest.mark.parametrize(("policy", "problem"), [("allkeys-lru", "allkeys-lru, not noeviction"), ("noeviction", None)])
def test_a_redis_that_may_drop_pushes_is_a_problem(redis_url, mailbox, stored, policy, problem):
    mailbox.config_set("maxmemory", "1gb")
    mailbox.config_set("maxmemory-policy", policy)
    try:
        found = send_pushes(stored.store, redis_url).problem
    finally:
        mailbox.config_set("maxmemory-policy", "noeviction")
        mailbox.config_set("maxmemory", 0)
    assert (found or "").endswith(problem or "")
    assert bool(found) == bool(problem)


def test_the_metrics_tell_what_waits(stored, take_in):
    take_in(1, 2, 3)
    send_pushes(stored.store, "redis://127.0.0.1:1")
    assert OUTBOX_PUSHES._value.get() == 3
    assert OUTBOX_AGE._value.get() > 0


def test_a_metric_tells_how_old_a_like_is_when_its_push_is_in_the_mailbox(redis_url, mailbox, stored, take_in):
    before = PUSH_LATENCY._sum.get()
    take_in(1)  # at noon of a day in the past
    send_pushes(stored.store, redis_url)
    age = (datetime.now(UTC) - NOON).total_seconds()
    assert age - 60 < PUSH_LATENCY._sum.get() - before <= age


@pytest.mark.parametrize("error", ["MISCONF", "UNBLOCKED", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "WRONGTYPE"])
def test_pushes_wait_whatever_redis_answers(mailbox, proxy, stored, take_in, error):
    take_in(1)
    outbox = send_pushes(stored.store, f"redis://127.0.0.1:{proxy.port}")
    take_in(2, start=1)
    proxy.error = error
    outbox.send()
    assert outbox.problem.startswith("pushes wait in the outbox: ")
    proxy.error, outbox._not_before = None, 0
    outbox.send()
    assert (sent(mailbox), outbox.problem) == (["l-0001", "l-0002"], None)


def test_pushes_follow_the_name_of_the_server_when_the_old_one_becomes_read_only(
    mailbox, proxy, stored, take_in, tmp_path
):
    with run_redis(free_port(), tmp_path) as successor:
        take_in(1)
        outbox = send_pushes(stored.store, f"redis://127.0.0.1:{proxy.port}")
        assert sent(mailbox) == ["l-0001"]
        mailbox.replicaof("127.0.0.1", 1)
        proxy.target = successor.connection_pool.connection_kwargs["port"]  # for new connections
        try:
            take_in(2, start=1)
            outbox.send()
            outbox._not_before = 0
            outbox.send()
            assert (sent(successor), outbox.problem) == (["l-0002"], None)
        finally:
            mailbox.replicaof("NO", "ONE")


def test_a_redis_that_hangs_holds_up_neither_reading_nor_stopping(
    service, kafka, stored, like, free_redis, until, port
):
    url, start_redis = free_redis
    with start_redis() as client:
        process = service("--http", f"127.0.0.1:{port}", url=url)
        os.kill(client.info("server")["process_id"], signal.SIGSTOP)
        kafka.publish(*[like(n, message=f"m-{n:04}") for n in range(5)])
        until(lambda: all(stored.likes(f"m-{n:04}") for n in range(5)))
        until(lambda: "503 pushes wait in the outbox: " in fetch(port, "/healthz"))
        process.terminate()
        assert process.wait(120) == 0


def test_a_push_that_takes_for_ever_does_not_hold_up_reading(
    kafka, redis_url, mailbox, stored, like, tmp_path, until, monkeypatch
):
    released = threading.Event()
    monkeypatch.setattr("feed.outbox.Outbox.send", lambda _: released.wait(120))

    def read_two_batches():
        try:
            for number in (1, 2):
                kafka.publish(like(number, message=f"m-{number:04}"))
                until(lambda: stored.likes(f"m-{number:04}"))  # noqa: B023 - it is over before the next one
        finally:
            released.set()
            os.kill(os.getpid(), signal.SIGTERM)

    options = ["--kafka", kafka.address, "--redis", redis_url, "--store", str(tmp_path / "feed.db")]
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(read_two_batches)
        assert main([*options, "-X", "session.timeout.ms=4000"]) == 0
        reading.result()


def test_sigterm_does_not_wait_for_a_long_outbox(service, kafka, stored, mailbox, until):
    with stored.store.begin() as unit:
        for row in range(1, 51):
            pushes = [Push(row * 5000 + n, f"l-{row:03}{n:04}", "m-0001", "p-ana001", "Bo", 0) for n in range(5000)]
            unit.enqueue("embedded/0", 0, pushes)
    process = service()
    until(lambda: mailbox.llen(QUEUE))
    process.terminate()
    assert process.wait(120) == 0
    assert mailbox.llen(QUEUE) < 250_000, "the rest is sent by the next one"
    assert stored.store.waiting_partitions() == {"embedded/0"}
    assert "hangs" not in process.stderr.read()


def test_pushes_reach_a_cluster(stored, take_in, tmp_path):
    port = next(port for port in iter(free_port, None) if port < 50_000)  # its bus is 10,000 above it
    with run_redis(port, tmp_path, "--cluster-enabled", "yes") as node:
        node.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
        wait_until(lambda: b"cluster_state:ok" in node.execute_command("CLUSTER", "INFO"))
        take_in(1, 2)
        outbox = send_pushes(stored.store, f"redis://127.0.0.1:{port}", cluster=True)
        assert (sent(node), outbox.problem) == (["l-0001", "l-0002"], None)
        drop_connections(outbox._redis)  # as after an error
        take_in(3, start=2)
        outbox.send()
        assert sent(node) == ["l-0001", "l-0002", "l-0003"]


def test_pushes_follow_the_master_that_sentinel_names(stored, take_in, tmp_path):
    ports = [free_port() for _ in range(3)]
    folders = [tmp_path / name for name in ("master", "replica", "sentinel")]
    for folder in folders:
        folder.mkdir()
    settings = folders[2] / "sentinel.conf"
    settings.write_text(
        f"port {ports[2]}\nbind 127.0.0.1\nsentinel monitor pushes 127.0.0.1 {ports[0]} 1\n"
        "sentinel down-after-milliseconds pushes 500\nsentinel failover-timeout pushes 2000\n"
    )
    program, _ = redis_program()
    watch = [str(program), str(settings), "--sentinel"]
    master = run_redis(ports[0], folders[0])
    with run_redis(ports[1], folders[1], "--replicaof", "127.0.0.1", str(ports[0])) as replica, master as client:
        wait_until(lambda: client.info("replication")["connected_slaves"] == 1)
        sentinel = redis.Redis(port=ports[2])
        with running(watch, ready=lambda _: answers(f"redis://127.0.0.1:{ports[2]}"), seconds_to_start=120) as _:
            wait_until(lambda: sentinel.sentinel_slaves("pushes"))
            take_in(1)
            outbox = send_pushes(stored.store, f"redis+sentinel://127.0.0.1:{ports[2]}/pushes/0")
            wait_until(lambda: sent(replica) == ["l-0001"])
            client.shutdown(nosave=True)
            take_in(2, start=1)

            def arrived():
                outbox._not_before = 0
                outbox.send()
                with contextlib.suppress(redis.ConnectionError):  # Sentinel ends the connections of a new master
                    return sent(replica) == ["l-0001", "l-0002"]

            wait_until(arrived)
            assert outbox.problem is None


def test_threads_that_look_at_an_empty_redis_at_once_find_no_loss(redis_url, mailbox, stored):
    losses = REDIS_DATA_LOSSES._value.get()
    with ThreadPoolExecutor(4) as pool:
        for _ in range(50):
            mailbox.flushall()
            outbox = Outbox(stored.store, redis_url)
            [each.result() for each in [pool.submit(outbox.check) for _ in range(4)]]
    assert REDIS_DATA_LOSSES._value.get() == losses
