"""Every recorded message that this service reads and sends, and what else is allowed: `pytest --contracts`."""

import pytest
import sqlalchemy as sa
from envelopes.messages import MessageLiked

from feed.feed import as_microseconds, storable


@pytest.fixture
def pushed():
    """The ids of the pushes that were asked for."""
    return []


@pytest.fixture
def contract_state(feed, pushed):
    """Everything that the feed keeps and sends: the same however often, and in whatever order, messages come."""

    def state():
        with feed.store.read() as (connection, tables):
            kept = {
                table.name: set(map(tuple, connection.execute(sa.select(table))))
                for table in tables.metadata.sorted_tables
            }
        return {"kept": kept, "pushed": sorted(pushed)}

    return state


@pytest.mark.consumes("message.liked")
@pytest.mark.usefixtures("contract_state")
def test_likes_are_counted_and_show_in_the_feed(message, feed, pushed):
    pushed += [push.delivery_id for push in feed.handle(message)]
    assert feed.likes(message.message_id) == 1
    items = feed.items(message.author.person_id)
    shown = [(item.newest, item.others, item.at) for item in items if item.message_id == message.message_id]
    own = message.liker.person_id == message.author.person_id
    liked_at = as_microseconds(message.liked_at)
    assert shown == ([] if own else [(storable(message.liker.name), 0, liked_at)])


@pytest.mark.consumes("message.liked")
def test_one_person_counts_once(message, feed):
    feed.handle(message)
    feed.handle(message.model_copy(update={"like_id": "l-again"}))
    assert feed.likes(message.message_id) == 1


@pytest.mark.consumes("message.unliked")
def test_what_is_taken_back_no_longer_counts(message, feed):
    common = ("like_id", "message_id", "group_id", "liker", "author", "liked_at")
    data = message.model_dump(mode="json")
    feed.handle(MessageLiked.from_value({name: data[name] for name in common}))
    assert feed.likes(message.message_id) == 1
    feed.handle(message)
    assert feed.likes(message.message_id) == 0
    assert feed.items(message.author.person_id) == []


@pytest.mark.consumes("message.unliked")
@pytest.mark.usefixtures("contract_state")
def test_what_is_taken_back_stays_taken_back(message, feed, pushed):
    pushed += [push.delivery_id for push in feed.handle(message)]
    assert feed.likes(message.message_id) == 0


@pytest.mark.consumes("message.posted")
@pytest.mark.usefixtures("contract_state")
def test_posts_are_remembered(message, feed):
    feed.handle(message)
    post = feed.message(message.message_id)
    assert (post.author_id, post.group_id) == (message.author.person_id, message.group.group_id)
    assert (post.text, post.posted_at) == (storable(message.text), as_microseconds(message.posted_at))


@pytest.mark.produces("delivery.requested", caused_by="message.liked")
def test_a_push_says_who_likes_what_to_whom(cause, emits, feed):
    (message,) = feed.handle(cause)
    emits(message)
    assert message.caused_by == cause.like_id
    assert message.recipient.person_id == cause.author.person_id
    assert message.text == f"{storable(cause.liker.name)} likes your message"
    assert dict(message.details) == {"message_id": cause.message_id}
