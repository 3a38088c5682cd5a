import contextlib
import gc
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import redis
import sqlalchemy as sa
from confluent_kafka import Consumer, Producer
from contract_test.transports.embedded import redis_program
from envelopes import encode
from envelopes.messages import MessageLiked, MessagePosted, MessageUnliked

from feed import Feed, Store
from feed.outbox import Outbox

QUEUE = "resque:queue:transport"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("Ana", "Bo", "Cy", "Di")
PEOPLE = SimpleNamespace(**{name.lower(): {"person_id": f"p-{name.lower():0<6}", "name": name} for name in NAMES})


def person(number):
    """One of many people, as messages name them."""
    return {"person_id": f"p-{number:06}", "name": f"Person {number}"}


@pytest.fixture(autouse=True)
def no_client_stays():
    """End the clients of Kafka that `main` made in this process: it leaves that to the end of the process."""
    thresholds = gc.get_threshold()
    yield
    if gc.get_threshold() != thresholds:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        gc.collect()


@pytest.fixture(scope="session")
def people():
    """Four people, as messages name them."""
    return PEOPLE


@pytest.fixture(scope="session")
def until():
    """Poll until a condition holds."""
    return wait_until


@pytest.fixture
def feed():
    """A feed on a store in memory."""
    return Feed(Store("sqlite://"))


@pytest.fixture
def stored(tmp_path):
    """What a service that was started keeps, unless it was told to keep it elsewhere."""
    return Feed(Store(str(tmp_path / "feed.db")))


@pytest.fixture
def like():
    """Make a like: of Ana's message, by Bo, at noon, unless told otherwise."""

    def make(number=1, liker=PEOPLE.bo, message="m-0001", author=PEOPLE.ana, seconds=0):
        return MessageLiked(
            like_id=f"l-{number:04}",
            message_id=message,
            group_id="g-blue01",
            liker=liker,
            author=author,
            liked_at=NOON + timedelta(seconds=seconds),
        )

    return make


@pytest.fixture
def unlike():
    """Take a like back a minute after noon, unless told otherwise."""

    def make(like, seconds=60, number=None):
        return MessageUnliked(
            unlike_id=f"u-{number or like.like_id[2:]}",
            like_id=like.like_id,
            message_id=like.message_id,
            group_id=like.group_id,
            liker=like.liker.model_dump(),
            author=like.author.model_dump(),
            liked_at=like.liked_at,
            unliked_at=NOON + timedelta(seconds=seconds),
        )

    return make


@pytest.fixture
def post():
    def make(message="m-0001", text="Lunch at one?", author=PEOPLE.ana):
        group = {"group_id": "g-blue01", "name": "Blue team", "size": 12}
        return MessagePosted(
            message_id=message, group=group, author=author, kind="text", text=text, posted_at=NOON - timedelta(hours=1)
        )

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """An empty store of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "feed.db")
    return make_database(request.getfixturevalue("postgresql"))


@pytest.fixture(scope="session")
def postgresql_server():
    from tests.postgresql import PostgreSQL

    server = PostgreSQL()
    yield server
    server.stop()
    server.remove()


@pytest.fixture(scope="session")
def postgresql_pair():
    """A PostgreSQL server and its replica."""
    from tests.postgresql import Pair

    pair = Pair()
    yield pair
    pair.remove()


@pytest.fixture(scope="session")
def postgresql(postgresql_server):
    """The address of a PostgreSQL server."""
    return postgresql_server.url


class Kafka:
    """Writes to and reads from a broker that knows nothing of the service."""

    def __init__(self, address, broker):
        self.address = address
        self._broker = broker  # it lives as long as its client
        self._producer = Producer({"bootstrap.servers": address, "message.max.bytes": 5_000_000})

    def publish(self, *messages, topic="activity"):
        """Write messages, or raw (value, key, headers)."""
        for message in messages:
            wire = message if isinstance(message, tuple) else encode(message, source="/web")
            value, key, headers = wire if isinstance(wire, tuple) else (bytes(wire), wire.key, list(wire.headers))
            self._producer.produce(topic, value, key, headers=headers)
        assert self._producer.flush(10) == 0

    def read(self, topic, count):
        """Read that many messages from the beginning."""
        settings = {"group.id": "test", "auto.offset.reset": "earliest", "topic.metadata.refresh.interval.ms": 500}
        consumer = Consumer({"bootstrap.servers": self.address, **settings})
        consumer.subscribe([topic])
        records = []

        def enough():
            records.extend(each for each in consumer.consume(count, 0.2) if not each.error())  # it may not be there yet
            return len(records) >= count

        try:
            wait_until(enough)
        finally:
            consumer.close()
        return records


@pytest.fixture
def kafka():
    """A broker of this test alone: the one inside librdkafka, speaking Kafka's protocol over TCP."""
    broker = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1})
    brokers = broker.list_topics(timeout=60).brokers
    return Kafka(",".join(f"{each.host}:{each.port}" for each in brokers.values()), broker)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    """A Redis server of this run alone."""
    port = free_port()
    with run_redis(port, tmp_path_factory.mktemp("redis")):
        yield f"redis://127.0.0.1:{port}"


@contextlib.contextmanager
def run_redis(port, folder, *options):
    """A Redis server that forgets; gives a client."""
    program, _ = redis_program()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen([*command, "--dir", str(folder), *options], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(url))
        with redis.Redis.from_url(url) as client:
            yield client
    finally:
        server.kill()  # it may be stopped
        server.wait()


@pytest.fixture
def free_redis(tmp_path):
    """The address of a Redis that is not there yet, and what starts it."""
    port = free_port()
    return f"redis://127.0.0.1:{port}", lambda: run_redis(port, tmp_path)


@pytest.fixture
def mailbox(redis_url):
    """The transport's Redis, empty."""
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def service(kafka, redis_url, mailbox, tmp_path):
    """Start the service as a process: `start()` returns it when it is ready. Whatever still runs is killed."""
    running = []

    def start(*arguments, store=tmp_path / "feed.db", url=redis_url, address=kafka.address, wait=True):
        command = [sys.executable, "-m", "feed", "--kafka", address, "--redis", url, "--store", str(store)]
        command += ["-X", "session.timeout.ms=4000"]  # the embedded broker needs more than 3 s to form a group
        process = subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True)
        running.append(process)
        if not wait:
            return process
        giving_up = threading.Timer(90, process.kill)
        giving_up.start()
        for line in process.stderr:
            if "ready" in line:
                giving_up.cancel()
                return process
        pytest.fail(f"the service ended with {process.wait()} before it was ready")

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def node():
    """A Kafka of this test alone, with the topic on it."""
    from brokers.real_kafka import RealKafkaMissingError, kafka_node
    from tests.rig import make_topic

    try:
        with kafka_node() as running:
            make_topic(running.address)
            yield running
    except RealKafkaMissingError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"NOT RUN on a real Kafka: {error}")


@pytest.fixture
def proxy(redis_url):
    """A proxy in front of the transport's Redis."""
    from brokers.redis_proxy import redis_proxy

    with redis_proxy(int(redis_url.rpartition(":")[2])) as running:
        yield running


@pytest.fixture
def rig(node, proxy, mailbox, store_url, tmp_path):
    from tests.rig import Rig

    rig = Rig(node, proxy, mailbox, store_url, tmp_path / "feed.log")
    yield rig
    rig.end()


@pytest.fixture
def traffic(like, unlike, post):
    """Likes, half of them given twice; unlikes, some before their likes; duplicates; poison. Locally out of order."""

    def make(count, seed):
        dice = random.Random(seed)
        people = [person(n) for n in range(400)]
        wires = []
        for n in range(count):
            message = dice.randrange(500)
            given = like(
                seed * 10**6 + n, dice.choice(people), f"m-{message:04}", people[message % 40], dice.randrange(10**6)
            )
            wires.append(encode(given, source="/web"))
            if n % 9 == 0:
                taken = unlike(given, seconds=dice.randrange(10**6), number=f"{seed}{n:06}")
                wires.insert(max(0, len(wires) - dice.randrange(20)), encode(taken, source="/web"))
            if n % 50 == 0:
                wires.append(dice.choice(wires))
            if n % 500 == 0:
                wires.append(type(wires[0])(b"\xff poison", f"m-{message:04}"))
        return wires

    return make


@pytest.fixture
def port():
    """A port that nobody listens at."""
    return free_port()


def make_database(server):
    """Return the URL of a new database."""
    name = f"feed{uuid.uuid4().hex}"
    with sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return server.replace("/postgres", f"/{name}")


def send_pushes(store, url, *partitions, **options):
    """Send what waits in the outbox, once; return the outbox."""
    outbox = Outbox(store, url, **options)
    outbox.partitions = partitions or ("t/0",)
    outbox.send()
    return outbox


def fetch(port, path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60).read().decode()
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"
    except urllib.error.URLError as error:
        return str(error)


def answers(url):
    try:
        return redis.Redis.from_url(url).ping()
    except redis.ConnectionError:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds=120):
    """Poll until the condition holds; the limit only ends a test that would never end."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not true after {seconds} s"
        time.sleep(0.02)
