"""A consumer of RabbitMQ as a service of its own: inferred and recorded from its real exchange, replayed through it."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from brokers.real_rabbitmq import admin, published_once_bound
from scrub.planted import KINDS, secrets
from scrub.planted_runs import KEEP_EVERYTHING, everywhere, nothing_of, run_command, write_contracts

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

HERE = Path(__file__).parent
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


def run(*words, cwd, environment):
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=250, check=False)


def orders(count):
    for number in range(count):
        note = {"note": f"for person{number}@example.com"} if number % 2 else {}
        order = {"order_id": f"o-{number}", "total": number + 5, "currency": "EUR" if number % 3 else "SEK"} | note
        yield "order.placed", json.dumps(order).encode(), {"content_type": "application/json"}


@pytest.mark.timeout(900)
def test_a_consumer_of_rabbitmq_is_inferred_recorded_and_replayed(tmp_path, rabbitmq):
    contracts, repository, site = tmp_path / "contracts", tmp_path / "billing", tmp_path / "site"
    shutil.copytree(HERE / "billing", repository, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    exchange = queue = f"shop.{uuid.uuid4().hex[:10]}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "CI"))}
    environment |= {"BILLING_RABBITMQ": rabbitmq.url, "BILLING_EXCHANGE": exchange, "BILLING_QUEUE": queue}
    environment |= {"PYTHONPATH": f"{site}{os.pathsep}{repository / 'src'}"}
    command = (sys.executable, "-c", "from contract_test.cli import main; main()")

    def contract_test(*words):
        with published_once_bound(rabbitmq, exchange, "order.probe", list(orders(40))):
            done = run(*command, *words, "--contracts", str(contracts), cwd=tmp_path, environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def replay(*options):
        words = (sys.executable, "-m", "pytest", "--contracts", "-p", "no:cacheprovider", "-p", "no:xdist", *options)
        done = run(*words, cwd=repository, environment=environment)
        return done.returncode, done.stdout + done.stderr

    with admin(rabbitmq) as channel:
        channel.exchange_declare(exchange, "topic", durable=True)
        (contracts / "shop.opened").mkdir(parents=True)  # as in a catalog that has contracts already
        (contracts / "shop.opened" / "v1.json").write_text('{"type": "object"}')
        (contracts / "catalog.toml").write_text(CHANNEL.format(exchange=exchange))
        where = ("--channel", "orders", "--limit", "30")
        contract_test("infer", rabbitmq.url, *where, "--subject", "order.placed", "--write")
        shutil.rmtree(contracts / "shop.opened")
        (contracts / "catalog.toml").write_text(CHANNEL.format(exchange=exchange) + SUBJECT)
        contract_test("record", rabbitmq.url, *where)
        recording = (contracts / "order.placed" / "recordings" / "v1.jsonl").read_text()
        assert "@example.com" not in recording

        generate(load_catalog(contracts), "acme_shop", site)
        shutil.copytree(contracts, site / "acme_shop" / "contracts")
        code, said = replay("--contracts-mutate")
        assert code == 0, said
        assert "order.placed  v1       consumes" in said
        fault = repository / "src" / "billing" / "consumer.py"
        fault.write_text(
            fault.read_text().replace("self.invoices.setdefault(order.order_id,", "self.invoices.update(x=")
        )
        code, said = replay("--contracts-only-recorded")
        assert code == 1, said
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
        for line in everywhere(each, number)[number % 3 : -1 : 3]:
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
