import json
import resource
import socket
import threading
from contextlib import ExitStack

import pytest
from tests.conftest import fetch

from feed.consumer import Consumer
from feed.http import MAX_CONNECTIONS, listen, make_app, serve
from feed.outbox import Outbox


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


def test_health_and_metrics_answer_while_the_database_hangs_and_many_sockets_are_idle(feed, port, until, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(feed, "likes", lambda _: released.wait(120))
    with serve(make_app(feed, problem=lambda: None), f"127.0.0.1:{port}"), ExitStack() as stack:
        until(lambda: fetch(port, "/healthz") == "ok")
        for number in range(600):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            if number % 2:
                client.sendall(b"GET /messages/m-0001/likes HTTP/1.1\r\nHost: feed\r\n" + b"\r\n" * (number % 3))
        assert [fetch(port, path) for path in ("/healthz", "/livez")] == ["ok", "ok"]
        assert "feed_lag" in fetch(port, "/metrics")
        released.set()


@pytest.mark.parametrize(
    "sent", [b"", b"GET /messages/m-0001/likes HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_more_connections_than_the_service_can_have_open_do_not_take_its_pages_away(feed, port, until, sent):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    clients = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    try:
        with serve(make_app(feed, problem=lambda: None), f"127.0.0.1:{port}"):
            until(lambda: fetch(port, "/healthz") == "ok")
            for _ in range(2000):
                clients.append(socket.create_connection(("127.0.0.1", port)))
                clients[-1].sendall(sent)
            assert [fetch(port, path) for path in ("/healthz", "/livez")] == ["ok", "ok"]
            assert fetch(port, "/messages/m-0001/likes") == '{"message_id":"m-0001","likes":0}'
            until(lambda: sum(map(is_open, clients)) <= MAX_CONNECTIONS)
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_every_answer_has_the_headers_that_protect_browsers(feed, port, until):
    requests = [f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" for method, path in (
        ("GET", "/"), ("GET", "/healthz"), ("GET", "/metrics"), ("GET", "/people/p-ana001/feed"), ("GET", "/nowhere"),
        ("POST", "/healthz"), ("GET", "/people/p-ana001/feed?limit=0"), ("GET", "/messages/%00/likes"),
        ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/messages/m-broken/likes"),
    )]  # fmt: skip
    feed.likes = lambda _: 1 / 0
    with serve(make_app(feed, problem=lambda: None), f"127.0.0.1:{port}"):
        until(lambda: fetch(port, "/healthz") == "ok")
        statuses = set()
        for request in [*requests, "no HTTP at all\r\n\r\n"]:
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(request.encode())
                head = b"".join(iter(lambda: client.recv(1 << 16), b"")).partition(b"\r\n\r\n")[0].decode().lower()
            statuses.add(head.split()[1])
            assert "content-security-policy: default-src 'none'; " in head, request
            assert "x-content-type-options: nosniff" in head, request
            assert "server:" not in head
    assert statuses == {"200", "400", "404", "405", "422", "500"}


def test_it_listens_on_this_machine_only_unless_told_otherwise():
    for address, expected in ((":0", "127.0.0.1"), ("0.0.0.0:0", "0.0.0.0")):
        with listen(address) as listener:
            assert listener.getsockname()[0] == expected


def test_a_loop_that_does_not_turn_is_dead(feed, port, until):
    silence = [0]
    with serve(make_app(feed, lambda: None, lambda: silence[0]), f"127.0.0.1:{port}"):
        until(lambda: fetch(port, "/livez") == "ok")
        silence[0] = 61
        assert fetch(port, "/livez").startswith("503 ")


def test_a_loop_that_hangs_is_unhealthy(feed, kafka):
    consumer = Consumer({"bootstrap.servers": kafka.address}, feed, Outbox(feed.store, "redis://127.0.0.1:1"))
    assert consumer.problem() == "waiting for its partitions"
    consumer._last_turn -= 31
    assert consumer.problem() == "the service hangs: it has read nothing for 31 s"


def test_an_ipv6_address_and_any_port_can_be_listened_at(feed):
    for address in ("[::1]:0", ":0", "localhost:0"):
        with serve(make_app(feed, problem=lambda: None), address):
            pass


def is_open(client):
    """Return False if the service has ended a connection."""
    client.settimeout(0)
    try:
        while client.recv(1 << 16):
            pass
    except BlockingIOError:
        return True
    except ConnectionError:
        pass
    return False
