"""Undeclared fields are kept where it depends on them whether a message is valid, and only there."""

import importlib
import json

import jsonschema_rs
import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

A = {"type": "object", "properties": {"a": {"type": "integer"}}}
WITH_A = A | {"required": ["a"]}
CLOSED_A = A | {"additionalProperties": False}
TREE = {"type": "object", "properties": {"n": {}, "kids": {"items": {"$ref": "#/$defs/Tree"}, "uniqueItems": True}}}
UNIQUE = {"type": "array", "uniqueItems": True}
LIST = {"type": "array", "items": A}
TWO = [{"a": 1, "x": 1}, {"a": 1, "x": 2}]
ONE = TWO[0]


def tagged(**payloads):
    return {
        "oneOf": [
            {"type": "object", "properties": {"k": {"const": tag}, "p": schema}, "required": ["k"]}
            for tag, schema in payloads.items()
        ]
    }


JUDGED = {
    "unique": (UNIQUE | {"items": A}, TWO),
    "unique-ref": (UNIQUE | {"items": {"$ref": "#/$defs/A"}}, TWO),
    "unique-deep": (UNIQUE | {"items": {"type": "object", "properties": {"b": A}}}, [{"b": ONE}, {"b": TWO[1]}]),
    "unique-lists": (UNIQUE | {"items": {"items": A}}, [[ONE], [TWO[1]]]),
    "unique-maps": (UNIQUE | {"items": {"additionalProperties": A}}, [{"m": ONE}, {"m": TWO[1]}]),
    "unique-tuple": (UNIQUE | {"prefixItems": [A, A]}, TWO),
    "unique-unevaluated": (UNIQUE | {"unevaluatedItems": A}, TWO),
    "unique-in-all-of": ({"allOf": [UNIQUE, {"items": A}]}, TWO),
    "unique-beside-ref": ({"$ref": "#/$defs/List", "uniqueItems": True}, TWO),
    "unique-if": (LIST | {"if": {"minItems": 2}, "then": {"uniqueItems": True}}, TWO),
    "unique-tags": (UNIQUE | {"items": tagged(p={}, q={})}, [{"k": "q", "x": 1}, {"k": "q"}, {"k": "p"}]),
    "unique-tree": ({"$ref": "#/$defs/Tree"}, {"kids": [{"n": 1, "kids": TWO}, {"n": 1, "kids": [{"y": 1}, {}]}]}),
    "unique-or-short": ({"oneOf": [UNIQUE | {"items": A}, LIST | {"maxItems": 1}]}, TWO),
    "not-few": (A | {"not": {"maxProperties": 1}}, ONE),
    "not-closed": (A | {"not": CLOSED_A}, ONE),
    "not-short-names": (A | {"not": {"propertyNames": {"maxLength": 1}}}, {"a": 1, "xx": 1}),
    "not-pattern": (A | {"not": {"patternProperties": {"^x": {"type": "string"}}}}, ONE),
    "not-constant": (A | {"not": {"const": {"a": 1}}}, ONE),
    "not-enum": (A | {"not": {"enum": [{"a": 1}]}}, ONE),
    "not-list": (LIST | {"not": {"const": [{"a": 1}]}}, [ONE]),
    "not-object-inside": ({"properties": {"i": A}, "not": {"enum": [{"i": {"a": 1}}]}}, {"i": ONE}),
    "if-list": (LIST | {"if": {"const": [{"a": 1}]}, "then": False}, [ONE]),
    "contains-object-inside": ({"items": {"properties": {"i": A}}, "contains": {"const": {"i": ONE}}}, [{"i": ONE}]),
    "contains-required": (LIST | {"contains": {"required": ["x"]}}, [ONE]),
    "not-a-text": (A | {"not": {"properties": {"x": {"type": "string"}}}}, ONE),
    "not-not-one-of-two": (A | {"not": {"not": {"anyOf": [{"required": ["x"]}, {"required": ["y"]}]}}}, ONE),
    "not-with-a": (A | {"not": {"dependentRequired": {"x": ["a"]}}}, {"x": 1}),
    "not-if": (A | {"not": {"if": {"required": ["x"]}, "then": {"required": ["a"]}}}, {"x": 1}),
    "not-not-required": (A | {"not": {"not": {"required": ["x"]}}}, ONE),
    "one-of-few-or-a": ({"oneOf": [A | {"maxProperties": 1}, WITH_A]}, ONE),
    "one-of-closed-inside": (
        {"oneOf": [{"properties": {"i": CLOSED_A}}, {"properties": {"i": WITH_A}, "required": ["i"]}]}, {"i": ONE},
    ),
    "if-few": (A | {"if": {"maxProperties": 1}, "then": {"required": ["a"]}}, {"x": 1, "y": 1}),
    "if-many": (A | {"if": {"minProperties": 2}, "else": {"required": ["a"]}}, {"x": 1, "y": 1}),
    "if-short-names": (A | {"if": {"propertyNames": {"maxLength": 1}}, "then": {"required": ["a"]}}, {"xx": 1}),
    "a-or-many": (A | {"anyOf": [{"required": ["a"]}, {"minProperties": 2}]}, {"x": 1, "y": 1}),
    "many-with-a": (A | {"dependentSchemas": {"a": {"minProperties": 2}}}, ONE),
    "contains-many": (LIST | {"contains": {"minProperties": 2}}, [ONE]),
    "contains-one-closed": (LIST | {"contains": CLOSED_A, "maxContains": 1}, [{"a": 1}, ONE]),
}  # fmt: skip
IGNORED = {
    "plain": (A, ONE),
    "unique-texts": ({"properties": {"a": UNIQUE | {"items": {"type": "string"}}}}, {"a": ["x"], "x": 1}),
    "tagged-closed-inside": (tagged(p=CLOSED_A, q=A), {"k": "q", "p": {"a": 1}, "x": 1}),
    "text-or-object": ({"oneOf": [{"type": "string", "maxLength": 3}, WITH_A | {"maxProperties": 3}]}, ONE),
    "not-required": (A | {"not": {"required": ["y"]}}, ONE),
    "not-both": (A | {"properties": {"a": {}, "b": {}}, "not": {"anyOf": [{"required": ["a", "b"]}]}}, ONE),
    "if-declared": (A | {"if": {"required": ["a"]}, "then": {"properties": {"a": {"minimum": 1}}}}, ONE),
    "contains-a-text": ({"properties": {"a": {"contains": {"type": "string"}}}}, {"a": ["x"], "x": 1}),
}
SCHEMAS = JUDGED | IGNORED


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undeclared")
    definitions = {"A": A, "List": LIST, "Tree": TREE}
    for subject, (schema, _) in SCHEMAS.items():
        (folder / "contracts" / subject).mkdir(parents=True)
        (folder / "contracts" / subject / "v1.json").write_text(
            json.dumps({"type": "object", "properties": {"at": schema}, "$defs": definitions})
        )
    generate(load_catalog(folder / "contracts"), "undeclared_fields", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("undeclared_fields.messages")


def read_and_written(messages, subject):
    schema, value = SCHEMAS[subject]
    assert jsonschema_rs.is_valid(schema | {"$defs": {"A": A, "List": LIST, "Tree": TREE}}, value)
    cls = getattr(messages, "".join(word.title() for word in subject.split("-")))
    return value, json.loads(cls.from_json(json.dumps({"at": value})).to_json())["at"]


@pytest.mark.parametrize("subject", JUDGED)
def test_a_message_is_written_with_the_fields_that_make_it_valid(messages, subject):
    value, written = read_and_written(messages, subject)
    assert written == value


@pytest.mark.parametrize("subject", IGNORED)
def test_no_other_undeclared_field_is_kept(messages, subject):
    value, written = read_and_written(messages, subject)
    assert written == {name: each for name, each in value.items() if name != "x"}
