"""A read-only tap on a Kafka topic: partitions by assignment, no group, nothing committed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from contract_test.data.interaction import Tapped
from contract_test.data.reading import Mark, Reading
from contract_test.data.texts import counted
from contract_test.transports.kafka_client import kafka_consumer
from envelopes import Wire

_PAGE = 500
_WAIT_MS = 200


def read_topic(url: str, topic: str, reading: Reading) -> Iterator[Tapped | None]:
    """Yield the messages of a topic: to where it ended when the call began, or on and on while following.

    A topic with `*` stands for all that match it when the call begins, except those that are left out. None stands for
    "nothing new just now". What other consumers see stays as it was. Raises UnreachableError, or NothingFoundError
    where there is no such topic.
    """
    from kafka import TopicPartition

    several = "*" in topic
    with kafka_consumer(url, topic, reading.left_out) as (consumer, topics):
        partitions = [
            TopicPartition(name, number) for name in topics for number in sorted(consumer.partitions_for_topic(name))
        ]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        marks = {each: reading.marks.get(part_of(each, several=several), "") for each in partitions}
        _seek(consumer, ends, topics, marks, reading)
        while reading.follow or any(consumer.position(each) < ends[each] for each in partitions):
            started = time.monotonic()
            batches = consumer.poll(timeout_ms=_WAIT_MS, max_records=_PAGE)
            if not batches:
                yield None
            for partition, records in batches.items():
                for record in records:
                    if not reading.follow and record.offset >= ends[partition]:
                        break
                    if record.value is None and not record.headers:
                        reading.note(
                            f"the topic {record.topic} holds deletions (messages without a value): they were left out"
                        )
                        continue
                    yield tapped(record, topics[record.topic], several=several)
            count = sum(map(len, batches.values()))
            time.sleep(max(0.0, count / reading.rate - (time.monotonic() - started)))


def part_of(place: Any, *, several: bool) -> str:
    """Return the name of a part of the channel: the partition, and its topic if the channel has several."""
    return f"{place.topic}/{place.partition}" if several else str(place.partition)


def tapped(record: Any, identity: str, *, several: bool) -> Tapped:
    """Return a record of the client as a message.

    A later run goes on behind it, where the topic is still the same one.
    """
    seen = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    mark = f"{identity}:{record.offset + 1}"
    return Tapped(Wire(record.value, record.key, record.headers), seen, (part_of(record, several=several), mark))


def _seek(
    consumer: Any, ends: dict[Any, int], topics: Mapping[str, str], marks: Mapping[Any, Mark], reading: Reading
) -> None:
    partitions = list(marks)
    starts = consumer.beginning_offsets(partitions)
    places = {each: starts[each] for each in partitions}
    if reading.since == "latest":
        places = ends
    elif isinstance(reading.since, datetime):
        stamp = int(reading.since.timestamp() * 1000)
        found = consumer.offsets_for_times(dict.fromkeys(partitions, stamp))
        places = {each: found[each].offset if found.get(each) else ends[each] for each in partitions}
    elif reading.since is None:
        for each in partitions:
            before, _, offset = str(marks[each]).rpartition(":")
            identity = topics[each.topic]
            if not offset.isdigit():
                continue
            mark, where = int(offset), f"{each.topic} partition {each.partition}"
            if mark > ends[each] or (before and identity and before != identity):
                reading.note(f"the topic {each.topic} was made anew since the last run: it is read from its beginning")
                continue
            if mark < starts[each]:
                reading.note(f"{where}: {counted(starts[each] - mark, 'message')} left it before they were read")
            places[each] = max(mark, starts[each])
    for each in partitions:
        consumer.seek(each, places[each])
