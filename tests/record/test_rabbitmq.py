"""Recording from a real RabbitMQ: a queue of our own beside those of others, which goes with the connection."""

import contextlib
import itertools
import json
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from brokers.real_rabbitmq import RabbitMQ, admin, published_once_bound
from record.runs import finish, run, start
from record.waiting import wait_until

from contract_test.data.errors import CatalogError
from contract_test.data.reading import Reading
from contract_test.files.catalog import load_catalog
from contract_test.transports import amqp_exchange

SCHEMA = {
    "type": "object",
    "required": ["order_id", "customer", "total"],
    "properties": {
        "order_id": {"type": "string", "x-sensitivity": "public"},
        "customer": {"type": "string"},
        "total": {"type": "integer"},
    },
}
JSON = {"content_type": "application/json", "headers": {"x-tenant": "acme", "tries": 2}, "message_id": "m-1"}


def catalog_of(folder: Path, exchange: str, *, routing_keys: str = '["order.#"]', more: str = "") -> Path:
    contracts = folder / "contracts"
    (contracts / "order.placed").mkdir(parents=True)
    (contracts / "order.placed" / "v1.json").write_text(json.dumps(SCHEMA))
    (contracts / "catalog.toml").write_text(
        f'[channels.orders]\nprotocol = "amqp"\naddress = "{exchange}"\nrouting_keys = {routing_keys}\n'
        f'codec = "json"\n{more}\n[subjects."order.placed"]\nchannel = "orders"\n'
    )
    return contracts


def order(number: int, **changes: object) -> bytes:
    return json.dumps({"order_id": f"o-{number}", "customer": "Bo Bergström", "total": number, **changes}).encode()


def messages(count: int) -> list[tuple[str, bytes, dict[str, Any]]]:
    return [("order.placed", order(number), JSON) for number in range(count)]


@contextlib.contextmanager
def exchange_on(node: RabbitMQ, kind: str = "topic") -> Iterator[tuple[Any, str]]:
    """Give a channel, and a durable exchange that no other test has."""
    name = f"shop.{uuid.uuid4().hex[:10]}"
    with admin(node) as channel:
        channel.exchange_declare(name, kind, durable=True)
        yield channel, name
        channel.exchange_delete(name)


def standing(channel: Any, queue: str) -> list[tuple[bytes, str]]:
    """Return what stands on a queue, in order, and put it back there: a channel that closes returns it."""
    with contextlib.closing(channel.connection.channel()) as other:
        found = []
        while (got := other.basic_get(queue))[0] is not None:
            found.append((got[2], repr(got[1])))
        return found


def test_an_exchange_is_recorded_and_other_queues_stay_as_they_were(tmp_path, rabbitmq):
    with exchange_on(rabbitmq) as (channel, exchange):
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, exchange, "order.placed")
        for key, body, properties in messages(20):
            channel.basic_publish(exchange, key, body, pika.BasicProperties(**properties))
        before = standing(channel, queue)
        contracts = catalog_of(tmp_path, exchange)
        with published_once_bound(rabbitmq, exchange, "order.probe", messages(1200)):
            code, text = run("record", rabbitmq.url, "--contracts", contracts, "--channel", "orders", "--limit", 1201)
        assert code == 0, text
        assert "1201 read" in text
        after = standing(channel, queue)
        assert after[:20] == before
        assert len(before) == 20
        assert len(after) == 1220
    recorded = (contracts / "order.placed" / "recordings" / "v1.jsonl").read_text()
    kept = [json.loads(line) for line in recorded.splitlines()]
    assert 0 < len(kept) <= 6
    assert kept[-1]["key"] == "order.placed"
    assert kept[0]["seen"] == {"exchange": exchange}
    assert kept[0]["headers"] == {"content-type": "application/json"}
    assert "Bergstr" not in recorded


def test_a_recorder_that_is_killed_leaves_no_queue(tmp_path, rabbitmq):
    """A message that is published as mandatory is returned where no queue takes it."""
    with exchange_on(rabbitmq) as (channel, exchange):
        contracts = catalog_of(tmp_path, exchange)
        process = start("record", rabbitmq.url, "--contracts", contracts, "--channel", "orders", "--follow")
        try:
            wait_until(lambda: is_routed(channel, exchange))
        finally:
            os.kill(process.pid, signal.SIGKILL)
            finish(process)
        wait_until(lambda: not is_routed(channel, exchange))


def test_verify_reads_an_exchange_and_names_the_field_that_drifted(tmp_path, rabbitmq):
    with exchange_on(rabbitmq, "direct") as (_, exchange):
        contracts = catalog_of(tmp_path, exchange, routing_keys='["order.placed", "probe"]')
        drifted = [*messages(2), ("order.placed", order(3, total="three"), JSON), ("order.lost", b"{}", JSON)]
        with published_once_bound(rabbitmq, exchange, "probe", drifted):
            code, text = run("verify", rabbitmq.url, "--contracts", contracts, "--channel", "orders", "--limit", 4)
    assert code == 1, text
    assert "4 read, 1 drifted" in text
    assert "/total" in text


def test_what_an_exchange_cannot_do_is_refused_in_words(tmp_path, rabbitmq):
    with exchange_on(rabbitmq) as (channel, exchange):
        contracts = catalog_of(tmp_path, exchange)

        def refused(url: str, *options: object, code: int) -> str:
            got, text = run("record", url, "--contracts", contracts, "--channel", "orders", *options)
            assert got == code, text
            assert "Traceback" not in text
            assert "s3cr3t" not in text
            assert "wrong-pass" not in text
            return text

        at = rabbitmq.address
        assert "--since has no meaning" in refused(rabbitmq.url, "--since", "1h", "--limit", 1, code=2)
        assert "--duration 10m" in refused(rabbitmq.url, code=2)
        assert "has the protocol amqp" in refused("redis://localhost", "--limit", 1, code=2)
        assert "credentials" in refused(f"amqp://guest:wrong-pass@{at}", "--limit", 1, code=3)
        assert "virtual host nowhere" in refused(f"{rabbitmq.url}/nowhere", "--limit", 1, code=3)
        assert "virtual host orders" in refused(f"amqp://recorder:s3cr3t%2Fpa%40ss@{at}/orders", "--limit", 1, code=3)
        assert "set_permissions" in refused(f"amqp://stranger:stranger@{at}", "--limit", 1, code=3)
        assert "no such exchange" in refused(f"{rabbitmq.url}/orders", "--limit", 1, code=2)
        assert "did not answer" in refused("amqp://127.0.0.1:1", "--limit", 1, code=3)
        assert "not known" in refused(f"{rabbitmq.url}?heartbeat=1", "--limit", 1, code=2)
        assert "nothing was recorded" in refused(rabbitmq.url, "--duration", "1s", code=2)
        queue = channel.queue_declare("shop.work", durable=False).method.queue
        (contracts / "catalog.toml").write_text((contracts / "catalog.toml").read_text().replace(exchange, queue))
        assert "this is a queue" in refused(rabbitmq.url, "--limit", 1, code=2)
        channel.queue_delete(queue)


def test_a_user_who_may_only_record_does_so_over_tls_with_a_password_of_the_environment(
    tmp_path, rabbitmq, monkeypatch
):
    monkeypatch.setenv("AMQP_USERNAME", "recorder")
    monkeypatch.setenv("AMQP_PASSWORD", "s3cr3t/pa@ss")
    with exchange_on(rabbitmq) as (_, exchange):
        contracts = catalog_of(tmp_path, exchange)
        where = ("--contracts", contracts, "--channel", "orders", "--limit", 2)
        code, text = run("record", f"amqps://{rabbitmq.tls_address}", *where)
        assert (code, "certificate verify failed" in text) == (3, True), text
        with published_once_bound(rabbitmq, exchange, "order.probe", messages(1)):
            code, text = run("record", f"amqps://{rabbitmq.tls_address}?cacertfile={rabbitmq.authority}", *where)
    assert code == 0, text
    assert "2 read" in text


def test_messages_that_come_too_fast_are_dropped_at_the_queues_head_and_the_run_says_so(rabbitmq, monkeypatch):
    monkeypatch.setattr(amqp_exchange, "PREFETCH", 10)
    monkeypatch.setattr(amqp_exchange, "MAX_LENGTH", 20)
    monkeypatch.setitem(amqp_exchange.QUEUE, "x-max-length", 20)
    reading = Reading(limit=20, routing_keys=("#",))
    with exchange_on(rabbitmq) as (channel, exchange):
        reader = amqp_exchange.read_exchange(rabbitmq.url, exchange, reading)
        assert next(reader) is None, "bound, and nothing came yet"
        for number in range(100):
            channel.basic_publish(exchange, "order.placed", order(number))
        numbers = [json.loads(each.wire)["total"] for each in itertools.islice(filter(None, reader), 20)]
        reader.close()
    assert numbers == sorted(numbers)
    assert numbers[-1] >= 80, "the newest stay"
    assert "the server may have dropped some: raise --rate" in reading.notes[0]


@pytest.mark.parametrize("prefix", ["cloudEvents:", "cloudEvents_", "ce_"])
def test_a_cloudevent_in_binary_mode_is_read_with_the_headers_of_its_binding(tmp_path, rabbitmq, prefix):
    attributes = {"specversion": "1.0", "type": "order.placed", "source": "/web", "id": "e-1"}
    headers = {f"{prefix}{name}": value for name, value in attributes.items()}
    event = ("order.placed", order(1), {"content_type": "application/json", "headers": headers})
    with exchange_on(rabbitmq) as (_, exchange):
        contracts = catalog_of(tmp_path, exchange)
        path = contracts / "catalog.toml"
        path.write_text(path.read_text().replace('"json"', '"cloudevents"\nmode = "binary"'))
        with published_once_bound(rabbitmq, exchange, "order.probe", [event]):
            code, text = run("record", rabbitmq.url, "--contracts", contracts, "--channel", "orders", "--limit", 2)
    assert code == 0, text
    recorded = (contracts / "order.placed" / "recordings" / "v1.jsonl").read_text().splitlines()
    assert json.loads(recorded[0])["headers"][f"{prefix}type"] == "order.placed"


@pytest.mark.parametrize(
    ("replaced", "by", "problem"),
    [
        ('["order.#"]', "[]", "routing_keys is missing"),
        ('"shop"', '"shop.*"', "not the name of one exchange"),
        ('"amqp"', '"kafka"', "routing_keys are of the protocol amqp"),
    ],
)
def test_a_catalog_says_which_messages_of_which_exchange(tmp_path, replaced, by, problem):
    contracts = catalog_of(tmp_path, "shop")
    path = contracts / "catalog.toml"
    path.write_text(path.read_text().replace(replaced, by))
    with pytest.raises(CatalogError, match=problem):
        load_catalog(contracts)


def test_a_channel_of_files_is_read_from_files_alone(tmp_path):
    contracts = catalog_of(tmp_path, "export", routing_keys="[]")
    path = contracts / "catalog.toml"
    path.write_text(path.read_text().replace('"amqp"', '"files"'))
    export = tmp_path / "export.jsonl"
    export.write_bytes(order(1).replace(b"\n", b" ") + b"\n")
    assert run("record", export, "--contracts", contracts, "--channel", "orders")[0] == 0
    code, text = run("verify", export, "--contracts", contracts, "--channel", "orders")
    assert (code, "1 read, 0 drifted" in text) == (0, True), text
    for url in ("redis://localhost", "kafka://localhost", "amqp://localhost"):
        code, text = run("verify", url, "--contracts", contracts, "--channel", "orders", "--limit", 1)
        assert (code, "Name a file, or - for stdin." in text) == (2, True), text


def is_routed(channel: Any, exchange: str) -> bool:
    try:
        channel.basic_publish(exchange, "order.placed", order(1), pika.BasicProperties(**JSON), mandatory=True)
    except pika.exceptions.UnroutableError:
        return False
    return True
