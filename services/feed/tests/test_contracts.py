"""Every recorded message that this service reads and sends: `pytest --contracts`."""

import pytest
from envelopes.messages import MessageLiked

from feed.feed import as_microseconds, storable


@pytest.mark.consumes("message.liked")
def test_likes_are_counted_and_show_in_the_feed(message, feed):
    feed.handle(message)
    assert feed.likes(message.message_id) == 1
    shown = [(item.message_id, item.newest, item.others, item.at) for item in feed.items(message.author.person_id)]
    own = message.liker.person_id == message.author.person_id
    liked_at = as_microseconds(message.liked_at)
    assert shown == ([] if own else [(message.message_id, storable(message.liker.name), 0, liked_at)])


@pytest.mark.consumes("message.unliked")
def test_what_is_taken_back_no_longer_counts(message, feed):
    common = ("like_id", "message_id", "group_id", "liker", "author", "liked_at")
    data = message.model_dump(mode="json")
    feed.handle(MessageLiked.from_value({name: data[name] for name in common}))
    assert feed.likes(message.message_id) == 1
    feed.handle(message)
    assert feed.likes(message.message_id) == 0
    assert feed.items(message.author.person_id) == []


@pytest.mark.consumes("message.posted")
def test_posts_are_remembered(message, feed):
    feed.handle(message)
    post = feed.message(message.message_id)
    assert (post.author_id, post.group_id) == (message.author.person_id, message.group.group_id)
    assert (post.text, post.posted_at) == (storable(message.text), as_microseconds(message.posted_at))


@pytest.mark.produces("delivery.requested", caused_by="message.liked")
def test_a_like_is_pushed(cause, emits, feed):
    for message in feed.handle(cause):
        emits(message)
