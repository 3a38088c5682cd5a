"""A contract's files in one document: it accepts the same messages, and every place is found again."""

import json

import pytest
from compat.conftest import DRAFT, INTEGER, STRING

from contract_test.files.schemas import BASE, SchemaFiles
from contract_test.schema.bundle import bundle, schema_around
from envelopes.validation import ASSERTED_FORMATS, compile_schema

SHARED = {
    "$schema": DRAFT,
    "$id": "https://example.org/shared.json",
    "$defs": {
        "node": {
            "$anchor": "node",
            "type": "object",
            "properties": {
                "below": {"$ref": "#/$defs/node"},
                "leaf": {"$ref": "deeper/leaf.json#/definitions/a~1b"},
            },
        },
        "enum": {"enum": [{"$ref": "#/$defs/node", "format": "regex"}]},
    },
}
LEAF = {"definitions": {"a/b": {"type": "string", "format": "date"}}}
ROOT = {
    "$schema": DRAFT,
    "type": "object",
    "properties": {
        "tree": {"$ref": "https://example.org/shared.json#node"},
        "same": {"$ref": "#/properties/tree"},
        "listed": {"$ref": "shared.json#/$defs/enum"},
        "again": {"$ref": "#"},
    },
    "$defs": {"file-0": STRING},
}
MESSAGES = [
    {},
    {"tree": {"below": {"leaf": "2024-02-29"}}},
    {"tree": {"below": {"leaf": "no date"}}},
    {"same": {"leaf": 1}},
    {"again": {"again": {"tree": []}}},
    {"listed": {"$ref": "#/$defs/node", "format": "regex"}},
    {"listed": {"$ref": "#/$defs/node"}},
]


@pytest.fixture
def reach(tmp_path):
    def reached(**files):
        for name, schema in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.with_suffix(".json").write_text(json.dumps(schema))
        return SchemaFiles(tmp_path).reach(tmp_path / "root.json")

    return reached


def test_a_bundle_accepts_what_the_files_accept(reach):
    resources = reach(root=ROOT, shared=SHARED, deeper__leaf=LEAF)
    made = bundle(resources, f"{BASE}root.json", ASSERTED_FORMATS)

    assert len(resources) > 2
    assert made.resources == {}
    apart = compile_schema(resources, f"{BASE}root.json#")
    together = compile_schema({"": made.schema}, "#")
    assert [apart.is_valid(each) for each in MESSAGES] == [together.is_valid(each) for each in MESSAGES]
    assert len({apart.is_valid(each) for each in MESSAGES}) == 2


def test_a_place_in_a_bundle_is_found_in_its_file(reach):
    made = bundle(reach(root=ROOT, shared=SHARED, deeper__leaf=LEAF), f"{BASE}root.json", ASSERTED_FORMATS)

    name = next(name for name, uri in made.names.items() if uri == "https://example.org/shared.json")

    assert made.file_of(f"{name}/$defs/node") == ("https://example.org/shared.json", "/$defs/node")
    assert made.file_of("/properties/tree") == (None, "/properties/tree")
    assert made.file_of("/$defs/file-0") == (None, "/$defs/file-0")


def test_only_formats_that_are_asserted_stay(reach):
    schema = {"properties": {"format": {"format": "regex"}, "at": {"format": "date"}}, "const": {"format": "regex"}}

    made = bundle(reach(root=schema), f"{BASE}root.json", ASSERTED_FORMATS)

    assert made.schema == {"properties": {"format": {}, "at": {"format": "date"}}, "const": {"format": "regex"}}


def test_a_schema_that_only_a_reference_finds_is_one(reach):
    schema = {"properties": {"a": {"$ref": "#/components/a"}}, "components": {"a": {"format": "regex"}}}

    made = bundle(reach(root=schema), f"{BASE}root.json", ASSERTED_FORMATS)

    assert made.schema["components"] == {"a": {}}


@pytest.mark.parametrize(
    "shared",
    [
        {"$defs": {"a": {"$dynamicAnchor": "x", "properties": {"a": {"$dynamicRef": "#x"}}}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "$defs": {"a": INTEGER}},
    ],
)
def test_files_that_depend_on_how_they_are_reached_stay_apart(reach, shared):
    made = bundle(reach(root={"$ref": "shared.json#/$defs/a"}, shared=shared), f"{BASE}root.json", ASSERTED_FORMATS)

    assert made.resources.keys() == {f"{BASE}root.json", f"{BASE}shared.json"}


@pytest.mark.parametrize(
    ("pointer", "around"),
    [
        ("/properties/type/type", "/properties/type"),
        ("/properties/a/required", "/properties/a"),
        ("/properties", ""),
        ("/items", "/items"),
        ("/allOf/1/minimum", "/allOf/1"),
        ("/allOf", ""),
        ("/additionalProperties", "/additionalProperties"),
        ("/properties/a/$ref/type", "/properties/a"),
        ("", ""),
        ("/nowhere/at/all", ""),
    ],
)
def test_the_schema_around_a_place(pointer, around):
    schema = {
        "properties": {"type": STRING, "a": {"$ref": "#/x", "required": ["b"]}},
        "items": STRING,
        "allOf": [{}, {"minimum": 1}],
        "additionalProperties": False,
    }

    assert schema_around(schema, pointer) == around


def test_an_id_that_is_only_a_fragment_is_no_base_uri(repo, compat):
    def version(leaf):
        part = {"$id": "#/properties/parts", "type": "array", "items": {"$ref": "#/definitions/part"}}
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {"parts": part},
            "definitions": {"part": {"type": "object", "properties": {"number": leaf}}},
        }

    repo.subject(versions=[version(STRING), version({"type": "integer"})])

    assert "v2.json:/definitions/part/properties/number  BACKWARD  type-changed" in compat().out
