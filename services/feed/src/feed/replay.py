"""`python -m feed replay`: read the stream again into a new generation, which then takes over from the live one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from envelopes import DecodeError, ValueObject, decode

from .consumer import BATCH, wire_of
from .feed import Received, take_in_new
from .outbox import STREAM
from .store import Store


def replay(kafka: str, store: Store, start: str, generation: str) -> int:
    """Rebuild the store as of the live one's offsets and make it live; return the number of messages taken in.

    `start`: `beginning`, an offset for every partition, or an ISO 8601 time. The live generation goes on meanwhile; it
    waits only while the last few messages are taken in. No push is sent: the live generation sent them. Raises
    ValueError where `generation` is the live one or `start` is none of these.
    """
    settings = {"enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True}
    reader = Consumer({"bootstrap.servers": kafka, "group.id": "feed-replay", "fetch.wait.max.ms": 50, **settings})
    count = 0
    try:
        with store.begin() as unit:
            unit.make_generation(generation)
            goal = unit.all_offsets()
        at = {place: min(offset, goal[place]) for place, offset in find_start(reader, start, list(goal)).items()}
        with store.begin() as unit:
            copy = unit.of(generation)
            copy.offsets(at)
            copy.advance(at)
        while sum(goal[place] - at[place] for place in goal) > BATCH:
            for batch in read(reader, at, goal):
                with store.begin() as unit:
                    take_in_new(unit.of(generation), batch)
                count += len(batch)
            at = goal
            with store.begin() as unit:
                goal = unit.all_offsets()
                at = {place: at.get(place, 0) for place in goal}
        with store.begin(alone=True) as unit:
            goal, copy = unit.all_offsets(), unit.of(generation)
            for batch in read(reader, {place: at.get(place, 0) for place in goal}, goal):
                take_in_new(copy, batch)
                count += len(batch)
            copy.offsets(goal)
            copy.advance(goal)
            copy.go_live()
    finally:
        reader.close()
    return count


def find_start(reader: Consumer, start: str, partitions: list[int]) -> dict[int, int]:
    """Give the offset of each partition at which to start."""
    if start == "beginning":
        return dict.fromkeys(partitions, 0)
    if start.isdecimal():
        return dict.fromkeys(partitions, int(start))
    try:
        time = datetime.fromisoformat(start).astimezone()
    except ValueError:
        raise ValueError(
            f"{start!r} is no start: give `beginning`, an offset, or a time as 2026-03-01T12:00:00Z"
        ) from None
    wanted = [TopicPartition(STREAM, partition, round(time.timestamp() * 1000)) for partition in partitions]
    found = reader.offsets_for_times(wanted, timeout=30)
    return {
        each.partition: each.offset if each.offset >= 0 else 2**62 for each in found
    }  # negative: nothing since then


def read(reader: Consumer, start: Mapping[int, int], end: Mapping[int, int]) -> Iterator[list[Received]]:
    """Read every partition from its start (inclusive) to its end (exclusive), in batches; skip the dead letters."""
    at = dict(start)
    reader.assign([TopicPartition(STREAM, place, offset) for place, offset in start.items() if offset < end[place]])
    while any(at[place] < end[place] for place in end):
        batch = []
        for record in reader.consume(BATCH, 0.1):
            partition, offset, error = record.partition(), record.offset(), record.error()
            assert partition is not None
            if error is not None and (error.code() != KafkaError._PARTITION_EOF or offset is None):  # noqa: SLF001
                raise KafkaException(error)
            assert offset is not None
            at[partition] = offset if error else offset + 1
            if error is None and offset < end[partition]:
                batch.append(Received(partition, offset, _message(record)))
        if batch:
            yield batch


def _message(record: Message) -> ValueObject | None:
    try:
        message: ValueObject = decode(wire_of(record), channel="activity").data
    except DecodeError:
        return None  # it lies with the dead letters since the live generation met it
    return message
