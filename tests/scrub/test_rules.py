"""What stays and what goes, by what the contract says of a field."""

import base64
import json
from pathlib import Path
from random import Random
from string import ascii_lowercase

import pytest
from generate.random_schemas import Maker
from scrub.number_names import NAMES
from scrub.test_stays_valid import is_valid, scrubber_for

from contract_test.data.contract import Contract
from contract_test.schema.declared import field_names
from contract_test.schema.message_shapes import MessageShapes
from contract_test.schema.shape import Shapes
from contract_test.schema.sources import Source
from contract_test.schema.walk import References
from contract_test.scrub.masking import prefixes_of


def scrubbed(schema: dict, value: object) -> object:
    return scrubber_for({"properties": {"field": schema, "known": {}}}).scrub({"field": value})[0]["field"]


KEPT = [
    ({"x-sensitivity": "public"}, "Ana"),
    ({"x-sensitivity": "public", "type": "object"}, {"any": ["Ana"], "4915112345678": 4915112345678}),
    ({"enum": ["push", "sms"]}, "sms"),
    ({"const": "v1"}, "v1"),
    ({"pattern": "^(red|green)$"}, "green"),
    ({"format": "date-time"}, "2026-03-01T12:00:00Z"),
    ({"format": "duration"}, "PT2H"),
    ({"const": {"a": "b"}}, {"a": "b"}),
    ({"additionalProperties": True}, {"known": None}),
    ({"propertyNames": {"enum": ["red", "green"]}}, {"red": True}),
    ({"propertyNames": {"x-sensitivity": "public"}}, {"anything": True}),
    ({"patternProperties": {"^(min|max)$": {}}}, {"min": None}),
    ({"type": "integer"}, 0),
    ({"type": "integer", "minimum": 0, "maximum": 999}, 42),
    ({"type": "integer", "exclusiveMinimum": 5000, "exclusiveMaximum": 6001}, 5555),
    ({"type": "number", "minimum": 0, "maximum": 100, "multipleOf": 0.5}, 12.5),
    ({"type": "integer", "minimum": 0, "maximum": 100000, "multipleOf": 1000}, 7000),
    ({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 999}, {"type": "string"}]}, 42),
    ({"allOf": [{"type": "integer", "minimum": 0}, {"maximum": 500}]}, 42),
    ({"x-sensitivity": "public", "type": "number"}, 52.520008),
    ({"x-sensitivity": "public"}, False),
    ({"anyOf": [{"x-sensitivity": "public", "type": "integer"}, {"type": "string"}]}, 4711),
    ({"patternProperties": {"^k": {"x-sensitivity": "public"}}, "properties": {"k1": {}}}, {"k1": "Ana"}),
    ({"type": "integer", "maximum": 9007199254740991}, 9007199254740991),
    ({"type": "integer", "minimum": 1234567}, 1234567),
    ({"enum": [12345678, 2]}, 12345678),
    ({"const": 12345678}, 12345678),
    ({"format": "date"}, "2026-03-01"),
    ({"format": "time"}, "12:00:00Z"),
    ({"enum": [["a"], {"b": ["c"]}]}, {"b": ["c"]}),
    ({"x-sensitivity": "public", "items": {}}, ["Ana"]),
    (
        {"patternProperties": {"^k[0-9]$": {"x-sensitivity": "public"}}, "propertyNames": {"x-sensitivity": "public"}},
        {"k1": "Ana"},
    ),
    ({}, True),
    ({}, None),
    ({}, ""),
]
MASKED = [
    ({"type": "integer"}, 4),
    ({"type": "integer"}, 123456),
    ({"type": "integer"}, 1230000000),
    ({"type": "number"}, -12.75),
    ({"type": "integer", "minimum": 0, "maximum": 1000}, 42),
    ({"type": "integer", "minimum": 0}, 42),
    ({"type": "number", "minimum": 0, "maximum": 1}, 0.25),
    ({"type": "integer", "multipleOf": 250}, 1250),
    ({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 999}, {"type": "integer"}]}, 42),
    ({"anyOf": [{"x-sensitivity": "public", "type": "string"}, {"type": "integer"}]}, 4711),
    ({"anyOf": [{"x-sensitivity": "public", "type": "integer"}, {"minimum": 5}]}, 4711),
    ({"anyOf": [{"x-sensitivity": "public", "maxLength": 2}, {"maxLength": 9}]}, "Ana"),
    (
        {
            "if": {"properties": {"kind": {"const": "a"}}},
            "then": {"properties": {"of": {"x-sensitivity": "public"}}},
            "else": {"properties": {"of": {}}},
            "properties": {"kind": {"enum": ["a", "b"]}},
        },
        {"kind": "b", "of": "Ana"},
    ),
    (
        {"properties": {"k1": {"x-sensitivity": "public"}}, "patternProperties": {"^k": {"x-sensitivity": "secret"}}},
        {"k1": "Ana"},
    ),
    ({"prefixItems": [{"x-sensitivity": "public"}], "items": {"type": "integer"}}, [4711, 4712]),
    (
        {
            "$dynamicRef": "#who",
            "$defs": {"who": {"$dynamicAnchor": "who", "x-sensitivity": "secret"}},
            "enum": ["a", "b"],
        },
        "a",
    ),
    ({"x-sensitivity": "personal"}, True),
    ({"x-sensitivity": "public", "properties": {"a": {"x-sensitivity": "personal"}}}, {"a": True}),
    ({"x-sensitivity": ["public"]}, "Ana"),
    ({}, "Ana"),
    ({"type": "string", "minLength": 2}, "sv"),
    ({"x-sensitivity": "personal", "enum": ["low", "high", "none"]}, "high"),
    ({"x-sensitivity": "public", "allOf": [{"x-sensitivity": "personal"}]}, "Ana"),
    ({"x-sensitivity": "anything else"}, "Ana"),
    ({"anyOf": [{"format": "date-time"}, {}]}, "Ana"),
    ({"anyOf": [{"enum": ["a"]}, {}]}, "Ana"),
    ({"format": "date", "x-sensitivity": "personal"}, "1987-04-12"),
    ({"properties": {"birth_date": {"format": "date"}}}, {"birth_date": "1987-04-12"}),
    ({"type": "integer"}, 4915112345678),
    ({"type": "number"}, 52.520008),
    ({"type": "integer", "x-sensitivity": "pseudonym"}, 4711),
    ({"properties": {"userId": {"type": "integer"}}}, {"userId": 4711}),
    ({"additionalProperties": True}, {"ana": None}),
    ({"x-sensitivity": "personal", "properties": {"a": {}}}, {"a": 12}),
    ({"x-sensitivity": "personal", "enum": [["a"], ["b"]], "items": {"enum": ["a", "b"]}}, ["a"]),
    ({"type": "integer"}, 1234567),
    ({"type": "integer"}, -4915112345678),
    ({"type": "number"}, 1.234567e30),
    ({"x-sensitivity": "personal", "type": "integer", "minimum": 1000, "maximum": 1003}, 1001),
    ({"x-sensitivity": "personal", "type": "integer", "exclusiveMinimum": 1000, "exclusiveMaximum": 1004}, 1003),
    ({"x-sensitivity": "personal", "type": "integer", "multipleOf": 250}, 1250),
    ({"x-sensitivity": "personal", "type": "number", "minimum": 0.5, "maximum": 0.75}, 0.625),
    ({"x-sensitivity": "personal", "type": "number", "minimum": -12.5, "maximum": -12}, -12.25),
    ({"anyOf": [{"format": "date-time"}, {}]}, "2026-03-01T12:00"),
    ({"anyOf": [{"format": "date"}, {}]}, "born 1987-04-12"),
    (
        {"patternProperties": {"^k[0-9]$": {"x-sensitivity": "public"}}, "propertyNames": {"x-sensitivity": "public"}},
        {"q1": "Ana"},
    ),
    (
        {
            "patternProperties": {"^k": {"x-sensitivity": "personal"}},
            "additionalProperties": {"x-sensitivity": "public"},
            "propertyNames": {"x-sensitivity": "public"},
        },
        {"k1": "Ana"},
    ),
    ({"type": "object", "propertyNames": {"pattern": "^[a-z]{3}-[0-9]{3}$"}}, {"ana-001": 1, "ana-002": 2}),
    (
        {"type": "object", "patternProperties": {"^p-[0-9]+$": {"type": "integer"}}, "additionalProperties": False},
        {"p-17": 1, "p-18": 2},
    ),
    (
        {
            "type": "string",
            "examples": ["SE-1", "NO-2", "DK-3"],
            "format": "x",
            "not": {"not": {"enum": ["SE-1", "NO-2", "Ana"]}},
        },
        "Ana",
    ),
]


@pytest.mark.parametrize(("schema", "value"), KEPT, ids=repr)
def test_what_the_contract_says_carries_nobody_is_kept(schema, value):
    assert json.dumps(scrubbed(schema, value)) == json.dumps(value)


@pytest.mark.parametrize(("schema", "value"), MASKED, ids=repr)
def test_everything_else_is_masked(schema, value):
    made = scrubbed(schema, value)
    assert made != value
    assert type(made) is type(value)
    assert is_valid(schema, made)


def test_what_no_stand_in_can_satisfy_does_not_stay_either():
    for value in ("Ana", 4915112345678):
        made = scrubbed({"not": {"not": {"const": value}}}, value)
        assert made != value
        assert type(made) is type(value)


def test_keys_stay_apart_where_all_names_of_their_length_are_taken():
    value = {letter: number for number, letter in enumerate(ascii_lowercase)}
    made = scrubbed({"additionalProperties": {"x-sensitivity": "public"}}, value)
    assert list(made.values()) == list(value.values())
    assert not made.keys() & value.keys()


def test_of_alternatives_the_one_that_the_tag_names_decides():
    def branch(tag, word):
        return {
            "type": "object",
            "required": ["as"],
            "properties": {"as": {"const": tag}, "of": {"x-sensitivity": word}},
        }

    schema = {"oneOf": [branch("a", "public"), branch("b", "personal")]}
    assert scrubbed(schema, {"as": "a", "of": "Ana"}) == {"as": "a", "of": "Ana"}
    made = scrubbed(schema, {"as": "b", "of": "Ana"})
    assert made["as"] == "b"
    assert made["of"] != "Ana"


def test_what_a_contract_says_itself_are_its_fields_and_the_words_before_its_ids():
    patterns = [
        "^m-[0-9a-z]+$",
        r"^user\.[0-9]+$",
        "^(a|b)-[0-9]$",
        "^x-?[0-9]$",
        "^[a-z]-",
        "plain-",
        "^12-",
        "^abc",
        7,
    ]
    schema = {
        "required": ["only-required", 5],
        "properties": {
            "outer": {"items": {"properties": {"inner": True}}},
            "ids": {"anyOf": [{"pattern": p} for p in patterns]},
        },
        "$defs": {"more": {"properties": {"deep": {}}, "required": "wrong"}, "odd": {"properties": []}},
    }
    contract = Contract("t", 1, Path("t/v1.json"), "urn:t", schema, {"urn:t": schema})
    assert set(field_names(contract)) == {"only-required", "outer", "inner", "ids", "deep"}
    assert set(prefixes_of(contract)) == {"m-", "user."}


def test_the_same_number_gets_the_same_stand_in_whatever_the_field_is_called():
    schema = {"properties": {name: {"type": "integer"} for name in ("sent_at", "pin", "time_on_call")}}
    made, masked = scrubber_for(schema).scrub({"sent_at": 1700000000123, "pin": 4711, "time_on_call": 4711})
    assert masked == ("/pin", "/sent_at", "/time_on_call")
    assert made["pin"] == made["time_on_call"] != 4711
    assert len(str(made["sent_at"])) == 13


@pytest.mark.parametrize("digits", [3, 4, 5, 6, 9, 10, 13])
def test_a_number_is_masked_whatever_two_hundred_fields_are_called(digits):
    assert len(set(NAMES)) == 200
    schema = {"properties": {name: {"type": "integer"} for name in NAMES}}
    numbers = Random(digits).sample(range(10 ** (digits - 1) + 1, 10**digits), 200)
    made, masked = scrubber_for(schema).scrub(dict(zip(NAMES, numbers, strict=True)))
    leaked = [name for name, number in zip(NAMES, numbers, strict=True) if made[name] == number]
    assert leaked == []
    assert len(masked) == 200


def test_the_nearest_word_counts():
    schema = {"x-sensitivity": "public", "properties": {"name": {"x-sensitivity": "personal"}, "city": {}}}
    made, masked = scrubber_for(schema).scrub({"name": "Ana", "city": "Oslo"})
    assert made["city"] == "Oslo"
    assert masked == ("/name",)


def test_pointers_lead_to_what_was_masked_and_to_objects_with_other_keys():
    schema = {"properties": {"a/b": {"items": {"properties": {"x": {}}}}, "map": {"additionalProperties": {}}}}
    made, masked = scrubber_for(schema).scrub({"a/b": [{"x": True}, {"x": "Ana"}], "map": {"ana": "Ana"}})
    (key,) = made["map"]
    assert masked == ("/a~1b/1/x", "/map", f"/map/{key}")


def test_json_and_base64_of_json_stay_what_they_are():
    schema = {"properties": {"text": {}, "coded": {}, "known": {}}}
    inner = json.dumps({"known": ["Ana", True]})
    made, _ = scrubber_for(schema).scrub({"text": inner, "coded": base64.b64encode(inner.encode()).decode()})
    for text in (made["text"], base64.b64decode(made["coded"])):
        assert list(json.loads(text)) == ["known"]
        assert json.loads(text)["known"][0] != "Ana"
        assert json.loads(text)["known"][1] is True


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize(
    "text",
    [
        '["Ana", "Ana"]', '[{"known": "Ana"}]', '[["Ana"], 1, 2]', '[null, "Ana, and not Bo"]', '[true, "Ana Garcia"]',
        '[12, "Ana Garcia"]', '{\n"known": "Ana Garcia"}', '[ "Ana Garcia" ]', '[\n"Ana Garcia"]', '["Ana\u00ff\u00fe?>?>"]',
    ],
)  # fmt: skip
def test_whatever_json_is_coded_its_stand_in_is_coded_in_the_same_way(text, encode):
    padded = encode(text.encode()).decode()
    for coded in (padded, padded.rstrip("=")):
        made = scrubber_for({"properties": {"known": {}}}).scrub({"known": coded})[0]["known"]
        assert len(made) % 4 == 0 if len(coded) % 4 == 0 else "=" not in made, "padded as it was"
        assert not set(coded) & set("-_") or not set(made) & set("+/"), "in the same alphabet"
        common = made.replace("-", "+").replace("_", "/")
        inner = json.loads(base64.b64decode(common + "=" * (-len(made) % 4)))
        assert type(inner) is type(json.loads(text))
        assert "Ana" not in str(inner)


def test_who_is_who_across_contracts_with_other_rules():
    one = scrubber_for({"properties": {"id": {"type": "string", "pattern": "^[0-9a-f]{12}$"}}})
    other = scrubber_for({"properties": {"who": {"maxLength": 40, "type": "string"}}})
    assert one.scrub({"id": "3f9a17c20b4e"})[0]["id"] == other.scrub({"who": "3f9a17c20b4e"})[0]["who"]


@pytest.mark.parametrize("seed", range(30))
def test_a_scrubbed_message_shows_the_same_facts(seed):
    """Else a recording would never be full: what it keeps would not count as what it has seen."""
    maker = Maker(Random(seed))
    schema = maker.root()
    scrubber = scrubber_for(schema)
    references = References({"urn:of": schema}, "urn:of")
    message_shapes = MessageShapes(Shapes(references), (Source(references.root),))
    for _ in range(40):
        value = maker.instance(schema)
        if is_valid(schema, value):
            made, _ = scrubber.scrub(value)
            assert message_shapes.of(made) == message_shapes.of(value), (schema, value, made)
