"""What the conformance features of CloudEvents ask of a reader: Kafka's two modes, and the JSON event format."""

import base64
import json
from datetime import UTC, datetime

import pytest
from packages import generated

from envelopes import DecodeError, Wire

CATALOG = """
[channels.greetings]
protocol = "kafka"
address = "greetings"
codec = "cloudevents"

[channels.greetings-rabbit]
protocol = "amqp"
address = "greetings"
routing_keys = ["#"]
codec = "cloudevents"
mode = "binary"

[subjects."com.example.greeted"]
channels = ["greetings", "greetings-rabbit"]
key = "partitionkey"
"""
SCHEMA = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
CONTEXT = {
    "specversion": "1.0",
    "type": "com.example.greeted",
    "time": "2026-04-05T03:56:24Z",
    "id": "4711-0815",
    "source": "/greetings/of/the/day",
    "datacontenttype": "application/json",
}
DATA = {"text": "Good morning"}
STRUCTURED = [("content-type", b"application/cloudevents+json")]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conformance")
    with generated(folder, "acme_conformance", CATALOG, {("com.example.greeted", 1): SCHEMA}) as package:
        yield package


@pytest.fixture(scope="module")
def decode(package):
    return lambda wire: package.decode(wire, channel="greetings")


def assert_read(envelope):
    assert (envelope.id, envelope.type, envelope.source) == (CONTEXT["id"], CONTEXT["type"], CONTEXT["source"])
    assert envelope.time == datetime(2026, 4, 5, 3, 56, 24, tzinfo=UTC)
    assert json.loads(envelope.data.to_json()) == DATA


def test_kafka_binary_mode(decode):
    headers = [(f"ce_{name}", value) for name, value in CONTEXT.items() if name != "datacontenttype"]
    assert_read(decode(Wire(json.dumps(DATA), None, [*headers, ("content-type", "application/json")])))


@pytest.mark.parametrize("prefix", ["cloudEvents_", "cloudEvents:", "ce_"])
def test_amqp_binary_mode(package, prefix):
    headers = [(f"{prefix}{name}", value) for name, value in CONTEXT.items() if name != "datacontenttype"]
    wire = Wire(json.dumps(DATA), None, [*headers, ("content-type", "application/json")])
    envelope = package.decode(wire, channel="greetings-rabbit")
    assert_read(envelope)
    written = dict(package.encode(envelope, channel="greetings-rabbit").headers)
    assert written["cloudEvents_id"] == CONTEXT["id"].encode()
    assert {name.rpartition("_")[0] for name in written} == {"", "cloudEvents"}


def test_the_amqp_bindings_headers_are_no_attributes_on_kafka(decode):
    headers = [(f"cloudEvents_{name}", value) for name, value in CONTEXT.items() if name != "datacontenttype"]
    with pytest.raises(DecodeError):
        decode(Wire(json.dumps(DATA), None, [*headers, ("content-type", "application/json")]))


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents+json", "application/cloudevents+json; charset=utf-8"]
)
def test_kafka_structured_mode(decode, content_type):
    event = json.dumps(CONTEXT | {"data": DATA})
    assert_read(decode(Wire(event, None, [("content-type", content_type)])))


def test_json_data_in_base64(decode):
    event = CONTEXT | {"data_base64": base64.b64encode(json.dumps(DATA).encode()).decode()}
    assert_read(decode(Wire(json.dumps(event), None, STRUCTURED)))


def test_json_data_without_a_content_type_is_json(decode):
    event = {name: value for name, value in CONTEXT.items() if name != "datacontenttype"} | {"data": DATA}
    assert_read(decode(Wire(json.dumps(event), None, STRUCTURED)))


def test_json_attributes_that_are_null_are_absent_and_extensions_keep_their_types(decode):
    event = CONTEXT | {"data": DATA, "subject": None, "number": 42, "flag": True, "word": "yes", "nothing": None}
    envelope = decode(Wire(json.dumps(event), None, STRUCTURED))
    assert_read(envelope)
    assert dict(envelope.extensions) == {"number": 42, "flag": True, "word": "yes"}


@pytest.mark.parametrize("name", ["specversion", "type", "id", "source"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_required_attribute_is_a_text_that_is_not_empty(decode, name, value):
    with pytest.raises(DecodeError) as refused:
        decode(Wire(json.dumps(CONTEXT | {"data": DATA, name: value}), None, STRUCTURED))
    assert refused.value.pointer == f"/{name}"
