"""What stays and what goes, by what the contract says of a field."""

import json
from random import Random

import pytest
from generate.random_schemas import Maker
from scrub.test_stays_valid import is_valid, plan_of

from contract_test.schema.fingerprints import Fingerprints


def scrubbed(schema: dict, value: object) -> object:
    return plan_of({"properties": {"field": schema, "known": {}}}).scrub({"field": value})[0]["field"]


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
    ({"propertyNames": {"enum": ["red", "green"]}}, {"red": 1}),
    ({"propertyNames": {"x-sensitivity": "public"}}, {"anything": 1}),
    ({"patternProperties": {"^(min|max)$": {}}}, {"min": 1}),
    ({"type": "integer"}, 123456),
    ({"type": "number"}, -12.75),
    ({"type": "integer", "maximum": 9007199254740991}, 9007199254740991),
    ({}, True),
    ({}, None),
    ({}, ""),
]
MASKED = [
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


def test_times_as_numbers_stay():
    schema = {"properties": {"sent_at": {"type": "integer"}, "other": {"type": "integer"}}}
    made, masked = plan_of(schema).scrub({"sent_at": 1700000000123, "other": 1700000000123})
    assert made["sent_at"] == 1700000000123
    assert masked == ("/other",)


def test_the_nearest_word_counts():
    schema = {"x-sensitivity": "public", "properties": {"name": {"x-sensitivity": "personal"}, "city": {}}}
    made, masked = plan_of(schema).scrub({"name": "Ana", "city": "Oslo"})
    assert made["city"] == "Oslo"
    assert masked == ("/name",)


def test_pointers_lead_to_what_was_masked_and_to_objects_with_other_keys():
    schema = {"properties": {"a/b": {"items": {"properties": {"x": {}}}}, "map": {"additionalProperties": {}}}}
    made, masked = plan_of(schema).scrub({"a/b": [{"x": 1}, {"x": "Ana"}], "map": {"ana": "Ana"}})
    (key,) = made["map"]
    assert masked == ("/a~1b/1/x", "/map", f"/map/{key}")


def test_json_and_base64_of_json_stay_what_they_are():
    import base64

    schema = {"properties": {"text": {}, "coded": {}, "known": {}}}
    inner = json.dumps({"known": ["Ana", 1]})
    made, _ = plan_of(schema).scrub({"text": inner, "coded": base64.b64encode(inner.encode()).decode()})
    for text in (made["text"], base64.b64decode(made["coded"])):
        assert list(json.loads(text)) == ["known"]
        assert json.loads(text)["known"][0] != "Ana"
        assert json.loads(text)["known"][1] == 1


def test_who_is_who_across_contracts_with_other_rules():
    one = plan_of({"properties": {"id": {"type": "string", "pattern": "^[0-9a-f]{12}$"}}})
    other = plan_of({"properties": {"who": {"maxLength": 40, "type": "string"}}})
    assert one.scrub({"id": "3f9a17c20b4e"})[0]["id"] == other.scrub({"who": "3f9a17c20b4e"})[0]["who"]


@pytest.mark.parametrize("seed", range(30))
def test_a_scrubbed_message_shows_the_same_facts(seed):
    """Else a recording would never be full: what it keeps would not count as what it has seen."""
    maker = Maker(Random(seed))
    schema = maker.root()
    plan = plan_of(schema)
    fingerprints = Fingerprints(plan.shapes, plan.root)
    for _ in range(40):
        value = maker.instance(schema)
        if is_valid(schema, value):
            made, _ = plan.scrub(value)
            assert fingerprints.of(made) == fingerprints.of(value), (schema, value, made)
