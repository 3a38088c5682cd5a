"""Messages per second of the feed, beside the bare floor and other clients that store the same effects; one run.

    python benchmarks/throughput.py [--messages 40000] [--redis redis://…]

Everything reads the same likes from the broker inside librdkafka (which keeps 5 MiB a partition: more messages would be
dropped). The floor and the other clients parse with orjson, check nothing, and store counters, feed rows and offsets in
one SQLite transaction a batch of 1,000. With --redis, the whole service is measured as well, in one process and in two:
pushes included, which nobody else here sends. CPU time holds the broker's, too, and varies less than the clock on a
machine that does other things.
"""

import argparse
import asyncio
import gc
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition
from envelopes import encode
from envelopes.messages import MessageLiked

from feed import Store
from feed.feed import take_in_new
from feed.replay import read
from feed.stream import STREAM

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
        measures["feed, with pushes, 1 process"] = members(options.redis, 1)
        measures["feed, with pushes, 2 processes"] = members(options.redis, 2)
    gc.freeze()  # as the service has it, for everybody
    gc.set_threshold(50_000)
    best, least = dict.fromkeys(measures, 0.0), dict.fromkeys(measures, float("inf"))
    for _ in range(options.rounds):
        for name, measure in measures.items():
            with tempfile.TemporaryDirectory() as folder:
                gc.collect()
                busy = time.process_time()
                seconds = measure(address, options.messages, Path(folder) / "store.db")
                busy = time.process_time() - busy
            if seconds is not None:
                best[name] = max(best[name], options.messages / seconds)
                least[name] = min(least[name], busy / options.messages * 1e6)
    for name, rate in best.items():
        if not rate:
            print(f"{name:32} not installed: pip install --group services/feed/pyproject.toml:benchmarks")
            continue
        print(f"{name:32} {rate:10,.0f} messages/s {rate / best['floor']:6.2f} of the floor", end="")
        own = "process" not in name  # what other processes need does not show here
        print(f" {least[name]:8.1f} µs of CPU a message {least['floor'] / least[name]:6.2f}" if own else "")


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


def members(redis_url, number):
    """Run the service itself, in so many processes, from the first effect to the last."""

    def measure(address, count, path):
        import redis

        redis.Redis.from_url(redis_url).flushall()
        command = [sys.executable, "-m", "feed", "--kafka", address, "--redis", redis_url, "--store", str(path)]
        processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(number)]
        store, start = Store(str(path)), None
        try:
            while not start or taken_in(store) < count:
                time.sleep(0.02)
                if not start and (before := taken_in(store)):
                    start = time.perf_counter()
            return (time.perf_counter() - start) * count / (count - before)
        finally:
            for process in processes:
                process.kill()
                process.wait()

    return measure


def taken_in(store):
    with store.read() as (connection, tables):
        return sum(row.next for row in connection.execute(tables.offsets.select()))


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
