"""`python -m feed replay`: read the stream again into a new generation, which then takes over from the live one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from . import stream
from .consumer import BATCH, MAX_BATCH
from .likes import Received, take_in_new
from .store import Store, Unit
from .stream import STREAM, Record, Settings, Topic


def replay(kafka: Settings, store: Store, start: str, generation: str) -> int:
    """Rebuild the store as of the live one's offsets and make it live; return the number of messages taken in.

    `start`: `beginning`, an offset for every partition, or an ISO 8601 time. The live generation goes on meanwhile; it
    waits only while the last few messages are taken in. No push is sent: the live generation sent them. Raises
    ValueError where `generation` is the live one or `start` is none of these.
    """
    settings = {"enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True}
    reader = stream.make_client(Consumer, {**kafka, "group.id": "feed", "fetch.wait.max.ms": 50, **settings})
    count, topic_of_stream = 0, Topic(kafka)
    topic_of_stream.check(lambda: False)
    topic = topic_of_stream.id()

    def goals(unit: Unit) -> dict[str, int]:
        return {name: offset for name, offset in unit.all_offsets().items() if name.startswith(f"{topic}/")}

    try:
        with store.begin() as unit:
            unit.make_generation(generation)
            goal = goals(unit)
        at = {name: min(offset, goal[name]) for name, offset in find_start(reader, start, list(goal)).items()}
        with store.begin() as unit:
            unit.of(generation).advance(at)
        while sum(goal[name] - at[name] for name in goal) > BATCH:
            for batch in read(kafka, reader, at, goal):
                with store.begin() as unit:
                    take_in_new(unit.of(generation), batch)
                count += len(batch)
            at = goal
            with store.begin() as unit:
                goal = goals(unit)
                at = {name: at.get(name, 0) for name in goal}
        with store.begin(alone=True) as unit:
            goal, copy = goals(unit), unit.of(generation)
            for batch in read(kafka, reader, {name: at.get(name, 0) for name in goal}, goal):
                take_in_new(copy, batch)
                count += len(batch)
            copy.advance(unit.all_offsets())
            copy.go_live()
    finally:
        reader.close()
    return count


def find_start(reader: Consumer, start: str, partitions: list[str]) -> dict[str, int]:
    """Return the offset of each partition at which to start."""
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
    at = int(time.timestamp() * 1000)  # down, as Kafka's own times: messages of the same millisecond are taken in
    wanted = [TopicPartition(STREAM, partition_number(name), at) for name in partitions]
    found = {each.partition: each.offset for each in reader.offsets_for_times(wanted, timeout=30)} if wanted else {}
    return {
        name: found[partition_number(name)] if found[partition_number(name)] >= 0 else 2**62 for name in partitions
    }  # negative: none since


def read(
    kafka: Settings, reader: Consumer, start: Mapping[str, int], end: Mapping[str, int]
) -> Iterator[list[Received]]:
    """Read every partition from its start (inclusive) to its end (exclusive), in batches; skip the dead letters."""
    at, names = dict(start), {partition_number(name): name for name in end}

    def assign() -> None:
        wanted = [name for name in at if at[name] < end[name]]
        reader.assign([TopicPartition(STREAM, partition_number(name), at[name]) for name in wanted])

    assign()
    while any(at[name] < end[name] for name in end):
        batch = []
        records: list[Record] = reader.consume(MAX_BATCH, 0.1)
        for record in records:
            offset, error, name = record.offset(), record.error(), names[record.partition()]
            if error is not None and error.code() in stream.UNFETCHABLE_ERRORS:
                place = TopicPartition(STREAM, record.partition(), at[name])
                at[name], _ = stream.first_fetchable(kafka, place, lambda: False)
                assign()
                break
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own
                raise KafkaException(error)
            at[name] = offset if error else offset + 1
            if error is None and offset < end[name]:
                message = None
                with suppress(stream.UnreadableRecordError):  # it is a dead letter of the live generation
                    message = stream.envelope_of(record).data
                batch.append(Received(name, offset, message))
        if batch:
            yield batch


def partition_number(partition: str) -> int:
    """Return the number of a partition."""
    return int(partition.rpartition("/")[2])
