"""The stream as Kafka has it: how to reach it, which topic it is, and a record of it as it came."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # its __init__ imports it
from envelopes import DecodeError, Envelope, Wire, decode
from envelopes.messages import CATALOG

from .errors import UnusableError
from .metrics import DEAD_LETTER_TOPIC_AGE, DEAD_LETTER_TOPIC_MESSAGES

STREAM = CATALOG.channel("activity").address
DEAD_LETTER_TOPIC = f"{STREAM}.dead-letter"

Settings = Mapping[str, Any]
"""librdkafka's, with `bootstrap.servers` among them."""
Record = Any
"""A confluent_kafka.Message, whose types allow for less than every record that was read has."""

UNFETCHABLE_ERRORS = {
    KafkaError._BAD_MSG,  # noqa: SLF001 - librdkafka's own codes begin with an underscore
    KafkaError._BAD_COMPRESSION,  # noqa: SLF001
    KafkaError._NOT_IMPLEMENTED,  # noqa: SLF001 - a message format that nobody knows
    KafkaError.INVALID_MSG,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.MSG_SIZE_TOO_LARGE,
}
"""Errors of a batch of records that is damaged on the broker's disk, or larger than the client accepts."""


SECONDS_BETWEEN_MEASUREMENTS = 10

SETUP_ERRORS = {
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._AUTHENTICATION,  # noqa: SLF001
    KafkaError._SSL,  # noqa: SLF001
}

SECRET_SETTINGS = re.compile("password|secret|pem|oauthbearer")

Client = TypeVar("Client")


def make_client(kind: Callable[[dict[str, Any]], Client], settings: dict[str, Any]) -> Client:
    """Make one of Kafka's clients. Raises UnusableError for a setting that it refuses."""
    try:
        return kind(settings)
    except (KafkaException, TypeError, ValueError) as error:
        text = str(error)
        for name, value in settings.items():
            text = text.replace(value, "…") if SECRET_SETTINGS.search(name) and value else text
        raise UnusableError(f"Kafka's client refuses a setting: {text}. Check -X") from None


def is_cooperative(kafka: Settings) -> bool:
    """Return True if members keep their other partitions in a rebalance."""
    return "cooperative" in kafka.get("partition.assignment.strategy", "")


class Topic:
    """Tells one topic from another of the same name, and whether Kafka can be used."""

    def __init__(self, kafka: Settings) -> None:
        self._errors: list[KafkaError] = []
        settings = {**kafka, "log_level": 3, "error_cb": self._errors.append}  # below 3, of every consumer's setting
        self._admin: AdminClient = make_client(AdminClient, settings)
        self._cluster: str | None = None
        self.problem: str | None = None
        """Why dead letters cannot be written; None while they can."""

    def check(self, stopping: Callable[[], bool]) -> None:
        """Raise UnusableError for a wrong address, password or certificate. A broker that is away is waited for.

        A broker that makes topics on first use makes them now.
        """
        for topic in (STREAM, DEAD_LETTER_TOPIC) * 3:
            try:
                self._admin.list_topics(topic, timeout=1)
            except KafkaException:
                self._admin.poll(0)  # it reports why
                for error in self._errors:
                    if error.code() in SETUP_ERRORS:
                        raise UnusableError(f"Kafka cannot be used. Check --kafka and -X. {error.str()}") from None
            if stopping():
                return

    def id(self) -> str:
        """Give Kafka's own id of the topic: one that was deleted and made again has another. Raises KafkaException."""
        if self._cluster is None:
            self._cluster = self._admin.list_topics(STREAM, timeout=10).cluster_id
        if (self._cluster or "").startswith("mockCluster"):
            return "embedded"  # librdkafka's own broker, for demos and tests, has no such ids
        found = self._admin.describe_topics(TopicCollection([STREAM, DEAD_LETTER_TOPIC]), request_timeout=10)
        stream = found[STREAM].result()
        try:
            found[DEAD_LETTER_TOPIC].result()
            self.problem = None
        except KafkaException as error:
            self.problem = f"the topic {DEAD_LETTER_TOPIC} cannot be used: {error.args[0].str()}"
        return str(stream.topic_id)

    def measure_dead_letters(self, stopping: Callable[[], bool]) -> None:
        """Keep the metrics of the dead-letter topic up to date, until told to stop. Run it in a thread: it waits."""
        while not stopping():
            count, since = math.nan, math.nan
            with suppress(KafkaException):
                count, since = self._dead_letters()
            DEAD_LETTER_TOPIC_MESSAGES.set(count)
            DEAD_LETTER_TOPIC_AGE.set(time.time() - since if count else 0)
            time.sleep(SECONDS_BETWEEN_MEASUREMENTS)

    def _dead_letters(self) -> tuple[float, float]:
        """Return the number of dead letters, and the Unix time of the oldest. Raises KafkaException.

        The embedded broker describes no topics, so there the exception is the only answer.
        """
        topic = self._admin.describe_topics(TopicCollection([DEAD_LETTER_TOPIC]), request_timeout=10)
        places = [TopicPartition(DEAD_LETTER_TOPIC, each.id) for each in topic[DEAD_LETTER_TOPIC].result().partitions]
        which: Any = OffsetSpec
        first, end = (
            [
                each.result()
                for each in self._admin.list_offsets(dict.fromkeys(places, spec), request_timeout=10).values()
            ]
            for spec in (which.for_timestamp(0), which.latest())
        )  # the first message has a time, the beginning of a partition has none
        found = [(old, new) for old, new in zip(first, end, strict=True) if old.offset >= 0]
        return sum(new.offset - old.offset for old, new in found), min(
            (old.timestamp / 1000 for old, _ in found), default=math.nan
        )


class UnreadableRecordError(Exception):
    """One record cannot be read."""


def envelope_of(record: Record) -> Envelope[Any]:
    """Decode a record. Raise UnreadableRecordError for whatever reading it raises: the fault is in the record."""
    try:
        return decode(Wire(record.value() or b"", record.key(), record.headers() or ()), channel="activity")
    except DecodeError as error:
        expected = f"{error.subject} at {error.pointer or '/'}: expected {error.expected}"
        raise UnreadableRecordError(expected if error.violation.public else str(error)) from error
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


def first_fetchable(kafka: Settings, place: TopicPartition, enough: Callable[[], bool]) -> tuple[int, str]:
    """Return the first offset from a place on whose record can be fetched, and why the ones before it cannot be.

    It is the end of the partition if there is none, and an earlier one as soon as it is `enough`. The first record is
    tried three times, as what was damaged on its way comes whole the next time.
    """
    offset, reason, tries = place.offset, "", 0
    while not enough():
        error = _fetch_error(kafka, TopicPartition(place.topic, place.partition, offset))
        if error is None:
            break
        reason, tries = error, tries + 1
        offset += tries >= 3  # noqa: PLR2004
    return offset, reason


def _fetch_error(kafka: Settings, place: TopicPartition) -> str | None:
    """Fetch one record, by a client of its own; return why it cannot be fetched. None also if there is none."""
    errors: list[KafkaError] = []
    settings = {**kafka, "group.id": "feed", "auto.offset.reset": "error", "log_level": 0}
    reader = make_client(KafkaConsumer, {**settings, "enable.auto.commit": False, "error_cb": errors.append})
    try:
        _, end = reader.get_watermark_offsets(place, timeout=10)
        reader.assign([place])
        deadline = time.monotonic() + 10
        while place.offset < end and time.monotonic() < deadline:
            if record := reader.poll(0.1):
                if (error := record.error()) is None:
                    return None
                errors.append(error)
            for each in errors:
                if each.code() in UNFETCHABLE_ERRORS:
                    return str(each.str())
    finally:
        reader.close()
    return None
