"""A consumer of RabbitMQ as a service of its own: inferred and recorded from its real exchange, replayed through it."""

import json
import tomllib
import uuid

import pytest
from brokers.real_rabbitmq import admin, published_once_bound
from ecosystem.service_repository import ServiceRepository
from scrub.planted import KINDS, secrets
from scrub.planted_runs import KEEP_EVERYTHING, everywhere, nothing_of, run_command, write_contracts

CHANNEL = """
[channels.orders]
protocol = "amqp"
address = "{exchange}"
routing_keys = ["order.#"]
codec = "json"
delivery = "exactly-once"
"""
SUBJECT = """
[subjects."order.placed"]
channel = "orders"
id = "/order_id"
sent_by = ["web"]
received_by = ["billing"]
"""


def orders(count):
    for number in range(count):
        note = {"note": f"for person{number}@example.com"} if number % 2 else {}
        order = {"order_id": f"o-{number}", "total": number + 5, "currency": "EUR" if number % 3 else "SEK"} | note
        yield "order.placed", json.dumps(order).encode(), {"content_type": "application/json"}


@pytest.mark.timeout(600)
def test_a_consumer_of_rabbitmq_is_inferred_recorded_and_replayed(tmp_path, rabbitmq):
    exchange = queue = f"shop.{uuid.uuid4().hex[:10]}"
    places = {"BILLING_RABBITMQ": rabbitmq.url, "BILLING_EXCHANGE": exchange, "BILLING_QUEUE": queue}
    billing = ServiceRepository(tmp_path, "billing", "acme_shop", **places)
    catalog = billing.contracts / "catalog.toml"

    def contract_test(*words):
        with published_once_bound(rabbitmq, exchange, "order.probe", list(orders(40))):
            return billing.contract_test(*words, "--limit", "30")

    with admin(rabbitmq) as channel:
        channel.exchange_declare(exchange, "topic", durable=True)
        bound = ("--exchange", exchange, "--routing-key", "order.#")
        output = contract_test("infer", rabbitmq.url, *bound, "--subject", "order.placed", "--write")
        assert "30 messages in codec json" in output
        (name,) = tomllib.loads(catalog.read_text())["channels"].items()
        assert name[1] == {"protocol": "amqp", "address": exchange, "codec": "json", "routing_keys": ["order.#"]}
        catalog.write_text(CHANNEL.format(exchange=exchange) + SUBJECT)
        contract_test("record", rabbitmq.url, "--channel", "orders")
        recording = (billing.contracts / "order.placed" / "recordings" / "v1.jsonl").read_text()
        assert "@example.com" not in recording

        billing.publish()
        code, output = billing.replay("--contracts-mutate")
        assert code == 0, output
        assert "order.placed  v1       consumes" in output
        billing.break_code(
            "src/billing/consumer.py", "self.invoices.setdefault(order.order_id,", "self.invoices.update(x="
        )
        code, output = billing.replay("--contracts-only-recorded")
        assert code == 1, output
        channel.queue_delete(queue)
        channel.exchange_delete(exchange)


@pytest.mark.timeout(600)
def test_no_secret_that_comes_over_an_exchange_reaches_a_disk_or_a_log(tmp_path, rabbitmq):
    contracts = write_contracts(tmp_path)
    exchange = f"shop.{uuid.uuid4().hex[:10]}"
    text = (contracts / "catalog.toml").read_text()
    text = text.replace('"kafka"', '"amqp"', 1).replace(
        'address = "events"', f'address = "{exchange}"\nrouting_keys = ["#"]', 1
    )
    (contracts / "catalog.toml").write_text(text)
    planted = secrets(len(KINDS), seed=14)
    messages = []
    for number, each in enumerate(planted):
        name = each.text.encode()[:200].decode(errors="ignore")  # AMQP's names have up to 255 bytes
        for line in everywhere(each, number)[:-1]:
            found = json.loads(line)
            headers = dict(zip(found["headers"][::2], found["headers"][1::2], strict=False)) | {name: each.text}
            headers = {key: value for key, value in headers.items() if len(key.encode()) < 256}
            properties = {"headers": headers, "message_id": name, "app_id": name, "correlation_id": name}
            messages.append((name, found["payload"].encode(), properties))
    with admin(rabbitmq) as channel:
        channel.exchange_declare(exchange, "topic")
        with published_once_bound(rabbitmq, exchange, "probe", messages):
            limit = ("--limit", str(len(messages) + 1), "--per-shape", "70")
            done = run_command(contracts, "record", rabbitmq.url, "--channel", "events", *limit, before=KEEP_EVERYTHING)
        channel.exchange_delete(exchange)
    assert done.returncode == 1, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    nothing_of(planted, contracts, done.stdout, done.stderr)
    assert len((contracts / "person.changed" / "recordings" / "v1.jsonl").read_bytes().splitlines()) > 20
    assert (contracts / ".recorder" / "events.quarantine.jsonl").stat().st_size > 1000
