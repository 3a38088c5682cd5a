"""Messages that Confluent's own clients write are read here, passed on, and read there; and the other way round."""

from __future__ import annotations

import base64
import json
from importlib import import_module

import pytest
from brokers import choice
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from ecosystem.sdks import programs
from packages import generated

from envelopes import Wire

CATALOG = """
[channels.registry]
protocol = "kafka"
address = "registry"
codec = "confluent"

[subjects."order.placed"]
channel = "registry"
key = "/id"
schema_ids = { 1 = 1 }
"""
SCHEMA = json.dumps(
    {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "OrderPlaced",
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "price": {"type": "number"}, "note": {"type": ["string", "null"]}},
    }
)
DATA = ['{"id":"o1"}', '{"id":"Grüße, 東京 😀","price":12.5,"note":null}']


class PythonClient:
    """The client of Confluent for Python; its registry is its own, in memory, and gives the first schema the id 1."""

    name = "Python"

    def __init__(self):
        self.registry = SchemaRegistryClient.new_client({"url": "mock://"})
        self.registry.register_schema("registry-value", Schema(SCHEMA, "JSON"))

    def write(self, data, framing="prefix"):
        settings = {"auto.register.schemas": False, "use.latest.version": True}
        if framing == "header":
            settings["schema.id.serializer"] = header_schema_id_serializer
        context = SerializationContext("registry", MessageField.VALUE, headers := [])
        value = JSONSerializer(SCHEMA, self.registry, conf=settings)(json.loads(data), context)
        return Wire(value, None, headers)

    def read(self, wire):
        reader = JSONDeserializer(SCHEMA, schema_registry_client=self.registry)
        return json.dumps(reader(bytes(wire), SerializationContext("registry", MessageField.VALUE, list(wire.headers))))


class NodeClient:
    """The client of Confluent for Node."""

    name = "Node"

    def __init__(self):
        self.command = programs.node("registry.mjs")

    def write(self, data, framing="prefix"):
        (out,) = programs.run_lines(self.command, "write", [{"schema": SCHEMA, "data": data, "framing": framing}])
        headers = [(name, base64.b64decode(value)) for name, value in out["headers"]]
        return Wire(base64.b64decode(out["value"]), None, headers)

    def read(self, wire):
        headers = [(name, base64.b64encode(value).decode()) for name, value in wire.headers]
        line = {"schema": SCHEMA, "value": base64.b64encode(wire).decode(), "headers": headers}
        return programs.run_lines(self.command, "read", [line])[0]["data"]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    with generated(folder, "acme_registry", CATALOG, {("order.placed", 1): json.loads(SCHEMA)}) as package:
        yield package


@pytest.fixture(params=[PythonClient, NodeClient], ids=lambda client: client.name)
def client(request, record_property):
    name = f"Confluent's client for {request.param.name}"
    record_property(choice.RAN_ON, name)
    try:
        return request.param()
    except programs.RuntimeMissingError as error:
        pytest.skip(choice.do_without(name, str(error), record_property))


@pytest.mark.parametrize("data", DATA)
def test_what_a_client_writes_is_read_here_and_passed_on(package, client, data):
    written = client.write(data)
    envelope = package.decode(written, channel="registry")
    assert (envelope.type, envelope.version) == ("order.placed", 1)
    assert json.loads(envelope.data.to_json()) == json.loads(data)
    passed_on = package.encode(envelope)
    assert bytes(passed_on) == bytes(written)
    assert json.loads(client.read(passed_on)) == json.loads(data)


@pytest.mark.parametrize("data", DATA)
def test_what_is_written_here_is_read_by_a_client(package, client, data):
    message = import_module("acme_registry.messages").OrderPlaced.from_json(data)
    assert json.loads(client.read(package.encode(message))) == json.loads(data)


def test_a_schema_guid_in_a_header_is_read(package, client):
    wire = client.write(DATA[0], framing="header")
    assert "__value_schema_id" in dict(wire.headers)
    assert json.loads(package.decode(wire, channel="registry").data.to_json()) == json.loads(DATA[0])
