"""Every recorded message that this service reads and sends: `pytest --contracts`."""

import pytest


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
