"""`contract-test infer`: a first contract in one command, and the next version of one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from kafka import KafkaProducer
from redis import Redis

from contract_test.cli.infer import command
from contract_test.data.errors import CatalogError, NothingFoundError
from contract_test.files.additions import add_version
from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate
from contract_test.lint.contracts import lint
from envelopes import _json

CONTRACTS = Path(__file__).parents[2] / "contracts"


def infer(contracts, url, *options):
    arguments = [url, "--contracts", str(contracts), *options]
    return CliRunner().invoke(command, [str(each) for each in arguments], standalone_mode=False)


def lines(path, *messages):
    path.write_bytes(b"".join(_json.dumps(each) + b"\n" for each in messages))
    return path


def order(number, **more):
    return {
        "order_id": f"o-{number}",
        "placed_at": "2026-03-01T12:00:00Z",
        "total": number + 0.5,
        "who": "Ana Berg",
    } | more


def job(number):
    return json.dumps({"class": "OrderPlaced", "args": [order(number)]})


def errors(contracts):
    return [each for each in lint(contracts) if each.severity == "error"]


def test_an_undocumented_queue_gets_its_first_contract_in_one_command(tmp_path, redis_url, monkeypatch):
    contracts = tmp_path / "contracts"
    with Redis.from_url(redis_url) as redis:
        redis.rpush("resque:queue:orders", *[job(number) for number in range(20)])
        result = infer(contracts, redis_url, "--subject", "order.placed", "--key", "resque:queue:orders", "--write")
        assert redis.llen("resque:queue:orders") == 20, "nothing is taken away"
    assert result.return_value == 0, (result.output, result.exception)
    assert not errors(contracts)

    catalog = load_catalog(contracts)
    subject = catalog.subjects["order.placed"]
    assert (subject.channel.protocol, subject.channel.address, subject.channel.codec, subject.channel.name) == (
        "redis-list", "resque:queue:orders", "resque", "orders",
    )  # fmt: skip
    assert (subject.type, subject.id, subject.time) == ("OrderPlaced", "/order_id", "/placed_at")
    assert "Ana Berg" not in subject.newest.path.read_text()

    generate(catalog, "undocumented", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    decode = __import__("undocumented").decode
    message = decode(job(7).encode(), channel="orders").data
    assert (message.order_id, message.total) == ("o-7", 7.5)


def test_a_stream_is_told_from_a_list(tmp_path, redis_url):
    with Redis.from_url(redis_url) as redis:
        for number in range(3):
            redis.xadd("orders", {"data": json.dumps(order(number))})
    result = infer(tmp_path / "contracts", redis_url, "--subject", "order.placed", "--key", "orders", "--write")
    assert result.return_value == 0, (result.output, result.exception)
    assert load_catalog(tmp_path / "contracts").channels["orders"].protocol == "redis-stream"


def test_a_topics_key_is_found_in_the_data(tmp_path, kafka, topic):
    producer = KafkaProducer(bootstrap_servers=kafka, api_version=(2, 3))
    for number in range(12):
        event = {"specversion": "1.0", "id": f"e-{number}", "source": "/shop", "type": "order", "data": order(number)}
        producer.send(topic, json.dumps(event).encode(), key=f"o-{number}".encode())
    producer.flush()
    producer.close()
    contracts = tmp_path / "contracts"
    options = ("--subject", "order.placed", "--topic", topic, "--channel", "orders", "--sent-by", "shop", "--write")
    result = infer(contracts, f"kafka://{kafka}", *options)
    assert result.return_value == 0, (result.output, result.exception)
    subject = load_catalog(contracts).subjects["order.placed"]
    assert (subject.channel.codec, subject.key, subject.type, subject.id) == ("cloudevents", "/order_id", "order", None)
    assert subject.sent_by == ("shop",)


def test_jobs_of_several_arguments_are_said_to_be_read_whole(tmp_path):
    source = lines(tmp_path / "jobs.jsonl", *({"class": "Job", "args": [number, {"a": 1}]} for number in range(3)))
    result = infer(tmp_path / "contracts", source, "--subject", "job.done")
    assert "The codec resque reads only jobs with one argument" in result.stderr
    plain = infer(tmp_path / "contracts", lines(tmp_path / "some.jsonl", order(1)), "--subject", "order.placed")
    assert "resque" not in plain.stderr


def test_without_write_the_schema_goes_to_stdout_and_nothing_is_written(tmp_path):
    result = infer(
        tmp_path / "contracts", lines(tmp_path / "some.jsonl", order(1), order(2)), "--subject", "order.placed"
    )
    schema = json.loads(result.stdout)
    assert schema["title"] == "Order placed"
    assert schema["properties"]["placed_at"]["format"] == "date-time"
    assert not (tmp_path / "contracts").exists()


def write_first(tmp_path, *messages):
    contracts = tmp_path / "contracts"
    source = lines(tmp_path / "first.jsonl", *messages * 10)
    assert infer(contracts, source, "--subject", "order.placed", "--key", "orders", "--write").return_value == 0
    return contracts


def test_messages_with_new_fields_give_the_next_version_and_it_is_compatible(tmp_path):
    contracts = write_first(tmp_path, order(1), order(2))
    before = (contracts / "catalog.toml").read_bytes()
    source = lines(tmp_path / "second.jsonl", order(1), order(2, coupon="XMAS", note=None))
    result = infer(contracts, source, "--subject", "order.placed", "--write")
    assert result.return_value == 0, (result.output, result.exception)
    second = json.loads((contracts / "order.placed" / "v2.json").read_text())
    assert {"coupon", "note"} <= set(second["properties"])
    assert not {"coupon", "note"} & set(second["required"])
    assert (contracts / "catalog.toml").read_bytes() == before
    assert "XMAS" not in json.dumps(second)
    again = infer(contracts, source, "--subject", "order.placed", "--write")
    assert again.return_value == 0
    assert "already accepts every message" in again.stderr
    assert not (contracts / "order.placed" / "v3.json").exists()


def test_what_stays_incompatible_is_said_and_not_written(tmp_path):
    contracts = write_first(tmp_path, order(1), order(2))
    catalog = contracts / "catalog.toml"
    catalog.write_text(catalog.read_text() + 'compatibility = "FULL"\n')
    source = lines(tmp_path / "second.jsonl", order(1, total=None))
    result = infer(contracts, source, "--subject", "order.placed", "--write")
    assert result.return_value == 1
    assert "FORWARD" in result.stderr
    assert "/properties/total" in result.stderr
    assert "nothing was written" in result.stderr
    assert not (contracts / "order.placed" / "v2.json").exists()


def test_a_recording_of_our_own_is_described_by_its_contract(tmp_path):
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    for name in ("message.liked", "delivery.requested", "message.posted"):
        newest = load_catalog(contracts).subjects[name].newest
        recording = newest.path.parent / "recordings" / f"v{newest.version}.jsonl"
        result = infer(contracts, recording, "--subject", name)
        assert result.return_value == 0, (result.output, result.exception)
        assert "nothing to propose" in result.stderr


def test_what_a_recording_masks_is_in_no_enum(tmp_path):
    interactions = [
        {"format": 1, "channel": "orders", "subject": "order.placed", "version": 1, "masked": ["/status"],
         "payload": {"status": ("qwx", "zrt")[number % 2], "kind": ("new", "old")[number % 2]}}
        for number in range(60)
    ]  # fmt: skip
    result = infer(tmp_path / "contracts", lines(tmp_path / "v1.jsonl", *interactions), "--subject", "order.placed",
                   "--enum", "/kind", "--enum", "/status")  # fmt: skip
    properties = json.loads(result.stdout)["properties"]
    assert properties["kind"]["enum"] == ["new", "old"]
    assert properties["status"] == {"type": "string"}


def test_several_types_on_one_channel_are_told_and_one_can_be_chosen(tmp_path):
    jobs = [{"class": name, "args": [{"a": 1} if name == "One" else {"b": "x"}]} for name in ("One", "Two", "Two")]
    source = lines(tmp_path / "jobs.jsonl", *jobs)
    result = infer(tmp_path / "contracts", source, "--subject", "two")
    assert isinstance(result.exception, CatalogError)
    assert "'Two' (2), 'One' (1)" in str(result.exception)
    chosen = infer(tmp_path / "contracts", source, "--subject", "two", "--type", "Two")
    assert list(json.loads(chosen.stdout)["properties"]) == ["b"]


def test_messages_of_an_earlier_version_do_not_loosen_the_newest(tmp_path):
    contracts = write_first(tmp_path, {"a": "x"})
    newer = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}},
    }
    (contracts / "order.placed" / "v2.json").write_text(json.dumps(newer))
    catalog = contracts / "catalog.toml"
    catalog.write_text(catalog.read_text() + 'compatibility = "NONE"\n')
    source = lines(tmp_path / "both.jsonl", {"a": "x"}, {"a": "x", "b": True})
    result = infer(contracts, source, "--subject", "order.placed")
    assert "nothing to propose" in result.stderr
    assert "1 of earlier versions left out" in result.stderr


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("redis://127.0.0.1:1", ["--topic", "t"], "--topic does not go with redis://: write --key."),
        ("kafka://127.0.0.1:1", ["--key", "k"], "--key does not go with kafka://: write --topic."),
        ("amqp://127.0.0.1:1", ["--key", "k"], "--key does not go with amqp://: write --exchange."),
        ("amqp://127.0.0.1:1", ["--exchange", "e"], "Name the messages to read with --routing-key"),
        ("amqp://127.0.0.1:1", ["--routing-key", "#"], "--routing-key goes with --exchange"),
        ("amqp://127.0.0.1:1", [], "--key KEY, --topic TOPIC or --exchange NAME."),
        (
            "http://127.0.0.1:1",
            ["--key", "k"],
            "Known are redis://, rediss://, unix://, kafka://, amqp://, amqps://, a file",
        ),
        ("127.0.0.1:6379", [], "redis://127.0.0.1:6379 or kafka://127.0.0.1:6379"),
        (None, ["--enum", "/nope"], "No message has a value at '/nope'"),
        (None, ["--required", "/nope"], "No message has a value at '/nope'"),
        (None, ["--enum", "lines"], "No message has a value at 'lines'"),
        (None, ["--map", "/lines/0/sku"], "No message has a value at '/lines/0/sku'"),
        (None, ["--enum", "/lines/*/sku", "--map", "", "--map", "/lines/*"], None),
    ],
)
def test_an_option_that_does_not_apply_is_told(tmp_path, url, options, said):
    source = lines(tmp_path / "some.jsonl", {"id": "x"}, {"lines": [{"sku": "a"}]})
    result = infer(tmp_path / "contracts", url or source, "--subject", "order.placed", *options)
    assert (result.exception is None) == (said is None), result.output
    if said is not None:
        assert said in (getattr(result.exception, "message", None) or str(result.exception))


def test_a_key_that_is_not_there_is_told_by_its_name(tmp_path, redis_url):
    result = infer(tmp_path / "contracts", redis_url, "--subject", "order.placed", "--key", "ordres")
    assert str(result.exception).startswith("ordres: the channel is empty: nothing was inferred\n  Check the name")


@pytest.mark.parametrize("content", [b"", b"not json\n"])
def test_nothing_read_is_never_a_success(tmp_path, content):
    (tmp_path / "none.jsonl").write_bytes(content)
    result = infer(tmp_path / "contracts", tmp_path / "none.jsonl", "--subject", "order.placed")
    assert isinstance(result.exception, NothingFoundError)


def test_hostile_names_reach_no_terminal_and_no_other_file(tmp_path):
    message = {"\x1b[2J\u202e": 1, "a\nb": "x", "\U000e0001": None}
    contracts = tmp_path / "contracts"
    source = lines(tmp_path / "some.jsonl", message, message, message)
    address = 'q"]\nsent_by = ["evil'
    shown = infer(contracts, source, "--subject", "order.placed")
    assert all(letter.isprintable() or letter == "\n" for letter in shown.output)
    assert set(json.loads(shown.stdout)["properties"]) == set(message)
    result = infer(contracts, source, "--subject", "order.placed", "--key", address, "--channel", "q\x1b", "--write")
    assert result.return_value == 0, (result.output, result.exception)
    catalog = load_catalog(contracts)
    assert catalog.channels["q\x1b"].address == address
    assert catalog.subjects["order.placed"].sent_by == ()
    for name in ("../evil", "Order", "a b", ""):
        assert infer(contracts, source, "--subject", name, "--write").exception is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contracts", "some.jsonl"]


def test_a_secret_that_looks_like_a_field_becomes_the_key_of_a_map(tmp_path):
    token = "ghp_" + "aZbYcXdWeVfUgThSiRjQkPlOmNnMoLpKqJrI"
    message = {"tokens": {token: "x"}, "id": "a"}
    source = lines(tmp_path / "some.jsonl", message, message, message)
    result = infer(tmp_path / "contracts", source, "--subject", "order.placed", "--write")
    assert result.return_value == 0, result.output
    schema = json.loads((tmp_path / "contracts/order.placed/v1.json").read_text())
    assert schema["properties"]["tokens"] == {"type": "object", "additionalProperties": {"type": "string"}}
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("contracts/**/*") if path.is_file())
    assert token not in written.decode() + result.output


def test_a_version_that_is_there_is_never_written_over(tmp_path):
    path = add_version(tmp_path, "order.placed", 1, {"type": "object"})
    before = path.read_bytes()
    with pytest.raises(CatalogError):
        add_version(tmp_path, "order.placed", 1, {"type": "array"})
    assert path.read_bytes() == before


def test_contracts_that_may_not_be_written_to_are_enough_to_propose(tmp_path):
    contracts = tmp_path / "contracts"
    add_version(contracts, "order.sent", 1, {"type": "object", "properties": {"a": {"type": "string"}}})
    folders = [contracts, contracts / "order.sent"]
    for each in folders:
        each.chmod(0o500)
    as_anybody = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    code = "from contract_test.cli import main; main()"
    words = ["infer", lines(tmp_path / "m.jsonl", {"b": 1}), "--contracts", contracts, "--subject"]
    command = [*as_anybody, sys.executable, "-c", code, *words]
    try:
        for subject in ("order.placed", "order.sent"):
            done = subprocess.run([*command, subject], capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stderr
            assert "b" in json.loads(done.stdout)["properties"]
        done = subprocess.run(
            [*command, "order.placed", "--write"], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 3
        assert f"error: {contracts}/order.placed: Permission denied" in done.stderr
    finally:
        for each in folders:
            each.chmod(0o700)
