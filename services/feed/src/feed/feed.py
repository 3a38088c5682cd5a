"""What the messages mean: a like counts once, shows in the author's news feed, and is pushed to the author."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from envelopes import ValueObject
from envelopes.messages import DeliveryRequested, MessageLiked, MessageLikedV1, MessagePosted, MessageUnliked

from .store import Change, Item, Post, Push, Stand, Store, Unit

Likes = MessageLiked | MessageLikedV1
Marks = Likes | MessageUnliked

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOWHERE = Stand("", "", -(2**63), 1, "", "", 0)
_NO_NEWEST = (-(2**63), "", "")


class Received(NamedTuple):
    """A message with its place in the stream; None stands where there is nothing to handle, only an offset to pass."""

    log: str
    """Which partition, of which topic: one that was deleted and made again is another one."""
    offset: int
    message: ValueObject | None


class Feed:
    """Like counters and news feeds, kept in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def handle(self, message: ValueObject) -> list[DeliveryRequested]:
        """Take one message in, in a transaction of its own, and return what is to be sent because of it."""
        with self.store.begin() as unit:
            pushes = take_in(unit, [Received("", 0, message)])
            return [ask_for_push(push, as_microseconds(datetime.now(UTC))) for push in pushes.get("", ())]

    def handle_batch(self, batch: Sequence[Received]) -> None:
        """Take a batch of the stream in: effects, pushes and offsets in one transaction."""
        with self.store.begin() as unit:
            asked_at = as_microseconds(datetime.now(UTC))
            for log, pushes in take_in_new(unit, batch).items():
                unit.enqueue(log, asked_at, pushes)

    def likes(self, message_id: str) -> int:
        """Count the people who like a message."""
        return self.store.likes(message_id)

    def message(self, message_id: str) -> Post | None:
        """Give a message as it was posted, once that is known."""
        return self.store.post(message_id)

    def items(self, person_id: str, limit: int = 50) -> list[Item]:
        """Give a person's news feed, newest first: one item per message that others like."""
        return self.store.items(person_id, limit)


def take_in_new(unit: Unit, batch: Sequence[Received]) -> dict[str, list[Push]]:
    """Take in what of a batch is new to the store, and move its offsets.

    What lies before a log's stored offset was taken in already, by this process or by one that held the partition
    before, and changes nothing.
    """
    following = unit.offsets({received.log for received in batch})
    new = []
    for received in batch:
        if received.offset >= following[received.log]:
            following[received.log] = received.offset + 1
            new.append(received)
    unit.advance(following)
    return take_in(unit, new)


def take_in(unit: Unit, batch: Sequence[Received]) -> dict[str, list[Push]]:
    """Keep posts, likes and unlikes; return, by log, the likes that their authors are to be told of.

    For each person and message the newest like or unlike stands, by their own times and not by when they came. So
    neither order nor duplicates matter, and an unlike may come before its like.
    """
    unit.remember([as_post(received.message) for received in batch if isinstance(received.message, MessagePosted)])
    marks = [(received, *as_mark(received.message)) for received in batch if isinstance(received.message, Marks)]
    stands = unit.stands({mark[:2] for _, mark, _ in marks})
    pushes: dict[str, list[Push]] = defaultdict(list)
    changed: dict[tuple[str, str], Stand] = {}
    tallies: dict[str, Tally] = {}
    taken_back = []
    for (log, offset, _), stand, author_id in marks:
        message_id, liker_id, at, unliked, like_id, name, tells = stand
        pair = message_id, liker_id
        old = stands.get(pair, _NOWHERE)
        if (at, unliked, like_id) <= old[2:5]:  # late, or a duplicate
            continue
        if tells and not old.told:
            pushes[log].append(Push(offset, like_id, message_id, author_id, name))
        stands[pair] = changed[pair] = stand if tells >= old.told else stand._replace(told=1)
        tally = tallies.get(message_id) or tallies.setdefault(message_id, Tally(author_id))
        was_liked = not old.unliked
        more = (not unliked) - was_liked
        tally.likes += more
        if liker_id != author_id:
            tally.by_others += more
            if not unliked:
                tally.newest = max(tally.newest, (at, like_id, name))
        if unliked and was_liked:
            taken_back.append((message_id, old.like_id))
    unit.keep(list(changed.values()), [tally.change(message_id) for message_id, tally in tallies.items()], taken_back)
    return pushes


@dataclass(slots=True)
class Tally:
    """What a batch changes in the counters of one message."""

    author_id: str
    likes: int = 0
    by_others: int = 0
    newest: tuple[int, str, str] = _NO_NEWEST
    """When, which like, whose."""

    def change(self, message_id: str) -> Change:
        """Give what the store adds."""
        at, like_id, name = self.newest
        newest = (None, None, None) if self.newest is _NO_NEWEST else (name, at, like_id)
        return Change(message_id, self.author_id, self.likes, self.by_others, *newest)


def as_mark(message: Likes | MessageUnliked) -> tuple[Stand, str]:
    """Keep of a like or an unlike where it leaves its person, as far as it alone can say, and who wrote the message."""
    at, unliked = message.liked_at, 0
    if isinstance(message, MessageUnliked):  # it came after its like, whatever the clocks say
        at, unliked = max(at, message.unliked_at), 1
    who, author_id = message.liker, message.author.person_id
    tells = 0 if unliked or who.person_id == author_id else 1
    return Stand(
        message.message_id, who.person_id, as_microseconds(at), unliked, message.like_id, storable(who.name), tells
    ), author_id  # fmt: skip


def as_post(message: MessagePosted) -> Post:
    """Keep of a post what a news feed shows."""
    at = as_microseconds(message.posted_at)
    return Post(message.message_id, message.author.person_id, message.group.group_id, storable(message.text), at)


def ask_for_push(push: Push, asked_at: int) -> DeliveryRequested:
    """Ask that the author be told. The id follows from the like: asking twice is asking once."""
    return DeliveryRequested.from_value(  # checked like keyword arguments, at half the price
        {
            "delivery_id": f"d-{push.like_id}",
            "kind": "push",
            "recipient": {"person_id": push.author_id},
            "text": f"{push.liker_name} likes your message",
            "details": {"message_id": push.message_id},
            "enqueued_at": f"{as_time(asked_at):%Y-%m-%dT%H:%M:%S.%fZ}",
            "caused_by": push.like_id,
        }
    )


def storable(text: str) -> str:
    """Give a text as every database takes it: PostgreSQL keeps no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def as_microseconds(time: datetime) -> int:
    """Give microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def as_time(microseconds: int) -> datetime:
    """Give the time so many microseconds after 1970, in UTC."""
    return _EPOCH + microseconds * _MICROSECOND
