"""What the messages mean: a like counts once, shows in the author's news feed, and is pushed to the author."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from envelopes import ValueObject, encode
from envelopes.generated import FrozenMap
from envelopes.messages import DeliveryRequested, MessageLiked, MessageLikedV1, MessagePosted
from envelopes.messages.delivery_requested_v1 import Recipient

from .store import Item, Like, Post, Store, Unit

Likes = MessageLikedV1 | MessageLiked


class Received(NamedTuple):
    """A message with its place in the stream; None stands where there is nothing to handle, only an offset to pass."""

    partition: int
    offset: int
    message: ValueObject | None
    time: datetime | None = None
    """When it happened."""


class Feed:
    """Like counters and news feeds, kept in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def handle(self, message: ValueObject) -> list[DeliveryRequested]:
        """Take one message in, in a transaction of its own, and return what is to be sent because of it."""
        with self.store.begin() as unit:
            return [ask_for_push(like) for _, like in take_in(unit, [Received(-1, -1, message)])]

    def handle_batch(self, batch: Sequence[Received]) -> None:
        """Take a batch of the stream in: effects, pushes and offsets in one transaction."""
        with self.store.begin() as unit:
            news = take_in_new(unit, batch)
            jobs = [(cause.partition, cause.offset, encode(ask_for_push(like), source="/feed")) for cause, like in news]
            unit.enqueue(jobs)

    def likes(self, message_id: str) -> int:
        """Count the people who like a message."""
        return self.store.likes(message_id)

    def message(self, message_id: str) -> Post | None:
        """Give a message as it was posted, once that is known."""
        return self.store.post(message_id)

    def items(self, person_id: str, limit: int = 50) -> list[Item]:
        """Give a person's news feed, newest first: one item per message that others like."""
        return self.store.items(person_id, limit)


def take_in_new(unit: Unit, batch: Sequence[Received]) -> list[tuple[Received, Likes]]:
    """Take in what of a batch is new to the store, and move its offsets.

    What lies before a partition's stored offset was taken in already, by this process or by one that held the partition
    before, and changes nothing.
    """
    following = unit.offsets({received.partition for received in batch})
    new = []
    for received in batch:
        if received.offset >= following[received.partition]:
            following[received.partition] = received.offset + 1
            new.append(received)
    unit.advance(following)
    return take_in(unit, new)


def take_in(unit: Unit, batch: Sequence[Received]) -> list[tuple[Received, Likes]]:
    """Keep posts and likes; return the likes that the author does not know of yet."""
    unit.remember([as_post(received.message) for received in batch if isinstance(received.message, MessagePosted)])
    first: dict[tuple[str, str], tuple[Received, Likes]] = {}
    for received in batch:
        if isinstance(received.message, Likes):
            like = received.message
            first.setdefault((like.message_id, like.liker.person_id), (received, like))
    counted = unit.count([as_like(like) for _, like in first.values()])
    return [
        (received, like)
        for pair, (received, like) in first.items()
        if pair in counted and like.liker.person_id != like.author.person_id
    ]


def as_post(message: MessagePosted) -> Post:
    """Keep of a post what a news feed shows."""
    return Post(message.message_id, message.author.person_id, message.group.group_id, message.text, message.posted_at)


def as_like(like: Likes) -> Like:
    """Keep of a like what counters and news feeds show."""
    return Like(
        like.message_id, like.liker.person_id, like.liker.name, like.author.person_id, like.like_id, like.liked_at
    )


def ask_for_push(like: Likes) -> DeliveryRequested:
    """Ask that the author be told. The id follows from the like: asking twice is asking once."""
    return DeliveryRequested(
        delivery_id=f"d-{like.like_id}",
        kind="push",
        recipient=Recipient(person_id=like.author.person_id),
        text=f"{like.liker.name} likes your message",
        details=FrozenMap({"message_id": like.message_id}),
        enqueued_at=datetime.now(UTC),
        caused_by=like.like_id,
    )
