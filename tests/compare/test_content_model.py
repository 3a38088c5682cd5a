"""A writer is closed, a reader is open: what people expect of an optional field."""

import pytest

from contract_test import compare
from contract_test.schema.fields import fields_of

V1 = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
V2 = {**V1, "properties": {**V1["properties"], "note": {"type": "string"}}}


def closed(writer, reader):
    return compare(writer=writer, reader=reader, content_model="closed-writer")


def test_an_optional_field_may_come_and_go():
    assert closed(V1, V2).status == "compatible"
    assert closed(V2, V1).status == "compatible"


def test_as_written_an_undeclared_field_may_hold_anything():
    verdict = compare(writer=V1, reader=V2, content_model="as-written")

    assert verdict.status == "incompatible"
    assert verdict.incompatibilities[0].rule == "property-constrained"
    assert verdict.incompatibilities[0].reader_pointer == "/properties/note"


def test_a_reader_that_says_it_is_closed_is_closed():
    assert closed(V2, {**V1, "additionalProperties": False}).status == "incompatible"


@pytest.mark.parametrize("keyword", ["additionalProperties", "unevaluatedProperties"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda schema: schema,
        lambda schema: {"type": "object", "properties": {"inner": schema}},
        lambda schema: {"allOf": [schema, {"properties": {"other": {"type": "string"}}}]},
    ],
    ids=["plain", "nested", "allOf"],
)
def test_true_is_no_promise_to_send_undeclared_fields(wrap, keyword):
    writer, reader = wrap({**V1, keyword: True}), wrap(V2)

    assert closed(writer, reader).status == "compatible"
    assert compare(writer, reader, content_model="open-where-true").status == "incompatible"
    assert compare(writer, reader, content_model="as-written").status == "incompatible"


@pytest.mark.parametrize("keyword", ["additionalProperties", "unevaluatedProperties"])
@pytest.mark.parametrize(
    "rule",
    [{}, {"description": "Anything else."}, {"$ref": "#/$defs/any"}, {"$ref": "#/$defs/again"}],
    ids=["empty", "annotation", "reference", "two references"],
)
def test_true_by_another_name_is_no_promise_either(rule, keyword):
    definitions = {"$defs": {"any": {}, "again": {"$ref": "#/$defs/any"}}}
    writer = {**V1, keyword: rule, **definitions}

    assert closed(writer, {**V2, **definitions}).status == "compatible"
    assert compare(writer, V2, content_model="open-where-true").status == "incompatible"
    assert compare(writer, V2, content_model="as-written", formats="annotation").status == "incompatible"


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"additionalProperties": True},
        {"additionalProperties": {}},
        {"additionalProperties": {"type": "integer"}},
        {"unevaluatedProperties": {"$ref": "#/$defs/any"}},
        {"patternProperties": {"^x-": {}}},
        {"patternProperties": {"^.*$": {}}},
        {"propertyNames": {"maxLength": 9}},
        {"minProperties": 1},
        {"allOf": [{"properties": {"b": {}}, "additionalProperties": {}}]},
        {"anyOf": [{"properties": {"b": {}}}, {"properties": {"id": {}, "c": {}}}]},
        {"anyOf": [{"properties": {"b": {"type": "string"}}}, {"required": ["id"]}]},
        {"if": {"properties": {"c": {"const": 1}}, "required": ["c"]}, "then": {"properties": {"b": {}, "c": {}}}},
        {"if": {"required": ["c"]}, "then": {"properties": {"c": {}}}, "else": {"properties": {"b": {}}}},
        {"dependentSchemas": {"b": {"properties": {"c": {}}}}},
        {"dependentSchemas": {"b": {"properties": {"b": {}, "c": {}}}}},
        {"dependentRequired": {"b": ["c"]}},
    ],
)
@pytest.mark.parametrize("extra", [{}, {"b": 1}, {"c": 1}, {"x-c": 1}, {"b": 1, "c": 1}])
def test_emits_and_verify_report_exactly_what_a_closed_writer_does_not_send(rules, extra):
    """A comparison may leave out undeclared fields, because a service that sends one is reported."""
    schema = {**V1, **rules, "$defs": {"any": {}}}
    message = {"id": "1", **extra}
    rejecting = {"not": {"const": message}}  # the only message that this reader rejects

    sent = closed(schema, rejecting).status == "incompatible"

    assert (fields_of({"u": schema}, "u").undeclared(message) == []) == sent


def test_an_object_of_which_only_others_are_spoken_stays_a_map():
    assert closed({"type": "object", "additionalProperties": {}}, V2).status == "incompatible"


@pytest.mark.parametrize("map_of", [{"additionalProperties": {"type": "integer"}}, {"patternProperties": {"^n": {}}}])
def test_a_map_is_declared(map_of):
    assert closed({**V1, **map_of}, V2).status == "incompatible"


def test_by_default_the_function_asks_what_the_command_asks():
    dated = {"type": "object", "properties": {"at": {"type": "string", "format": "date"}}}

    assert compare(V1, V2).status == "compatible", "a closed writer"
    assert compare({**V1, "additionalProperties": True}, V2).status == "compatible"
    assert compare({"type": "object", "properties": {"at": {"type": "string"}}}, dated).status == "incompatible"


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


ORDER = {"type": "object", "properties": {"price": {"type": "integer"}}, "required": ["price"]}


@pytest.mark.parametrize(
    "requirement",
    [
        {"required": ["price", "shop"]},
        {"dependentRequired": {"price": ["shop"]}},
        {"dependentSchemas": {"price": {"required": ["shop"]}}},
        {"if": {"properties": {"price": {"minimum": 0}}}, "then": {"required": ["shop"]}, "else": False},
        {"allOf": [{"required": ["shop"]}]},
        {"oneOf": [{"required": ["shop"]}, {"required": ["till"]}]},
        {"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"price": ["shop"]}},
    ],
    ids=["required", "dependentRequired", "dependentSchemas", "then", "allOf", "oneOf", "dependencies"],
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda schema: schema,
        lambda schema: {"type": "object", "properties": {"inner": schema}, "required": ["inner"]},
        lambda schema: {"type": "array", "items": schema, "minItems": 1},
    ],
    ids=["plain", "nested", "items"],
)
def test_a_required_name_without_a_declaration_is_sent(requirement, wrap):
    dialect = {"$schema": requirement["$schema"]} if "$schema" in requirement else {}
    writer = dialect | wrap({**ORDER, **requirement})
    reader = dialect | wrap({"properties": {"price": {"type": "string"}}})

    verdict = closed(writer, reader)

    assert verdict.status == "incompatible"
    assert [reason.rule for reason in verdict.incompatibilities] == ["type-changed"]


def test_a_closed_reader_rejects_a_required_name_that_it_does_not_declare():
    verdict = closed({**ORDER, "required": ["price", "shop"]}, {**ORDER, "additionalProperties": False})

    assert verdict.status == "incompatible"
    assert "shop" in verdict.witness


def test_a_condition_that_tests_for_a_name_does_not_declare_it():
    writer = {**ORDER, "if": {"required": ["shop"]}, "then": {"properties": {"price": {"minimum": 3}}}}

    assert closed(writer, {**ORDER, "additionalProperties": False}).status == "compatible"


@pytest.mark.parametrize(
    "writer",
    [
        {**ORDER, "additionalProperties": False, "required": ["shop"]},
        {**ORDER, "allOf": [{"type": "string"}]},
        {"enum": ["a"], "type": "integer"},
        {"not": {}},
        False,
    ],
    ids=["required but forbidden", "two types", "enum of another type", "not anything", "false"],
)
@pytest.mark.parametrize("reader", [{"type": "null"}, {"type": "string"}, {"enum": []}], ids=["null", "string", "none"])
def test_a_writer_that_can_send_nothing_proves_nothing(writer, reader):
    verdict = closed(writer, reader)

    assert verdict.status == "unknown"
    assert "accepts no message" in verdict.cause


EMPTY = {
    "too few names for minProperties": {"type": "object", "properties": {"x": {"type": "string"}}, "minProperties": 2},
    "enum of another type": {"type": "integer", "enum": ["x"]},
    "two types": {"allOf": [{"type": "string"}, {"type": "integer"}]},
}


@pytest.mark.parametrize("empty", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize(
    ("wrap", "pointer"),
    [
        (lambda schema: {"type": "object", "properties": {"inner": schema}}, "/properties/inner"),
        (lambda schema: {"type": "array", "items": schema}, "/items"),
        (
            lambda schema: {
                "properties": {"inner": {"$ref": "#/$defs/inner"}},
                "$defs": {"inner": {"type": "object", "properties": {"deep": schema}}},
            },
            "/$defs/inner/properties/deep",
        ),
    ],
    ids=["property", "items", "reference"],
)
def test_what_changed_where_nothing_can_be_sent_is_not_proved(empty, wrap, pointer):
    verdict = closed(wrap(empty), wrap({"type": "boolean"}))

    assert verdict.status == "unknown"
    assert f"no value at {pointer}" in verdict.cause


def test_a_place_where_nothing_can_be_sent_does_not_matter_where_it_did_not_change():
    both = {"type": "object", "properties": {"inner": EMPTY["two types"], "a": {"type": "string"}}}
    reader = {**both, "properties": {**both["properties"], "a": {"type": ["string", "null"]}}}

    assert closed(both, reader).status == "compatible"


@pytest.mark.parametrize("forbidden", [False, {"not": {}}], ids=["false", "not"])
def test_what_is_forbidden_in_so_many_words_may_change(forbidden):
    writer = {"type": "object", "properties": {"inner": forbidden}}

    assert closed(writer, {"type": "object", "properties": {"inner": {"type": "string"}}}).status == "compatible"
