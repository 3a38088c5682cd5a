"""What must hold when PostgreSQL fails over to a replica."""

import re
import threading
import time

import pytest
import sqlalchemy as sa
from envelopes import decode
from tests.conftest import QUEUE, fetch, make_database, person

from feed import Feed, Store


@pytest.fixture
def store_url(postgresql_pair):
    return make_database(postgresql_pair.url)


@pytest.fixture
def answers(port):
    """Every status that the pages answer with, as they are asked all the time."""
    found, stopping = {}, threading.Event()

    def ask():
        while not stopping.wait(0.05):
            for path in ("/messages/m-0001/likes", "/people/p-ana000/feed", "/healthz", "/metrics"):
                answer = fetch(port, path)
                status = re.match(r"\d{3} ", answer)
                found.setdefault(path, set()).add(int(status[0]) if status else 200)

    thread = threading.Thread(target=ask)
    yield lambda: thread.start() or found
    stopping.set()
    thread.join()


def pushed(mailbox):
    return sorted(decode(job, channel="transport").data.caused_by for job in mailbox.lrange(QUEUE, 0, -1))


def test_a_failover_loses_and_doubles_nothing_and_pages_answer_503_meanwhile(
    service, kafka, mailbox, postgresql_pair, store_url, like, port, until, answers
):
    def publish(start):
        kafka.publish(*[like(n, person(n), f"m-{n % 4:04}") for n in range(start, start + 400)])

    process = service("--http", f"127.0.0.1:{port}", store=store_url)
    found = answers()
    publish(0)
    until(lambda: mailbox.llen(QUEUE) > 100)

    def while_no_server_accepts_writes():
        publish(400)
        until(lambda: fetch(port, "/healthz").startswith("503 waiting: "))
        until(lambda: 503 in found["/messages/m-0001/likes"] & found["/people/p-ana000/feed"])

    postgresql_pair.fail_over(while_no_server_accepts_writes)
    publish(800)
    stored = Feed(Store(store_url))
    until(lambda: [stored.likes(f"m-{n:04}") for n in range(4)] == [300] * 4)
    until(lambda: mailbox.llen(QUEUE) >= 1200)
    until(lambda: fetch(port, "/healthz") == "ok")
    assert pushed(mailbox) == [f"l-{n:04}" for n in range(1200)]
    assert found == {"/messages/m-0001/likes": {200, 503}, "/people/p-ana000/feed": {200, 503}, "/healthz": {200, 503},
                     "/metrics": {200}}  # fmt: skip
    process.terminate()
    assert process.wait(120) == 0
    assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("more", [0, 5], ids=["nothing-new-comes", "more-comes"])
def test_what_the_replica_had_not_received_is_read_again_and_not_pushed_again(
    service, kafka, mailbox, postgresql_pair, store_url, like, port, until, more
):
    def publish(start, count):
        kafka.publish(*[like(n, person(n)) for n in range(start, start + count)])

    process = service("--http", f"127.0.0.1:{port}", store=store_url)
    publish(0, 10)
    until(lambda: mailbox.llen(QUEUE) == 10)
    until(postgresql_pair.replica_is_up_to_date)
    postgresql_pair.stop_replicating()
    publish(10, 10)
    until(lambda: mailbox.llen(QUEUE) == 20)
    postgresql_pair.fail_over(lambda: until(lambda: fetch(port, "/healthz").startswith("503 ")))
    publish(20, more)
    stored = Feed(Store(store_url))
    until(lambda: stored.likes("m-0001") == 20 + more)
    until(lambda: mailbox.llen(QUEUE) >= 20 + more)
    until(lambda: stored.store.waiting_partitions() == set())
    assert pushed(mailbox) == [f"l-{n:04}" for n in range(20 + more)]
    process.terminate()
    assert process.wait(120) == 0


def test_a_database_that_hangs_holds_up_neither_the_pages_about_the_service_nor_sigterm(
    service, kafka, mailbox, postgresql_server, like, until, port
):
    url = make_database(postgresql_server.url)
    process = service("--http", f"127.0.0.1:{port}", store=url)
    kafka.publish(like(1))
    until(lambda: mailbox.llen(QUEUE) == 1)
    with postgresql_server.hanging(sa.engine.make_url(url).database):
        kafka.publish(like(2, person(2)))
        time.sleep(1)  # it is in the middle of a batch
        assert fetch(port, "/healthz").startswith(("ok", "503 the service hangs", "503 waiting", "503 pushes wait"))
        assert fetch(port, "/livez").startswith(("ok", "503 the loop"))
        assert "feed_outbox_pushes " in fetch(port, "/metrics")
        process.terminate()
        assert process.wait(120) == 0
    assert "something hangs" in process.stderr.read()
