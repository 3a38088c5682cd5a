"""Sources: every kind of address gives the messages that stand there, once, as they are."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from redis import Redis

from contract_test.data.contract import Channel
from contract_test.data.errors import ContractTestError
from contract_test.data.reading import Reading
from contract_test.transports.redis_list import OVERLAP, PAGE, read_list
from contract_test.transports.taps import tap
from contract_test.transports.urls import without_password

LIST = Channel("jobs", "redis-list", "jobs", "json")
STREAM = Channel("events", "redis-stream", "events", "json")


def texts(url: str, channel: Channel, reading: Reading | None = None) -> list[str]:
    return [each.wire.decode() for each in tap(url, channel, reading) if each is not None]


@pytest.mark.parametrize("popped", [1, OVERLAP - 1, OVERLAP, PAGE, 3 * PAGE])
def test_a_list_whose_head_is_popped_while_it_is_read_gives_nothing_twice_and_loses_nothing(redis_url, popped):
    with Redis.from_url(redis_url) as redis:
        redis.rpush("jobs", *range(4000))
        reading = Reading(rate=1_000_000)
        got = []
        for message in read_list(redis_url, "jobs", reading):
            if message is not None:
                got.append(int(message.wire))
                if len(got) == 1600:
                    redis.lpop("jobs", popped)
        assert got == list(range(4000))
        assert not reading.notes


def test_a_list_that_is_popped_all_the_time_gives_nothing_twice(redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush("jobs", *range(20_000))
        done = threading.Event()

        def work() -> None:
            with Redis.from_url(redis_url) as worker:
                while not done.is_set():
                    worker.lpop("jobs", 40)

        worker = threading.Thread(target=work)
        reading = Reading(rate=100_000)
        got = []
        for message in read_list(redis_url, "jobs", reading):
            if not got:
                worker.start()
            if message is not None:
                got.append(int(message.wire))
        done.set()
        worker.join()
        assert got == sorted(set(got))
        assert len(got) > 100


def read_while_it_changes(redis_url: str, change: Callable[[Redis], object]) -> tuple[list[int], str]:
    """Read 2,000 numbers from a list that changes after 518 of them. Return what was read, and the first note."""
    with Redis.from_url(redis_url) as redis:
        redis.rpush("jobs", *range(2000))
        reading, got = Reading(rate=1_000_000), []
        for message in read_list(redis_url, "jobs", reading):
            if message is not None:
                got.append(int(message.wire))
                if len(got) == 518:
                    change(redis)
        return got, reading.notes[0]


def test_what_left_a_list_before_it_was_read_is_reported(redis_url):
    got, note = read_while_it_changes(redis_url, lambda redis: redis.ltrim("jobs", 1500, -1))
    assert got == [*range(518), *range(1500, 2000)]
    assert "may have been missed" in note


def test_messages_that_come_in_at_the_head_are_reported_and_nothing_is_read_twice(redis_url):
    got, note = read_while_it_changes(redis_url, lambda redis: redis.lpush("jobs", *range(5000, 5700)))
    assert got == list(range(2000))
    assert "came in before" in note


def test_equal_messages_are_counted_each(redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush("jobs", *["same"] * 1200)
        assert len(texts(redis_url, LIST)) == 1200


def test_large_messages_make_small_pages(redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush("jobs", *[f"{number}:" + "x" * 200_000 for number in range(120)])
        assert [text.partition(":")[0] for text in texts(redis_url, LIST)] == [str(number) for number in range(120)]


def test_a_list_is_followed(redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush("jobs", 1, 2)
        got = []
        for message in tap(redis_url, LIST, Reading(follow=True, limit=4, since="latest")):
            if message is None and not got:
                redis.rpush("jobs", 3, 4, 5, 6)
            if message is not None:
                got.append(message.wire.decode())
        assert got == ["3", "4", "5", "6"]


def test_a_stream_is_read_by_its_ids_and_goes_on_from_a_mark(redis_url):
    with Redis.from_url(redis_url) as redis:
        for number in range(1200):
            redis.xadd("events", {"data": json.dumps(number), "ce_type": "x"}, id=f"{number + 1}-0")
        read = [each for each in tap(redis_url, STREAM) if each is not None]
        assert [int(each.wire) for each in read] == list(range(1200))
        assert read[0].wire.headers == (("ce_type", b"x"),)
        assert read[0].seen == {"stream": "events", "id": "1-0"}
        name, mark = read[999].mark
        reading = Reading(marks={name: mark})
        assert texts(redis_url, STREAM, reading) == [str(number) for number in range(1000, 1200)]
        assert not reading.notes
        redis.xtrim("events", maxlen=100, approximate=False)
        reading = Reading(marks={name: mark})
        assert len(texts(redis_url, STREAM, reading)) == 100
        assert "may have been missed" in reading.notes[0]
        since = Reading(since=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1151))
        assert texts(redis_url, STREAM, since)[0] == "1150"


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"body": "{}"}, "{}"), ({"user": "1", "action": "x"}, '{"user":"1","action":"x"}')],
)
def test_an_entry_without_data_is_its_only_field_or_the_object_of_its_fields(redis_url, fields, message):
    with Redis.from_url(redis_url) as redis:
        redis.xadd("events", fields)
        assert texts(redis_url, STREAM) == [message]


def test_a_user_who_may_only_read_one_key_is_enough(redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush("jobs", 1, 2, 3)
        redis.xadd("events", {"data": "4"})
        redis.execute_command("ACL", "SETUSER", "reader", "on", ">hunter2", "~jobs", "~events", "+lrange", "+xrange")
        try:
            limited = redis_url.replace("redis://", "redis://reader:hunter2@")
            assert texts(limited, LIST) == ["1", "2", "3"]
            assert texts(limited, STREAM) == ["4"]
            with pytest.raises(ContractTestError) as failure:
                texts(limited, Channel("x", "redis-list", "other", "json"))
            assert "hunter2" not in str(failure.value)
            assert "+lrange" in str(failure.value)
        finally:
            redis.execute_command("ACL", "DELUSER", "reader")


def test_a_password_may_be_in_the_environment(redis_url, monkeypatch):
    with Redis.from_url(redis_url) as redis:
        redis.rpush("jobs", 1)
        redis.execute_command("ACL", "SETUSER", "reader2", "on", ">hunter2", "~jobs", "+lrange")
        try:
            monkeypatch.setenv("REDISCLI_AUTH", "hunter2")
            assert texts(redis_url.replace("redis://", "redis://reader2@"), LIST) == ["1"]
            monkeypatch.setenv("REDISCLI_AUTH", "wrong-secret")
            with pytest.raises(ContractTestError) as failure:
                texts(redis_url.replace("redis://", "redis://reader2@"), LIST)
            assert "did not take the credentials" in str(failure.value)
            assert "wrong-secret" not in str(failure.value)
        finally:
            redis.execute_command("ACL", "DELUSER", "reader2")


@pytest.mark.needs_real_kafka
def test_aborted_transactions_are_not_read_and_do_not_hold_the_reader(kafka, topic):
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic})
    producer.init_transactions()
    for text, commit in (("kept", True), ("aborted", False), ("kept too", True), ("aborted", False)):
        producer.begin_transaction()
        for _ in range(20):
            producer.produce(topic, text)
        producer.flush()
        (producer.commit_transaction if commit else producer.abort_transaction)()
    got = texts(f"kafka://{kafka}", Channel("x", "kafka", topic, "json"), Reading(seconds=60))
    assert sorted(set(got)) == ["kept", "kept too"]
    assert len(got) == 40


@pytest.mark.needs_real_kafka
def test_a_topic_is_read_from_a_time_on(kafka, topic):
    producer = Producer({"bootstrap.servers": kafka})
    old = datetime.now(UTC) - timedelta(hours=3)
    for number in range(10):
        sent = old + timedelta(hours=2.5 if number >= 6 else 0)
        producer.produce(topic, str(number), timestamp=int(sent.timestamp() * 1000), partition=0)
    producer.flush()
    channel = Channel("x", "kafka", topic, "json")
    since = Reading(since=datetime.now(UTC) - timedelta(hours=1))
    assert texts(f"kafka://{kafka}", channel, since) == ["6", "7", "8", "9"]


def test_a_topic_goes_on_from_marks_and_says_what_is_gone(kafka, topic):
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(10):
        producer.produce(topic, str(number), partition=0)
    producer.produce(topic, None, key="gone", partition=0)
    producer.flush()
    channel, url = Channel("x", "kafka", topic, "json"), f"kafka://{kafka}"
    reading = Reading()
    read = [each for each in tap(url, channel, reading) if each is not None]
    assert [each.wire.decode() for each in read] == [str(number) for number in range(10)]
    assert "deletions" in reading.notes[0]
    assert texts(url, channel, Reading(marks=dict([read[6].mark]))) == ["7", "8", "9"]
    beyond = Reading(marks={"0": ":5000"})
    assert len(texts(url, channel, beyond)) == 10
    assert "made anew" in beyond.notes[0]


@pytest.mark.needs_real_kafka
def test_a_topic_that_was_made_anew_is_read_from_its_beginning(kafka, topic):
    admin, channel, url = (
        AdminClient({"bootstrap.servers": kafka}),
        Channel("x", "kafka", topic, "json"),
        f"kafka://{kafka}",
    )

    def fill(*messages: str) -> None:
        producer = Producer({"bootstrap.servers": kafka})
        for message in messages:
            producer.produce(topic, message, partition=0)
        assert producer.flush(30) == 0

    fill("a", "b", "c")
    marks = dict(each.mark for each in tap(url, channel, Reading()) if each is not None)
    assert texts(url, channel, Reading(marks=marks)) == []
    admin.delete_topics([topic])[topic].result(30)
    while topic in admin.list_topics(timeout=10).topics:
        time.sleep(0.05)
    fill("d", "e", "f", "g")
    again = Reading(marks=marks)
    assert texts(url, channel, again) == ["d", "e", "f", "g"]
    assert "was made anew since the last run" in again.notes[0]


def test_lines_are_messages_interactions_or_what_kcat_writes(tmp_path):
    lines = [
        '{"a": 1.0}',
        "not json",
        '{"format":1,"channel":"x","subject":"s","version":1,"payload":{"n":1e5},"key":"k","headers":{"h":"v"}}',
        '{"topic":"t","partition":3,"offset":7,"tstype":"create","ts":1,"headers":["h","v"],"key":"k","payload":"{\\"a\\":2}"}',
        "",
    ]
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join(lines))
    bare, broken, interaction, kcat = [each for each in tap(str(path), LIST) if each is not None]
    assert (bytes(bare.wire), bytes(broken.wire)) == (b'{"a": 1.0}', b"not json")
    assert (bytes(interaction.wire), interaction.wire.key) == (b'{"n":1e5}', b"k")
    assert interaction.wire.headers == (("h", b"v"),)
    assert (bytes(kcat.wire), kcat.wire.key, kcat.wire.headers) == (b'{"a":2}', b"k", (("h", b"v"),))
    assert kcat.seen == {"topic": "t", "partition": 3, "offset": 7}


def test_a_file_that_begins_with_a_byte_order_mark_is_read_without_it(tmp_path):
    path = tmp_path / "messages.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a":1}\n{"a":2}\n')
    assert [bytes(each.wire) for each in tap(str(path), LIST) if each is not None] == [b'{"a":1}', b'{"a":2}']


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:hunter2@host:6379/0", "redis://host:6379/0"),
        ("redis://:hunter2@host", "redis://host"),
        ("kafka://user:hunter2@a:1,b:2?sasl.password=hunter2", "kafka://a:1,b:2"),
        ("redis://:hunt/er2@host:1/0", "redis://…"),
        ("redis://:hunt?er2@host:1/0", "redis://…"),
        ("redis://user:hunter2", "redis://…"),
        ("redis://:hunter2", "redis://…"),
        ("redis://[::1]:6379/1", "redis://[::1]:6379/1"),
        ("unix://user:hunter2@/run/redis.sock?password=hunter2", "unix:///run/redis.sock"),
        ("messages.jsonl", "messages.jsonl"),
    ],
)
def test_an_address_is_shown_without_credentials(url, shown):
    assert without_password(url) == shown
    assert "hunter2" not in without_password(url)


@pytest.mark.parametrize(
    ("url", "channel", "said"),
    [
        ("amqp://host", LIST, "Name redis://, rediss://, unix://, a file"),
        ("kafka://host:1", LIST, "Name redis://, rediss://, unix://, a file"),
        ("kafka://127.0.0.1:1?sasl.pass=hunter2", Channel("x", "kafka", "t", "json"), "sasl.password"),
        ("/does/not/exist.jsonl", LIST, "No such file"),
        ("/usr", LIST, "cat /usr/* | contract-test … -"),
        ("redis://:hunt/er2@host", LIST, "%XX"),
    ],
)
def test_what_cannot_be_read_says_what_can(url, channel, said):
    with pytest.raises(ContractTestError) as failure:
        texts(url, channel)
    assert said in str(failure.value)
    assert "hunt" not in str(failure.value)


@pytest.mark.parametrize("protocol", ["redis-list", "redis-stream"])
def test_what_redis_refuses_is_told_with_what_to_look_at(redis_url, protocol):
    channel = Channel("c", protocol, "what", "json")
    with Redis.from_url(redis_url) as redis:
        redis.set("what", "x")
    with pytest.raises(ContractTestError, match=r"another type of value\n.*redis-list, streams as redis-stream"):
        list(tap(redis_url, channel))
    with pytest.raises(ContractTestError, match=r"(?s)Redis refused: .*database's number"):
        list(tap(redis_url.rpartition("/")[0] + "/9999", channel))
