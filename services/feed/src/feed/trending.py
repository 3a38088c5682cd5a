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
from envelopes import DecodeError, decode

from .consumer import wire_of
from .feed import Likes
from .outbox import STREAM


class Trending:
    """The likes of a window that slides with the stream's own time: the newest `liked_at` seen, not the clock."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._likes: dict[tuple[str, str], datetime] = {}
        self._newest: datetime | None = None

    def add(self, like: Likes) -> None:
        """Take a like in; one that comes again, or too late for the window, changes nothing."""
        self._newest = max(self._newest or like.liked_at, like.liked_at)
        self._likes.setdefault((like.message_id, like.liker.person_id), like.liked_at)

    def top(self, count: int) -> list[tuple[str, int]]:
        """Give the most liked messages of the window with their likes, the most liked first."""
        if self._newest is None:
            return []
        start = self._newest - self._window
        self._likes = {pair: at for pair, at in self._likes.items() if at > start}
        likes = Counter(message_id for message_id, _ in self._likes)
        return sorted(likes.items(), key=lambda each: (-each[1], each[0]))[:count]


def run(kafka: str, window: timedelta, count: int, stopping: Callable[[], bool]) -> None:
    """Print the top as a line of JSON on stdout whenever it changes."""
    trending, shown = Trending(window), None
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "trending", "enable.auto.commit": False,
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
                with suppress(DecodeError):  # the feed puts it with the dead letters
                    message = None if record.error() else decode(wire_of(record), channel="activity").data
                    if isinstance(message, Likes):
                        trending.add(message)
            top = trending.top(count)
            if top != shown:
                shown = top
                sys.stdout.write(json.dumps([{"message_id": each, "likes": likes} for each, likes in top]) + "\n")
                sys.stdout.flush()
    finally:
        consumer.close()
