"""Records that nobody can read, and servers that answer with errors: neither stops the service."""

import ctypes
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import confluent_kafka
import pytest
import sqlalchemy as sa
from envelopes import decode
from tests.conftest import fetch, send_pushes

from feed import Feed, Received, Store
from feed.http import make_app, serve

QUEUE = "resque:queue:transport"
NUMBERS = (b"1e1000000000000000000", b"-1E+99999999999999999999", b"1e-99999999999999999999")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_no_decimal_holds_is_a_dead_letter(service, kafka, mailbox, stored, like, until, number):
    service()
    body = b'{"specversion":"1.0","id":"x","source":"/w","type":"message.liked","data":{"zz":' + number + b"}}"
    kafka.publish((body, b"m-0001", [("content-type", b"application/cloudevents+json")]), like(1))
    (letter,) = kafka.read("activity.dead-letter", 1)
    assert letter.value() == body
    until(lambda: stored.likes("m-0001") == 1)


def test_a_header_whose_name_is_not_utf8_is_a_dead_letter(service, kafka, mailbox, stored, like, until):
    process = service()
    publish_with_header_name(kafka.address, b"\xff\xfe", b"payload", b"m-0001")
    kafka.publish(like(1))
    (letter,) = kafka.read("activity.dead-letter", 1)
    assert (letter.value(), letter.key()) == (b"payload", b"m-0001")
    assert b"UTF-8" in dict(letter.headers())["dead-letter-reason"]
    until(lambda: stored.likes("m-0001") == 1)
    assert process.poll() is None


def test_a_record_that_is_too_large_to_fetch_is_passed_over(service, kafka, stored, like, people, port, until):
    sizes = {"receive.message.max.bytes": 1_000_000, "fetch.max.bytes": 500_000, "message.max.bytes": 400_000}
    settings = [part for name, size in sizes.items() for part in ("-X", f"{name}={size}")]
    process = service("--http", f"127.0.0.1:{port}", *settings)
    kafka.publish(like(1), (b"x" * 2_000_000, b"m-0001", []), like(2, people.cy))
    until(lambda: stored.likes("m-0001") == 2)
    assert "feed_unfetchable_total 1.0" in fetch(port, "/metrics")
    process.terminate()
    assert "passed over offsets 1 to 1: " in process.stderr.read()


@pytest.mark.parametrize(
    ("setting", "broken", "mended"),
    [("min-replicas-to-write", 1, 0), ("maxmemory", 1, 0)],
    ids=["NOREPLICAS", "OOM"],
)
def test_pushes_wait_while_redis_refuses_writes_and_the_problem_is_named(
    redis_url, mailbox, stored, like, setting, broken, mended
):
    stored.handle_batch([Received("t/0", 0, like(1))])
    mailbox.config_set(setting, broken)
    try:
        assert send_pushes(stored.store, redis_url).problem.startswith("pushes wait in the outbox: ")
    finally:
        mailbox.config_set(setting, mended)
    again = send_pushes(stored.store, redis_url)
    assert (mailbox.llen(QUEUE), again.problem) == (1, None)


@pytest.mark.parametrize(("hours", "expected"), [(-24 * 365, -24 * 365), (-3, -3), (24, 0)])
def test_a_push_is_as_old_as_its_like(redis_url, mailbox, stored, like, hours, expected):
    now = datetime.now(UTC)
    given = json.loads(like(1).to_json()) | {"liked_at": (now + timedelta(hours=hours)).isoformat()}
    stored.handle_batch([Received("t/0", 0, type(like(1)).from_json(json.dumps(given)))])
    send_pushes(stored.store, redis_url)
    sent = decode(mailbox.lpop(QUEUE), channel="transport").data.enqueued_at
    assert abs(sent - now - timedelta(hours=expected)) < timedelta(minutes=10)


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z"])
def test_a_like_at_the_edge_of_time_is_shown_and_pushed(redis_url, mailbox, store_url, like, port, until, when):
    feed = Feed(Store(store_url))
    given = json.loads(like(1).to_json()) | {"liked_at": when}
    feed.handle_batch([Received("t/0", 0, type(like(1)).from_json(json.dumps(given)))])
    send_pushes(feed.store, redis_url)
    assert mailbox.llen(QUEUE) == 1
    with serve(make_app(feed, problem=lambda: None), f"127.0.0.1:{port}"):
        until(lambda: status(port, "/healthz") == 200)
        assert status(port, "/people/p-ana000/feed") == 200


def test_an_id_with_a_nul_is_a_bad_request(store_url, port, until):
    with serve(make_app(Feed(Store(store_url)), problem=lambda: None), f"127.0.0.1:{port}"):
        until(lambda: status(port, "/healthz") == 200)
        for path in ("/messages/%00/likes", "/people/%00/feed", "/people/a%00b/feed/live"):
            assert status(port, path) == 400


def test_a_database_that_is_away_is_a_503(port, until, tmp_path):
    feed = Feed(Store(str(tmp_path / "feed.db")))
    feed.store.engine.pool.dispose()
    Path(tmp_path / "feed.db").unlink()
    Path(tmp_path / "feed.db").mkdir()  # it can no longer be opened
    with serve(make_app(feed, problem=lambda: None), f"127.0.0.1:{port}"):
        until(lambda: status(port, "/healthz") == 200)
        assert status(port, "/messages/m-0001/likes") == 503


def test_a_postgresql_that_is_read_only_is_waited_for(service, kafka, mailbox, postgresql, like, people, until):
    name = f"readonly{port_like()}"
    admin = sa.create_engine(postgresql, isolation_level="AUTOCOMMIT")
    run = lambda sql: admin.connect().exec_driver_sql(sql)  # noqa: E731
    run(f"CREATE DATABASE {name}")
    url = postgresql.replace("/postgres", f"/{name}")
    process = service(store=url)
    kafka.publish(like(1))
    until(lambda: Feed(Store(url)).likes("m-0001") == 1)
    run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    run(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'")
    kafka.publish(like(2, people.cy))
    for line in process.stderr:
        if "read-only" in line:
            break
    run(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    until(lambda: mailbox.llen(QUEUE) == 2)
    assert process.poll() is None


def port_like():
    return datetime.now(UTC).strftime("%H%M%S%f")


def status(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return None


def publish_with_header_name(address, name, value, key):
    """Write one record through librdkafka itself, which takes any bytes as the name of a header."""
    (library,) = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs").glob("librdkafka*")
    kafka = ctypes.CDLL(str(library))
    for function in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
        getattr(kafka, function).restype = ctypes.c_void_p
    error, size = ctypes.create_string_buffer(512), ctypes.c_size_t(512)
    settings = ctypes.c_void_p(kafka.rd_kafka_conf_new())
    kafka.rd_kafka_conf_set(settings, b"bootstrap.servers", address.encode(), error, size)
    producer = ctypes.c_void_p(kafka.rd_kafka_new(0, settings, error, size))
    headers = ctypes.c_void_p(kafka.rd_kafka_headers_new(ctypes.c_size_t(1)))
    kafka.rd_kafka_header_add(
        headers, ctypes.c_char_p(name), ctypes.c_ssize_t(len(name)), ctypes.c_char_p(b"v"), ctypes.c_ssize_t(1)
    )
    topic, body, code = ctypes.c_int(1), ctypes.c_int(4), ctypes.c_int
    failed = kafka.rd_kafka_producev(
        producer, topic, ctypes.c_char_p(b"activity"), code(3), ctypes.c_int32(0), body, ctypes.c_char_p(value),
        ctypes.c_size_t(len(value)), code(5), ctypes.c_char_p(key), ctypes.c_size_t(len(key)), code(7), code(2),
        code(10), headers, code(0),
    )  # fmt: skip
    assert failed == 0
    assert kafka.rd_kafka_flush(producer, 10_000) == 0
