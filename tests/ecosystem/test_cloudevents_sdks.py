"""Events that CloudEvents' own SDKs write are read here, passed on, and read there; and the other way round."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from importlib import import_module
from typing import Any

import pytest
from brokers import choice
from click.testing import CliRunner
from confluent_kafka import Producer
from ecosystem.sdks import programs
from packages import generated

from contract_test.cli import record, verify
from envelopes import Envelope, Wire

CATALOG = """
[channels.structured]
protocol = "kafka"
address = "structured"
codec = "cloudevents"
without_data = "allow"

[channels.binary]
protocol = "kafka"
address = "binary"
codec = "cloudevents"
mode = "binary"
without_data = "allow"
extensions = { hops = "integer", sampled = "boolean" }

[subjects."order.placed"]
channel = "structured"
key = "partitionkey"

[subjects."order.paid"]
channel = "binary"
key = "partitionkey"
"""
SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "at": {"type": "string", "format": "date-time"},
        "n": {"type": "integer"},
        "price": {"type": "number", "x-python-type": "decimal"},
        "note": {"type": ["string", "null"]},
        "specversion": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}
TYPES = {"structured": "order.placed", "binary": "order.paid"}
SCHEMAS = dict.fromkeys([(subject, 1) for subject in TYPES.values()], SCHEMA)
EVENT = {"id": "e-1", "source": "/shop", "data": '{"id":"o1","n":1}'}
KINDS: dict[str, dict[str, Any]] = {
    "the least": EVENT,
    "every attribute": {
        **EVENT,
        "subject": "orders/1",
        "time": "2026-11-30T10:20:30.123Z",
        "dataschema": "https://example.com/orders/7",
    },
    "an offset": {**EVENT, "time": "2026-11-30T10:20:30+05:30"},
    "extensions": {**EVENT, "hops": 3, "sampled": True, "traceparent": "00-4bf92f3577b34da6-00f067aa0ba902b7-01"},
    "a key": {**EVENT, "key": "customer-7"},
    "letters of everywhere": {
        **EVENT,
        "source": "/l%C3%A4den",
        "data": '{"id":"Grüße, 東京 😀","note":"\\u2028</script>"}',
    },
    "numbers as they are": {**EVENT, "data": '{"id":"o1","n":9007199254740991,"price":12.5}'},
    "null, and a list of none": {**EVENT, "data": '{"id":"o1","note":null,"tags":[]}'},
    "data with a specversion": {**EVENT, "data": '{"id":"o1","specversion":"1.0"}'},
}
WITHOUT_DATA = {"id": "e-2", "source": "/shop"}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    with generated(tmp_path_factory.mktemp("sdks"), "acme_sdks", CATALOG, SCHEMAS) as package:
        yield package


@pytest.fixture(params=["go", "java", "node"])
def sdk(request, record_property):
    try:
        command = {"go": programs.go, "java": programs.java, "node": lambda: programs.node("events.mjs")}[
            request.param
        ]()
    except programs.RuntimeMissingError as error:
        pytest.skip(choice.do_without(f"CloudEvents' SDK for {request.param}", str(error), record_property))
    record_property(choice.RAN_ON, f"CloudEvents' SDK for {request.param}")
    return command


@pytest.mark.parametrize("mode", TYPES)
def test_what_an_sdk_writes_is_read_here_and_passed_on(package, sdk, mode):
    written = [{**event, "type": TYPES[mode], "mode": mode} for event in KINDS.values()]
    messages = [wire_of(message) for message in programs.run_lines(sdk, "write", written)]
    envelopes = [package.decode(wire, channel=mode) for wire in messages]
    for event, envelope in zip(written, envelopes, strict=True):
        if "time" not in event and "node" in sdk[0]:  # this SDK gives an event without a time the present one
            event["time"] = envelope.time.isoformat()
        assert normal(as_described(envelope)) == normal(event)
    passed_on = [package.encode(envelope) for envelope in envelopes]
    read_there = programs.run_lines(sdk, "read", [line_of(wire) for wire in passed_on])
    for event, message, wire, found in zip(written, messages, passed_on, read_there, strict=True):
        assert wire.key == message.key
        assert with_texts(normal(found)) == with_texts(normal(event, key=False))


@pytest.mark.parametrize("mode", TYPES)
def test_what_is_written_here_is_read_by_an_sdk(package, sdk, mode):
    messages = import_module("acme_sdks.messages")
    cls = messages.OrderPaid if mode == "binary" else messages.OrderPlaced
    written = [{**event, "type": TYPES[mode]} for event in KINDS.values()]
    wires = [package.encode(envelope_of(cls, event)) for event in written]
    for event, found in zip(written, programs.run_lines(sdk, "read", map(line_of, wires)), strict=True):
        expected, there = with_texts(normal(event, key=False)), with_texts(normal(found))
        assert {name: there.get(name) for name in expected} == expected


@pytest.mark.parametrize("mode", TYPES)
def test_what_an_sdk_writes_is_verified_and_recorded(sdk, mode, tmp_path, embedded_kafka, topic):
    catalog = CATALOG.replace(f'address = "{mode}"', f'address = "{topic}"')
    with generated(tmp_path, "acme_recorded", catalog, SCHEMAS):
        pass
    written = [{**event, "type": TYPES[mode], "mode": mode} for event in (*KINDS.values(), WITHOUT_DATA)]
    publish(embedded_kafka.address, topic, programs.run_lines(sdk, "write", written))
    where = [f"kafka://{embedded_kafka.address}", "--channel", mode, "--contracts", str(tmp_path / "contracts")]
    for command in (verify.command, record.command):
        done = CliRunner().invoke(command, [*where, "--since", "earliest"], standalone_mode=False)
        assert done.return_value == 0, done.output
        assert "0 drifted" in done.output, done.output
        assert "1 without data" in done.output, done.output
    recorded = (tmp_path / "contracts" / TYPES[mode] / "recordings" / "v1.jsonl").read_text()
    assert len(recorded.splitlines()) > 1


@pytest.mark.parametrize("mode", TYPES)
def test_an_event_without_data_is_one_without_data(package, sdk, mode):
    written = {**WITHOUT_DATA, "type": TYPES[mode], "mode": mode}
    (message,) = programs.run_lines(sdk, "write", [written])
    envelope = package.decode(wire_of(message), channel=mode)
    assert (envelope.id, envelope.type, envelope.data) == ("e-2", TYPES[mode], None)


def publish(address, topic, messages):
    producer = Producer({"bootstrap.servers": address})
    for wire in map(wire_of, messages):
        value = None if wire.is_null else bytes(wire)
        producer.produce(topic, value, wire.key, headers=list(wire.headers))
    assert producer.flush(30) == 0


def wire_of(message):
    def raw(text):
        return None if text is None else base64.b64decode(text)

    return Wire(raw(message["value"]), raw(message["key"]), [(name, raw(value)) for name, value in message["headers"]])


def line_of(wire):
    def text(raw):
        return None if raw is None else base64.b64encode(raw).decode()

    return {"key": text(wire.key), "headers": [(name, text(raw)) for name, raw in wire.headers], "value": text(wire)}


def envelope_of(cls, event):
    known = {name: event[name] for name in ("id", "source", "dataschema") if name in event}
    time = datetime.fromisoformat(event["time"]) if "time" in event else None
    rest = {name: value for name, value in event.items() if name not in ("type", "data", "key", "time", *known)}
    return Envelope(cls.from_json(event["data"]), **known, time=time, key=event.get("key"), extensions=rest)


def as_described(envelope):
    described = {name: getattr(envelope, name) for name in ("id", "source", "type", "dataschema")}
    extensions = {name: value for name, value in envelope.extensions.items() if name != "partitionkey"}
    time = None if envelope.time is None else envelope.time.isoformat()
    return {**described, **extensions, "key": envelope.key, "time": time, "data": envelope.data.to_json()}


def normal(event, *, key=True):
    """Return an event so that it compares: instants and JSON by value, and an absent attribute as one that is None.

    A header is a text. So a reader of binary mode finds texts, where the catalog does not declare the types.
    """
    left_out = {"mode", "partitionkey", "specversion", "datacontenttype", *(() if key else ("key",))}
    found = {name: value for name, value in event.items() if name not in left_out and value is not None}
    if "time" in found:
        found["time"] = datetime.fromisoformat(found["time"]).timestamp()
    found["data"] = json.loads(found["data"])
    return found


def with_texts(event):
    return {name: value if name in ("data", "time") else str(value).lower() for name, value in event.items()}
