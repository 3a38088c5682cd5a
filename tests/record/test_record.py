"""Recording from real brokers: nothing is disturbed, and no person is in what is kept."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from record.runs import CONTRACTS, QUEUE, at_topic, copy_of_contracts, lines, push
from redis import Redis

from contract_test.cli.record import command
from contract_test.data.contract import Channel
from contract_test.data.reading import Reading
from contract_test.files.catalog import load_catalog
from contract_test.transports.kafka_topic import read_topic
from contract_test.transports.redis_list import read_list
from envelopes import encode
from envelopes.messages import DeliveryRequested, MessageLiked


@pytest.fixture
def contracts(tmp_path, monkeypatch):
    monkeypatch.setenv("CONTRACT_TEST_SCRUB_KEY", "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40")
    return copy_of_contracts(tmp_path)


def request(number: int, **changes: object) -> bytes:
    return encode(DeliveryRequested.model_validate(push(number, **changes)), source="/feed")


def like(number: int) -> bytes:
    person = {"person_id": "p-bo0002", "name": "Bo Bergström"}
    data = {
        "like_id": f"l-{number:06d}",
        "message_id": "m-7f3a9c",
        "group_id": "g-blue01",
        "liker": person,
        "author": {"person_id": "p-ana001", "name": "Ana"},
        "liked_at": "2026-03-01T12:00:05Z",
    }
    return encode(MessageLiked.model_validate(data), source="/web")


def run(contracts: Path, url: str, channel: str, *options: str):
    return CliRunner().invoke(
        command, [url, "--contracts", str(contracts), "--channel", channel, *options], standalone_mode=False
    )


def produce(address: str, topic: str, *wires: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=address, api_version=(2, 3))
    for wire in wires:
        producer.send(topic, bytes(wire), key=wire.key, headers=list(wire.headers))
    producer.flush()
    producer.close()


def test_a_queue_is_recorded_and_stays_as_it_was(contracts, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, *[request(number) for number in range(1200)])
        redis.expire(QUEUE, 1000)
        before = (redis.lrange(QUEUE, 0, -1), redis.ttl(QUEUE) > 900, redis.dbsize())
        result = run(contracts, redis_url, "transport")
        assert result.return_value == 0, result.output
        assert (redis.lrange(QUEUE, 0, -1), redis.ttl(QUEUE) > 900, redis.dbsize()) == before
    assert len(lines(contracts, "delivery.requested", 1)) == 3, "a few of one shape"


def test_no_person_is_in_a_recording_and_who_is_who_can_still_be_seen(contracts, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, request(1), request(2), request(3, recipient={"person_id": "p-chi003"}))
        run(contracts, redis_url, "transport")
    text = (contracts / "delivery.requested" / "recordings" / "v1.jsonl").read_text()
    for secret in ("Bergstr", "p-ana001", "p-chi003", "likes your", "l-5d21e0", "d-000001"):
        assert secret not in text
    one, two, other = (
        each["payload"]["args"][0]["data"]["recipient"] for each in lines(contracts, "delivery.requested", 1)
    )
    assert one == two != other
    first = lines(contracts, "delivery.requested", 1)[0]
    assert {"/text", "/recipient/person_id", "/caused_by"} <= set(first["masked"])
    assert "/enqueued_at" not in first["masked"]
    assert "/kind" not in first["masked"]


def test_recording_again_changes_nothing_and_new_shapes_are_added(contracts, redis_url):
    path = contracts / "delivery.requested" / "recordings" / "v1.jsonl"
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, *[request(number) for number in range(5)])
        run(contracts, redis_url, "transport")
        before = path.read_bytes()
        run(contracts, redis_url, "transport")
        assert path.read_bytes() == before
        redis.rpush(QUEUE, request(9, priority="high"))
        run(contracts, redis_url, "transport")
    assert path.read_bytes().startswith(before)
    assert len(path.read_bytes().splitlines()) == len(before.splitlines()) + 1


def test_what_no_contract_accepts_is_counted_and_makes_the_run_red(contracts, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, request(1), request(2).replace(b"push", b"fax!"), b"not json")
        result = run(contracts, redis_url, "transport")
    assert result.return_value == 1
    assert "drift: delivery.requested v1/kind: enum: 1 message" in result.output
    assert len(lines(contracts, "delivery.requested", 1)) == 1


def test_without_a_key_one_is_made_hidden_from_git_and_used_again(contracts, redis_url, monkeypatch):
    monkeypatch.delenv("CONTRACT_TEST_SCRUB_KEY")
    path = contracts / "delivery.requested" / "recordings" / "v1.jsonl"
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, *[request(number) for number in range(5)])
        printed = run(contracts, redis_url, "transport").output
        key, before = (contracts / ".scrub-key").read_text().strip(), path.read_bytes()
        assert "new scrub key in" in printed
        assert key not in printed
        assert len(key) == 64
        assert (contracts / ".scrub-key").stat().st_mode & 0o777 == 0o600
        assert (contracts / ".gitignore").read_text() == ".scrub-key\n"
        assert "new scrub key" not in run(contracts, redis_url, "transport").output
        assert path.read_bytes() == before


def test_an_empty_queue_is_never_a_success(contracts, redis_url):
    result = run(contracts, redis_url, "transport")
    assert "nothing was recorded" in str(result.exception)


def test_a_topic_is_recorded_and_its_groups_stay_as_they_were(contracts, kafka, topic):
    produce(kafka, topic, *[like(number) for number in range(30)])
    consumer = KafkaConsumer(
        bootstrap_servers=kafka, group_id="feed", auto_offset_reset="earliest", api_version=(2, 3),
        enable_auto_commit=False, consumer_timeout_ms=20_000,
    )  # fmt: skip
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)  # the group's offsets without a rebalance, which the embedded broker takes seconds for
    taken = [next(consumer) for _ in range(3)]
    consumer.commit()
    before = [consumer.committed(each) for each in partitions]
    assert any(before)
    at_topic(contracts, topic)

    result = run(contracts, f"kafka://{kafka}", "activity")

    assert result.return_value == 0, (result.output, result.exception)
    assert [consumer.committed(each) for each in partitions] == before
    assert len(taken) + sum(1 for _, _ in zip(range(27), consumer, strict=False)) == 30, "the group still gets the rest"
    consumer.close()
    kept = lines(contracts, "message.liked", 2)
    assert len(kept) == 3
    assert "Bergstr" not in json.dumps(kept)
    assert kept[0]["key"] == kept[0]["payload"]["data"]["message_id"], "the key is masked like the field it repeats"


def test_a_topic_is_read_to_its_end_and_not_beyond(kafka, topic):
    produce(kafka, topic, *[like(number) for number in range(700)])
    read = read_topic(f"kafka://{kafka}", topic, Reading())
    assert sum(1 for each in read if each is not None) == 700  # None where the topic is waited for


def test_a_list_is_read_in_pages(redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush("list", *range(1001))
        assert [bytes(each.wire) for each in read_list(redis_url, "list", Reading())] == [
            b"%d" % n for n in range(1001)
        ]


@pytest.mark.parametrize("url", ["redis://user:hunter2@127.0.0.1:1/0", "kafka://user:hunter2@127.0.0.1:1"])
def test_a_server_that_is_not_there_is_told_without_the_password(contracts, url):
    channel = "transport" if url.startswith("redis") else "activity"
    result = run(contracts, url, channel)
    assert "127.0.0.1:1" in str(result.exception)
    assert "hunter2" not in str(result.exception) + result.output


def test_the_catalog_of_the_reference_domain_is_what_the_readme_says():
    catalog = load_catalog(CONTRACTS)
    assert [contract.name for contract in catalog.contracts] == [
        "message.posted v1",
        "message.liked v1",
        "message.liked v2",
        "message.unliked v1",
        "delivery.requested v1",
    ]
    assert catalog.channels["transport"] == Channel(
        "transport", "redis-list", QUEUE, "resque", expires_after="PT2H", delivery="exactly-once"
    )


def test_recordings_that_are_old_are_named(contracts, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, request(1))
        shown = run(contracts, redis_url, "transport", "--max-age", "1d").stderr
        assert "v1.jsonl: the newest of 1 recorded message is" in shown
        assert "days old" not in run(contracts, redis_url, "transport", "--max-age", "99999d").stderr
