"""A keyword that a schema's own dialect does not have asks nothing of a message, and narrows no class."""

import json

import pytest
from packages import generated

CATALOG = '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects.thing]\nchannel = "c"\n'
DRAFT_04, DRAFT_06, DRAFT_07 = (f"http://json-schema.org/draft-0{number}/schema#" for number in (4, 6, 7))


def read(folder, dialect, value, message, name):
    schema = {"$schema": dialect, "type": "object", "properties": {"k": value}}
    shared = {"$schema": dialect, "type": "object", "definitions": {"k": value}}
    shared["properties"] = {"k": {"$ref": "#/definitions/k"}, "other": {"type": "string"}}
    schemas = {("thing", 1): schema, ("thing", 2): shared, ("thing", 3): shared | {"title": "Thing"}}
    with generated(folder, name, CATALOG, schemas) as package:
        return [cls.from_json(json.dumps({"k": message})).to_json() for cls in classes(package)]


def classes(package):
    from importlib import import_module

    messages = import_module(f"{package.__name__}.messages")
    return messages.ThingV1, messages.ThingV2, messages.ThingV3


@pytest.mark.parametrize(
    ("dialect", "value", "message"),
    [
        (DRAFT_04, {"type": "string", "const": "x"}, "y"),
        (DRAFT_04, {"type": "object", "propertyNames": {"pattern": "^a"}}, {"b": 1}),
        (DRAFT_06, {"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}),
        (DRAFT_07, {"type": "array", "prefixItems": [{"type": "string"}], "maxItems": 1, "minItems": 1}, [7]),
        (DRAFT_07, {"type": "object", "dependentRequired": {"a": ["b"]}}, {"a": 1}),
        (DRAFT_07, {"type": "object", "properties": {"a": {}}, "unevaluatedProperties": False}, {"a": 1, "b": 2}),
    ],
    ids=["const", "propertyNames", "if", "prefixItems", "dependentRequired", "unevaluatedProperties"],
)
def test_a_keyword_of_another_dialect_narrows_no_class(dialect, value, message, tmp_path, request):
    name = "acme_" + "".join(filter(str.isalnum, request.node.name)).lower()
    for written in read(tmp_path, dialect, value, message, name):
        assert json.loads(written)["k"] is not None


def test_a_keyword_that_a_reference_leads_into_stays_readable(tmp_path):
    schema = {
        "$schema": DRAFT_07,
        "type": "object",
        "prefixItems": [{"type": "string"}],
        "properties": {"k": {"$ref": "#/prefixItems/0"}},
    }
    with generated(tmp_path, "acme_led_into", CATALOG, {("thing", 1): schema}) as package:
        assert package.decode(b'{"k":"x"}', channel="c").data.k == "x"
