"""Every recorded message that this service reads and sends: `pytest --contracts`."""

import pytest
from envelopes.messages import MessageLiked


@pytest.mark.consumes("message.liked")
def test_likes_are_counted(message, feed):
    feed.handle(message)
    assert feed.likes(message.message_id) > 0


@pytest.mark.consumes("message.posted")
def test_posts_are_remembered(message, feed):
    feed.handle(message)
    assert feed.message(message.message_id).text == message.text


@pytest.mark.produces("delivery.requested", caused_by="message.liked")
def test_a_like_is_pushed(cause, emits, feed):
    for message in feed.handle(cause):
        emits(message)


@pytest.mark.consumes("message.unliked")
def test_what_is_taken_back_no_longer_counts(message, feed):
    common = ("like_id", "message_id", "group_id", "liker", "author", "liked_at")
    data = message.model_dump(mode="json")
    feed.handle(MessageLiked.from_value({name: data[name] for name in common}))
    assert feed.likes(message.message_id) == 1
    feed.handle(message)
    assert feed.likes(message.message_id) == 0
