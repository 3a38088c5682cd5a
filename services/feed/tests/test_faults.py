"""What must hold when things break: the store equals a model of the stream, and every push is in the mailbox once."""

import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from confluent_kafka import KafkaException, Message
from envelopes import decode
from tests.conftest import fetch, person

from feed import Feed, Store
from feed.consumer import Consumer
from feed.outbox import Outbox

MESSAGES = 200
LOGS = [f"embedded/{partition}" for partition in range(4)]


@pytest.fixture
def stored(store_url):
    return Feed(Store(store_url))


@pytest.fixture
def traffic(like):
    """Likes of many people for many messages, some of them twice, in an order of their own."""
    dice = random.Random(8)
    likes = [like(n, person(n % 97), message=f"m-{dice.randrange(MESSAGES):04}") for n in range(6000)]
    return likes + dice.sample(likes, 500)


def holds(traffic, feed, mailbox):
    """Whether the store and the mailbox are what the stream says, once it was all read."""
    first = {}
    for like in traffic:
        first.setdefault((like.message_id, like.liker.person_id), like)
    expected = Counter(message for message, _ in first)
    if any(feed.likes(message) != count for message, count in expected.items()):
        return False
    if feed.store.waiting(LOGS):
        return False
    sent = [decode(job, channel="transport").data.caused_by for job in mailbox.lrange("resque:queue:transport", 0, -1)]
    assert len(sent) == len(set(sent)), "a push was sent twice"
    return set(sent) == {like.like_id for like in first.values()}


def test_a_database_that_drops_its_connections(service, kafka, mailbox, postgresql, traffic, until):
    name = f"dropping{time.time_ns()}"
    admin = sa.create_engine(postgresql, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = postgresql.replace("/postgres", f"/{name}")
    service(store=url)
    publishing = threading.Thread(target=lambda: [kafka.publish(*traffic[n : n + 500]) for n in range(0, 6500, 500)])
    publishing.start()
    for _ in range(10):
        with admin.connect() as connection:
            query = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
            connection.exec_driver_sql(query)
        time.sleep(0.1)
    publishing.join()
    until(lambda: holds(traffic, Feed(Store(url)), mailbox))


def test_a_dead_letter_that_cannot_be_written_stops_everything_and_skips_nothing(
    service, kafka, stored, store_url, like
):
    process = service(store=store_url)
    kafka.publish((b"x" * 2_000_000, b"m-0001", []))
    assert process.wait(120) == 3
    assert "activity.dead-letter" in process.stderr.read()
    assert set(stored.store.known_offsets().values()) == {0}


def test_a_dead_letter_waits_for_a_broker_that_is_away(feed, until):
    consumer, told = Consumer({"bootstrap.servers": "127.0.0.1:1"}, feed, Outbox(feed.store, "redis://127.0.0.1:1")), []
    consumer._stopping, consumer._in_group, consumer._partitions = lambda: bool(told), True, {0: "t/0"}
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(consumer._read, [Message(topic="activity", partition=0, offset=7, value=b"poison")])
        until(lambda: "waiting: dead letters could not be written" in (consumer.problem() or ""))
        assert not reading.done()
        told.append("to stop")
        with pytest.raises(KafkaException):
            reading.result(120)


def test_it_waits_for_a_broker_that_is_away_and_still_ends_when_it_is_told_to(service):
    process = service(address="127.0.0.1:1", wait=False)
    for line in process.stderr:
        if "Connection refused" in line:
            break
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 0


def test_a_database_that_is_away_at_the_start_is_waited_for(service, kafka, port, until, like, postgresql):
    process = service("--http", f"127.0.0.1:{port}", store="postgresql+psycopg://feed@127.0.0.1:1/feed", wait=False)
    until(lambda: "503 waiting: " in fetch(port, "/healthz"))
    assert fetch(port, "/livez") == "ok"
    assert fetch(port, "/messages/m-0001/likes").startswith("503 ")
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 0
