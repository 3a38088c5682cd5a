"""What is said of a value that its contract does not accept: the place, what was expected, what is there."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from envelopes import ContractViolationError
from envelopes.messages import MessageLikedV2
from envelopes.validation import compile_schema, find_violation

LIKES = Path(__file__).parents[2] / "contracts" / "message.liked" / "recordings" / "v2.jsonl"
RECORDED = json.loads(LIKES.read_text().splitlines()[0])

CREATED = {
    "type": "object",
    "required": ["event", "id"],
    "properties": {"event": {"const": "created"}, "id": {"type": "string"}},
}
SHIPPED = {
    "type": "object",
    "required": ["event", "carrier", "weight"],
    "properties": {"event": {"const": "shipped"}, "carrier": {"type": "string"}, "weight": {"type": "integer"}},
}


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"event": "shipped", "weight": 1}, '/: expected the field "carrier", found an object with 2 fields'),
        ({"event": "shipped", "carrier": "x", "weight": "a"}, '/weight: expected integer, found "a"'),
        ({"event": "created"}, '/: expected the field "id", found an object with 1 field'),
        ({"event": "lost", "id": "x"}, '/event: expected one of ["created","shipped"], found "lost"'),
        ({"event": "created", "id": 1}, "/id: expected string, found 1"),
    ],
)
def test_of_alternatives_the_one_that_was_meant_is_told(keyword, value, shown):
    validator = compile_schema({"u": {keyword: [CREATED, SHIPPED]}}, "u#")
    assert str(find_violation(validator, value)) == shown
    nullable = compile_schema({"u": {"anyOf": [{"type": "null"}, {keyword: [CREATED, SHIPPED]}]}}, "u#")
    assert str(find_violation(nullable, value)) == shown


def test_where_no_alternative_was_meant_none_is_named():
    validator = compile_schema({"u": {"oneOf": [CREATED, SHIPPED]}}, "u#")
    assert find_violation(validator, [1]).keyword == "oneOf"


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
@pytest.mark.parametrize("tag", [lambda value: {"const": value}, lambda value: {"enum": [value]}])
def test_a_missing_or_unknown_tag_is_told_with_the_tags_there_are(keyword, tag):
    """Also if the alternatives are references, beside null, and if a tag is an enum of one value."""
    alternatives = {
        name: {"type": "object", "required": ["id", "event"], "properties": {"event": tag(name), "id": True}}
        for name in ("created", "shipped")
    }
    schema = {
        keyword: [{"$ref": "#/$defs/created"}, {"$ref": "other#/x"}, {"type": "null"}],
        "$defs": {"created": alternatives["created"]},
    }
    validator = compile_schema({"u": schema, "other": {"x": alternatives["shipped"]}}, "u#")
    shown = '/: expected the field "event", one of ["created","shipped"], found an object with 1 field'
    assert str(find_violation(validator, {"id": "x"})) == shown
    shown = '/event: expected one of ["created","shipped"], found "lost"'
    assert str(find_violation(validator, {"id": "x", "event": "lost"})) == shown


def test_a_time_without_an_offset_is_told_with_what_python_has():
    like = MessageLikedV2.from_value(RECORDED["payload"]["data"])
    with pytest.raises(ContractViolationError) as caught:
        like.model_copy(update={"liked_at": datetime(2026, 3, 1)})  # noqa: DTZ001 - that is the mistake
    assert caught.value.pointer == "/liked_at"
    assert caught.value.expected == "a date-time with an offset: give it a tzinfo, such as datetime.timezone.utc"


def test_what_is_no_text_is_a_mistake_of_the_caller():
    with pytest.raises(TypeError, match="takes bytes or str, and got NoneType"):
        MessageLikedV2.from_json(None)


OVERLAP = {
    "properties": {"pay": {"oneOf": [{"$ref": "#/$defs/card"}, {"$ref": "#/$defs/iban"}, {"required": ["none"]}]}},
    "$defs": {"card": {"type": "object"}, "iban": {"minProperties": 0}},
}


@pytest.mark.parametrize(
    ("schema", "message", "told"),
    [
        (
            OVERLAP,
            {"pay": {}},
            "/pay: expected one alternative only, but it matches both `card` and `iban`, found an object with 0 fields",
        ),
        ({"properties": {"a": False}}, {"a": 1}, "/a: expected no such field, found 1"),
        ({"items": False}, [1], "/0: expected no such item, found 1"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5, "/: expected string or null, found 5"),
        ({"not": {"type": "null"}}, None, "/: expected a value that the schema does not exclude, found null"),
        ({"minProperties": 2}, {"a": 1}, "/: expected at least 2 fields, found an object with 1 field"),
        ({"exclusiveMinimum": 3}, 3, "/: expected more than 3, found 3"),
    ],
)
def test_a_keyword_of_json_schema_is_no_explanation(schema, message, told):
    compiled = compile_schema({"u": {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}}, "u#")

    assert str(find_violation(compiled, message)) == told


def test_an_enum_of_several_values_tells_alternatives_apart():
    failed = {"type": "object", "properties": {"status": {"enum": ["error", "timeout"]}}, "required": ["status"]}
    done = {"type": "object", "properties": {"status": {"enum": ["pass", "warn"]}, "at": {"type": "string"}},
            "required": ["status", "at"]}  # fmt: skip
    compiled = compile_schema({"u": {"properties": {"r": {"oneOf": [failed, done]}}}}, "u#")

    assert str(find_violation(compiled, {"r": {"status": "pass", "at": 3}})) == "/r/at: expected string, found 3"


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"": {"a": 1}}, "//a"),
        ({"": {"": 1}}, "//"),
        ({"a": 1, "": {"a": 1}}, "/a"),
        ({"list": [1, {"": "s"}]}, "/list/1/"),
        ({"": {"a": "x", "b~/": 1}}, "//b~0~1"),
        ({"": 1}, "/"),
    ],
)
def test_a_pointer_has_the_names_that_are_empty(value, pointer):
    inner = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "": {"type": "string"}, "b~/": {"type": "string"}},
    }
    schema = {
        "properties": {"": inner, "a": {"type": "string"}, "list": {"items": {"properties": {"": {"type": "integer"}}}}}
    }
    assert find_violation(compile_schema({"urn:s": schema}, "urn:s#"), value).pointer == pointer
