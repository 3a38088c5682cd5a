"""Plan, push, pull and check with a real Apicurio Registry."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from registry.conftest import DRAFT, order

from contract_test.files.catalog import load_catalog
from contract_test.files.lock import register
from envelopes.codecs import confluent
from envelopes.codecs._context import Context

TOOL = Path(sys.executable).parent / "contract-test"
REFERENCE = Path(__file__).parents[2] / "contracts"
VERSIONS = 200


def test_the_reference_contracts_go_to_a_registry_and_come_back_equal(registry, run, shop):
    shutil.copytree(REFERENCE, shop.root, dirs_exist_ok=True)
    before = shop.texts()

    planned = run("plan", "--naming", "record")
    assert planned.code == 0
    assert planned.out.splitlines()[1] == (
        "message.liked v1       as message.liked      new: the registry gives the id, mode NONE"
    )
    assert registry.changes == []
    assert shop.texts() == before

    assert run("push", "--naming", "record").code == 0
    catalog = load_catalog(shop.root)
    assert sorted(catalog.subjects["message.liked"].schema_ids) == [1, 2]
    rows = (shop.root / "catalog.toml").read_text().splitlines()
    assert [row for row in rows if not row.startswith("schema_ids")] == before["catalog.toml"].splitlines()
    assert run("check", "--naming", "record").code == 0

    pulled = run("pull", "--naming", "record", "--contracts", "new")
    assert pulled.code == 0
    new = type(shop)(Path("new"))
    assert new.schemas() == shop.schemas()
    assert new.texts()["contracts.lock"] == shop.texts()["contracts.lock"]
    assert load_catalog(new.root).subjects["delivery.requested"].type == "DeliveryRequested"

    changes = list(registry.changes)
    for contracts in ("contracts", "new"):
        assert run("push", "--naming", "record", "--contracts", contracts).code == 0
        assert run("check", "--naming", "record", "--contracts", contracts).code == 0
    assert registry.changes == changes


def test_200_versions_survive_a_kill_in_the_middle_and_come_back_equal(registry, run, type_in, shop):
    shop.subject("order.placed", *(order(maxProperties=number) for number in range(1, VERSIONS + 1)))
    register(load_catalog(shop.root), [])
    process = None

    def kill(method, path, body):
        if process and len(registry.changes) == VERSIONS // 2:
            process.send_signal(signal.SIGKILL)

    registry.answers.append(kill)
    process = subprocess.Popen([TOOL, "registry", "push", registry.url], stdout=subprocess.DEVNULL)
    assert process.wait(240) == -signal.SIGKILL
    process = None
    assert len(registry.changes) == VERSIONS // 2

    assert run("push").code == 0
    assert len(registry.changes) == VERSIONS
    assert len(set(load_catalog(shop.root).subjects["order.placed"].schema_ids.values())) == VERSIONS

    assert run("push").code == 0
    assert len(registry.changes) == VERSIONS, "a second run sends no change"

    assert run("pull", "--contracts", "new").code == 0
    assert {path.partition("/")[2]: schema for path, schema in type(shop)(Path("new")).schemas().items()} == {
        path.partition("/")[2]: schema for path, schema in shop.schemas().items()
    }


def test_a_draft_that_the_registry_cannot_judge_leaves_a_choice(registry, run, type_in, shop):
    shop.subject("order.placed", order(), order("count"), more='compatibility = "BACKWARD"\n')
    shop.subject("order.paid", order(title="order.paid"), topic="payments", more='compatibility = "BACKWARD"\n')
    assert type_in("register", "order.paid").code == 0
    assert run("push", "--set-mode", "catalog", "order.paid").code == 0

    shop.version("order.paid", 2, order("count", title="order.paid"))
    assert type_in("register").code == 0
    for command in ("plan", "push"):
        result = run(command, "order.paid")
        assert result.code == 1
        assert "payments-value in mode BACKWARD: the registry answers 500" in result.out
        assert "--set-mode NONE" in result.out
        assert "--draft-07" not in result.out, "a version in a later draft is there already"
    assert "the registry cannot judge v2 after v1 in mode BACKWARD" in run("check", "order.paid").out
    assert run("push", "order.paid", "--set-mode", "NONE").code == 0

    assert run("push", "order.placed", "--draft-07", "--set-mode", "catalog").code == 0
    registered = json.loads(json.loads(_get(registry, "/subjects/orders-value/versions/2"))["schema"])
    assert registered == order("count") | {"$schema": "http://json-schema.org/draft-07/schema#"}
    changes = list(registry.changes)
    assert run("push").code == 0
    assert registry.changes == changes, "both forms are known again"
    checked = run("check")
    assert checked.code == 0
    assert "it would refuse v2 after v1 in mode BACKWARD; no reader can break" in checked.out
    assert "mode is NONE, so the registry refuses nothing, and was not asked: payments-value" in checked.err

    shop.version("order.placed", 3, order("count", "weight"))
    register(load_catalog(shop.root), ["order.placed"])
    planned = run("plan", "order.placed", "--draft-07")
    assert "order.placed/v3.json  registry-refuses  the registry would refuse it as orders-value" in planned.out
    pushed = run("push", "order.placed", "--draft-07")
    assert (
        "order.placed/v3.json  registry-refuses  as orders-value in mode BACKWARD: the registry answers 409"
        in pushed.out
    )
    assert registry.changes[len(changes) :] == [("POST", "/subjects/orders-value/versions")]


@pytest.mark.registry_without_group
def test_references_go_there_and_come_back(registry, run, type_in, shop):
    address = {"$schema": DRAFT, "title": "address", "type": "object", "properties": {"street": {"type": "string"}}}
    placed = order(
        properties={"ship_to": {"$ref": "../address/v1.json"}, "bill_to": {"$ref": "../shared/a.json"}}, required=[]
    )
    shop.subject("address", address, topic=None)
    shop.subject(
        "order.placed", order(properties={"to": {"$ref": "../address/v1.json#/properties/street"}}, required=[])
    )
    shop.subject("order.paid", placed, topic="payments")
    (shop.root / "shared").mkdir()
    (shop.root / "shared" / "a.json").write_text(json.dumps(address))
    assert type_in("register").code == 0

    pushed = run("push")
    assert (pushed.code, "registry-" in pushed.out) == (0, False), pushed.out

    registered = json.loads(_get(registry, "/subjects/orders-value/versions/1"))
    assert registered["references"] == [{"name": "../address/v1.json", "subject": "address", "version": 1}]
    assert json.loads(registered["schema"]) == shop.schemas()["order.placed/v1.json"]
    paid = json.loads(_get(registry, "/subjects/payments-value/versions/1"))
    assert paid["references"] == []
    assert "shared/a.json" not in paid["schema"]
    assert run("check").code == 0
    changes = list(registry.changes)
    assert run("push").code == 0
    assert registry.changes == changes

    assert run("pull", "--contracts", "new").code == 0
    new = type(shop)(Path("new")).schemas()
    assert new["orders/v1.json"] == shop.schemas()["order.placed/v1.json"]
    assert new["address/v1.json"] == address
    assert type_in("lint", "--contracts", "new").code == 0


def test_confluents_serializer_and_the_codec_read_each_other(registry, run, type_in, shop):
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    shop.subject("order.placed", order(), order("count"))
    assert type_in("register").code == 0
    assert run("push").code == 0
    subject = load_catalog(shop.root).subjects["order.placed"]
    client = SchemaRegistryClient({"url": registry.url})
    text = json.dumps(order("count"))
    context = SerializationContext("orders", MessageField.VALUE)
    data = {"order_id": "o-1", "count": 2}

    sent = JSONSerializer(text, client, conf={"auto.register.schemas": False})(data, context)

    read, found = confluent.read(sent, None, [], subject.channel)
    assert (read.schema_id, found) == (subject.schema_ids[2], data)
    written = confluent.write(Context(schema_id=subject.schema_ids[2]), json.dumps(data).encode(), subject.channel)
    assert JSONDeserializer(None, schema_registry_client=client)(bytes(written), context) == data
    assert JSONDeserializer(text)(bytes(written), context) == data


def _get(registry, path):
    status, _, content = registry.answer("GET", path, b"", {})
    assert status == 200, content
    return content
