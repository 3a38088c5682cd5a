"""Messages that the contract allows and nobody expects: none may stop the service."""

import json

import pytest
from envelopes.messages import MessageLiked, MessagePosted

from feed import Feed, Received, Store

TIMES = (
    "2016-12-31T23:59:60Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "2026-03-01T12:00:00.1234567+23:59", "1969-12-31T23:59:59.5-00:00", "2026-03-01t12:00:00z",
)  # fmt: skip
TEXTS = ("\0", "\ufffe", "\u202e", "💥" * 80, "' OR 1=1 --", "%s %(x)s ? :name", "\x1b[2J", "a\r\nb")


@pytest.mark.parametrize("value", TIMES)
def test_times(store_url, like, post, value):
    check(store_url, like, post, liked_at=value, posted_at=value)


@pytest.mark.parametrize("value", TEXTS)
def test_texts(store_url, like, post, value):
    check(store_url, like, post, name=value, text=value)


def check(
    store_url, like, post, *, name="Bo", text="", liked_at="2026-03-01T12:00:00Z", posted_at="2026-03-01T12:00:00Z"
):
    liked = json.loads(like(1).to_json()) | {"liked_at": liked_at}
    liked["liker"]["name"] = name
    posted = json.loads(post().to_json()) | {"text": text, "posted_at": posted_at}
    feed = Feed(Store(store_url))
    messages = MessageLiked.from_json(json.dumps(liked)), MessagePosted.from_json(json.dumps(posted))
    feed.handle_batch([Received("t/0", n, message) for n, message in enumerate(messages)])
    (item,) = feed.items("p-ana000")
    assert item.likes == 1
    assert item.at
    assert item.newest == name.replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert item.text == text.replace("\0", "\N{REPLACEMENT CHARACTER}")
