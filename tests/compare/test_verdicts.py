"""Every keyword: a pair that is compatible, the same pair the other way about, and the message that proves it."""

import jsonschema
import jsonschema_rs
import pytest
from compare.schemas import compare_as_written as compare

import contract_test
from contract_test.data.verdict import ABSENT

DRAFT_4 = {"$schema": "http://json-schema.org/draft-04/schema#"}
DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}
DRAFT_2019 = {"$schema": "https://json-schema.org/draft/2019-09/schema"}
OBJECT = {"type": "object"}
TREE = {
    "type": "object",
    "required": ["v"],
    "properties": {"v": {"type": "integer"}, "kids": {"items": {"$ref": "#"}}},
}

# (narrow, wide): narrow → wide is compatible, wide → narrow is not
NARROW_AND_WIDE = {
    "type": ({"type": "string"}, {"type": ["string", "null"]}),
    "integer": ({"type": "integer"}, {"type": "number"}),
    "integer is a multiple of one": ({"type": "number", "multipleOf": 2}, {"type": ["integer"]}),
    "boolean schemas": (False, True),
    "const": ({"const": 1}, {"enum": [1.0, 2]}),
    "const: zero is not false": ({"const": 0}, {"enum": [0, False]}),
    "const: zero in a list is not false": ({"const": [0]}, {"enum": [[0], [False]]}),
    "enum": ({"enum": ["a", "b"]}, {"type": "string"}),
    "enum against a schema": ({"enum": [{"a": 1}, {"a": 2}]}, {"properties": {"a": {"maximum": 2}}, "type": "object"}),
    "finite object": (
        {"type": "object", "properties": {"a": {"enum": [1]}}, "required": ["a"], "additionalProperties": False},
        {"enum": [{"a": 1}, {}]},
    ),
    "minimum": ({"minimum": 3}, {"minimum": 2.5}),
    "exclusiveMinimum": ({"exclusiveMinimum": 3}, {"minimum": 3}),
    "maximum": ({"maximum": 3}, {"exclusiveMaximum": 4}),
    "integers between": ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 0.5, "not": {"const": -1}, "maximum": 1e300} | {}),
    "multipleOf": ({"multipleOf": 6}, {"multipleOf": 3}),
    "multipleOf fractions": ({"multipleOf": 0.3}, {"multipleOf": 0.1}),
    "multipleOf common multiple": ({"allOf": [{"multipleOf": 4}, {"multipleOf": 6}]}, {"multipleOf": 12, "title": "t"} | {"multipleOf": 4}),
    "minLength": ({"minLength": 3}, {"minLength": 2}),
    "maxLength": ({"maxLength": 3}, {"maxLength": 4}),
    "pattern": ({"pattern": "^a+$"}, {"pattern": "^a*$"}),
    "pattern implies length": ({"type": "string", "pattern": "^[a-z]{3}$"}, {"type": "string", "minLength": 3, "maxLength": 3}),
    "pattern: look-ahead": ({"type": "string", "pattern": "^(?!foo$)[a-z]+$"}, {"type": "string", "not": {"const": "foo"}}),
    "pattern: unanchored": ({"pattern": "ab"}, {"pattern": "b"}),
    "items": ({"items": {"type": "integer"}}, {"items": {"type": "number"}}),
    "prefixItems": ({"type": "array", "prefixItems": [{"const": 1}]}, {"type": "array", "prefixItems": [{"type": "integer"}]}),
    "closed tuple": ({"type": "array", "prefixItems": [{"const": 1}], "items": False}, {"type": "array", "maxItems": 1}),
    "minItems": ({"minItems": 2}, {"minItems": 1}),
    "maxItems": ({"maxItems": 2}, {"maxItems": 3}),
    "uniqueItems": ({"uniqueItems": True}, {"uniqueItems": False}),
    "uniqueItems over few values": ({"type": "array", "uniqueItems": True, "items": {"enum": [1, 1.0, True]}}, {"type": "array", "maxItems": 2}),
    "contains": ({"type": "array", "contains": {"const": 1}}, {"type": "array", "contains": {"type": "integer"}}),
    "minContains": ({"contains": {"const": 1}, "minContains": 2}, {"contains": {"const": 1}}),
    "maxContains": ({"contains": {"const": 1}, "maxContains": 1}, {"contains": {"const": 1}, "maxContains": 2}),
    "contains and length": ({"type": "array", "contains": {"const": 1}, "minContains": 2}, {"type": "array", "minItems": 2}),
    "required": ({"required": ["a", "b"]}, {"required": ["a"]}),
    "properties": ({"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"type": ["string", "null"]}}}),
    "additionalProperties": ({"additionalProperties": False}, {"additionalProperties": {"type": "string"}}),
    "additionalProperties beside names": (
        {"properties": {"a": {"type": "integer"}}, "additionalProperties": False},
        {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}},
    ),
    "patternProperties": ({"patternProperties": {"^a": {"type": "integer"}}}, {"patternProperties": {"^ab": {"type": "number"}}}),
    "propertyNames": ({"propertyNames": {"pattern": "^a"}}, {"patternProperties": {"^b": False}}),
    "minProperties": ({"minProperties": 2}, {"minProperties": 1}),
    "maxProperties": ({"maxProperties": 1}, {"maxProperties": 2}),
    "all there are": (
        {"type": "object", "properties": {"a": {}, "b": {}}, "additionalProperties": False, "minProperties": 2},
        {"type": "object", "required": ["a", "b"]},
    ),
    "dependentRequired": ({"dependentRequired": {"a": ["b", "c"]}}, {"dependentRequired": {"a": ["b"]}}),
    "dependentSchemas": ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"dependentRequired": {"a": ["b"]}, "$comment": "same"} | {"dependentRequired": {"a": []}}),
    "unevaluatedProperties": (
        {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False},
        {"propertyNames": {"enum": ["a", "b"]}},
    ),
    "unevaluatedProperties under a condition": (
        {"anyOf": [{"properties": {"a": True}, "required": ["a"]}, True], "unevaluatedProperties": False},
        {"maxProperties": 1},
    ),
    "unevaluatedItems": ({"prefixItems": [True], "unevaluatedItems": False}, {"maxItems": 2}),
    "unevaluatedItems after contains": ({"contains": {"type": "string"}, "unevaluatedItems": False}, {"items": {"type": ["string", "null"]}}),
    "anyOf": ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": ["string", "null", "boolean"]}),
    "oneOf that overlaps": ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, {"anyOf": [{"type": "integer"}, {"minimum": 2}]}),
    "not": ({"not": {"type": ["string", "null"]}}, {"not": {"type": "string"}}),
    "if, then, else": (
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
        {"anyOf": [{"required": ["b"]}, {"required": ["c"]}, {"not": OBJECT}]},
    ),
    "recursion": (TREE, {**TREE, "properties": {**TREE["properties"], "v": {"type": "number"}}}),
    "recursion without end is empty": (
        {"$ref": "#/$defs/endless", "$defs": {"endless": {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/$defs/endless"}}}}},
        {"type": "string"},
    ),
    "draft 4: exclusiveMinimum": ({**DRAFT_4, "minimum": 1, "exclusiveMinimum": True}, {**DRAFT_4, "minimum": 1}),
    "draft 4: id and definitions": ({**DRAFT_4, "definitions": {"a": {"enum": [1]}}, "$ref": "#/definitions/a"}, {**DRAFT_4, "type": "number"}),
    "draft 7: items as a tuple": ({**DRAFT_7, "items": [{"type": "integer"}], "additionalItems": False}, {**DRAFT_7, "items": [{"type": "number"}]}),
    "draft 7: dependencies": ({**DRAFT_7, "dependencies": {"a": ["b"]}}, {**DRAFT_7, "dependencies": {"a": {"minProperties": 2}}}),
    "draft 7: beside $ref nothing counts": (
        {**DRAFT_7, "definitions": {"a": {"type": "integer"}}, "$ref": "#/definitions/a", "minimum": 5},
        {**DRAFT_7, "type": "number", "minLength": 3},
    ),
    "draft 2019-09: recursiveRef": (
        {**DRAFT_2019, "$recursiveAnchor": True, "type": "object", "additionalProperties": {"$recursiveRef": "#"}},
        {**DRAFT_2019, "type": "object"},
    ),
    "two drafts": ({**DRAFT_4, "type": "object", "required": ["a"]}, {"type": "object"}),
}  # fmt: skip
ONE_WAY_ONLY = {"recursion without end is empty", "integers between"}


def confirmed(writer, reader, witness, *, formats=False):
    """Whether two validators agree that the writer accepts a witness and the reader rejects it."""
    for schema, expected in ((writer, True), (reader, False)):
        second = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        if jsonschema_rs.validator_for(schema, validate_formats=formats).is_valid(witness) is not expected:
            return False
        if not formats and second(schema).is_valid(witness) is not expected:
            return False
    return True


@pytest.mark.parametrize("name", [name for name in NARROW_AND_WIDE if name not in ONE_WAY_ONLY])
def test_a_narrower_writer_is_compatible(name):
    narrow, wide = NARROW_AND_WIDE[name]

    assert compare(writer=narrow, reader=wide).status == "compatible"


@pytest.mark.parametrize("name", [name for name in NARROW_AND_WIDE if name not in ONE_WAY_ONLY])
def test_a_wider_writer_is_shown_a_message_that_breaks(name):
    narrow, wide = NARROW_AND_WIDE[name]

    verdict = compare(writer=wide, reader=narrow)

    assert verdict.status == "incompatible"
    assert confirmed(wide, narrow, verdict.witness)
    assert verdict.incompatibilities


@pytest.mark.parametrize("name", NARROW_AND_WIDE)
def test_a_schema_is_compatible_with_itself(name):
    for schema in NARROW_AND_WIDE[name]:
        assert compare(writer=schema, reader=schema).status == "compatible"


def test_a_schema_without_any_value_breaks_nothing():
    endless, reader = NARROW_AND_WIDE["recursion without end is empty"]

    assert compare(writer=endless, reader=reader).status == "compatible"


def test_null_is_a_witness_like_any_other():
    verdict = compare(writer={"type": ["string", "null"]}, reader={"type": "string"})

    assert verdict.has_witness
    assert verdict.witness is None


def test_a_compatible_verdict_has_no_witness():
    verdict = compare(writer={"type": "string"}, reader=True)

    assert verdict.witness is ABSENT
    assert not verdict.has_witness


def test_a_witness_is_shrunk():
    writer = {"type": "object", "properties": {name: {"type": "string", "minLength": 2} for name in "abcdef"}}
    reader = {"type": "object", "properties": {"d": {"type": "string", "maxLength": 2}}}

    assert compare(writer=writer, reader=reader).witness == {"d": "aaa"}


def test_formats_are_annotations_unless_asserted():
    writer, reader = {"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}

    assert compare(writer=writer, reader=reader).status == "compatible"
    asserted = compare(writer=writer, reader=reader, formats="assertion")
    assert asserted.status == "incompatible"
    assert confirmed(writer, reader, asserted.witness, formats=True)


def test_an_asserted_format_implies_a_length():
    writer = {"type": "string", "format": "uuid"}

    assert compare(writer=writer, reader={"maxLength": 36}, formats="assertion").status == "compatible"
    assert compare(writer=writer, reader={"maxLength": 35}, formats="assertion").status == "incompatible"


def test_the_bare_import_is_cheap_and_complete():
    assert contract_test.compare is compare.func
    with pytest.raises(AttributeError, match="no attribute 'compares'"):
        _ = contract_test.compares
