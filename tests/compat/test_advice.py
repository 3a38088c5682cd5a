"""Whoever follows an advice has one finding less, and no new one: each rule in each direction is tried."""

import pytest

from contract_test import compare
from contract_test.compare import RULES

STRING, INTEGER, ARRAY = {"type": "string"}, {"type": "integer"}, {"type": "array"}
CLOSED = {"additionalProperties": False}


def held(schema, **others):
    return {"type": "object", "properties": {"a": schema, **others}, "required": ["a"]}


def only(**properties):
    return {"type": "object", "properties": properties}


NAMED, NUMBERED = (
    {"type": "object", "properties": {"kind": {"const": kind}, kind: STRING}, "required": ["kind"]} for kind in "xy"
)
IF_A = {"if": {"properties": {"a": {"const": "x"}}, "required": ["a"]}}
# rule: writer, reader, the reader by the advice for BACKWARD, the writer by the advice for FORWARD
CASES = {
    "type-changed": (held(STRING), held(INTEGER), held(STRING, a_number=INTEGER), held(INTEGER, a_text=STRING)),
    "type-narrowed": (held({"type": ["string", "null"]}), held(STRING), held({"type": ["string", "null"]}), held(STRING)),
    "enum-value-removed": (held({"enum": [1, 2]}), held({"enum": [1]}), held({"enum": [1, 2]}), held({"enum": [1]})),
    "enum-added": (held(STRING), held({"enum": ["a"]}), held(STRING), held({"enum": ["a"]})),
    "const-changed": (held({"const": 1}), held({"const": 2}), held({"enum": [1, 2]}), held({"const": 2})),
    "const-added": (held(STRING), held({"const": "a"}), held(STRING), held({"const": "a"})),
    "minimum-raised": (held({"minimum": 1}), held({"minimum": 2}), held({"minimum": 1}), held({"minimum": 2})),
    "minimum-added": (held(INTEGER), held(INTEGER | {"minimum": 2}), held(INTEGER), held(INTEGER | {"minimum": 2})),
    "maximum-lowered": (held({"maximum": 2}), held({"maximum": 1}), held({"maximum": 2}), held({"maximum": 1})),
    "maximum-added": (held(INTEGER), held(INTEGER | {"maximum": 2}), held(INTEGER), held(INTEGER | {"maximum": 2})),
    "multiple-of-changed": (
        held({"multipleOf": 4}), held({"multipleOf": 3}), held({"multipleOf": 2}), held({"multipleOf": 6}),
    ),
    "multiple-of-added": (held(INTEGER), held({"multipleOf": 3}), held(INTEGER), held({"multipleOf": 3} | INTEGER)),
    "min-length-raised": (held({"minLength": 1}), held({"minLength": 2}), held({"minLength": 1}), held({"minLength": 2})),
    "min-length-added": (held(STRING), held(STRING | {"minLength": 1}), held(STRING), held(STRING | {"minLength": 1})),
    "max-length-lowered": (held({"maxLength": 2}), held({"maxLength": 1}), held({"maxLength": 2}), held({"maxLength": 1})),
    "max-length-added": (held(STRING), held(STRING | {"maxLength": 1}), held(STRING), held(STRING | {"maxLength": 1})),
    "pattern-changed": (
        held({"pattern": "^a+$"}), held({"pattern": "^b+$"}), held({"pattern": "^[ab]+$"}), held({"pattern": "^bb$"}),
    ),
    "pattern-added": (held(STRING), held(STRING | {"pattern": "^a"}), held(STRING), held(STRING | {"pattern": "^a"})),
    "format-changed": (
        held({"format": "date"}), held({"format": "time"}),
        held({"anyOf": [{"format": "date"}, {"format": "time"}]}), held({"format": "time"}),
    ),
    "format-added": (held(STRING), held(STRING | {"format": "date"}), held(STRING), held(STRING | {"format": "date"})),
    "items-narrowed": (
        held(ARRAY | {"items": STRING}), held(ARRAY | {"items": False}),
        held(ARRAY | {"items": STRING}), held(ARRAY | {"items": False}),
    ),
    "items-added": (held(ARRAY), held(ARRAY | {"items": STRING}), held(ARRAY), held(ARRAY | {"items": STRING})),
    "min-items-raised": (held({"minItems": 1}), held({"minItems": 2}), held({"minItems": 1}), held({"minItems": 2})),
    "min-items-added": (held(ARRAY), held(ARRAY | {"minItems": 2}), held(ARRAY), held(ARRAY | {"minItems": 2})),
    "max-items-lowered": (held({"maxItems": 2}), held({"maxItems": 1}), held({"maxItems": 2}), held({"maxItems": 1})),
    "max-items-added": (held(ARRAY), held(ARRAY | {"maxItems": 1}), held(ARRAY), held(ARRAY | {"maxItems": 1})),
    "unique-items-added": (
        held(ARRAY), held(ARRAY | {"uniqueItems": True}), held(ARRAY), held(ARRAY | {"uniqueItems": True}),
    ),
    "contains-changed": (
        held({"contains": STRING}), held({"contains": {"const": "a"}}),
        held({"contains": STRING}), held({"contains": {"const": "a"}}),
    ),
    "required-property-added": (
        held(STRING, b=STRING), held(STRING, b=STRING) | {"required": ["a", "b"]},
        held(STRING, b=STRING), held(STRING, b=STRING) | {"required": ["a", "b"]},
    ),
    "property-constrained": (
        {"type": "object", "additionalProperties": {}}, {"type": "object", "properties": {"b": STRING}},
        {"type": "object", "properties": {"b": {}}},
        {"type": "object", "additionalProperties": {}, "properties": {"b": STRING}},
    ),
    "property-removed": (
        only(a=STRING, b=STRING) | CLOSED, only(a=STRING) | CLOSED, only(a=STRING), only(a=STRING) | CLOSED,
    ),
    "property-added": (only(a=STRING, b=STRING), only(a=STRING) | CLOSED, only(a=STRING), only(a=STRING)),
    "additional-properties-closed": (
        only(a=STRING) | {"additionalProperties": STRING},
        only(a=STRING) | CLOSED,
        only(a=STRING) | {"additionalProperties": True},
        only(a=STRING) | CLOSED,
    ),
    "additional-properties-narrowed": (
        {"type": "object"},
        {"type": "object", "additionalProperties": STRING},
        {"type": "object"},
        {"type": "object", "additionalProperties": STRING},
    ),
    "pattern-properties-changed": (
        {"patternProperties": {"^x": {}}}, {"patternProperties": {"^xy": STRING}},
        {"patternProperties": {"^xy": {}}}, {"patternProperties": {"^x": STRING}},
    ),
    "property-names-narrowed": (
        {"type": "object", "propertyNames": {"maxLength": 3}}, {"type": "object", "propertyNames": {"maxLength": 2}},
        {"type": "object", "propertyNames": {"maxLength": 3}}, {"type": "object", "propertyNames": {"maxLength": 2}},
    ),
    "min-properties-raised": (
        only(a=STRING, b=STRING), only(a=STRING, b=STRING) | {"minProperties": 1},
        only(a=STRING, b=STRING), only(a=STRING, b=STRING) | {"minProperties": 1},
    ),
    "max-properties-lowered": (
        only(a=STRING, b=STRING), only(a=STRING, b=STRING) | {"maxProperties": 1},
        only(a=STRING, b=STRING), only(a=STRING, b=STRING) | {"maxProperties": 1},
    ),
    "dependency-added": (
        only(a=STRING, b=STRING), only(a=STRING, b=STRING) | {"dependentRequired": {"a": ["b"]}},
        only(a=STRING, b=STRING), only(a=STRING, b=STRING) | {"dependentRequired": {"a": ["b"]}},
    ),
    "unevaluated-closed": (
        only(a=STRING) | {"unevaluatedProperties": STRING},
        only(a=STRING) | {"unevaluatedProperties": False},
        only(a=STRING),
        only(a=STRING) | {"unevaluatedProperties": False},
    ),
    "alternative-removed": (
        held({"oneOf": [NAMED, NUMBERED]}), held({"oneOf": [NAMED]}),
        held({"oneOf": [NUMBERED, NAMED]}), held({"oneOf": [NAMED]}),
    ),
    "alternatives-overlap": (
        held(INTEGER), held({"oneOf": [INTEGER, {"minimum": 3}]}),
        held({"anyOf": [INTEGER, {"minimum": 3}]}), held(INTEGER | {"maximum": 2}),
    ),
    "exclusion-widened": (
        held(STRING), held({"not": {"const": "a"}}), held(STRING), held(STRING | {"not": {"const": "a"}}),
    ),
    "condition-narrowed": (
        only(a=STRING, b=STRING), only(a=STRING, b=STRING) | IF_A | {"then": {"required": ["b"]}},
        only(a=STRING, b=STRING), only(a=STRING, b=STRING) | IF_A | {"then": {"required": ["b"]}},
    ),
    "nothing-accepted": (only(a=STRING), only(a=False), only(a=STRING), only(a=False)),
}  # fmt: skip
ONLY_FORWARD, ONLY_BACKWARD = {"property-added"}, {"property-removed"}


def findings(writer, reader, newer):
    verdict = compare(writer, reader, formats="assertion", content_model="closed-writer", newer=newer)
    return {(each.rule, each.reader_pointer): each for each in verdict.incompatibilities}


def test_every_rule_has_an_advice_that_is_tried():
    assert CASES.keys() == RULES.keys() - {"not-included"}


@pytest.mark.parametrize("rule", sorted(CASES.keys() - ONLY_FORWARD))
def test_the_advice_for_a_newer_reader_helps(rule):
    writer, reader, advised, _ = CASES[rule]
    before = findings(writer, reader, "reader")
    assert rule in {name for name, _ in before}

    assert findings(writer, advised, "reader").keys() <= {key for key in before if key[0] != rule}


@pytest.mark.parametrize("rule", sorted(CASES.keys() - ONLY_BACKWARD))
def test_the_advice_for_a_newer_writer_helps(rule):
    writer, reader, _, advised = CASES[rule]
    before = findings(writer, reader, "writer")
    assert rule in {name for name, _ in before}

    assert findings(advised, reader, "writer").keys() <= {key for key in before if key[0] != rule}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_no_advice_asks_to_change_a_registered_version(rule):
    for direction in ("BACKWARD", "FORWARD"):
        advice = rule.advice(direction)
        assert advice.endswith(".")
        assert "in the writer" not in advice
        assert "in the reader" not in advice
