"""Which fields messages have, told as the contract names them: no index, no key of a map, and nothing of a person."""

import pytest

from contract_test.record.field_inventory import FieldInventory
from contract_test.schema.shape import Shapes
from contract_test.schema.walk import References

PAID = {
    "required": ["as", "card"],
    "properties": {"as": {"const": "paid"}, "card": {}, "by": {"properties": {"a": {}}}},
}
LATE = {"required": ["as"], "properties": {"as": {"const": "late"}, "days": {}, "by": {"properties": {"b": {}}}}}
SCHEMA = {
    "$id": "urn:t",
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "a/b": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}, "additionalProperties": False}},
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"y": {}}}},
        "grid": {"type": "array", "items": {"type": "array", "items": {"type": "object", "properties": {"z": {}}}}},
        "child": {"$ref": "urn:t"},
        "state": {"type": "object", "oneOf": [PAID, LATE]},
    },
    "additionalProperties": False,
}  # fmt: skip


@pytest.fixture
def inventory():
    return inventory_of(SCHEMA)


def inventory_of(schema):
    resources = {"urn:t": schema}
    references = References(resources, "urn:t")
    return FieldInventory(references, Shapes(references), resources)


def looked(inventory, *messages):
    seen, undeclared = set(), set()
    for message in messages:
        inventory.look(message, seen, undeclared)
    return {place.pointer for place in seen}, {(place.pointer, name) for place, name in undeclared}


@pytest.mark.parametrize(
    ("message", "seen"),
    [
        ({}, set()),
        ({"name": "Ana"}, {"/name"}),
        ({"a/b": [{}, {"x": 1}]}, {"/a~1b", "/a~1b/*/x"}),
        ({"map": {"ana": {"y": 1}, "bo": {}}}, {"/map", "/map/*", "/map/*/y"}),
        ({"grid": [[{}], [{"z": 1}]]}, {"/grid", "/grid/*/*/z"}),
        ({"child": {"child": {"name": "Bo"}}}, {"/child", "/child/name"}),
        ({"state": {"as": "paid", "card": 1, "by": {"a": 1}}}, {"/state", "/state/as", "/state/card", "/state/by", "/state/by/a"}),
        ({"state": {"as": "late", "days": 2, "by": {"b": 1}}}, {"/state", "/state/as", "/state/days", "/state/by", "/state/by/b"}),
    ],
)  # fmt: skip
def test_a_field_is_seen_at_the_place_that_the_contract_gives_it(inventory, message, seen):
    assert looked(inventory, message) == (seen, set())


def test_what_no_contract_knows_is_told_apart_and_hides_nothing_after_it(inventory):
    seen, undeclared = looked(
        inventory, {"nick": {"name": "x"}, "name": "Ana", "a/b": [{"q": 1, "x": 2}, "text"]}, ["text"]
    )
    assert seen == {"/name", "/a~1b", "/a~1b/*/x"}
    assert undeclared == {("", "nick"), ("/a~1b/*", "q")}


@pytest.mark.parametrize(
    ("pointer", "told"),
    [
        ("", ""),
        ("/name", "/name"),
        ("/a~1b/12/x", "/a~1b/*/x"),
        ("/a~1b/12/ana", "/a~1b/*/*"),
        ("/map/ana/y", "/map/*/y"),
        ("/map/7", "/map/*"),
        ("/ana/name", "/*/*"),
        ("/state/by/b", "/state/by/b"),
        ("/child/child/name", "/child/child/name"),
    ],
)
def test_a_pointer_into_a_message_is_told_without_what_the_message_says(inventory, pointer, told):
    assert inventory.pointer_of(pointer) == told


def test_all_declared_fields_are_told_each_once_and_an_outer_one_first(inventory):
    outer = [
        "/name", "/a~1b", "/a~1b/*/x", "/map", "/map/*/y", "/grid", "/grid/*/*/z", "/child",
        "/state", "/state/as", "/state/card", "/state/by", "/state/by/a", "/state/by/b", "/state/days",
    ]  # fmt: skip
    declared = list(inventory.declared())
    assert [each for each in declared if not each.startswith("/child/")] == outer
    inner = [f"/child{each}" for each in outer if each != "/child"]
    assert [each for each in declared if each.startswith("/child/")] == inner, "a schema inside itself ends"


def test_a_branch_declares_fields_only_in_messages_to_which_it_applies():
    by_card = {"properties": {"card": {"properties": {"last4": {}}}}}
    order = {
        "properties": {"paid_by": {}, "gift": {}},
        "if": {"properties": {"paid_by": {"const": "card"}}, "required": ["paid_by"]},
        "then": by_card,
        "dependentSchemas": {"gift": {"properties": {"greeting": {}}}},
    }
    inventory = inventory_of({"properties": {"orders": {"items": order}}})
    declared = {"paid_by": "card", "card": {"last4": "1881"}}, {"gift": True, "greeting": "Hi"}
    assert looked(inventory, {"orders": list(declared)})[1] == set()
    stray = {"orders": [{"paid_by": "cash", "card": {"last4": "1881"}}, {"greeting": "Hi"}]}
    assert looked(inventory, stray)[1] == {("/orders/*", "card"), ("/orders/*", "greeting")}
