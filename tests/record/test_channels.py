"""A subject on several channels, from recording to replay."""

import json
import subprocess
import sys
import uuid

import pytest
from kafka import KafkaProducer
from record.runs import lines, run
from redis import Redis

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

CATALOG = """
[channels.eu]
protocol = "kafka"
address = "orders.eu"
codec = "cloudevents"

[channels.us]
protocol = "kafka"
address = "orders.us"
codec = "json"

[channels.later]
protocol = "kafka"
address = "orders.retry"
codec = "cloudevents"

[channels.dead]
protocol = "redis-list"
address = "orders:dead"
codec = "cloudevents"

[subjects."order.placed"]
channels = ["eu", "us"]
retry = "later"
dead_letter = "dead"
id = "/id"
sent_by = ["shop"]
received_by = ["billing"]
"""
SCHEMA = {
    "type": "object",
    "required": ["id", "cents"],
    "properties": {"id": {"type": "string"}, "cents": {"type": "integer", "minimum": 0}},
}


def data(number):
    return {"id": f"o-{number}", "cents": number}


def event(number):
    return {"specversion": "1.0", "id": f"o-{number}", "source": "/shop", "type": "order.placed", "data": data(number)}


@pytest.fixture
def contracts(tmp_path):
    root = tmp_path / "contracts"
    (root / "order.placed").mkdir(parents=True)
    (root / "order.placed" / "v1.json").write_text(json.dumps(SCHEMA))
    (root / "catalog.toml").write_text(CATALOG)
    return root


def record(contracts, channel, *messages, command="record"):
    path = contracts.parent / f"{channel}.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in messages))
    return run(command, path, "--channel", channel, "--contracts", contracts)


def recorded(contracts):
    return [(each["channel"], each["payload"]) for each in lines(contracts, "order.placed", 1)]


def record_all(contracts):
    for channel, message in (("eu", event(1)), ("us", data(2)), ("later", event(1)), ("dead", event(3))):
        code, said = record(contracts, channel, message)
        assert code == 0, said


def test_messages_of_every_channel_become_one_recording(contracts):
    record_all(contracts)
    assert [channel for channel, _ in recorded(contracts)] == ["eu", "us", "later", "dead"]
    code, said = run("lint", "--contracts", contracts)
    assert code == 0, said


def test_each_channel_is_recorded_until_its_own_messages_show_nothing_new(contracts):
    for channel in ("eu", "later"):
        record(contracts, channel, *(event(number) for number in range(1, 10)))
    counts = [channel for channel, _ in recorded(contracts)]
    assert (counts.count("eu"), counts.count("later")) == (3, 3)


@pytest.mark.parametrize("channel", ["eu", "later", "dead"])
def test_verify_checks_each_channel(contracts, channel):
    code, said = record(contracts, channel, event(1), command="verify")
    assert code == 0, said
    broken = event(1) | {"data": {"id": "o-1", "cents": -1}}
    code, said = record(contracts, channel, broken, command="verify")
    assert code == 1
    assert "/cents" in said


SERVICE = """
import json, pytest
from acme_regions import decode, encode
from acme_regions.messages import OrderPlaced

@pytest.mark.consumes("order.placed")
def test_orders_are_read(message, envelope):
    assert message.cents >= 0 and envelope.channel in ("eu", "us", "later", "dead")

@pytest.mark.produces("order.placed")
def test_orders_are_sent(recorded, emits):
    order = OrderPlaced(id=recorded.id, cents=recorded.cents)
    emits({form})
"""


@pytest.fixture
def service(contracts, tmp_path):
    """A function that runs one service's tests, by what the producer's test gives to `emits`."""
    record_all(contracts)
    generate(load_catalog(contracts), "acme_regions", tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.contract-test]\npackage = "acme_regions"\ncontracts = "contracts"\n[tool.pytest.ini_options]\n'
    )

    def run_service(name, form):
        (tmp_path / "test_orders.py").write_text(SERVICE.replace("{form}", form))
        options = ("--contracts", "--contracts-only-recorded", "--contracts-service", name, "-p", "no:cacheprovider")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run_service


def test_a_consumer_gets_the_messages_of_every_channel(service):
    code, said = service("billing", "order")
    assert code == 0, said
    assert " 4 passed" in said


@pytest.mark.parametrize("form", ["order", "encode(order, source='/shop', channel='us')"])
def test_a_producer_answers_for_what_it_sends_and_not_for_the_copies(service, form):
    code, said = service("shop", form)
    assert code == 0, said
    assert " 2 passed" in said, "eu and us"


def test_a_producer_whose_bytes_are_of_no_channel_fails(service):
    code, said = service("shop", 'b\'{"id": "o-1"}\'')
    assert code == 1
    assert " 2 failed" in said


CATCH_ALL = """
[channels.orders]
protocol = "{protocol}"
address = "{address}"
codec = "cloudevents"

[channels.dead]
protocol = "{protocol}"
address = "{dead}"
codec = "cloudevents"

[subjects."order.placed"]
channel = "orders"
dead_letter = "dead"
id = "/id"
"""


def catch_all(contracts, protocol, address, dead):
    (contracts / "catalog.toml").write_text(CATCH_ALL.format(protocol=protocol, address=address, dead=dead))


def seen(contracts, name):
    return [each["seen"][name] for each in lines(contracts, "order.placed", 1)]


def test_every_redis_list_that_matches_is_read_but_those_with_a_channel_of_their_own(contracts, redis_url):
    catch_all(contracts, "redis-list", "orders:[a]:*", "orders:[a]:dead")
    with Redis.from_url(redis_url) as redis:
        for number, key in enumerate(
            ("orders:[a]:eu", "orders:[a]:us:1", "orders:[a]:dead", "orders:a:eu", "other"), 1
        ):
            redis.rpush(key, json.dumps(event(number)))
        redis.set("orders:[a]:text", "no list")
        before = redis.dbsize()
        code, said = run("record", redis_url, "--channel", "orders", "--contracts", contracts)
        assert redis.dbsize() == before
    assert code == 0, said
    assert sorted(seen(contracts, "list")) == ["orders:[a]:eu", "orders:[a]:us:1"]


def test_streams_that_match_are_read_on_from_where_each_was_left(contracts, redis_url):
    catch_all(contracts, "redis-stream", "orders:*", "dead")
    with Redis.from_url(redis_url) as redis:
        for number, key in enumerate(("orders:eu", "orders:us"), 1):
            redis.xadd(key, {"data": json.dumps(event(number))})
        arguments = ("record", redis_url, "--channel", "orders", "--contracts", contracts)
        assert run(*arguments)[0] == 0
        redis.xadd("orders:us", {"data": json.dumps(event(3))})
        code, said = run(*arguments)
    assert code == 0, said
    assert "1 read" in said
    assert seen(contracts, "stream") == ["orders:eu", "orders:us", "orders:us"]


def test_no_list_of_that_form_is_told(contracts, redis_url):
    catch_all(contracts, "redis-list", "orders:*", "dead")
    code, said = run("record", redis_url, "--channel", "orders", "--contracts", contracts)
    assert code == 2, said
    assert "no list has a key of this form" in said


def test_every_topic_that_matches_is_read_but_those_with_a_channel_of_their_own(contracts, kafka):
    name = f"orders-{uuid.uuid4().hex[:8]}"
    catch_all(contracts, "kafka", f"{name}.*", f"{name}.dead")
    producer = KafkaProducer(bootstrap_servers=kafka, api_version=(2, 3))

    def produce(topic, number):
        producer.send(topic, json.dumps(event(number)).encode()).get(timeout=30)

    for number, topic in enumerate((f"{name}.eu", f"{name}.us", f"{name}.dead"), 1):
        produce(topic, number)
    arguments = ("record", f"kafka://{kafka}", "--channel", "orders", "--contracts", contracts)
    code, said = run(*arguments)
    assert code == 0, said
    assert sorted(seen(contracts, "topic")) == [f"{name}.eu", f"{name}.us"]
    produce(f"{name}.us", 4)
    code, said = run(*arguments)
    producer.close()
    assert code == 0, said
    assert "1 read" in said
    code, said = run("verify", f"kafka://{kafka}", "--channel", "orders", "--contracts", contracts)
    assert code == 0, said
    assert "3 messages verified" in said


def test_the_members_of_a_group_share_the_topics_that_match(contracts, kafka, tmp_path):
    name = f"orders-{uuid.uuid4().hex[:8]}"
    catch_all(contracts, "kafka", f"{name}.*", f"{name}.dead")
    producer = KafkaProducer(bootstrap_servers=kafka, api_version=(2, 3))
    for number, topic in enumerate((f"{name}.eu", f"{name}.us", f"{name}.dead"), 1):
        producer.send(topic, json.dumps(event(number)).encode()).get(timeout=30)
    producer.close()
    results = tmp_path / "results"
    results.mkdir()
    arguments = (
        f"kafka://{kafka}",
        "--channel",
        "orders",
        "--contracts",
        contracts,
        "--group",
        name,
        "--results",
        results,
    )
    code, said = run("verify", *arguments)
    assert code == 0, said
    assert "2 messages verified" in said
    assert "0 messages verified" in run("verify", *arguments)[1], "all was committed"
