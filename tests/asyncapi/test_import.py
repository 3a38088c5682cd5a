"""AsyncAPI documents of others become contracts, or are refused with a place, a reason and what to do."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contract_test.cli.asyncapi import command
from contract_test.files.catalog import load_catalog
from envelopes.validation import compile_schema

OLD = """
asyncapi: 2.6.0
info: {title: Light Service, version: 1.0.0}
servers: {production: {url: "kafka:9092", protocol: kafka-secure}}
channels:
  lights.{id}.measured:
    publish:
      operationId: onMeasured
      message: {$ref: "#/components/messages/lightMeasured"}
  lights.dimmed:
    subscribe:
      operationId: dim
      message:
        oneOf:
          - {name: dim/light, payload: {type: object, properties: {percent: {$ref: "#/components/schemas/percent"}}}}
          - {payload: {type: string}, messageId: turnOff}
components:
  messages:
    lightMeasured: {payload: {$ref: schemas.yaml#/measured}}
  schemas:
    percent: {type: integer, minimum: 0, maximum: 100}
"""
SCHEMAS = """
measured:
  type: object
  required: [lumens]
  properties: {lumens: {type: integer}, next: {$ref: "#/measured"}, on: {const: yes}, day: {const: 2026-01-01}}
"""


def imported(path: Path, contracts: Path, *options: str, code: int = 0) -> tuple[str, str]:
    arguments = ["import", str(path), "--contracts", str(contracts), *options]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    assert result.return_value == code, result.output
    return result.stdout, result.stderr


def document(tmp_path: Path, payload: Any, **message: Any) -> Path:
    path = tmp_path / "asyncapi.json"
    messages = {"made": {"payload": payload, **message}}
    path.write_text(
        json.dumps({"asyncapi": "3.0.0", "info": {"title": "t", "version": "1"}, "components": {"messages": messages}})
    )
    return path


@pytest.mark.parametrize("text", ["", "#:schema ./catalog.schema.json\n# soon\n", "[channels]\n"])
def test_a_catalog_without_rows_is_added_to(tmp_path, text):
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "catalog.toml").write_text(text)

    imported(document(tmp_path, {"type": "string"}), tmp_path / "contracts", "--write")

    assert (tmp_path / "contracts" / "catalog.toml").read_text().startswith(text.strip())
    assert list(load_catalog(tmp_path / "contracts").subjects) == ["made"]


def test_an_older_document_is_turned_the_right_way_round(tmp_path):
    (tmp_path / "asyncapi.yaml").write_text(OLD)
    (tmp_path / "schemas.yaml").write_text(SCHEMAS)

    _, notes = imported(tmp_path / "asyncapi.yaml", tmp_path / "contracts", "--write")

    catalog = load_catalog(tmp_path / "contracts")
    assert [(each.name, each.sent_by, each.received_by) for each in catalog.subjects.values()] == [
        ("lightMeasured", (), ("light.service",)),
        ("dim.light", ("light.service",), ()),
        ("turnOff", ("light.service",), ()),
    ]
    assert "`publish` was read as: light.service receives" in notes
    measured = catalog.subjects["lightMeasured"]
    assert measured.channel.address == "lights.*.measured"
    assert measured.channel.protocol == "kafka"
    assert measured.newest.schema["properties"]["next"] == {"$ref": "#"}
    assert measured.newest.schema["properties"]["on"] == {"const": "yes"}
    assert measured.newest.schema["properties"]["day"] == {"const": "2026-01-01"}
    assert catalog.subjects["dim.light"].newest.schema["definitions"] == {
        "percent": {"type": "integer", "minimum": 0, "maximum": 100}
    }


def test_nothing_is_written_unless_asked_and_nothing_twice(tmp_path):
    path, contracts = document(tmp_path, {"type": "object"}), tmp_path / "contracts"
    shown, _ = imported(path, contracts)
    assert "[subjects.made]" in shown
    assert not contracts.exists()

    imported(path, contracts, "--write")
    before = (contracts / "catalog.toml").read_bytes()
    _, notes = imported(path, contracts, "--write")

    assert (contracts / "catalog.toml").read_bytes() == before
    assert "0 new files" in notes


def test_another_schema_is_the_next_version(tmp_path):
    imported(document(tmp_path, {"type": "object"}), tmp_path / "contracts", "--write")

    imported(document(tmp_path, {"type": "string"}), tmp_path / "contracts", "--write")

    assert sorted(load_catalog(tmp_path / "contracts").subjects["made"].contracts) == [1, 2]


@pytest.mark.parametrize(
    ("payload", "message", "refused"),
    [
        ({"type": "record"}, {"schemaFormat": "application/vnd.apache.avro;version=1.9.0"}, "/components/messages/made/payload  asyncapi-refused  the payload of 'made' is Avro"),
        ({"schemaFormat": "application/vnd.google.protobuf", "schema": "x"}, {}, "payload/schema  asyncapi-refused  the payload of 'made' is Protobuf"),
        ({"schemaFormat": "text/odd", "schema": "x"}, {}, "is another format: schemaFormat is 'text/odd'"),
        ({"$ref": "https://acme.example/a.json"}, {}, "nothing is read from elsewhere"),
        ({"properties": {"a": {"$ref": "../../outside.json"}}}, {}, "which is outside"),
        ({"$ref": "/etc/hostname"}, {}, "nothing is read from elsewhere"),
        ({"$ref": "gone.json"}, {}, "finds no file"),
        ({"$ref": "#/gone"}, {}, "leads nowhere"),
        ({"$ref": "#/components/messages/made/payload"}, {}, "references that lead to each other"),
        ({"properties": {"a": {"type": "strin"}}}, {}, "/components/messages/made/payload/properties/a/type  asyncapi-refused  not a JSON Schema"),
        (None, {}, "has no payload"),
        (7, {}, "the payload is no schema"),
    ],
)  # fmt: skip
def test_a_refusal_has_a_place_a_reason_and_advice(tmp_path, payload, message, refused):
    (tmp_path / "inside").mkdir()

    shown, notes = imported(document(tmp_path / "inside", payload, **message), tmp_path / "contracts", code=1)

    line, advice = shown.splitlines()[:2]
    assert refused in line
    assert line.startswith(str(tmp_path / "inside" / "asyncapi.json"))
    assert advice.strip().endswith(".")
    assert "1 refused" in notes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &a [" + "x," * 99 + "]\n" + "".join(f"{b}: &{b} [{f'*{a},' * 99}]\n" for a, b in zip("abcde", "bcdef", strict=True)), "more than 500,000 values"),
        ("a: &a [*a]", "the alias *a has no value"),
        ("[" * 300, "nested deeper than 200 levels"),
        ("a: !!python/object/apply:os.system [x]\nb: !x y", "the tag '!x' is not known"),
        ("a: 1\na: 2", "the key 'a' stands twice"),
        ("a: {", "not YAML"),
        ("--- 1\n--- 2", "a second document"),
        ("asyncapi: 1.2.0", "asyncapi is '1.2.0'"),
        ("openapi: 3.1.0", "not an AsyncAPI document"),
        ("asyncapi: 3.0.0", "the document has no messages"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_document_is_refused(tmp_path, text, problem):
    path = tmp_path / "a.yaml"
    path.write_text(text)

    shown, _ = imported(path, tmp_path / "contracts", code=1)

    assert problem in shown
    assert not (tmp_path / "contracts").exists()


@pytest.mark.parametrize("is_split", [False, True])
def test_the_data_of_an_event_is_the_contract(tmp_path, is_split):
    attributes = {name: {"type": "string"} for name in ("specversion", "id", "source", "type")}
    data = {"data": {"type": "object", "properties": {"total": {"type": "integer"}}}}
    parts = [{"properties": attributes}, {"properties": data}]
    payload = {"allOf": parts} if is_split else {"properties": attributes | data}

    imported(
        document(tmp_path, payload, contentType="application/cloudevents+json; charset=utf-8"),
        tmp_path / "contracts",
        "--write",
    )

    schema = load_catalog(tmp_path / "contracts").subjects["made"].newest.schema
    assert schema == {"$schema": "http://json-schema.org/draft-07/schema", **data["data"]}


def test_an_event_without_data_is_refused(tmp_path):
    payload = {"properties": {"specversion": {"const": "1.0"}}}
    path = document(tmp_path, payload, contentType="application/cloudevents+json")

    output, _ = imported(path, tmp_path / "contracts", code=1)

    assert "the payload of 'made' is a CloudEvent without data" in output
    assert "Describe `data` among its properties." in output


def test_a_directory_with_files_between_which_references_lead(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "asyncapi.yaml").write_text(OLD.replace("schemas.yaml", "../common/schemas.yaml"))
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "schemas.yaml").write_text(SCHEMAS)

    alone, _ = imported(tmp_path / "one" / "asyncapi.yaml", tmp_path / "contracts", code=1)
    assert "which is outside" in alone

    _, notes = imported(tmp_path, tmp_path / "contracts", "--write")
    assert "3 subjects, 3 new files, 0 refused" in notes


def test_a_document_of_faststream_and_its_messages(tmp_path):
    from faststream.kafka import KafkaBroker, TestKafkaBroker
    from faststream.specification import AsyncAPI
    from pydantic import BaseModel

    class Order(BaseModel):
        id: str
        total: int
        note: str | None = None

    class Receipt(BaseModel):
        order: str

    broker = KafkaBroker()
    publisher = broker.publisher("receipts")
    bodies = []

    @publisher
    @broker.subscriber("orders")
    async def handle(order: Order) -> Receipt:
        return Receipt(order=order.id)

    (tmp_path / "asyncapi.json").write_text(AsyncAPI(broker, title="Shop", version="1").to_specification().to_json())

    @broker.subscriber("receipts")
    async def keep(message: Any) -> None:
        bodies.append(message)

    async def play() -> None:
        async with TestKafkaBroker(broker):
            await broker.publish(Order(id="o1", total=3), "orders")

    asyncio.run(play())
    imported(tmp_path / "asyncapi.json", tmp_path / "contracts", "--write")

    catalog = load_catalog(tmp_path / "contracts")
    received, sent = catalog.subjects.values()
    assert (received.received_by, sent.sent_by) == (("shop",), ("shop",))
    assert (received.channel.address, sent.channel.address) == ("orders", "receipts")
    contracts = [compile_schema(each.newest.resources, f"{each.newest.uri}#") for each in (received, sent)]
    assert contracts[0].is_valid(json.loads(Order(id="o1", total=3).model_dump_json()))
    assert bodies == [{"order": "o1"}]
    assert contracts[1].is_valid(bodies[0])
    assert not contracts[1].is_valid({"order": 7})


AMQP = """
asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0}
servers: {production: {host: "rabbit:5672", protocol: amqp}}
channels:
  placed:
    address: order.{region}.placed
    messages: {placed: {payload: {type: object, properties: {id: {type: string}}}}}
    bindings: {amqp: {is: routingKey, exchange: {name: shop, type: topic}}}
  work:
    address: work
    messages: {worked: {payload: {type: object, properties: {id: {type: integer}}}}}
    bindings: {amqp: {is: queue, queue: {name: work}}}
"""


def test_a_routing_key_of_an_exchange_becomes_a_channel_and_a_queue_is_left_out(tmp_path):
    path, contracts, again = tmp_path / "asyncapi.yaml", tmp_path / "contracts", tmp_path / "again"
    path.write_text(AMQP)
    _, notes = imported(path, contracts, "--write")
    assert "left out, because it is a queue or names no exchange" in notes
    (channel,) = load_catalog(contracts).channels.values()
    assert (channel.protocol, channel.address, channel.routing_keys) == ("amqp", "shop", ("order.*.placed",))
    own = tmp_path / "own.json"
    arguments = ["export", "--contracts", str(contracts), "--bundle", "--output", str(own)]
    assert CliRunner().invoke(command, arguments, standalone_mode=False).return_value == 0
    described = json.loads(own.read_text())["channels"]["placed"]
    assert described["address"] == "order.*.placed"
    assert described["bindings"]["amqp"]["exchange"] == {"name": "shop"}
    imported(own, again, "--write")
    assert list(load_catalog(again).channels.values()) == [channel]
