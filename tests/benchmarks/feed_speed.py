"""The feed beside its floor and other clients that store the same effects: `python tests/benchmarks/feed_speed.py`.

Each reads the same likes from the broker inside librdkafka, in a process of its own. The floor and the other clients
parse with orjson, check nothing, and store counters, feed rows and offsets in one SQLite transaction a batch of 1,000.
Rounds are interleaved and the medians shown; CPU time varies less than the clock on a machine that does other things. With
POSTGRESQL_URL (`postgresql+psycopg://…`) in the environment the service is measured on that server, too, in databases
that are made for it and dropped.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median

import orjson
import sqlalchemy as sa
from confluent_kafka import Consumer, Producer, TopicPartition
from table import Row, report

from contract_test.transports.embedded import kafka_broker, redis_server
from envelopes import Wire, encode
from envelopes.messages import MessageLiked
from feed.likes import Feed, Received
from feed.store import Store
from feed.stream import STREAM, envelope_of

ROUNDS = 3
MESSAGES = 40_000  # the broker keeps 5 MiB a partition, and drops what is more
BATCH = 1000
AREA = "feed"


def likes() -> list[Wire]:
    """As many likes as are measured, of 5,000 messages."""
    now, author = datetime.now(UTC), {"person_id": "p-ana001", "name": "Ana"}
    return [
        encode(
            MessageLiked(
                like_id=f"l-{n:08}",
                message_id=f"m-{n * 7919 % 5000:06}",
                group_id="g-blue01",
                liker={"person_id": f"p-{n:08}", "name": "Bo"},
                author=author,
                liked_at=now,
            ),
            source="/web",
        )
        for n in range(MESSAGES)
    ]


def publish(address: str, wires: Sequence[Wire]) -> None:
    """Write everything at once."""
    producer = Producer({"bootstrap.servers": address, "queue.buffering.max.messages": len(wires) + 1})
    for wire in wires:
        producer.produce(STREAM, bytes(wire), wire.key, headers=list(wire.headers))
    assert producer.flush(60) == 0


class Bare:
    """The floor's effects: counters, feed rows and offsets in one SQLite transaction a batch."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "CREATE TABLE counters (message_id TEXT PRIMARY KEY, likes INTEGER);"
            "CREATE TABLE feed (id INTEGER PRIMARY KEY, author_id TEXT, message_id TEXT, liker TEXT, at TEXT);"
            "CREATE TABLE offsets (partition INTEGER PRIMARY KEY, next INTEGER);"
        )

    def store(self, values: Sequence[bytes], offsets: dict[int, int]) -> None:
        """Parse and store one batch."""
        parsed = [orjson.loads(value)["data"] for value in values]
        run = self._connection.executemany
        self._connection.execute("BEGIN IMMEDIATE")
        run(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (message_id) DO UPDATE SET likes = likes + excluded.likes",
            Counter(like["message_id"] for like in parsed).items(),
        )
        run(
            "INSERT INTO feed (author_id, message_id, liker, at) VALUES (?, ?, ?, ?)",
            [(x["author"]["person_id"], x["message_id"], x["liker"]["name"], x["liked_at"]) for x in parsed],
        )
        run(
            "INSERT INTO offsets VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET next = excluded.next",
            offsets.items(),
        )
        self._connection.execute("COMMIT")


Timed = Iterator[int]
"""Yields how many messages each batch had: the time runs from before the first one to after the last."""


def floor(address: str, path: str) -> Timed:
    """confluent-kafka and the bare effects."""
    bare = Bare(path)
    for records in batches(address, BATCH):
        bare.store([record.value() for record in records], {each.partition(): each.offset() + 1 for each in records})
        yield len(records)


def only_decode(address: str, _: str) -> Timed:
    """What reading and validating takes, with nothing done about it."""
    for records in batches(address, 5 * BATCH):
        for record in records:
            envelope_of(record)
        yield len(records)


def effects(address: str, path: str) -> Timed:
    """Everything that the feed does with a message but the sending of pushes."""
    feed = Feed(Store(path))
    for records in batches(address, 5 * BATCH):
        feed.handle_batch(
            [Received(f"t/{each.partition()}", each.offset(), envelope_of(each).data) for each in records]
        )
        yield len(records)


def batches(address: str, size: int) -> Iterator[list]:
    """Whatever waits, from the beginning."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "bench", "fetch.wait.max.ms": 50})
    places = range(len(consumer.list_topics(STREAM).topics[STREAM].partitions))
    consumer.assign([TopicPartition(STREAM, each, 0) for each in places])
    while True:
        if records := consumer.consume(size, 0.1):
            yield records


async def use_aiokafka(address: str, path: str, took: Callable[[int], bool]) -> None:
    """The floor's effects, read by aiokafka."""
    import aiokafka

    consumer = aiokafka.AIOKafkaConsumer(
        STREAM, bootstrap_servers=address, group_id="aiokafka", auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    bare, more = Bare(path), True
    while more:
        got = await consumer.getmany(timeout_ms=100, max_records=BATCH)
        values = [record.value for records in got.values() for record in records]
        if values:
            bare.store(values, {place.partition: records[-1].offset + 1 for place, records in got.items()})
            more = took(len(values))
    await consumer.stop()


async def use_faststream(address: str, path: str, took: Callable[[int], bool]) -> None:
    """The floor's effects, in a FastStream subscriber."""
    from faststream.confluent import KafkaBroker
    from faststream.confluent.annotations import KafkaMessage

    broker, done, bare = KafkaBroker(address, logger=None, allow_auto_create_topics=False), asyncio.Event(), Bare(path)

    async def handle(values: list[bytes], message: KafkaMessage) -> None:
        records = message.raw_message
        bare.store([each.value() for each in records], {each.partition(): each.offset() + 1 for each in records})
        if not took(len(records)):
            done.set()

    # Not a decorator: it reads the annotations, which are texts here, in the names of this module.
    handle.__annotations__ = {"values": list[bytes], "message": KafkaMessage}
    broker.subscriber(STREAM, group_id="faststream", auto_offset_reset="earliest", batch=True, max_records=BATCH)(
        handle
    )
    async with broker:
        await broker.start()
        await done.wait()


CLIENTS = {"floor": floor, "decode and validate alone": only_decode, "feed, without pushes": effects}
PEERS = {"aiokafka": use_aiokafka, "FastStream": use_faststream}


def work(name: str, address: str, path: str) -> dict[str, float]:
    """Seconds and CPU seconds from the first batch's arrival to the last one's end; the first is not counted."""
    gc.freeze()  # as the service has it, for everybody
    gc.set_threshold(1_000_000)
    seen, first = 0, 0
    start = busy = 0.0

    def took(count: int) -> bool:
        nonlocal seen, first, start, busy
        seen += count
        if not first:
            first, start, busy = count, time.perf_counter(), time.process_time()
        return seen < MESSAGES

    if name in PEERS:
        asyncio.run(PEERS[name](address, path, took))
    else:
        for count in CLIENTS[name](address, path):
            if not took(count):
                break
    counted = (MESSAGES - first) / 1e6
    return {
        "rate": counted * 1e6 / (time.perf_counter() - start),
        "cpu": (time.process_time() - busy) / counted,
    }


def measure_client(name: str, wires: Sequence[Wire]) -> dict[str, float]:
    """Run one client in a process of its own, on a broker of its own."""
    with kafka_broker() as broker, tempfile.TemporaryDirectory() as folder:
        publish(broker.address, wires)
        command = [sys.executable, __file__, "--work", name, broker.address, f"{folder}/store.db"]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RuntimeError("not installed: `pip install --group bench`" if "No module named" in last else last)
    return json.loads(done.stdout)


def measure_service(members: int, store_url: str, wires: Sequence[Wire]) -> dict[str, float]:
    """The service with its pushes, from its first effect to its last."""
    with kafka_broker() as broker, redis_server() as redis:
        command = [sys.executable, "-m", "feed", "--kafka", broker.address, "--redis", redis.address]
        command += ["--store", store_url, "-X", "session.timeout.ms=4000"]
        store, running = Store(store_url), []
        try:
            for _ in range(members):
                running.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
                while "ready" not in (running[-1].stderr.readline() or "ready"):
                    pass
            publish(broker.address, wires)
            while not (before := taken_in(store)):
                time.sleep(0.005)
            start = time.perf_counter()
            while taken_in(store) < MESSAGES:
                if any(process.poll() is not None for process in running):
                    raise RuntimeError("the service ended")
                time.sleep(0.02)
            return {"rate": (MESSAGES - before) / (time.perf_counter() - start)}
        finally:
            for process in running:
                process.kill()
                process.communicate()
            store.close()


def taken_in(store: Store) -> int:
    """How many messages are in the store."""
    with store.read() as (connection, tables):
        return sum(connection.scalars(sa.select(tables.offsets.c.next_offset)))


@contextmanager
def new_store(kind: str) -> Iterator[str]:
    """The URL of an empty store. Raises RuntimeError where no server was given."""
    if kind == "SQLite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"{folder}/store.db"
        return
    if "POSTGRESQL_URL" not in os.environ:
        raise RuntimeError("POSTGRESQL_URL names no server")
    server = sa.make_url(os.environ["POSTGRESQL_URL"])
    name = f"feed_speed_{time.time_ns()}"
    with sa.create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def measure(name: str, wires: Sequence[Wire]) -> dict[str, float]:
    """One figure of one row. Raises RuntimeError, with why there is none."""
    if name not in SERVICES:
        return measure_client(name, wires)
    members, kind = SERVICES[name]
    with new_store(kind) as url:
        return measure_service(members, url, wires)


SERVICES = {
    f"the service, {kind}, {members} {noun}": (members, kind)
    for kind in ("SQLite", "PostgreSQL")
    for members, noun in ((1, "process"), (2, "processes"))
}


def rows() -> Iterator[Row]:
    """The feed beside its floor, what bounds it, and the others."""
    wires = likes()
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    missing: dict[str, str] = {}
    names = [*CLIENTS, *PEERS, *SERVICES]
    for number in range(ROUNDS):
        for name in names:
            if name not in missing:
                print(f"round {number + 1}: {name}", file=sys.stderr, flush=True)
                try:
                    found[name].append(measure(name, wires))
                except RuntimeError as error:
                    missing[name] = str(error)
    middle = {
        name: {each: median(one[each] for one in seen) for each in seen[0]} for name, seen in found.items() if seen
    }
    base = middle["floor"]
    for name in CLIENTS | PEERS:
        if name not in middle:
            yield Row(AREA, name, None, "x", note=missing[name])
        elif name != "floor":
            goal = 0.5 if name == "feed, without pushes" else None
            note = f"{middle[name]['rate'] / base['rate']:.2f} by the clock"
            yield Row(AREA, f"{name}, beside the floor", base["cpu"] / middle[name]["cpu"], "x", least=goal, note=note)
    for name in CLIENTS | PEERS:
        if name in middle:
            yield Row(AREA, f"{name}, CPU a message", middle[name]["cpu"], "µs")
    for name in SERVICES:
        rate = middle.get(name, {}).get("rate")
        yield Row(AREA, f"{name}, pushes sent", rate, "messages/s", note=missing.get(name, ""))


if __name__ == "__main__":
    if "--work" in sys.argv:
        print(json.dumps(work(*sys.argv[2:])))
    else:
        report(rows)
