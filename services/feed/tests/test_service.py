"""The service as a process, on a real Redis and Kafka's protocol."""

import signal
import subprocess
import sys

import sqlalchemy as sa
from envelopes import decode
from tests.conftest import send_pushes

from feed import Received
from feed.tables import OUTBOX


def jobs(mailbox):
    return mailbox.lrange("resque:queue:transport", 0, -1)


def test_a_like_on_the_stream_becomes_a_counter_and_a_job_in_the_mailbox(
    service, kafka, mailbox, stored, like, post, people, until
):
    service()
    kafka.publish(post(), like(1, people.bo), like(2, people.cy))
    until(lambda: len(jobs(mailbox)) == 2)
    assert stored.likes("m-0001") == 2
    assert mailbox.smembers("resque:queues") == {b"transport"}
    envelope = decode(jobs(mailbox)[0], channel="transport")
    assert envelope.source == "/feed"
    assert envelope.data.text == "Bo likes your message"
    assert envelope.data.caused_by == "l-0001"


def test_duplicates_on_the_stream_change_nothing(service, kafka, mailbox, stored, like, until):
    service()
    kafka.publish(like(1), like(1), like(1), like(2, message="m-0002"))
    until(lambda: stored.likes("m-0002") == 1 and len(jobs(mailbox)) == 2)
    assert stored.likes("m-0001") == 1


def test_sigterm_ends_it_cleanly_and_the_next_one_goes_on_where_it_was(
    service, kafka, mailbox, stored, like, people, until
):
    first = service()
    kafka.publish(like(1))
    until(lambda: jobs(mailbox))
    first.send_signal(signal.SIGTERM)
    assert first.wait(120) == 0

    kafka.publish(like(2, people.cy))
    service()
    until(lambda: len(jobs(mailbox)) == 2)
    assert stored.likes("m-0001") == 2


def test_a_crash_between_sending_and_forgetting_a_push_sends_it_once(redis_url, mailbox, stored, like):
    stored.handle_batch([Received("t/0", 0, like(1))])
    partition, _, requested_at, pushes = stored.store.waiting(["t/0"])
    send_pushes(stored.store, redis_url)
    with stored.store.begin() as unit:  # as if the row had not been deleted
        unit.enqueue(partition, requested_at, pushes)
    send_pushes(stored.store, redis_url)
    assert len(jobs(mailbox)) == 1
    assert stored.store.waiting(["t/0"]) is None


def test_pushes_wait_while_redis_is_away(service, kafka, stored, like, people, until):
    service(url="redis://127.0.0.1:1")
    kafka.publish(like(1), like(2, people.cy))
    until(lambda: stored.likes("m-0001") == 2)
    with stored.store.engine.begin() as connection:
        waiting = connection.execute(sa.select(OUTBOX.c.pushes)).scalars().all()
    assert [push[1] for pushes in waiting for push in pushes] == ["l-0001", "l-0002"]


def test_pushes_that_waited_for_redis_are_sent_once_it_is_back(service, kafka, stored, like, people, until, free_redis):
    url, run_redis = free_redis
    service(url=url)
    kafka.publish(*[like(n, message=f"m-{n:04}") for n in range(100)])
    until(lambda: all(stored.likes(f"m-{n:04}") for n in range(100)))
    with run_redis() as client:
        until(lambda: client.llen("resque:queue:transport") == 100)
    kafka.publish(like(200, message="m-0200"))
    until(lambda: stored.likes("m-0200") == 1)
    with run_redis() as client:
        until(lambda: client.llen("resque:queue:transport") == 1)
        assert decode(client.lpop("resque:queue:transport"), channel="transport").data.caused_by == "l-0200"


def test_what_nobody_can_read_goes_to_the_dead_letters_as_it_came(service, kafka, mailbox, like, until):
    service()
    kafka.publish((b"\xff not JSON", b"m-0001", [("trace", b"\x00\x01")]), like(1))
    until(lambda: len(jobs(mailbox)) == 1)
    (letter,) = kafka.read("activity.dead-letter", 1)
    headers = dict(letter.headers())
    assert letter.value() == b"\xff not JSON"
    assert letter.key() == b"m-0001"
    assert headers["trace"] == b"\x00\x01"
    assert headers["dead-letter-place"].startswith(b"activity/")
    assert b"JSON" in headers["dead-letter-reason"]


def test_a_record_without_a_value_is_a_dead_letter_without_one(service, kafka):
    service()
    kafka.publish((None, None, [("trace", None)]))
    (letter,) = kafka.read("activity.dead-letter", 1)
    assert (letter.value(), letter.key(), dict(letter.headers())["trace"]) == (None, None, None)


def test_a_missing_option_is_a_usage_error():
    done = subprocess.run([sys.executable, "-m", "feed"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--kafka" in done.stderr


def test_a_setting_without_a_value_is_a_usage_error():
    command = [sys.executable, "-m", "feed", "--kafka", "127.0.0.1:1", "-X", "security.protocol"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "argument -X: not NAME=VALUE" in done.stderr
