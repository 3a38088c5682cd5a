"""Messages that the contract allows and nobody expects: none may stop the service."""

import json

from envelopes.messages import MessageLiked, MessagePosted

from feed import Feed, Received, Store

TIMES = (
    "2016-12-31T23:59:60Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "2026-03-01T12:00:00.1234567+23:59", "1969-12-31T23:59:59.5-00:00", "2026-03-01t12:00:00z",
)  # fmt: skip
TEXTS = ("\0", "\ufffe", "\u202e", "💥" * 80, "' OR 1=1 --", "%s %(x)s ? :name", "\x1b[2J", "a\r\nb")


def test_times(store_url, like, post):
    for item, _ in shown(store_url, like, post, [{"liked_at": time, "posted_at": time} for time in TIMES]):
        assert item.at


def test_texts(store_url, like, post):
    for item, text in shown(store_url, like, post, [{"name": text, "text": text} for text in TEXTS]):
        expected = text["text"].replace("\0", "\N{REPLACEMENT CHARACTER}")
        assert (item.newest, item.text) == (expected, expected)


def shown(store_url, like, post, changes):
    """Take in a like and a post with each of these changes; return what the feed shows, with the change."""
    feed = Feed(Store(store_url))
    for n, change in enumerate(changes):
        liked = json.loads(like(n, message=f"m-{n:04}").to_json())
        liked["liked_at"] = change.get("liked_at", liked["liked_at"])
        liked["liker"]["name"] = change.get("name", "Bo")
        posted = json.loads(post(f"m-{n:04}").to_json())
        posted |= {name: change[name] for name in ("text", "posted_at") if name in change}
        messages = MessageLiked.from_json(json.dumps(liked)), MessagePosted.from_json(json.dumps(posted))
        feed.handle_batch([Received("t/0", 2 * n + place, message) for place, message in enumerate(messages)])
    items = {item.message_id: item for item in feed.items("p-ana000", 100)}
    assert [items[f"m-{n:04}"].likes for n in range(len(changes))] == [1] * len(changes)
    return [(items[f"m-{n:04}"], change) for n, change in enumerate(changes)]
