"""What the messages mean: a like counts once, shows in the author's news feed, and is pushed to the author."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from envelopes import ValueObject
from envelopes.messages import DeliveryRequested, MessageLiked, MessageLikedV1, MessagePosted, MessageUnliked

from .store import Change, Item, Push, Reaction, Store, Unit, as_microseconds, as_time

Likes = MessageLiked | MessageLikedV1
Reactions = Likes | MessageUnliked

NO_REACTION = Reaction("", "", -(2**63), 1, "", "", 0)


class Received(NamedTuple):
    """A message with its place in the stream; None stands where there is nothing to handle, only an offset to pass."""

    partition: str
    """Which partition, of which topic: one that was deleted and made again is another one."""
    offset: int
    message: ValueObject | None


class StoreIsBehindError(Exception):
    """The store lacks what it had: its database failed over to a replica that had not received it."""


class Feed:
    """Like counters and news feeds, kept in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def handle(self, message: ValueObject) -> list[DeliveryRequested]:
        """Take one message in, in a transaction of its own, and return what is to be sent because of it."""
        with self.store.begin() as unit:
            pushes = take_in(unit, [Received("", 0, message)])
            return [ask_for_push(push, as_microseconds(datetime.now(UTC))) for push in pushes.get("", ())]

    def handle_batch(self, batch: Sequence[Received], follows: Mapping[str, int] = MappingProxyType({})) -> None:
        """Take a batch of the stream in: effects, pushes and offsets in one transaction.

        `follows` has the offset, by partition, up to which this reader knows that everything is stored. Raises
        StoreIsBehindError if it no longer is.
        """
        with self.store.begin() as unit:
            requested_at = as_microseconds(datetime.now(UTC))
            for partition, pushes in take_in_new(unit, batch, follows).items():
                unit.enqueue(partition, requested_at, pushes)

    def likes(self, message_id: str) -> int:
        """Count the people who like a message."""
        return self.store.likes(message_id)

    def items(self, person_id: str, limit: int = 50) -> list[Item]:
        """Give a person's news feed, newest first: one item per message that others like."""
        return self.store.items(person_id, limit)


def take_in_new(
    unit: Unit, batch: Sequence[Received], follows: Mapping[str, int] = MappingProxyType({})
) -> dict[str, list[Push]]:
    """Take in what of a batch is new to the store, and move its offsets.

    What is before a partition's stored offset was handled already, by this process or by the partition's former
    owner, and changes nothing.
    """
    following = unit.offsets(dict.fromkeys((received.partition for received in batch), 0))
    if any(offset < follows.get(partition, 0) for partition, offset in following.items()):
        raise StoreIsBehindError
    new = []
    for received in batch:
        if received.offset >= following[received.partition]:
            following[received.partition] = received.offset + 1
            new.append(received)
    unit.advance(following)
    return take_in(unit, new)


def take_in(unit: Unit, batch: Sequence[Received]) -> dict[str, list[Push]]:
    """Store posts, likes and unlikes; return, by partition, the pushes for the authors.

    For each person and message the newest like or unlike stands, by their own times and not by when they came. So
    neither order nor duplicates matter, and an unlike may come before its like.
    """
    posts = [received.message for received in batch if isinstance(received.message, MessagePosted)]
    unit.remember([(post.message_id, storable(post.text)) for post in posts])
    received_reactions = [
        (received, *reaction_of(received.message)) for received in batch if isinstance(received.message, Reactions)
    ]
    newest = unit.reactions({reaction[:2] for _, reaction, _ in received_reactions})
    pushes: dict[str, list[Push]] = defaultdict(list)
    changed: dict[tuple[str, str], Reaction] = {}
    changes: dict[str, Change] = {}
    unliked_likes = []
    for (partition, offset, _), reaction, author_id in received_reactions:
        message_id, liker_id, at, unliked, like_id, name, notifies = reaction
        pair = message_id, liker_id
        old = newest.get(pair, NO_REACTION)
        if (at, unliked, like_id) <= old[2:5]:  # late, or a duplicate
            continue
        if notifies and not old.notified:
            pushes[partition].append(Push(offset, like_id, message_id, author_id, name, at))
        newest[pair] = changed[pair] = reaction if notifies >= old.notified else reaction._replace(notified=1)
        change = changes.get(message_id) or changes.setdefault(message_id, Change(author_id))
        was_liked = not old.unliked
        more = (not unliked) - was_liked
        change.likes += more
        if liker_id != author_id:
            change.by_others += more
            if not unliked:
                this = at, like_id, name
                change.newest = max(change.newest or this, this)
        if unliked and was_liked:
            unliked_likes.append((message_id, old.like_id))
    unit.keep(list(changed.values()), changes, unliked_likes)
    return pushes


def reaction_of(message: Likes | MessageUnliked) -> tuple[Reaction, str]:
    """Keep of a like or an unlike where it leaves its person, as far as it alone can say, and who wrote the message."""
    at, unliked = message.liked_at, 0
    if isinstance(message, MessageUnliked):  # it came after its like, whatever the clocks say
        at, unliked = max(at, message.unliked_at), 1
    who, author_id = message.liker, message.author.person_id
    notifies = 0 if unliked or who.person_id == author_id else 1
    return Reaction(
        message.message_id, who.person_id, as_microseconds(at), unliked, message.like_id, storable(who.name), notifies
    ), author_id  # fmt: skip


def ask_for_push(push: Push, requested_at: int) -> DeliveryRequested:
    """Return the push request for an author. Its id is made from the like, so that requesting twice has one effect.

    `enqueued_at` is the time of the like, so that a push for an old like expires in the transport. A like from the
    future counts from now on.
    """
    return DeliveryRequested.from_value(  # checked like keyword arguments, at half the price
        {
            "delivery_id": f"d-{push.like_id}",
            "kind": "push",
            "recipient": {"person_id": push.author_id},
            "text": f"{push.liker_name} likes your message",
            "details": {"message_id": push.message_id},
            "enqueued_at": as_time(min(push.liked_at, requested_at)).isoformat(),
            "caused_by": push.like_id,
        }
    )


def storable(text: str) -> str:
    """Give a text as every database takes it: PostgreSQL keeps no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
