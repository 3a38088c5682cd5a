"""Members of the feed's group as processes, on a real Kafka, and all that can be done to them and to their servers."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from envelopes import decode
from tests.conftest import QUEUE, fetch, free_port
from tests.model import Model

from feed import Feed, Store
from feed.tables import tables

PARTITIONS = 4


class Rig:
    """Members of the group as processes, a producer that never gives up, and all that can be done to them."""

    def __init__(self, node, proxy, mailbox, store_url, log):
        self.node, self.proxy, self.mailbox, self.store_url = node, proxy, mailbox, store_url
        self.members, self.log, self.options = [], log.open("w+"), []
        self.ports = None
        """By process, the port where a member answers /healthz; None if members serve nothing."""
        self.feed = Feed(Store(store_url))
        self.admin = AdminClient({"bootstrap.servers": node.address, "reconnect.backoff.max.ms": 1000})
        self.producer = Producer(
            {
                "bootstrap.servers": node.address,
                "enable.idempotence": True,
                "message.timeout.ms": 300_000,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,
            }
        )

    def start(self, *options):
        command = [sys.executable, "-m", "feed", "--kafka", self.node.address]
        command += ["--redis", f"redis://127.0.0.1:{self.proxy.port}"]
        command += ["--store", self.store_url, "-X", "session.timeout.ms=1500"]
        command += ["-X", "reconnect.backoff.max.ms=1000", *self.options, *options]
        port = free_port()
        if self.ports is not None:
            command += ["--http", f"127.0.0.1:{port}"]
        self.members.append(subprocess.Popen(command, stderr=self.log, env=os.environ | {"PYTHONFAULTHANDLER": "1"}))
        if self.ports is not None:
            self.ports[self.members[-1].pid] = port
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
            pytest.fail(f"ended by itself: {ended}\n{last_lines(self.said())}")

    def said(self):
        """What the members said so far, on stderr."""
        return Path(self.log.name).read_text(encoding="utf-8")

    def state(self):
        """Describe everything that tells why nothing goes on. It ends the members: each writes its threads' stacks."""
        found = [f"load {os.getloadavg()}, {len(self.producer)} messages not written to Kafka yet"]
        for what in (self._store_state, self._group_state, self._topic_state):
            try:
                found.append(what())
            except Exception as error:  # noqa: BLE001 - what is away is a part of the answer
                found.append(f"{what.__name__}: {error!r}")
        for member in self.members:
            health = fetch(self.ports[member.pid], "/healthz") if self.ports else "not served"
            found.append(f"member {member.pid}: returncode {member.poll()}, /healthz: {health}")
        before = self.said()
        for member in self.members:
            member.send_signal(signal.SIGABRT)
        for member in self.members:
            member.wait(120)
        stacks = self.said()[len(before) :]
        return "\n".join([*found, "The members said last:", last_lines(before), "Their stacks:", stacks])

    def _store_state(self):
        with self.feed.store.read() as (connection, tables):
            offsets = {row.partition: row.next_offset for row in connection.execute(tables.offsets.select())}
        return f"offsets in the store: {offsets}; backlog {self.feed.store.backlog()}; queue {self.mailbox.llen(QUEUE)}"

    def _group_state(self):
        group = self.admin.describe_consumer_groups(["feed"])["feed"].result(30)
        shares = [[each.partition for each in member.assignment.topic_partitions] for member in group.members]
        return f"the group is {group.state.name}; partitions of its members: {shares}"

    def _topic_state(self):
        consumer = Consumer({"bootstrap.servers": self.node.address, "group.id": "model"})
        places = [TopicPartition("activity", each) for each in range(PARTITIONS)]
        ends = [consumer.get_watermark_offsets(place, timeout=30) for place in places]
        consumer.close()
        return f"first and next offsets in Kafka: {ends}"

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
        group = self.admin.describe_consumer_groups(["feed"])["feed"].result(120)
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


def last_lines(log):
    """Return the end of a log, without what Kafka's client repeats while a broker is away."""
    return "\n".join([line for line in log.splitlines() if "|FAIL|" not in line][-60:])


def make_topic(address):
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic("activity", PARTITIONS, 1)])["activity"].result(120)
