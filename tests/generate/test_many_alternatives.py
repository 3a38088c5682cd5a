"""Unions of many alternatives, of maps beside classes, and of too many combinations keep their types."""

import importlib
import json

import jsonschema_rs
import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate
from envelopes import DecodeError

MANY = 500
SOME = 260


def event(number, **fields):
    return {"type": "object", "properties": {"shared": {"type": "integer"}, **fields}, "required": list(fields)}


TAGGED = [event(n, kind={"const": f"k{n}"}, **{f"field{n}": {"type": "string"}}) for n in range(MANY)]
CLOSED = [event(n, **{f"field{n}": {"type": "string"}}) | {"additionalProperties": False} for n in range(SOME)]
OPEN = [event(n) | {"properties": {"shared": {"type": "integer"}, "also": {"type": "string"}}} for n in range(MANY)]
CHOOSES = [
    {"oneOf": [{"properties": {f"f{n}": {"const": each}}, "required": [f"f{n}"]} for each in "abc"]} for n in range(8)
]
BINDING = {
    "type": "object",
    "properties": {"input": {"enum": ["radio", "select"]}, "options": {"type": "array"}},
    "required": ["input", "options"],
    "additionalProperties": False,
}
SCHEMAS = {
    "tagged": {"oneOf": [{"$ref": f"#/$defs/Event{n}"} for n in range(MANY)],
               "$defs": {f"Event{n}": each for n, each in enumerate(TAGGED)}},
    "nested": {"type": "object", "properties": {"one": {"oneOf": [{"anyOf": TAGGED[n : n + 50]} for n in range(0, SOME, 50)]}}},
    "closed": {"type": "object", "properties": {"one": {"anyOf": CLOSED}}},
    "open": {"type": "object", "properties": {"one": {"anyOf": OPEN}}},
    "combined": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "allOf": CHOOSES},
    "bound": {"type": "object", "properties": {"bind": {"anyOf": [{"type": "object", "additionalProperties": BINDING}, BINDING]}}},
}  # fmt: skip
MESSAGES = {
    "tagged": [{"kind": "k499", "field499": "x", "shared": 1}, {"kind": "k0", "field0": "y"}],
    "nested": [{"one": {"kind": "k231", "field231": "x", "shared": 1}}],
    "closed": [{"one": {"field258": "x", "shared": 1}}],
    "open": [{"one": {"shared": 1, "also": "x"}}],
    "combined": [{"name": "x", **{f"f{n}": "b" for n in range(8)}}],
    "bound": [
        {"bind": {"input": "radio", "options": [1, "x"]}},
        {"bind": {"a": {"input": "select", "options": []}, "input": {"input": "radio", "options": []}}},
        {"bind": {}},
    ],
}
WRONG = {
    "tagged": [{"kind": "k500", "field499": "x"}, {"kind": "k3", "field4": "x"}],
    "nested": [{"one": {"kind": "k231"}}],
    "closed": [{"one": {"field258": "x", "field257": "x"}}, {"one": {"shared": 1}}],
    "open": [{"one": {"shared": "1"}}],
    "combined": [{"name": "x", "f0": "d"}],
    "bound": [{"bind": {"input": "radio"}}, {"bind": {"input": {"input": "radio"}}}],
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    for subject, schema in SCHEMAS.items():
        (folder / "contracts" / subject).mkdir(parents=True)
        (folder / "contracts" / subject / "v1.json").write_text(json.dumps(schema))
    done = generate(load_catalog(folder / "contracts"), "many_alternatives", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("many_alternatives.messages"), done.general


@pytest.mark.parametrize("subject", SCHEMAS)
def test_each_message_is_read_as_the_contract_says_and_written_as_it_was(package, subject):
    cls = getattr(package[0], subject.title())
    for message in MESSAGES[subject]:
        assert jsonschema_rs.is_valid(SCHEMAS[subject], message)
        value = cls.from_json(json.dumps(message))
        assert json.loads(value.to_json()) == message
        assert cls.model_validate(value.model_dump()) == value
    for message in WRONG[subject]:
        assert not jsonschema_rs.is_valid(SCHEMAS[subject], message)
        with pytest.raises(DecodeError):
            cls.from_json(json.dumps(message))


def test_hundreds_of_alternatives_are_classes_of_their_own(package):
    messages, general = package
    value = messages.Tagged.from_json('{"kind": "k499", "field499": "x"}').root
    assert (type(value).__name__, value.field499, value.shared) == ("Event499", "x", None)
    nested = messages.Nested.from_json('{"one": {"kind": "k231", "field231": "x"}}').one
    assert (nested.kind, nested.field231, hasattr(nested, "field230")) == ("k231", "x", False)
    closed = messages.Closed.from_json('{"one": {"field258": "x", "shared": 1}}').one
    assert (closed.field258, closed.shared, hasattr(closed, "field257")) == ("x", 1, False)
    assert [place for place in general.places if "combined" not in place and "options" not in place] == []


def test_alternatives_that_nothing_tells_apart_keep_the_types_that_all_have(package):
    value = package[0].Open.from_json('{"one": {"shared": 1.0, "also": "x"}}').one
    assert isinstance(value.shared, int)
    assert value.also == "x"
    with pytest.raises(AttributeError):
        _ = value.other


def test_too_many_combinations_keep_the_fields_that_all_have(package):
    messages, general = package
    value = messages.Combined.from_json(json.dumps(MESSAGES["combined"][0]))
    value = getattr(value, "root", value)
    assert value.name == "x"
    assert any(place.endswith("there are too many alternatives") for place in general.places)


def test_a_class_and_a_map_are_told_apart_by_the_type_of_a_field(package):
    one, several, none = (package[0].Bound.from_json(json.dumps(message)).bind for message in MESSAGES["bound"])
    assert (one.input, one.options) == ("radio", (1, "x"))
    assert several.additional_properties["input"].input == "radio"
    assert several.additional_properties["a"].options == ()
    assert none.additional_properties == {}
