"""What must hold when everything breaks, on a real Kafka: the store equals a model of the log, a push goes once."""

import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from envelopes import decode, encode
from tests.conftest import free_port, person
from tests.model import Model

from feed import Feed, Store
from feed.__main__ import main
from feed.store import Push, tables

PARTITIONS = 4
QUEUE = "resque:queue:transport"


@pytest.fixture
def node():
    """A Kafka of this test alone, with the topic on it."""
    from brokers.real_kafka import RealKafkaMissingError, kafka_node

    try:
        with kafka_node() as running:
            make_topic(running.address)
            yield running
    except RealKafkaMissingError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"NOT RUN on a real Kafka: {error}")


@pytest.fixture
def rig(node, redis_url, mailbox, store_url, tmp_path):
    rig = Rig(node, redis_url, mailbox, store_url, tmp_path / "feed.log")
    yield rig
    rig.end()


class Rig:
    """Members of the group as processes, a producer that never gives up, and all that can be done to them."""

    def __init__(self, node, redis_url, mailbox, store_url, log):
        self.node, self.redis_url, self.mailbox, self.store_url = node, redis_url, mailbox, store_url
        self.members, self.log = [], log.open("w+")
        self.feed = Feed(Store(store_url))
        self.admin = AdminClient({"bootstrap.servers": node.address})
        self.producer = Producer(
            {
                "bootstrap.servers": node.address,
                "enable.idempotence": True,
                "message.timeout.ms": 300_000,
                "log_level": 0,
            }
        )

    def start(self, *options):
        command = [sys.executable, "-m", "feed", "--kafka", self.node.address, "--redis", self.redis_url]
        command += ["--store", self.store_url, "-X", "session.timeout.ms=1500", *options]
        self.members.append(subprocess.Popen(command, stderr=self.log))
        return self.members[-1]

    def kill(self, member):
        self.all_run()
        self.members.remove(member)
        member.kill()
        member.wait()

    def all_run(self):
        """No member gives up by itself, whatever is away."""
        ended = [member.returncode for member in self.members if member.poll() is not None]
        if ended:
            pytest.fail(f"ended by itself: {ended}\n{self.said()[-3000:]}")

    def said(self):
        """What the members said so far, on stderr."""
        return Path(self.log.name).read_text(encoding="utf-8")

    def publish(self, wires):
        for wire in wires:
            while True:
                try:
                    self.producer.produce("activity", bytes(wire), wire.key, headers=list(wire.headers))
                    break
                except BufferError:
                    self.producer.poll(0.1)
        self.producer.poll(0)

    def taken_in(self):
        """How many messages the store has taken in."""
        with self.feed.store.read() as (connection, tables):
            return sum(row.next_offset for row in connection.execute(tables.offsets.select()))

    def shares_evenly(self):
        """Whether each member has its part of the partitions, and none more than one above another."""
        group = self.admin.describe_consumer_groups(["feed"])["feed"].result(30)
        shares = [len(member.assignment.topic_partitions) for member in group.members]
        return len(shares) == len(self.members) and sum(shares) == PARTITIONS and max(shares) - min(shares) <= 1

    def rows(self, generation):
        """Everything in one generation's tables."""
        with self.feed.store.engine.begin() as connection:
            return {
                table.name.removesuffix(generation): sorted(map(tuple, connection.execute(table.select())))
                for table in tables(generation).metadata.sorted_tables
            }

    def records(self):
        """The whole log, each partition in its order."""
        consumer = Consumer({"bootstrap.servers": self.node.address, "group.id": "model", "enable.partition.eof": True})
        consumer.assign([TopicPartition("activity", each, 0) for each in range(PARTITIONS)])
        found, ended = [], 0
        while ended < PARTITIONS:
            for record in consumer.consume(1000, 1):
                if record.error():
                    ended += 1
                else:
                    found.append(record)
        consumer.close()
        return found

    def check(self, until):
        """Compare everything with the model, once all was read and sent."""
        self.all_run()
        assert self.producer.flush(120) == 0
        records = self.records()
        model = Model(records)
        until(lambda: self.taken_in() == len(records) and self.mailbox.llen(QUEUE) >= len(model.pushes), 180)
        jobs = [decode(job, channel="transport").data.caused_by for job in self.mailbox.lrange(QUEUE, 0, -1)]
        assert sorted(jobs) == sorted(model.pushes), Counter(jobs) - Counter(model.pushes)
        likes = model.likes()
        with self.feed.store.read() as (connection, tables):
            stored = {row.message_id: row.likes for row in connection.execute(tables.counters.select())}
        assert {message: count for message, count in stored.items() if count} == dict(likes)
        for author, items in model.feeds().items():
            shown = [(item.message_id, item.newest, item.others) for item in self.feed.items(author, 10_000)]
            assert shown == items
        return records

    def end(self):
        for member in list(self.members):
            member.send_signal(signal.SIGCONT)
            member.kill()
            member.wait()
        self.feed.store.close()
        self.log.close()


def make_topic(address):
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic("activity", PARTITIONS, 1)])["activity"].result(30)


@pytest.fixture
def traffic(like, unlike, post):
    """Likes, half of them given twice; unlikes, some before their likes; duplicates; poison. Locally out of order."""

    def make(count, seed):
        dice = random.Random(seed)
        people = [person(n) for n in range(400)]
        wires = []
        for n in range(count):
            message = dice.randrange(500)
            given = like(
                seed * 10**6 + n, dice.choice(people), f"m-{message:04}", people[message % 40], dice.randrange(10**6)
            )
            wires.append(encode(given, source="/web"))
            if n % 9 == 0:
                taken = unlike(given, seconds=dice.randrange(10**6), number=f"{seed}{n:06}")
                wires.insert(max(0, len(wires) - dice.randrange(20)), encode(taken, source="/web"))
            if n % 50 == 0:
                wires.append(dice.choice(wires))
            if n % 500 == 0:
                wires.append(type(wires[0])(b"\xff poison", f"m-{message:04}"))
        return wires

    return make


def torment(rig, wires, *, kills, rebalances, restarts, dice, until):
    """Publish while members are killed, come, go and freeze, and while the broker goes away."""
    deeds = ["kill"] * kills + ["rebalance"] * rebalances + ["restart"] * restarts
    dice.shuffle(deeds)
    share = -(-len(wires) // (len(deeds) + 1))
    rig.start()
    rig.start()
    for number, deed in enumerate(deeds):
        before = rig.taken_in()
        rig.publish(wires[number * share : (number + 1) * share])
        until(lambda: rig.taken_in() > before, 120)  # noqa: B023 - it is over before the next one
        time.sleep(dice.random() * 0.2)  # anywhere in the batch
        if deed == "kill":
            rig.kill(dice.choice(rig.members))
            rig.start()
        elif deed == "restart":
            dice.choice([rig.node.kill, rig.node.stop])()
            rig.node.start()
        elif (
            len(rig.members) > 2
        ):  # one leaves in order, or freezes, loses its partitions, and comes back with its batch
            leaving = dice.choice(rig.members)
            if dice.random() < 0.5:
                leaving.send_signal(signal.SIGTERM)
                assert leaving.wait(60) in {0, -signal.SIGTERM}  # the latter while it was still starting
                rig.members.remove(leaving)
            else:
                leaving.send_signal(signal.SIGSTOP)
                time.sleep(2)
                leaving.send_signal(signal.SIGCONT)
        else:
            rig.start()
    rig.publish(wires[len(deeds) * share :])


def test_kills_rebalances_and_a_broker_that_restarts_lose_nothing_and_double_nothing(rig, traffic, until, store_url):
    torment(rig, traffic(4000, 1), kills=4, rebalances=3, restarts=1, dice=random.Random(1), until=until)
    rig.check(until)
    until(rig.shares_evenly)
    sent = rig.mailbox.llen(QUEUE)
    assert main(["replay", "--kafka", rig.node.address, "--store", store_url, "--into", "again"]) == 0
    assert rig.rows("again") == rig.rows("first")
    rig.check(until)
    assert rig.mailbox.llen(QUEUE) == sent


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_thousand_events_under_two_hundred_kills(rig, traffic, until, seed):
    start = time.monotonic()
    torment(rig, traffic(5000, seed), kills=10, rebalances=3, restarts=1, dice=random.Random(seed), until=until)
    print(f"{len(rig.check(until))} events, 10 kills, 3 rebalances, 1 restart: {time.monotonic() - start:.0f} s")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_topic_that_is_made_again_is_read_from_its_beginning(rig, like, until):
    def wires(start):
        return [encode(like(n, message=f"m-{n:04}"), source="/web") for n in range(start, start + 50)]

    rig.start()
    rig.publish(wires(0))
    until(lambda: rig.mailbox.llen(QUEUE) == 50)
    rig.kill(rig.members[0])
    admin = AdminClient({"bootstrap.servers": rig.node.address})
    admin.delete_topics(["activity"])["activity"].result(30)
    until(lambda: "activity" not in admin.list_topics(timeout=5).topics)
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
        rig.admin.delete_topics(["activity"])["activity"].result(30)
        until(lambda: "activity" not in rig.admin.list_topics(timeout=5).topics)
        make_topic(rig.node.address)
        publish(likes, more)
        until(lambda: rig.feed.likes("m-0001") == likes + more)  # noqa: B023 - it is over before the next one
        until(lambda: rig.mailbox.llen(QUEUE) == likes + more)  # noqa: B023
    rig.all_run()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_healthz_says_that_kafka_is_away_and_that_it_is_back(rig, like, until):
    def health():
        try:
            with urllib.request.urlopen(f"http://{address}/healthz", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None  # it does not listen yet

    address = f"127.0.0.1:{free_port()}"
    rig.start("--http", address)
    until(lambda: health() == 200)
    rig.node.kill()
    until(lambda: health() == 503)
    rig.node.start()
    until(lambda: health() == 200)
    rig.publish([encode(like(1), source="/web")])
    until(lambda: rig.feed.likes("m-0001") == 1)


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
def test_messages_that_were_deleted_before_they_were_read_stop_it_until_it_is_told_to_go_on(rig, like, until):
    rig.publish([encode(like(n, message="m-0001"), source="/web") for n in range(9)])
    rig.publish([encode(like(9, message="m-0002"), source="/web")])
    assert rig.producer.flush(30) == 0
    admin = AdminClient({"bootstrap.servers": rig.node.address})
    ends = [TopicPartition("activity", each, -1) for each in range(PARTITIONS)]
    [each.result(30) for each in admin.delete_records(ends).values()]
    assert rig.start().wait(60) == 3
    assert "--skip-lost" in rig.said()
    rig.start("--skip-lost")
    rig.publish([encode(like(10, message="m-0001"), source="/web")])
    until(lambda: rig.feed.likes("m-0001") == 1)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_records_that_are_damaged_on_the_broker_s_disk_are_passed_over(rig, like, until, store_url):
    def liked(first, count, message, compression="none"):
        producer = Producer({"bootstrap.servers": rig.node.address, "compression.type": compression, "linger.ms": 100})
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


def damage_second_batch(directory):
    """Change a byte inside a batch on the disk of a broker that has stopped; return the number of the partition."""
    (log,) = [path for path in directory.rglob("activity-*/*.log") if path.stat().st_size]
    raw, start = bytearray(log.read_bytes()), 0
    start = 12 + int.from_bytes(raw[8:12], "big")  # each batch begins with its first offset and its size
    end = start + 12 + int.from_bytes(raw[start + 8 : start + 12], "big")
    raw[end - 10] ^= 0xFF
    log.write_bytes(raw)
    return int(log.parent.name.rpartition("-")[2])
