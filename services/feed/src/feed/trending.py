"""`python -m feed trending`: the most liked messages of the last while.

A second reader of the stream, which costs the first one nothing: a group of its own, nothing stored, nothing committed.
Started again, it reads one window back.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from .likes import Reactions, reaction_of
from .store import Reaction
from .stream import STREAM, Settings, UnreadableRecordError, envelope_of


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
    """Print the top as a line of JSON on stdout whenever it changes."""
    trending, shown = Trending(window), None
    consumer = Consumer({**kafka, "group.id": "trending", "enable.auto.commit": False,
                         "auto.offset.reset": "earliest"})  # fmt: skip

    def assigned(_: Consumer, places: list[TopicPartition]) -> None:
        start = round((datetime.now(UTC) - window).timestamp() * 1000)
        found = consumer.offsets_for_times([TopicPartition(STREAM, each.partition, start) for each in places], 10)
        for place in found:
            place.offset = OFFSET_BEGINNING if place.offset < 0 else place.offset  # a quiet stream: its last window
        consumer.assign(found)

    consumer.subscribe([STREAM], on_assign=assigned)
    try:
        while not stopping():
            for record in consumer.consume(1000, 0.5):
                with suppress(UnreadableRecordError):  # the feed sends it to the dead-letter topic
                    message = None if record.error() else envelope_of(record).data
                    if isinstance(message, Reactions):
                        trending.add(message)
            top = trending.top(count)
            if top != shown:
                shown = top
                sys.stdout.write(json.dumps([{"message_id": each, "likes": likes} for each, likes in top]) + "\n")
                sys.stdout.flush()
    finally:
        consumer.close()
