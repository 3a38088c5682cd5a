"""A read-only tap on a Kafka topic: partitions by assignment, no group, nothing committed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from contract_test.data.errors import NothingFoundError, UnreachableError
from contract_test.data.interaction import Tapped
from contract_test.transports.urls import without_password
from envelopes import Wire

_PROTOCOL = (2, 3)
"""The oldest broker that is spoken to; asking for it spares the probing that librdkafka's broker does not survive."""


def read_topic(url: str, topic: str, limit: int) -> Iterator[Tapped]:
    """The messages that stand in a topic now, from the beginning to where it ended when the call began.

    Raises UnreachableError, or NothingFoundError where there is no such topic.
    """
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    place = f"{without_password(url)} {topic}"
    servers = urlsplit(url).netloc.rpartition("@")[2].split(",")
    try:
        if not any(_listens(server) for server in servers):  # the client itself would try for ever
            raise OSError("nobody listens there")  # noqa: TRY301 - told like the client's own failures
        consumer: Any = KafkaConsumer(
            bootstrap_servers=servers,
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            api_version=_PROTOCOL,
            consumer_timeout_ms=10_000,
        )
    except (KafkaError, OSError, ValueError) as error:
        advice = "Check the address: kafka://HOST:PORT, or several with commas between."
        raise UnreachableError(f"Kafka did not answer: {error}", place=place, advice=advice) from None
    try:
        if topic not in consumer.topics():
            raise NothingFoundError("there is no such topic", place=place, advice="Check the channel's address.")
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        read = 0
        while read < limit and any(consumer.position(each) < ends[each] for each in partitions):
            batches = consumer.poll(timeout_ms=500, max_records=min(500, limit - read))
            for partition, records in batches.items():
                for record in records:
                    if record.offset < ends[partition]:
                        read += 1
                        yield _tapped(record)
    except KafkaError as error:
        advice = "Check that this user may read the topic."
        raise UnreachableError(f"Kafka did not answer: {error}", place=place, advice=advice) from None
    finally:
        consumer.close()


def _listens(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, ValueError):
        return False
    return True


def _tapped(record: Any) -> Tapped:
    headers = [(name, value if value is not None else b"") for name, value in record.headers or ()]
    seen = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return Tapped(Wire(record.value or b"", record.key, headers), seen)
