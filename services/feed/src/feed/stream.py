"""The stream as Kafka has it: how to reach it, which topic it is, and a record of it as it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient
from envelopes import DecodeError, Envelope, Wire, decode
from envelopes.messages import CATALOG

STREAM = CATALOG.channel("activity").address

Settings = Mapping[str, Any]
"""librdkafka's, with `bootstrap.servers` among them."""
Record = Any
"""A confluent_kafka.Message, whose types allow for less than every record that was read has."""


class Topic:
    """Tells one topic from another of the same name."""

    def __init__(self, kafka: Settings) -> None:
        self._admin = AdminClient({**kafka, "log_level": 3})  # it warns of every setting that is a consumer's alone
        self._cluster: str | None = None

    def id(self) -> str:
        """Give Kafka's own id of the topic: one that was deleted and made again has another. Raises KafkaException."""
        if self._cluster is None:
            self._cluster = self._admin.list_topics(STREAM, timeout=10).cluster_id
        if (self._cluster or "").startswith("mockCluster"):
            return "embedded"  # librdkafka's own broker, for demos and tests, has no such ids
        found = self._admin.describe_topics(TopicCollection([STREAM]), request_timeout=10)[STREAM].result()
        return str(found.topic_id)


class UnreadableRecordError(Exception):
    """One record cannot be read."""


def envelope_of(record: Record) -> Envelope[Any]:
    """Decode a record. Raise UnreadableRecordError for whatever reading it raises: the fault is in the record."""
    try:
        return decode(Wire(record.value() or b"", record.key(), record.headers() or ()), channel="activity")
    except DecodeError as error:
        raise UnreadableRecordError(str(error)) from error
    except (UnicodeDecodeError, SystemError) as error:  # which one depends on the version of the client
        raise UnreadableRecordError("the name of a header is not UTF-8; the headers are left out") from error
    except Exception as error:
        raise UnreadableRecordError(f"reading the record raised {type(error).__name__}") from error


def headers_of(record: Record) -> list[tuple[str, bytes | None]]:
    """Return the headers of a record; none if Kafka's client cannot read their names."""
    try:
        return list(record.headers() or ())
    except (UnicodeDecodeError, SystemError):
        return []
