"""Messages per second of the feed, beside the bare floor and other clients that store the same effects; one run.

    python benchmarks/throughput.py [--messages 40000] [--redis redis://…]

Everything reads the same likes from the broker inside librdkafka (which keeps 5 MiB a partition: more messages would be
dropped). The floor and the other clients parse with orjson, check nothing, and store counters, feed rows and offsets in
one SQLite transaction a batch of 1,000. With --redis, the whole service is measured as well: pushes included, which
nobody else here sends.
"""

import argparse
import asyncio
import gc
import sqlite3
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition
from envelopes import encode
from envelopes.messages import MessageLiked

from feed import Feed, Store
from feed import consumer as service
from feed.feed import take_in_new
from feed.outbox import STREAM, Outbox
from feed.replay import read

BATCH = 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--redis", metavar="URL", help="measure the whole service, with its pushes, too")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    broker = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1})
    address = ",".join(f"{each.host}:{each.port}" for each in broker.list_topics(STREAM).brokers.values())
    publish(address, options.messages)
    measures = {"floor": floor, "feed, without pushes": effects, "aiokafka": use_aiokafka, "faststream": use_faststream}
    if options.redis:
        measures["feed, the whole service"] = whole(options.redis)
    best = dict.fromkeys(measures, 0.0)
    for _ in range(options.rounds):
        for name, measure in measures.items():
            with tempfile.TemporaryDirectory() as folder:
                gc.collect()
                seconds = measure(address, options.messages, Path(folder) / "store.db")
            if seconds is not None:
                best[name] = max(best[name], options.messages / seconds)
    for name, rate in best.items():
        print(f"{name:28} {rate:10,.0f} messages/s {rate / best['floor']:6.2f} of the floor")


def publish(address, count):
    producer = Producer({"bootstrap.servers": address, "queue.buffering.max.messages": count + 1})
    author, now = {"person_id": "p-ana001", "name": "Ana"}, datetime.now(UTC)
    for n in range(count):
        like = MessageLiked(
            like_id=f"l-{n:08}",
            message_id=f"m-{n * 7919 % 5000:06}",
            group_id="g-blue01",
            liker={"person_id": f"p-{n:08}", "name": "Bo"},
            author=author,
            liked_at=now,
        )
        wire = encode(like, source="/web")
        producer.produce(STREAM, bytes(wire), wire.key, headers=list(wire.headers))
    assert producer.flush(60) == 0


def partitions(address):
    return range(len(Consumer(settings(address)).list_topics(STREAM).topics[STREAM].partitions))


def settings(address):
    return {"bootstrap.servers": address, "group.id": "bench", "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50}


_UPSERT = "INSERT INTO {} VALUES (?, ?) ON CONFLICT ({}) DO UPDATE SET {}"


class Bare:
    """The floor's effects: counters, feed rows and offsets in one SQLite transaction a batch."""

    def __init__(self, path):
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "CREATE TABLE counters (message_id TEXT PRIMARY KEY, likes INTEGER);"
            "CREATE TABLE feed (id INTEGER PRIMARY KEY, author_id TEXT, message_id TEXT, liker TEXT, at TEXT);"
            "CREATE TABLE offsets (partition INTEGER PRIMARY KEY, next INTEGER);"
        )

    def store(self, values, offsets):
        likes = [orjson.loads(value)["data"] for value in values]
        counts = Counter(like["message_id"] for like in likes)
        run = self._connection.executemany
        self._connection.execute("BEGIN IMMEDIATE")
        upsert = (
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (message_id) DO UPDATE SET likes = likes + excluded.likes"
        )
        run(upsert, counts.items())
        rows = [(x["author"]["person_id"], x["message_id"], x["liker"]["name"], x["liked_at"]) for x in likes]
        run("INSERT INTO feed (author_id, message_id, liker, at) VALUES (?, ?, ?, ?)", rows)
        run(
            "INSERT INTO offsets VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET next = excluded.next",
            offsets.items(),
        )
        self._connection.execute("COMMIT")


def floor(address, count, path):
    bare, consumer, seen, start = Bare(path), Consumer(settings(address)), 0, None
    consumer.assign([TopicPartition(STREAM, each, 0) for each in partitions(address)])
    while seen < count:
        records = consumer.consume(BATCH, 0.1)
        start = start or (time.perf_counter() if records else None)
        if records:
            offsets = {record.partition(): record.offset() + 1 for record in records}
            bare.store([record.value() for record in records], offsets)
            seen += len(records)
    consumer.close()
    return time.perf_counter() - start


def effects(address, count, path):
    """Decode and validate with `envelopes`, keep every effect; what a replay does."""
    store, seen = Store(str(path)), 0
    consumer = Consumer(settings(address) | {"enable.partition.eof": True})
    ends = {each: consumer.get_watermark_offsets(TopicPartition(STREAM, each))[1] for each in partitions(address)}
    assert sum(ends.values()) == count
    start = time.perf_counter()
    for batch in read(
        consumer, {f"embedded/{each}": 0 for each in ends}, {f"embedded/{each}": end for each, end in ends.items()}
    ):
        with store.begin() as unit:
            take_in_new(unit, batch)
        seen += len(batch)
    seconds = time.perf_counter() - start
    consumer.close()
    assert seen == count
    return seconds


def whole(redis_url):
    """Run the service itself: group, effects, pushes, metrics."""

    def measure(address, count, path):
        import redis

        redis.Redis.from_url(redis_url).flushall()
        started = []
        store = Store(str(path))
        member = service.Consumer(
            address, Feed(store), Outbox(store, redis_url), session=6, ready=lambda: started.append(time.perf_counter())
        )
        member.run(lambda: started and store_is_full(store, count))
        return time.perf_counter() - started[0]

    return measure


def store_is_full(store, count):
    with store.read() as (connection, tables):
        return sum(row.next for row in connection.execute(tables.offsets.select())) >= count


def use_aiokafka(address, count, path):
    try:
        import aiokafka
    except ImportError:
        return None

    async def run():
        consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
        await consumer.start()
        places = [aiokafka.TopicPartition(STREAM, each) for each in partitions(address)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        bare, seen, start = Bare(path), 0, time.perf_counter()
        while seen < count:
            got = await consumer.getmany(timeout_ms=100, max_records=BATCH)
            records = [record for records in got.values() for record in records]
            if records:
                offsets = {place.partition: records[-1].offset + 1 for place, records in got.items()}
                bare.store([record.value for record in records], offsets)
                seen += len(records)
        seconds = time.perf_counter() - start
        await consumer.stop()
        return seconds

    return asyncio.run(run())


def use_faststream(address, count, path):
    try:
        from faststream.confluent import KafkaBroker
        from faststream.confluent.annotations import KafkaMessage
    except ImportError:
        return None

    async def run():
        broker, done, seen, start = (
            KafkaBroker(address, logger=None, allow_auto_create_topics=False),
            asyncio.Event(),
            [0],
            [0.0],
        )
        bare = Bare(path)
        group = f"faststream-{time.time_ns()}"

        @broker.subscriber(STREAM, group_id=group, auto_offset_reset="earliest", batch=True, max_records=BATCH)
        async def handle(values: list[bytes], message: KafkaMessage) -> None:
            start[0] = start[0] or time.perf_counter()
            records = message.raw_message
            bare.store([record.value() for record in records], {r.partition(): r.offset() + 1 for r in records})
            seen[0] += len(records)
            if seen[0] >= count:
                done.set()

        async with broker:
            await broker.start()
            await done.wait()
            return time.perf_counter() - start[0]

    return asyncio.run(run())


if __name__ == "__main__":
    main()
