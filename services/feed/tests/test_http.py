import json
import urllib.error
import urllib.request

import pytest

from feed.http import make_app, serve


@pytest.fixture
def get(feed, port, until):
    """Fetch JSON from the feed over HTTP."""
    with serve(make_app(feed, problem=lambda: None), f"127.0.0.1:{port}"):
        until(lambda: fetch(port, "/healthz") == "ok")
        yield lambda path: json.loads(fetch(port, path))


def test_the_likes_of_a_message(get, feed, like):
    feed.handle(like(1))
    assert get("/messages/m-0001/likes") == {"message_id": "m-0001", "likes": 1}
    assert get("/messages/m-9999/likes")["likes"] == 0


def test_the_news_feed_of_a_person(get, feed, like, post, people):
    feed.handle(post(text="Lunch at one?"))
    feed.handle(like(1, people.bo))
    feed.handle(like(2, people.cy, seconds=1))
    (item,) = get(f"/people/{people.ana['person_id']}/feed")
    assert item == {
        "message_id": "m-0001",
        "line": "Cy and 1 other like your message",
        "newest": "Cy",
        "others": 1,
        "at": "2026-03-01T12:00:01Z",
        "text": "Lunch at one?",
        "likes": 2,
    }


def test_the_api_describes_itself(get):
    assert {"/messages/{message_id}/likes", "/people/{person_id}/feed"} <= set(get("/openapi.json")["paths"])


def test_it_is_unhealthy_while_something_keeps_it_from_its_work(feed, port, until):
    with serve(make_app(feed, problem=lambda: "the store is away"), f"127.0.0.1:{port}"):
        until(lambda: fetch(port, "/healthz") == "503 the store is away")


def test_it_is_unhealthy_until_it_is_a_member_of_its_group(service, port, until):
    service("--http", f"127.0.0.1:{port}", address="127.0.0.1:1", wait=False)
    until(lambda: fetch(port, "/healthz") == "503 waiting for its partitions")
    until(lambda: "feed_rebalances_total 0.0" in fetch(port, "/metrics"))
    assert fetch(port, "/healthz") == "503 waiting for its partitions"


def test_a_running_service_answers_and_counts(service, kafka, mailbox, like, until, port):
    service("--http", f"127.0.0.1:{port}")
    kafka.publish(like(1), (b"poison", None, []))
    until(lambda: 'feed_messages_total{subject="message.liked"} 1.0' in fetch(port, "/metrics"))
    until(lambda: "feed_pushes_total 1.0" in fetch(port, "/metrics"))
    metrics = fetch(port, "/metrics")
    assert "feed_dead_letters_total 1.0" in metrics
    assert "feed_rebalances_total 1.0" in metrics
    assert "feed_latency_seconds_count 1.0" in metrics
    assert 'feed_lag{partition="' in metrics
    assert fetch(port, "/healthz") == "ok"


def fetch(port, path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read().decode()
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"
    except urllib.error.URLError as error:
        return str(error)
