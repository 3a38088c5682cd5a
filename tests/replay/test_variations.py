"""Consumers get what nobody recorded but the contract allows; what they choke on is shown as small as it can be."""

import json
import re

import pytest

from contract_test.replay.variations.derivation import UNKNOWN_FIELD, Variations
from contract_test.replay.variations.edits import Edit, edited, located
from contract_test.schema.fields import Fields
from envelopes.validation import compile_schema

from .conftest import ORDER, TEST_FILE, line

PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 40}, "nick": {"type": ["string", "null"]}},
}
CARD = {
    "type": "object",
    "required": ["kind", "last4"],
    "properties": {"kind": {"const": "card"}, "last4": {"type": "string", "pattern": "^[0-9]{4}$"}},
}
CASH = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"const": "cash"}, "change": {"type": "boolean"}},
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "size", "buyer", "paid", "lines"],
    "properties": {
        "id": {"type": "string", "pattern": "^o-[a-z]{2,9}$"},
        "size": {"enum": ["s", "m", "l"]},
        "buyer": {"$ref": "#/$defs/Person"},
        "seller": {"$ref": "#/$defs/Person"},
        "paid": {"oneOf": [CARD, CASH]},
        "lines": {"type": "array", "maxItems": 7, "items": {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer", "minimum": 1, "maximum": 99}, "price": {"type": "number", "exclusiveMinimum": 0}}}},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 5},
        "at": {"type": "string", "format": "date-time"},
        "sealed": {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    },
    "$defs": {"Person": PERSON},
}  # fmt: skip
RECORDED = {"id": "o-ab", "size": "m", "buyer": {"name": "Ana"}, "paid": {"kind": "cash"}, "lines": [{"count": 2}]}


@pytest.fixture(scope="module")
def made():
    validator = compile_schema({"x:order": SCHEMA}, "x:order#")
    fields = Fields({"x:order": SCHEMA}, "x:order")
    found = list(Variations(fields, [RECORDED], validator.is_valid).all())
    return fields, validator, {each.name: each.applied(RECORDED) for each in found}


def values(made, pattern):
    """Every value that some variation has at a pointer."""
    return [json.loads(text) for text in {
        json.dumps(at) for data in made[2].values() for pointer in located(data, pattern)
        for at in [step(data, pointer)]
    }]  # fmt: skip


def step(data, pointer):
    for name in pointer.split("/")[1:]:
        data = data[int(name)] if isinstance(data, list) else data[name]
    return data


def test_every_variation_is_legal(made):
    _, validator, variations = made
    assert all(validator.is_valid(data) for data in variations.values())


def test_every_thing_that_the_contract_allows_of_a_field_is_shown(made):
    fields, _, variations = made
    shown = frozenset().union(fields.shown(RECORDED), *map(fields.shown, variations.values()))
    assert set(fields.states) - shown == set()


def test_they_are_few_and_the_same_every_time(made):
    fields, validator, variations = made
    again = {
        each.name: each.applied(RECORDED)
        for each in Variations(fields, [RECORDED], validator.is_valid).all()
    }  # fmt: skip
    assert again == variations
    assert len(variations) < 30


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/lines/*/count", {1, 99}),
        ("/id", {"o-aa", "o-aaaaaaaaa"}),
        ("/size", {"s", "l"}),
        ("/buyer/nick", {None}),
        ("/paid/kind", {"card", "cash"}),
    ],
)
def test_limits_values_and_nulls_are_met(made, pattern, expected):
    assert expected <= set(values(made, pattern))


PUSH = {
    "type": "object",
    "required": ["kind"],
    "properties": {
        "kind": {"const": "push"},
        "devices": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string"}},
        "priority": {"enum": ["low", "high"]},
    },
}
SMS = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"const": "sms"}, "to": {"type": "string", "maxLength": 5}},
}
NOTE = {"type": "object", "required": ["way"], "properties": {"way": {"oneOf": [PUSH, SMS]}}}


def varied(schema, *recorded):
    validator = compile_schema({"x:note": schema}, "x:note#")
    fields = Fields({"x:note": schema}, "x:note")
    messages = [
        (each, each.applied(recorded[each.base])) for each in Variations(fields, recorded, validator.is_valid).all()
    ]
    assert all(validator.is_valid(data) for _, data in messages)
    assert all(not fields.undeclared(data) for each, data in messages if "unknown" not in each.name and not each.newer)
    return [data for _, data in messages]


@pytest.mark.parametrize(
    "recorded", [[{"kind": "sms"}], [{"kind": "sms", "to": "a"}, {"kind": "push", "devices": ["x"]}]]
)
def test_every_alternative_is_varied_inside_recorded_or_not(recorded):
    ways = [data["way"] for data in varied(NOTE, *({"way": each} for each in recorded))]
    pushes, texts = ([way for way in ways if way["kind"] == kind] for kind in ("push", "sms"))
    assert {len(way.get("devices", ())) for way in pushes} == {0, 1, 3}
    assert {way.get("priority") for way in pushes} >= {"low", "high", None}
    assert {len(way.get("to", "")) for way in texts} >= {0, 5}


@pytest.mark.parametrize("recorded", [{"x": 1}, {"x": 1, "text": None, "inner": None, "list": None, "word": None}])
def test_what_was_only_seen_as_null_or_not_at_all_comes_with_values_too(recorded):
    def nullable(kind, **keywords):
        return {"type": [kind, "null"], **keywords}

    properties = {
        "x": {"type": "integer"},
        "text": nullable("string"),
        "inner": nullable("object", properties={"k": {"type": "string"}}),
        "list": nullable("array", items={"type": "integer"}),
        "word": {"enum": ["a", "b", None]},
    }
    found = varied({"type": "object", "properties": properties}, recorded)
    assert any(isinstance(data.get("text"), str) for data in found)
    assert any((data.get("inner") or {}).get("k") is not None for data in found)
    assert any(data.get("list") for data in found)
    assert {data.get("word") for data in found} == {"a", "b", None}


def test_arrays_and_maps_are_empty_and_long(made):
    assert {0, 7} <= {len(each) for each in values(made, "/lines")}
    assert {0, 5} <= {len(each) for each in values(made, "/tags")}


def test_texts_are_of_many_scripts(made):
    assert any("\N{ROCKET}" in text for text in values(made, "/buyer/name"))


def test_unknown_fields_come_at_every_depth_but_not_where_they_are_forbidden(made):
    data = made[2]["unknown fields"]
    assert UNKNOWN_FIELD in data
    assert UNKNOWN_FIELD in data["buyer"]
    assert not values(made, f"/sealed/{UNKNOWN_FIELD}")


def test_a_field_in_an_array_can_be_taken_away():
    assert edited({"a": [{"b": 1, "c": 2}]}, Edit("/a/0/b", "absent")) == {"a": [{"c": 2}]}


def smallest(result):
    """The data that a failing variation is shown with."""
    return [json.loads(text) for text in re.findall(r"^data +(\{.*)$", result.stdout.str(), re.MULTILINE)]


def test_a_run_varies_each_version_and_makes_messages(repo):
    result = repo.run_here("-v", "-k", "read")
    result.stdout.fnmatch_lines([
        "*?order.placed-v1?v1.jsonl:1 lowest?? PASSED*",
        "*?order.placed-v1?v1.jsonl:1 next version?? PASSED*",
        "*?order.placed-v1?v1.jsonl:1 generated?? PASSED*",
    ])  # fmt: skip


def test_a_consumer_that_chokes_is_shown_the_smallest_message(repo):
    repo.change("    assert handle(message)", "    assert handle(message) and len(message.buyer.mail) < 50")
    result = repo.run_here("-k", "read", "--contracts-generated=0")
    result.assert_outcomes(passed=8, failed=1, deselected=3)
    (data,) = smallest(result)
    assert set(data) == {"order_id", "buyer"}
    assert data["order_id"] == "o0"
    assert len(data["buyer"]["mail"]) == 50
    result.stdout.fnmatch_lines(["variation  /buyer/mail highest"])


def test_a_consumer_that_chokes_on_a_generated_message_is_shown_the_smallest(repo, monkeypatch):
    monkeypatch.setenv("CI", "1")  # the same messages every time
    repo.change("    assert handle(message)", "    assert handle(message) and len(message.note or '') < 3")
    result = repo.run_here("-k", "generated", "--contracts-generated=100")
    assert result.ret == 1
    (data,) = smallest(result)
    assert data["note"] == "000"


def test_a_field_that_was_only_recorded_as_null_is_given_values():
    schema = {
        "type": "object",
        "properties": {
            "size": {"enum": ["s", "m", None]},
            "count": {"type": ["integer", "null"], "maximum": 9},
            "buyer": {"anyOf": [PERSON, {"type": "null"}]},
            "tags": {"type": ["array", "null"], "items": {"type": "string"}},
        },
    }
    fields = Fields({"x:n": schema}, "x:n")
    recorded = {"size": None, "count": None, "buyer": None}
    found = [
        each.applied(recorded)
        for each in Variations(fields, [recorded], compile_schema({"x:n": schema}, "x:n#").is_valid).all()
    ]
    assert {each.get("size") for each in found} == {None, "s", "m"}
    assert max(each.get("count") or 0 for each in found) == 9
    assert {type(each.get("tags")) for each in found} == {list, type(None)}
    buyers = [each["buyer"] for each in found if each.get("buyer")]
    assert {len(buyer["name"]) for buyer in buyers} >= {1, 40}
    assert any("nick" in buyer for buyer in buyers)


def second_version(repo, **properties):
    """A new version of the order, generated and not recorded yet."""
    schema = ORDER | {"properties": ORDER["properties"] | properties, "required": [*ORDER["required"], *properties]}
    (repo.contracts / "order.placed" / "v2.json").write_text(json.dumps(schema))
    repo.generate()


def test_a_version_that_nobody_recorded_yet_is_tried_with_generated_messages(repo):
    second_version(repo, gift={"type": "boolean"})
    result = repo.run_here("-k", "test_orders_are_read or test_orders_are_answered")
    assert result.ret == 0
    result.stdout.fnmatch_lines([
        "order.placed * v2 * consumes * 0 * 1 * 1 * 0",
        "order.placed v2: no message is recorded; only generated ones were tried",
    ])  # fmt: skip
    repo.change("    assert handle(message)", "    assert handle(message) and not hasattr(message, 'gift')")
    result = repo.run_here("-k", "read")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["contract   order.placed v2: sent by shop, received by mailer"])


def test_versions_that_nothing_tells_apart_are_varied_too(repo):
    """Plain JSON says no version: a message of the first one is read as the newest that accepts it."""
    catalog = repo.contracts / "catalog.toml"
    orders = 'address = "orders"\ncodec = "cloudevents"'
    assert orders in catalog.read_text()
    catalog.write_text(catalog.read_text().replace(orders, orders.replace("cloudevents", "json")))
    plain = {"channel": "orders", "format": 1, "version": 1, "subject": "order.placed"}
    repo.record(
        "order.placed", [json.dumps(plain | {"payload": {"order_id": "o0", "buyer": {"mail": "a@example.org"}}}) + "\n"]
    )
    (repo.contracts / "order.placed" / "v2.json").write_text(json.dumps(ORDER))
    repo.generate()
    result = repo.run_here("-v", "-k", "read")
    result.stdout.fnmatch_lines(
        ["*order.placed-v1?v1.jsonl:1 highest?? PASSED*", "*order.placed-v1?v1.jsonl:1 generated?? PASSED*"]
    )
    assert result.ret == 0


@pytest.mark.parametrize("option", ["--contracts-only-recorded", "--contracts-generated=0", "--contracts-bulk"])
def test_a_version_of_which_nothing_is_replayed_is_red(repo, option):
    second_version(repo, gift={"type": "boolean"})
    result = repo.run_here(option)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["order.placed v2: no message is recorded, and none was generated, *"])


def test_what_a_variation_shows_is_coherent(repo):
    path = repo.contracts / "order.placed" / "v1.json"
    schema = json.loads(json.dumps(ORDER))
    schema["properties"]["order_id"] = {"type": "string", "minLength": 1, "maxLength": 9}
    path.write_text(json.dumps(schema))
    repo.generate()
    repo.tests(
        TEST_FILE.replace(
            "def test_orders_are_read(message):",
            "def test_orders_are_read(message, envelope):\n    assert envelope.id == message.order_id",
        )
    )
    result = repo.run_here("-k", "read")
    assert result.ret == 0


def test_a_new_version_is_announced_in_the_envelope(repo):
    text = "def test_orders_are_read(message, envelope):\n    assert not envelope.newer"
    repo.tests(TEST_FILE.replace("def test_orders_are_read(message):", text))
    result = repo.run_here("-k", "read", "--contracts-generated=0")
    result.assert_outcomes(passed=8, failed=1, deselected=3)
    result.stdout.fnmatch_lines(["*order.placed-v1?v1.jsonl:1 next version*"])


def test_fixtures_are_fresh_for_each_attempt(repo):
    repo.tests(
        TEST_FILE.replace(
            "def test_orders_are_read(message):",
            "def test_orders_are_read(message, seen):\n    seen.append(message)\n    assert len(seen) == 1",
        )
        + "\n@pytest.fixture\ndef seen():\n    return []\n"
    )
    assert repo.run_here("-k", "read").ret == 0


def test_wider_fixtures_are_kept_between_attempts(repo):
    repo.tests(
        TEST_FILE.replace("def test_orders_are_read(message):", "def test_orders_are_read(message, server):")
        + "\nSTARTED = []\n@pytest.fixture(scope='module')\ndef server():\n    STARTED.append(1)\n    assert len(STARTED) == 1\n"
    )
    assert repo.run_here("-k", "read").ret == 0


def test_only_what_was_recorded_when_asked(repo):
    repo.run_here("--contracts-only-recorded").assert_outcomes(passed=6)


def test_a_contract_of_which_no_message_can_be_generated_is_red(repo):
    schema = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"format": "hostname", "minLength": 200, "pattern": "^q.*[.]zz$"},
    }
    catalog = (repo.contracts / "catalog.toml").read_text().replace('id = "/order_id"\n', "", 1)
    (repo.contracts / "catalog.toml").write_text(catalog)
    (repo.contracts / "order.placed" / "v1.json").write_text(json.dumps(schema))
    name = ".".join(["q" * 60, "a" * 60, "a" * 60, "a" * 60, "zz"])
    repo.record(
        "order.placed", [line("order.placed", 1, {"order_id": "o1", name: 1}).replace('"order_id": "o1", ', "")]
    )
    repo.generate()
    repo.tests(
        "import pytest\n\ndef keep(order):\n    return dict(order)\n\n"
        '@pytest.mark.consumes("order.placed")\ndef test_orders_are_read(message):\n    assert keep(message)\n'
    )
    result = repo.run_varied("-k", "generated")
    result.assert_outcomes(errors=1, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines(["*no message of order.placed v1 could be generated*", "*--contracts-generated=0*"])
    assert repo.run_varied("-k", "read", "--contracts-generated=0").ret == 0
