"""Every recorded message that this service reads and sends, and what else is allowed: `pytest --contracts`."""

import pytest
import sqlalchemy as sa
from envelopes.messages import MessageLiked

from feed.likes import storable
from feed.store import as_microseconds, as_time


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


def like_of(unlike, **changes):
    """The like that an unlike, as plain data, takes back."""
    names = ("like_id", "message_id", "group_id", "liker", "author", "liked_at")
    return MessageLiked.from_value({name: unlike[name] for name in names} | changes)


def where_it_stands(feed, message_id, person_id):
    with feed.store.begin() as unit:
        return unit.reactions([(message_id, person_id)]).get((message_id, person_id))


@pytest.mark.consumes("message.liked")
@pytest.mark.usefixtures("contract_state")
def test_likes_are_counted_and_show_in_the_feed(message, feed, pushed):
    pushed += [push.delivery_id for push in feed.handle(message)]
    assert feed.likes(message.message_id) == 1
    items = feed.items(message.author.person_id)
    shown = [(item.newest, item.others, item.at) for item in items if item.message_id == message.message_id]
    liker, own = message.liker, message.liker.person_id == message.author.person_id
    name, liked_at = storable(liker.name), as_microseconds(message.liked_at)
    assert shown == ([] if own else [(name, 0, as_time(liked_at))])
    stand = where_it_stands(feed, message.message_id, liker.person_id)
    assert stand == (message.message_id, liker.person_id, liked_at, 0, message.like_id, name, int(not own))


@pytest.mark.consumes("message.unliked")
def test_what_is_taken_back_no_longer_counts(message, feed):
    feed.handle(like_of(message.model_dump(mode="json")))
    assert feed.likes(message.message_id) == 1
    feed.handle(message)
    assert feed.likes(message.message_id) == 0
    assert feed.items(message.author.person_id) == []


@pytest.mark.consumes("message.unliked")
@pytest.mark.usefixtures("contract_state")
def test_what_is_taken_back_stays_taken_back(message, feed, pushed):
    pushed += [push.delivery_id for push in feed.handle(message)]
    assert feed.likes(message.message_id) == 0
    at = as_microseconds(max(message.liked_at, message.unliked_at))
    stand = where_it_stands(feed, message.message_id, message.liker.person_id)
    who = (message.message_id, message.liker.person_id)
    assert stand == (*who, at, 1, message.like_id, storable(message.liker.name), 0)


@pytest.mark.consumes("message.unliked")
def test_who_likes_a_message_after_an_unlike_shows_in_its_author_s_feed(message, feed, people):
    feed.handle(message)
    feed.handle(like_of(message.model_dump(mode="json"), liker=people.di))
    assert [item.newest for item in feed.items(message.author.person_id)] == [people.di["name"]]


@pytest.mark.consumes("message.posted")
@pytest.mark.usefixtures("contract_state")
def test_a_post_s_text_shows_in_the_feed(message, feed, like, people):
    feed.handle(message)
    feed.handle(like(message=message.message_id))
    shown = [item.text for item in feed.items(people.ana["person_id"]) if item.message_id == message.message_id]
    assert shown == [storable(message.text)]


@pytest.mark.produces("delivery.requested", caused_by="message.liked")
def test_a_push_says_who_likes_what_to_whom(cause, emits, feed):
    (message,) = feed.handle(cause)
    emits(message)
    assert message.caused_by == cause.like_id
    assert message.recipient.person_id == cause.author.person_id
    assert message.text == f"{storable(cause.liker.name)} likes your message"
    assert dict(message.details) == {"message_id": cause.message_id}
    stand = where_it_stands(feed, cause.message_id, cause.liker.person_id)
    assert (stand.at, stand.notified) == (as_microseconds(cause.liked_at), 1)  # so that it is pushed once
