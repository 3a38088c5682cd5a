"""A writer is closed, a reader is open: what people expect of an optional field."""

import pytest

from contract_test import compare

V1 = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
V2 = {**V1, "properties": {**V1["properties"], "note": {"type": "string"}}}


def closed(writer, reader):
    return compare(writer=writer, reader=reader, content_model="closed-writer")


def test_an_optional_field_may_come_and_go():
    assert closed(V1, V2).status == "compatible"
    assert closed(V2, V1).status == "compatible"


def test_as_written_an_undeclared_field_may_hold_anything():
    verdict = compare(writer=V1, reader=V2)

    assert verdict.status == "incompatible"
    assert verdict.incompatibilities[0].rule == "property-constrained"
    assert verdict.incompatibilities[0].reader_pointer == "/properties/note"


def test_a_reader_that_says_it_is_closed_is_closed():
    assert closed(V2, {**V1, "additionalProperties": False}).status == "incompatible"


def test_a_writer_that_says_it_is_open_is_open():
    assert closed({**V1, "additionalProperties": True}, V2).status == "incompatible"


def test_an_object_without_declared_properties_is_a_map():
    assert closed({"type": "object"}, V2).status == "incompatible"


@pytest.mark.parametrize(
    "spread",
    [
        lambda schema: {
            "allOf": [{"$ref": "#/$defs/base"}, {"properties": {"x": {}}}],
            "$defs": {"base": schema},
        },
        lambda schema: {"type": "object", "properties": {"inner": schema}},
        lambda schema: {"type": "array", "items": schema},
        lambda schema: {"oneOf": [schema, {"type": "null"}]},
        lambda schema: {"$schema": "http://json-schema.org/draft-07/schema#", "allOf": [schema]},
    ],
    ids=["allOf and $ref", "property", "items", "oneOf", "draft 7"],
)
def test_a_field_is_declared_wherever_the_schema_speaks_of_it(spread):
    assert closed(spread(V1), spread(V2)).status == "compatible"
    assert closed(spread(V2), spread(V1)).status == "compatible"


def test_a_breaking_change_stays_breaking_and_its_witness_declared():
    verdict = closed(V1, {**V2, "required": ["id", "note"]})

    assert verdict.status == "incompatible"
    assert verdict.witness == {"id": ""}
    assert verdict.incompatibilities[0].rule == "required-property-added"
