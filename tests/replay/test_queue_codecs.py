"""Codecs of other clients' messages, from the queue to the replay: inferred, recorded, verified, consumed and emitted.

Each client is the real one: Celery, Sidekiq (Ruby), MessagePack on a real Kafka, and a codec of another package.
"""

import json
import subprocess
from pathlib import Path

import msgpack
import pytest
from brokers import choice
from celery import Celery
from confluent_kafka import Consumer, Producer, TopicPartition
from docs.page import read_page
from record.runs import run
from redis import Redis

from envelopes import plugins
from envelopes.codecs import CODECS

ROOT = Path(__file__).parents[2]
CATALOG = """
[channels.orders]
protocol = "files"
address = "orders"
codec = "json"

[channels.mails]
protocol = "{protocol}"
address = "{address}"
codec = "{codec}"

[subjects."order.placed"]
channel = "orders"
id = "/order_id"
sent_by = ["shop"]
received_by = ["mailer"]
"""
MAIL = """
[subjects."mail.requested"]
channel = "mails"
caused_by = "{caused_by}"
sent_by = ["mailer"]
received_by = ["mailer"]
"""
TESTS = """
import pytest

@pytest.mark.consumes("order.placed")
def test_orders_are_read(message):
    assert handle(message)

@pytest.mark.produces("mail.requested", caused_by="order.placed")
def test_orders_are_answered(cause, emits):
    emits(handle(cause))

@pytest.mark.consumes("mail.requested")
def test_mails_are_sent(message):
    assert send(message) == "to " + to_of(message)
"""
CELERY = """
import os
from celery import Celery
from redis import Redis
queue = Redis.from_url(os.environ["QUEUE"])
app = Celery(broker=os.environ["QUEUE"])

def handle(order):
    app.send_task("mail.requested", kwargs={"order": order.order_id, "to": order.buyer.mail}, queue="emitted")
    return queue.lpop("emitted")

def to_of(message): return message.kwargs.to
def send(message): return "to " + message.kwargs.to
"""
RUBY = """
require 'sidekiq'; require 'json'
Sidekiq.configure_client { |config| config.redis = { url: ARGV[0] } }
STDOUT.sync = true
STDIN.each_line { |line| Sidekiq::Client.push(JSON.parse(line)); puts 'done' }
"""
SIDEKIQ = f"""
import json, os, subprocess
from redis import Redis
queue = Redis.from_url(os.environ["QUEUE"])
ruby = subprocess.Popen(["ruby", "-e", {RUBY!r}, os.environ["QUEUE"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

def handle(order):
    job = {{"queue": "emitted", "class": "mail.requested", "args": [order.order_id, order.buyer.mail]}}
    ruby.stdin.write(json.dumps(job).encode() + b"\\n")
    ruby.stdin.flush()
    assert ruby.stdout.readline() == b"done\\n"
    return queue.lpop("queue:emitted")

def to_of(message): return message.args[1]
def send(message): return "to " + message.args[1]
"""
MSGPACK = """
import msgpack
def handle(order): return msgpack.packb({"order": order.order_id, "to": order.buyer.mail})
def to_of(message): return message.to
def send(message): return "to " + message.to
"""
SNS = """
import json, uuid
def handle(order):
    message = {"order": order.order_id, "to": order.buyer.mail}
    attributes = {"type": {"Type": "String", "Value": "mail.requested"}}
    return json.dumps({"Type": "Notification", "MessageId": str(uuid.uuid4()), "Message": json.dumps(message),
                       "MessageAttributes": attributes})
def to_of(message): return message.to
def send(message): return "to " + message.to
"""
PAIRS = [(f"o-{number:04d}", f"buyer{number}@example.com") for number in range(20)]


class Service:
    """A repository whose contracts are inferred and recorded from what real clients wrote."""

    def __init__(self, repo, codec, protocol, address, caused_by):
        self._repo, self.contracts = repo, repo.contracts
        for path in (*repo.contracts.glob("*/recordings/*"), *repo.contracts.glob("mail.requested/*.json")):
            path.unlink()
        self.catalog = CATALOG.format(protocol=protocol, address=address, codec=codec)
        self._mail = MAIL.format(caused_by=caused_by)
        (repo.contracts / "catalog.toml").write_text(self.catalog)

    def command(self, *words):
        code, printed = run(*words, "--contracts", self.contracts)
        assert code == 0, printed
        return printed

    def learn(self, source, codec, **args):
        """Infer the contract of the mails, record orders and mails, and verify; return all that is on disk then."""
        where = (source, "--channel", "mails")
        assert f"20 messages in codec {codec}" in self.command(
            "infer", *where, "--subject", "mail.requested", "--write"
        )
        if args:  # what no traffic can show
            schema = json.loads((self.contracts / "mail.requested" / "v1.json").read_text())
            schema["properties"]["args"] |= args
            (self.contracts / "mail.requested" / "v1.json").write_text(json.dumps(schema))
        (self.contracts / "catalog.toml").write_text(self.catalog + self._mail)
        orders = self._repo.pytester.path / "orders.jsonl"
        orders.write_text("".join(json.dumps({"order_id": id_, "buyer": {"mail": to}}) + "\n" for id_, to in PAIRS))
        self.command("record", orders, "--channel", "orders")
        assert "no longer valid" not in self.command("record", *where, "--since", "earliest")
        assert "20 read, 0 drifted" in self.command("verify", *where, "--since", "earliest")
        assert codec in self.command("show", self.contracts / "mail.requested" / "recordings" / "v1.jsonl")
        orders.unlink()
        return b"".join(path.read_bytes() for path in self.contracts.rglob("*") if path.is_file())

    def replay(self, code, *, here=False):
        """Replay with a service's code, and then with the same code and a fault; return both runs."""
        run_varied, run_recorded = (self._repo.run_here,) * 2 if here else (self._repo.run_varied, self._repo.run)
        self.command("generate", "--package", "acme", "--output", self._repo.pytester.path)
        self._repo.tests(code + TESTS)
        green = run_varied()
        self._repo.tests(code.replace("order.buyer.mail", "'x@example.com'") + TESTS)
        return green, run_recorded()


def assert_kept(service, kept, code, **options):
    assert b"@example.com" not in kept
    green, red = service.replay(code, **options)
    assert green.ret == 0
    green.stdout.fnmatch_lines(["*mail.requested*consumes*", "*mail.requested*produces*"])
    assert red.ret == 1


def test_tasks_of_celery(repo, redis_url, monkeypatch):
    monkeypatch.setenv("QUEUE", redis_url)
    service = Service(repo, "celery", "redis-list", "mails", "/kwargs/order")
    with Celery(broker=redis_url) as app, Redis.from_url(redis_url) as client:
        for id_, to in PAIRS:
            app.send_task("mail.requested", kwargs={"order": id_, "to": to}, queue="mails")
        before = client.lrange("mails", 0, -1)
        kept = service.learn(redis_url, "celery")
        assert client.lrange("mails", 0, -1) == before
    assert_kept(service, kept, CELERY)


def test_jobs_of_sidekiq(repo, redis_url, monkeypatch, record_property):
    if subprocess.run(["ruby", "-rsidekiq", "-e", ""], capture_output=True, check=False).returncode:
        pytest.skip(choice.do_without("Ruby's Sidekiq", "install ruby-sidekiq", record_property))
    monkeypatch.setenv("QUEUE", redis_url)
    service = Service(repo, "sidekiq", "redis-list", "queue:mails", "/args/0")
    jobs = [{"queue": "mails", "class": "mail.requested", "args": pair} for pair in PAIRS]
    text = "".join(json.dumps(job) + "\n" for job in jobs)
    subprocess.run(["ruby", "-e", RUBY, redis_url], input=text, text=True, capture_output=True, check=True)
    with Redis.from_url(redis_url) as client:
        before = client.lrange("queue:mails", 0, -1)
        kept = service.learn(redis_url, "sidekiq", minItems=2, maxItems=2)
        assert client.lrange("queue:mails", 0, -1) == before
    assert_kept(service, kept, SIDEKIQ)


@pytest.mark.needs_real_kafka
def test_messagepack_on_kafka(repo, kafka, topic):
    service = Service(repo, "msgpack", "kafka", topic, "/order")
    producer = Producer({"bootstrap.servers": kafka})
    for id_, to in PAIRS:
        producer.produce(topic, msgpack.packb({"order": id_, "to": to}), key=id_)
    assert producer.flush(60) == 0
    kept = service.learn(f"kafka://{kafka}", "msgpack")
    assert len(standing(kafka, topic)) == len(PAIRS)
    assert_kept(service, kept, MSGPACK)


def standing(server, topic):
    """Return what stands on a topic."""
    consumer = Consumer({"bootstrap.servers": server, "group.id": topic, "enable.auto.commit": False})
    try:
        parts = consumer.list_topics(topic, timeout=60).topics[topic].partitions
        return [
            offset
            for part in parts
            for offset in range(*consumer.get_watermark_offsets(TopicPartition(topic, part), timeout=60))
        ]
    finally:
        consumer.close()


def test_json_in_a_text_by_a_codec_of_another_package(repo, monkeypatch):
    site = repo.pytester.path / "site"
    (site / "acme_queues-1.0.dist-info").mkdir(parents=True)
    (site / "acme_queues-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-queues\nVersion: 1.0\n"
    )
    (site / "acme_queues-1.0.dist-info" / "entry_points.txt").write_text("[contract_test.codecs]\nsns = acme_sns\n")
    (code,) = [
        each.text for each in read_page(ROOT / "docs" / "extending.md") if each.file and each.file.endswith("/sns.py")
    ]
    (site / "acme_sns.py").write_text(code)
    service = Service(repo, "sns", "files", "mails", "/order")
    notifications = repo.pytester.path / "notifications.jsonl"
    attributes = {"type": {"Type": "String", "Value": "mail.requested"}}
    envelope = {"Type": "Notification", "MessageId": "n-1", "MessageAttributes": attributes}
    texts = [json.dumps({**envelope, "Message": json.dumps({"order": id_, "to": to})}) for id_, to in PAIRS]
    notifications.write_text("\n".join(texts))
    monkeypatch.syspath_prepend(site)
    plugins._entry_points.cache_clear()  # as in a new process
    try:
        kept = service.learn(notifications, "sns")
        notifications.unlink()
        assert_kept(service, kept, SNS, here=True)
    finally:
        CODECS.pop("sns", None)
        plugins._entry_points.cache_clear()
