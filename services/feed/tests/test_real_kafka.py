"""What must hold when Kafka restarts, loses, or damages what it holds, and with the rights that the README names."""

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from envelopes import encode
from tests.conftest import QUEUE, fetch, person
from tests.rig import PARTITIONS, make_topic

from feed.__main__ import main
from feed.store import Push


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_topic_that_is_made_again_is_read_from_its_beginning(rig, like, until):
    def wires(start):
        return [encode(like(n, message=f"m-{n:04}"), source="/web") for n in range(start, start + 50)]

    rig.start()
    rig.publish(wires(0))
    until(lambda: rig.mailbox.llen(QUEUE) == 50)
    rig.kill(rig.members[0])
    admin = AdminClient({"bootstrap.servers": rig.node.address})
    admin.delete_topics(["activity"])["activity"].result(120)
    until(lambda: "activity" not in admin.list_topics(timeout=60).topics)
    make_topic(rig.node.address)
    with rig.feed.store.begin() as unit:  # a push of the old topic that did not leave in time
        unit.enqueue("old/0", 0, [Push(50, "l-left", "m-0001", "p-ana000", "Bo", 0)])
    rig.publish(wires(100))
    rig.start()
    until(lambda: rig.mailbox.llen(QUEUE) == 101)
    until(lambda: rig.feed.store.waiting_partitions() == set())


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_topic_that_is_made_again_while_it_is_read_is_read_from_its_beginning(rig, like, until):
    def publish(start, count):
        likes = [like(n, message="m-0001", liker=person(n)) for n in range(start, start + count)]
        rig.publish([encode(each, source="/web") for each in likes])

    rig.start()
    publish(0, 50)
    until(lambda: rig.mailbox.llen(QUEUE) == 50)
    for likes, more in ((50, 50), (100, 200)):  # the new one ends where the old one did, and far behind
        rig.admin.delete_topics(["activity"])["activity"].result(120)
        until(lambda: "activity" not in rig.admin.list_topics(timeout=60).topics)
        make_topic(rig.node.address)
        publish(likes, more)
        until(lambda: rig.feed.likes("m-0001") == likes + more)  # noqa: B023 - it is over before the next one
        until(lambda: rig.mailbox.llen(QUEUE) == likes + more)  # noqa: B023
    rig.all_run()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_healthz_says_that_kafka_or_the_topic_of_dead_letters_is_away_and_that_it_is_back(rig, like, until, port):
    def health():
        return fetch(port, "/healthz")

    rig.start("--http", f"127.0.0.1:{port}")
    until(lambda: health() == "ok")
    rig.node.kill()
    until(lambda: health().startswith("503 "))
    rig.node.start()
    until(lambda: health() == "ok")
    rig.admin.delete_topics(["activity.dead-letter"])["activity.dead-letter"].result(120)
    until(lambda: health().startswith("503 the topic activity.dead-letter cannot be used: "))
    rig.admin.create_topics([NewTopic("activity.dead-letter", 1, 1)])["activity.dead-letter"].result(120)
    until(lambda: health() == "ok")
    rig.publish([encode(like(1), source="/web")])
    until(lambda: rig.feed.likes("m-0001") == 1)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_metrics_tell_how_many_dead_letters_wait_and_for_how_long(rig, until, port):
    name = "activity.dead-letter"
    written_at = time.time() - 5000

    def metric(name):
        lines = fetch(port, "/metrics").splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), None)

    [each.result(120) for each in rig.admin.create_topics([NewTopic(name, 3, 1)]).values()]
    for partition in (0, 0, 0, 2):
        rig.producer.produce(name, b"", partition=partition, timestamp=round(written_at * 1000))
    assert rig.producer.flush(30) == 0
    [each.result(120) for each in rig.admin.delete_records([TopicPartition(name, 0, 1)]).values()]
    rig.start("--http", f"127.0.0.1:{port}")
    until(lambda: metric("feed_dead_letter_topic_messages") == 3)
    assert 5000 <= metric("feed_dead_letter_topic_age_seconds") <= time.time() - written_at
    [each.result(120) for each in rig.admin.delete_records([TopicPartition(name, n, -1) for n in (0, 2)]).values()]
    until(lambda: metric("feed_dead_letter_topic_messages") == 0)
    until(lambda: metric("feed_dead_letter_topic_age_seconds") == 0)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_members_that_hang_for_longer_than_the_group_waits_come_back_and_double_nothing(rig, traffic, until):
    wires = traffic(2000, 3)
    for _ in range(2):
        rig.start("-X", "max.poll.interval.ms=2000")
    rig.publish(wires[:500])
    until(lambda: rig.taken_in() > 0)
    until(rig.shares_evenly)
    rig.publish(wires[500:1000])
    until(lambda: rig.taken_in() == 1000)  # both are past taking over their partitions, which writes too
    with rig.feed.store.begin():  # nobody else writes until it ends
        rig.publish(wires[1000:])
        until(lambda: "maximum poll interval" in rig.said())
    rig.check(until)
    until(rig.shares_evenly)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_replay_from_a_time_takes_in_what_was_written_since(rig, like, until, store_url):
    def liked(message, number):
        rig.publish([encode(like(n, person(n), message), source="/web") for n in range(number)])
        until(lambda: rig.feed.likes(message) == number)

    rig.start()
    liked("m-0001", 5)
    time.sleep(0.01)
    since = datetime.now(UTC)
    liked("m-0002", 3)
    assert main(["replay", "--kafka", rig.node.address, "--store", store_url, "--from", since.isoformat()]) == 0
    assert (rig.feed.likes("m-0001"), rig.feed.likes("m-0002")) == (0, 3)
    liked("m-0003", 2)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_oldest_message_is_the_first_one_and_deleted_ones_that_were_to_be_read_stop_it(rig, like, until):
    def publish(*numbers):
        rig.publish([encode(like(number, message="m-0001", liker=person(number)), source="/web") for number in numbers])
        assert rig.producer.flush(30) == 0

    def delete_all():
        ends = [TopicPartition("activity", each, -1) for each in range(PARTITIONS)]
        [each.result(120) for each in rig.admin.delete_records(ends).values()]

    publish(*range(5))
    delete_all()
    publish(5)
    first = rig.start()
    until(lambda: rig.feed.likes("m-0001") == 1)
    assert "is read for the first time, from the oldest offset, 5" in rig.said()
    first.terminate()
    assert first.wait(120) == 0
    publish(6, 7)
    delete_all()
    assert rig.start().wait(120) == 3
    assert "--skip-lost" in rig.said()
    rig.start("--skip-lost")
    publish(8)
    until(lambda: rig.feed.likes("m-0001") == 2)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_records_that_are_damaged_on_the_broker_s_disk_are_passed_over(rig, like, until, store_url):
    def liked(first, count, message, compression="none"):
        producer = Producer({"bootstrap.servers": rig.node.address, "compression.type": compression, "linger.ms": 5000})
        for n in range(first, first + count):
            wire = encode(like(n, person(n), message), source="/web")
            producer.produce("activity", bytes(wire), b"m", headers=list(wire.headers))
        assert producer.flush(30) == 0

    for batch in range(3):
        liked(batch * 10, 10, f"m-000{batch}")
    rig.node.stop()
    damaged = damage_second_batch(rig.node.directory)
    rig.node.start()
    liked(30, 5, "m-0003", "gzip")
    rig.start()
    until(lambda: rig.feed.likes("m-0003") == 5, 120)
    assert [rig.feed.likes(f"m-000{batch}") for batch in range(4)] == [10, 0, 10, 5]
    assert f"activity/{damaged}: passed over offsets 10 to 19: " in rig.said()
    assert main(["replay", "--kafka", rig.node.address, "--store", store_url, "--into", "again"]) == 0
    assert rig.rows("again") == rig.rows("first")


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_the_rights_that_the_readme_names_are_enough(rig, like, until, redis_url, mailbox, store_url, port):
    readme = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    (rule,) = re.findall("^ACL SETUSER feed (.+)$", readme, re.MULTILINE)
    mailbox.execute_command("ACL", "SETUSER", "feed", *rule.split())
    grants = re.findall("^kafka-acls .* User:feed --operation (.+) --(topic|group) (.+)$", readme, re.MULTILINE)
    kinds = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}
    for operation, kind, name in grants:
        allowed = AclOperation[operation.upper()], AclPermissionType.ALLOW
        acl = AclBinding(kinds[kind], name, ResourcePatternType.LITERAL, "User:recorder", "*", *allowed)
        [each.result(120) for each in rig.admin.create_acls([acl]).values()]
    [each.result(120) for each in rig.admin.create_topics([NewTopic("activity.dead-letter", 1, 1)]).values()]
    with rig.feed.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
        connection.exec_driver_sql("DROP ROLE IF EXISTS feed_user")
        connection.exec_driver_sql("CREATE ROLE feed_user LOGIN")
        (grant,) = re.findall("^GRANT .+;$", readme, re.MULTILINE)
        connection.exec_driver_sql(grant.replace("TO feed;", "TO feed_user"))
    login = ("security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", "sasl.username=recorder")
    settings = [part for setting in login for part in ("-X", setting)]
    kafka = ["--kafka", rig.node.sasl_address, *settings]
    rest = ["--redis", redis_url.replace("redis://", "redis://feed:password@")]
    rest += ["--store", store_url.replace("feed@", "feed_user@"), "--http", f"127.0.0.1:{port}"]

    assert rig.start(*kafka, "-X", "sasl.password=wrong", *rest).wait(120) == 2
    assert "Kafka cannot be used" in rig.said()
    rig.members.clear()
    right = [*kafka, "-X", "sasl.password=secret"]
    rig.start(*right, *rest)
    rig.publish([encode(like(1), source="/web")])
    rig.producer.produce("activity", b"poison", b"m-0001")
    until(lambda: mailbox.llen(QUEUE) == 1)
    until(lambda: "feed_dead_letters_total 1.0" in fetch(port, "/metrics"))
    until(lambda: "feed_dead_letter_topic_messages 1.0" in fetch(port, "/metrics"))
    until(lambda: fetch(port, "/healthz") == "ok")
    assert main(["replay", *right, "--store", store_url.replace("feed@", "feed_user@")]) == 0
    trending = [sys.executable, "-m", "feed", "trending", *right]
    with subprocess.Popen(trending, stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(next(line for line in process.stdout if "m-0001" in line))
        process.terminate()
    rig.all_run()


def damage_second_batch(directory):
    """Change a byte inside a batch on the disk of a broker that has stopped; return the number of the partition."""
    (log,) = [path for path in directory.rglob("activity-*/*.log") if path.stat().st_size]
    raw, start = bytearray(log.read_bytes()), 0
    start = 12 + int.from_bytes(raw[8:12], "big")  # each batch begins with its first offset and its size
    end = start + 12 + int.from_bytes(raw[start + 8 : start + 12], "big")
    raw[end - 10] ^= 0xFF
    log.write_bytes(raw)
    return int(log.parent.name.rpartition("-")[2])
