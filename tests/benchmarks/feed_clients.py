"""The clients that `feed_speed.py` measures: the floor, parts of the feed, and others that read the same likes.

Clients with the floor's effects parse with orjson, check nothing, and store counters, feed rows and offsets in one
SQLite transaction a batch. Clients with the feed's effects run the feed's own statements: a like counts once in any order,
pushes wait in an outbox, and offsets change with them.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson
from confluent_kafka import Consumer, TopicPartition
from pydantic import BaseModel, Json

from feed import likes
from feed.consumer import BATCH, MAX_BATCH
from feed.likes import Feed, Received
from feed.store import Store
from feed.stream import STREAM, envelope_of

Timed = Iterator[int]
"""Yields how many messages each batch had: the time runs from before the first one to after the last."""
Took = Callable[[int], bool]
"""Called with how many messages a batch had; returns whether more are to be read."""


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


def batches(address: str, size: int) -> Iterator[list[Any]]:
    """Whatever waits, from the beginning."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "bench", "fetch.wait.max.ms": 50})
    places = range(len(consumer.list_topics(STREAM).topics[STREAM].partitions))
    consumer.assign([TopicPartition(STREAM, each, 0) for each in places])
    while True:
        if records := consumer.consume(size, 0.1):
            yield records


def floor(address: str, path: str) -> Timed:
    """confluent-kafka and the bare effects."""
    bare = Bare(path)
    for records in batches(address, BATCH):
        bare.store([record.value() for record in records], {each.partition(): each.offset() + 1 for each in records})
        yield len(records)


def only_decode(address: str, _: str) -> Timed:
    """What reading and validating takes, with nothing done about it."""
    for records in batches(address, MAX_BATCH):
        for record in records:
            envelope_of(record)
        yield len(records)


def effects(address: str, url: str) -> Timed:
    """Everything that the feed does with a message but the sending of pushes."""
    feed = Feed(Store(url))
    for records in batches(address, MAX_BATCH):
        feed.handle_batch([received(each, envelope_of(each).data) for each in records])
        yield len(records)


def received(record: Any, message: Any) -> Received:
    """Give a message with its place, as the feed's consumer does."""
    return Received(f"t/{record.partition()}", record.offset(), message)


async def use_aiokafka(address: str, path: str, took: Took) -> None:
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


class Person(BaseModel):
    """Somebody, as a team without contracts writes it down."""

    person_id: str
    name: str


class Like(BaseModel):
    """What a `message.liked` says."""

    like_id: str
    message_id: str
    group_id: str
    liker: Person
    author: Person
    liked_at: datetime


class Event(BaseModel):
    """A CloudEvent with a like inside."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    dataschema: str
    datacontenttype: str
    data: Like


async def use_faststream(address: str, path: str, took: Took) -> None:
    """The floor's effects, in a FastStream subscriber."""
    bare = Bare(path)

    def store(values: list[bytes], records: Sequence[Any]) -> None:
        bare.store([each.value() for each in records], {each.partition(): each.offset() + 1 for each in records})

    await subscribe(address, list[bytes], BATCH, store, took)


async def use_faststream_and_pydantic(address: str, url: str, took: Took) -> None:
    """The feed's effects, in a FastStream subscriber that gets pydantic models, in batches of the feed's size."""
    likes.Reactions = Like  # type: ignore[assignment,misc] # the feed's own code for effects takes this model instead
    feed = Feed(Store(url))

    def store(events: list[Event], records: Sequence[Any]) -> None:
        feed.handle_batch([received(each, event.data) for each, event in zip(records, events, strict=True)])

    await subscribe(address, list[Json[Event]], MAX_BATCH, store, took)


async def subscribe(
    address: str, kind: Any, size: int, store: Callable[[Any, Sequence[Any]], None], took: Took
) -> None:
    """Have FastStream read batches as `kind`, and store each of them, until nothing is left."""
    from faststream.confluent import KafkaBroker
    from faststream.confluent.annotations import KafkaMessage

    broker, done = KafkaBroker(address, logger=None, allow_auto_create_topics=False), asyncio.Event()

    async def handle(values: Any, message: Any) -> None:
        records = message.raw_message
        store(values, records)
        if not took(len(records)):
            done.set()

    # Not a decorator: it reads the annotations, which are texts here, in the names of this module.
    handle.__annotations__ = {"values": kind, "message": KafkaMessage}
    broker.subscriber(STREAM, group_id="faststream", auto_offset_reset="earliest", batch=True, max_records=size)(handle)
    async with broker:
        await broker.start()
        await done.wait()


OWN = "feed, without pushes"
SAME_EFFECTS = "FastStream with pydantic, the feed's effects"
CLIENTS = {"floor": floor, "decode and validate alone": only_decode, OWN: effects}
PEERS = {"aiokafka": use_aiokafka, "FastStream": use_faststream, SAME_EFFECTS: use_faststream_and_pydantic}
