"""`python -m feed trending`: the most liked messages of the last while.

A second reader of the stream, which costs the first one nothing: a group of its own, nothing stored, nothing committed.
Started again, it reads one window back.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from . import stream
from .likes import Reactions, reaction_of
from .store import Reaction
from .stream import STREAM, Record, Settings, Topic

log = logging.getLogger("feed")


class Trending:
    """The likes of a window that slides with the stream's own time: the newest like's, not the clock's."""

    def __init__(self, window: timedelta) -> None:
        self._window = window // timedelta(microseconds=1)
        self._reactions: dict[tuple[str, str], Reaction] = {}
        self._newest = 0

    def add(self, message: Reactions) -> None:
        """Take a like or an unlike in; one that comes again, or too late, changes nothing."""
        reaction, _ = reaction_of(message)
        pair = reaction[:2]
        self._newest = max(self._newest, reaction.at)
        self._reactions[pair] = max(reaction, self._reactions.get(pair, reaction))

    def top(self, count: int) -> list[tuple[str, int]]:
        """Give the most liked messages of the window with their likes, the most liked first."""
        start = self._newest - self._window
        self._reactions = {pair: reaction for pair, reaction in self._reactions.items() if reaction.at > start}
        likes = Counter(reaction.message_id for reaction in self._reactions.values() if not reaction.unliked)
        return sorted(likes.items(), key=lambda each: (-each[1], each[0]))[:count]


def run(kafka: Settings, window: timedelta, count: int, stopping: Callable[[], bool]) -> None:
    """Print the top as a line of JSON on stdout whenever it changes. Raises UnusableError for a wrong option."""
    trending, shown = Trending(window), None
    Topic(kafka).check(stopping)

    def say(error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - librdkafka's own
            log.warning("waiting for Kafka: %s", error.str())

    settings = {"enable.auto.commit": False, "auto.offset.reset": "earliest", "error_cb": say}
    consumer = stream.make_client(Consumer, {**kafka, "group.id": "trending", **settings})

    def assigned(_: Consumer, places: list[TopicPartition]) -> None:
        start = round((datetime.now(UTC) - window).timestamp() * 1000)
        wanted = [TopicPartition(STREAM, each.partition, max(0, start)) for each in places]
        try:
            found = consumer.offsets_for_times(wanted, 10)
        except KafkaException:
            found = wanted
        for place, asked in zip(found, wanted, strict=True):  # a quiet stream: its last window
            place.offset = OFFSET_BEGINNING if place.offset < 0 or place is asked else place.offset
        (consumer.incremental_assign if stream.is_cooperative(kafka) else consumer.assign)(found)

    consumer.subscribe([STREAM], on_assign=assigned)
    try:
        while not stopping():
            records: list[Record] = consumer.consume(1000, 0.5)
            for record in records:
                error = record.error()
                if error is None:
                    with suppress(stream.UnreadableRecordError):  # the feed sends it to the dead-letter topic
                        message = stream.envelope_of(record).data
                        if isinstance(message, Reactions):
                            trending.add(message)
                elif error.code() in stream.UNFETCHABLE_ERRORS:
                    place = TopicPartition(STREAM, record.partition(), record.offset())
                    place.offset, _ = stream.first_fetchable(kafka, place, stopping)
                    consumer.seek(place)
            top = trending.top(count)
            if top != shown:
                shown = top
                sys.stdout.write(json.dumps([{"message_id": each, "likes": likes} for each, likes in top]) + "\n")
                sys.stdout.flush()
    finally:
        consumer.close()
