"""The rules table: each rule with one pair that breaks it and one that does not."""

import pytest
from compare.schemas import compare_as_written as compare

from contract_test.compare import RULES
from contract_test.data.verdict import ABSENT


def held(schema):
    """A schema for a required property, as contracts mostly have it."""
    return {"type": "object", "properties": {"a": schema}, "required": ["a"]}


STRING, ARRAY, OBJECT = {"type": "string"}, {"type": "array"}, {"type": "object"}
DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}
# rule: (writer, a reader that breaks the rule, a reader that keeps it)
CASES = {
    "type-changed": (held(STRING), held({"type": "integer"}), held({"type": ["string", "integer"]})),
    "type-narrowed": (held({"type": ["string", "null"]}), held(STRING), held({"type": ["null", "string", "number"]})),
    "enum-value-removed": (held({"enum": ["a", "b"]}), held({"enum": ["a"]}), held({"enum": ["c", "b", "a"]})),
    "enum-added": (held(STRING), held({"type": "string", "enum": ["a"]}), held({})),
    "const-changed": (held({"const": 1}), held({"const": 2}), held({"const": 1.0})),
    "const-added": (held(STRING), held({"const": "a"}), held(STRING)),
    "minimum-raised": (held({"minimum": 1}), held({"minimum": 2}), held({"minimum": 0})),
    "minimum-added": (held({"type": "number"}), held({"type": "number", "minimum": 2}), held({"type": "number"})),
    "maximum-lowered": (held({"maximum": 2}), held({"maximum": 1}), held({"maximum": 3})),
    "maximum-added": (held({"type": "number"}), held({"type": "number", "maximum": 2}), held({})),
    "multiple-of-changed": (held({"multipleOf": 4}), held({"multipleOf": 3}), held({"multipleOf": 2})),
    "multiple-of-added": (held({"type": "number"}), held({"multipleOf": 3}), held({"type": "number"})),
    "min-length-raised": (held({"minLength": 1}), held({"minLength": 2}), held({"minLength": 0})),
    "min-length-added": (held(STRING), held({"type": "string", "minLength": 2}), held(STRING)),
    "max-length-lowered": (held({"maxLength": 3}), held({"maxLength": 2}), held({"maxLength": 4})),
    "max-length-added": (held(STRING), held({"type": "string", "maxLength": 2}), held(STRING)),
    "pattern-changed": (held({"pattern": "^a+$"}), held({"pattern": "^b+$"}), held({"pattern": "^a*$"})),
    "pattern-added": (held(STRING), held({"pattern": "^a"}), held(STRING)),
    "format-changed": (held({"format": "date"}), held({"format": "date-time"}), held({"format": "date"})),
    "format-added": (held(STRING), held({"type": "string", "format": "uuid"}), held(STRING)),
    "items-narrowed": (
        held({"items": {"multipleOf": 1}}), held({"items": False}), held({"items": {"type": ["number", "string", "object", "array", "null", "boolean"]}}),
    ),
    "items-added": (held(ARRAY), held({"type": "array", "items": STRING}), held(ARRAY)),
    "min-items-raised": (held({"minItems": 1}), held({"minItems": 2}), held({"minItems": 0})),
    "min-items-added": (held(ARRAY), held({"minItems": 2}), held(ARRAY)),
    "max-items-lowered": (held({"maxItems": 2}), held({"maxItems": 1}), held({"maxItems": 3})),
    "max-items-added": (held(ARRAY), held({"maxItems": 1}), held(ARRAY)),
    "unique-items-added": (held(ARRAY), held({"uniqueItems": True}), held({"uniqueItems": False})),
    "contains-changed": (held({"contains": STRING}), held({"contains": {"const": "a"}}), held({"contains": {}})),
    "required-property-added": (held(STRING), {"required": ["a", "b"]}, {"required": []}),
    "property-constrained": (held(STRING), {"properties": {"b": STRING}}, {"properties": {"b": {}}}),
    "property-removed": (
        {"properties": {"a": {}, "b": {}}, "additionalProperties": False},
        {"properties": {"a": {}}, "additionalProperties": False},
        {"properties": {"a": {}, "b": {}, "c": {}}, "additionalProperties": False},
    ),
    "additional-properties-closed": (held(STRING), {"properties": {"a": {}}, "additionalProperties": False}, {"additionalProperties": True}),
    "additional-properties-narrowed": (OBJECT, {"additionalProperties": STRING}, {"additionalProperties": {}}),
    "pattern-properties-changed": (OBJECT, {"patternProperties": {"^x": STRING}}, {"patternProperties": {"^x": {}}}),
    "property-names-narrowed": (OBJECT, {"propertyNames": {"maxLength": 2}}, {"propertyNames": STRING}),
    "min-properties-raised": (OBJECT, {"minProperties": 1}, {"minProperties": 0}),
    "max-properties-lowered": (OBJECT, {"maxProperties": 1}, {"title": "any"}),
    "dependency-added": (OBJECT, {"dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"a": ["a"]}}),
    "unevaluated-closed": (held(STRING), {"properties": {"a": {}}, "unevaluatedProperties": False}, {"unevaluatedProperties": True}),
    "alternative-removed": ({"anyOf": [STRING, OBJECT]}, {"anyOf": [STRING, ARRAY]}, {"anyOf": [OBJECT, STRING, ARRAY]}),
    "alternatives-overlap": (
        {"type": "integer"}, {"oneOf": [{"type": "integer"}, {"minimum": 3}]}, {"oneOf": [{"type": "integer"}, STRING]},
    ),
    "exclusion-widened": (STRING, {"not": {"const": "a"}}, {"not": {"type": "number"}}),
    "condition-narrowed": (OBJECT, {"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"if": False, "then": False}),
    "nothing-accepted": (held(STRING), {"properties": {"a": False}}, {"properties": {"a": True}}),
}  # fmt: skip
# a fallback where no structure says why, and what only a newer writer can do
WITHOUT_CASE = {"not-included", "property-added"}


def test_every_rule_has_its_cases():
    assert CASES.keys() == RULES.keys() - WITHOUT_CASE


@pytest.mark.parametrize("rule", CASES)
def test_a_broken_rule_is_named(rule):
    writer, breaking, _ = CASES[rule]

    verdict = compare(writer=writer, reader=breaking, formats="assertion")

    assert verdict.status == "incompatible"
    assert rule in [reason.rule for reason in verdict.incompatibilities]


def test_a_property_that_the_newer_writer_added_is_called_added():
    older, newer = (
        {"properties": {name: {} for name in names}, "additionalProperties": False} for names in ("a", "ab")
    )

    (reason,) = compare(newer, older, content_model="closed-writer", newer="writer").incompatibilities

    assert (reason.rule, reason.before, reason.after) == ("property-added", "b", ABSENT)
    assert (reason.writer_pointer, reason.reader_pointer) == ("/properties/b", "/properties")


@pytest.mark.parametrize("rule", CASES)
def test_a_kept_rule_is_not(rule):
    writer, _, keeping = CASES[rule]

    assert compare(writer=writer, reader=keeping, formats="assertion").status == "compatible"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_says_what_it_means_and_what_to_do(rule):
    assert rule.explanation.endswith(".")
    assert rule.fix.endswith(".")


def test_a_reason_points_at_both_schemas_and_says_the_change():
    (reason,) = compare(writer=held(STRING), reader=held({"type": "integer"})).incompatibilities

    assert (reason.rule, reason.before, reason.after) == ("type-changed", "string", "integer")
    assert reason.writer_pointer == reason.reader_pointer == "/properties/a/type"
    assert "string → integer" in reason.sentence


def test_all_reasons_are_given_not_only_the_first():
    writer = {"properties": {"a": STRING, "b": {"minimum": 0}}, "type": "object"}
    reader = {"properties": {"a": OBJECT, "b": {"minimum": 1}}, "required": ["c"], "type": "object"}

    rules = {reason.rule for reason in compare(writer=writer, reader=reader).incompatibilities}

    assert rules == {"type-changed", "minimum-raised", "required-property-added"}


def test_a_reason_is_found_behind_references():
    defs = {
        "$defs": {"x": {"type": "object", "properties": {"y": {"enum": [1, 2]}}}},
        "properties": {"p": {"$ref": "#/$defs/x"}},
    }
    narrowed = {
        "$defs": {"x": {"type": "object", "properties": {"y": {"enum": [1]}}}},
        "properties": {"p": {"$ref": "#/$defs/x"}},
    }

    reasons = compare(writer={**defs, "type": "object"}, reader={**narrowed, "type": "object"}).incompatibilities

    assert [reason.reader_pointer for reason in reasons] == ["/$defs/x/properties/y/enum"]


def test_a_reason_in_a_recursion_is_told_once():
    def chain(maximum):
        types = {
            f"T{number}": {"type": "object", "properties": {"next": {"$ref": f"#/$defs/T{(number + 1) % 30}"}}}
            for number in range(30)
        }
        types["T3"]["properties"]["count"] = {"type": "integer", "maximum": maximum}
        return {"$ref": "#/$defs/T0", "$defs": types}

    reasons = compare(writer=chain(10), reader=chain(9), content_model="closed-writer").incompatibilities

    assert [reason.reader_pointer for reason in reasons] == ["/$defs/T3/properties/count/maximum"]


def test_a_pointer_through_a_reference_is_not_percent_encoded():
    def referring(leaf):
        return {"$defs": {"a b": {"type": leaf}}, "properties": {"p": {"$ref": "#/$defs/a%20b"}}}

    (reason,) = compare(writer=referring("string"), reader=referring("integer")).incompatibilities

    assert reason.reader_pointer == "/$defs/a b/type"


def alternative(kind, *required, **properties):
    return {"type": "object", "properties": {"kind": {"const": kind}, **properties}, "required": ["kind", *required]}


def payload(*alternatives):
    return held({"oneOf": list(alternatives)})


def test_an_alternative_that_changed_inside_is_told_by_its_tag_and_by_what_changed_in_it():
    numbers = {"type": "array", "items": STRING}
    writer = payload(
        alternative("sms", "number", number=STRING),
        alternative("mail", "to", to=STRING, subject=STRING),
        alternative("push", "devices", devices={**numbers, "maxItems": 3}),
    )
    reader = payload(
        alternative("text", "number", number=STRING),
        alternative("push", "devices", devices={**numbers, "maxItems": 2}),
        alternative("mail", "to", "subject", to=STRING, subject=STRING),
    )

    found = {each.rule: each for each in compare(writer=writer, reader=reader).incompatibilities}

    assert found.keys() == {"alternative-removed", "required-property-added", "max-items-lowered"}
    removed = found["alternative-removed"]
    assert (removed.writer_pointer, removed.before) == ("/properties/a/oneOf/0", {"kind": "sms"})
    assert removed.after == [{"kind": "text"}, {"kind": "push"}, {"kind": "mail"}]
    inside = found["required-property-added"]
    assert (inside.alternative, inside.reader_pointer) == ('kind: "mail"', "/properties/a/oneOf/2/required")
    assert found["max-items-lowered"].alternative == 'kind: "push"'
    kinds = {"alternative-removed": "sms", "required-property-added": "mail", "max-items-lowered": "push"}
    shown = {rule: each.witness["a"]["kind"] for rule, each in found.items() if each.witness is not ABSENT}
    assert shown.items() <= kinds.items(), "there is one for each, where there is time"


def test_an_alternative_without_a_tag_is_the_one_that_may_read_some_of_it():
    writer = held({"anyOf": [{"type": "object", "properties": {"b": STRING}}, {"type": "null"}]})
    reader = held({"anyOf": [{"type": "null"}, {"type": "object", "properties": {"b": STRING}, "required": ["b"]}]})

    (reason,) = compare(writer=writer, reader=reader).incompatibilities

    assert (reason.rule, reason.reader_pointer) == ("required-property-added", "/properties/a/anyOf/1/required")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {"minContains": 2}, "not set → 2."),
        ({"minContains": 2, "maxContains": 5}, {"minContains": 1, "maxContains": 3}, "5 → 3."),
        ({"minContains": 0}, {}, "0 → not set."),
    ],
)
def test_a_keyword_beside_another_is_told_where_it_is_what_changed(before, after, told):
    asked = {"contains": {"const": 1}}

    (reason,) = compare(writer=held({**asked, **before}), reader=held({**asked, **after})).incompatibilities

    assert reason.rule == "contains-changed"
    assert reason.sentence.endswith(told)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"format": "date"}, {"format": "date-time"}, ": date → date-time."),
        ({"pattern": "abc"}, {"pattern": "^a+$"}, ': "abc" → "^a+$".'),
        ({"const": "x" * 200 + "?"}, {"const": "x" * 200 + "!"}, f'…{"x" * 40}?" → …{"x" * 40}!".'),
    ],
)
def test_both_sides_of_a_change_read_alike_and_show_where_they_differ(before, after, told):
    (reason,) = compare(writer=held(before), reader=held(after), formats="assertion").incompatibilities

    assert reason.sentence.endswith(told)
