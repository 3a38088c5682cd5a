"""A battery of changes whose effect is known: every breaking one is caught, and no harmless one is called breaking."""

import copy
import json
from random import Random

import pytest
from compare.schemas import compare_as_written as compare

ORDER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "state", "total", "lines", "customer"],
    "properties": {
        "id": {"type": "string", "minLength": 3, "maxLength": 20, "pattern": "^[a-z]+$"},
        "state": {"enum": ["open", "paid", "sent"]},
        "total": {"type": "integer", "minimum": 0, "maximum": 1000},
        "note": {"type": ["string", "null"]},
        "lines": {"type": "array", "minItems": 1, "maxItems": 9, "items": {"$ref": "#/$defs/line"}},
        "customer": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/person"}]},
    },
    "$defs": {
        "line": {
            "type": "object",
            "required": ["sku", "count"],
            "properties": {
                "sku": {"type": "string", "minLength": 2, "maxLength": 8},
                "count": {"type": "integer", "minimum": 1, "maximum": 99},
                "tags": {"type": "array", "items": {"enum": ["gift", "fragile"]}, "uniqueItems": True},
            },
        },
        "person": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string", "minLength": 1}, "friends": {"type": "array", "items": {"$ref": "#/$defs/person"}}},
        },
    },
}  # fmt: skip


def spots(schema):
    """Every subschema of properties and items that a message really reaches."""
    found = []

    def look(part):
        found.append(part)
        for inner in part.get("properties", {}).values():
            look(inner)
        for keyword in ("items", "additionalProperties"):
            if isinstance(part.get(keyword), dict):
                look(part[keyword])
        for inner in part.get("anyOf", ()):
            look(inner)

    look(schema)
    for definition in schema["$defs"].values():
        look(definition)
    return [part for part in found if "$ref" not in part]


def shifted(keyword, by):
    def change(part, random):
        if keyword in part:
            part[keyword] += by * random.randint(1, 2) if keyword not in {"minLength", "minItems"} else by
            return part[keyword] >= 0
        return False

    return change


def with_type(kind, change):
    return lambda part, random: part.get("type") == kind and change(part, random) is not False


def drop_enum_value(part, random):
    return len(part.get("enum", ())) > 1 and part["enum"].pop(random.randrange(len(part["enum"]))) is not None


def add_enum_value(part, _random):
    return "enum" in part and part["enum"].append("new") is None


def replace_type(part, random):
    if isinstance(part.get("type"), str) and not part.keys() & {"properties", "items"}:
        others = [kind for kind in ("boolean", "array") if kind != part["type"]]
        part["type"] = random.choice(others)
        return True
    return False


def require_new(part, random):
    part["required"] = [*part.get("required", ()), f"new_{random.randint(0, 99)}"]


def require_optional(part, random):
    optional = sorted(part.get("properties", {}).keys() - set(part.get("required", ())))
    if not optional:
        return False
    part["required"] = [*part.get("required", ()), random.choice(optional)]
    return True


def remove_and_close(part, random):
    name = random.choice(sorted(part["properties"]))
    del part["properties"][name]
    part["required"] = [other for other in part.get("required", ()) if other != name]
    part["additionalProperties"] = False


def drop_null(part, _random):
    if isinstance(part.get("type"), list) and "null" in part["type"]:
        part["type"] = [kind for kind in part["type"] if kind != "null"]
        return True
    return False


def drop_alternative(part, random):
    return "anyOf" in part and part["anyOf"].pop(random.randrange(len(part["anyOf"]))) is not None


def require_unique(part, _random):
    fresh = part.get("type") == "array" and "uniqueItems" not in part
    part["uniqueItems"] = True
    return fresh


def drop(keyword):
    return lambda part, _random: part.pop(keyword, None) is not None


def add_optional(part, random):
    part["properties"][f"new_{random.randint(0, 99)}"] = {"type": random.choice(["string", "integer"])}


def drop_required(part, random):
    return bool(part.get("required")) and part["required"].pop(random.randrange(len(part["required"]))) is not None


def widen_integer(part, _random):
    return part.get("type") == "integer" and part.update(type="number") is None


def allow_null(part, _random):
    return isinstance(part.get("type"), str) and part.update(type=[part["type"], "null"]) is None


def describe(part, random):
    part["description"] = f"text {random.random()}"


def wrap(part, _random):
    inner = copy.deepcopy(part)
    part.clear()
    part["allOf"] = [inner]


def turn(part, _random):
    for name in sorted(part, reverse=True):
        part[name] = part.pop(name)


def split_enum(part, _random):
    if "enum" not in part:
        return False
    part["anyOf"] = [{"const": value} for value in part.pop("enum")]
    return True


def remove_property(part, random):
    name = random.choice(sorted(part["properties"]))
    del part["properties"][name]
    part["required"] = [other for other in part.get("required", ()) if other != name]


BREAKING = [
    drop_enum_value, replace_type, with_type("object", require_new), with_type("object", require_optional),
    with_type("object", remove_and_close), drop_null, drop_alternative, require_unique, shifted("minimum", 1),
    shifted("maximum", -1), shifted("minLength", 1), shifted("maxLength", -1), shifted("minItems", 1), shifted("maxItems", -1),
]  # fmt: skip
HARMLESS = [
    add_enum_value, drop_required, widen_integer, describe, wrap, turn, split_enum, drop("pattern"), drop("minimum"),
    drop("maxLength"), drop("uniqueItems"), drop("maxItems"), with_type("object", add_optional), allow_null,
    with_type("object", remove_property), shifted("minimum", -1), shifted("maximum", 1), shifted("minLength", -1),
    shifted("maxLength", 1),
]  # fmt: skip


def changed(change, number):
    """The schema with one change at a random spot where the change applies, None where it applies nowhere."""
    random = Random(number)
    for _ in range(60):
        schema = copy.deepcopy(ORDER)
        if change(random.choice(spots(schema)), random) is not False and schema != ORDER:
            return schema
    return None


def battery(changes, count):
    return [schema for number in range(count) for change in changes if (schema := changed(change, number))]


@pytest.mark.parametrize("change", BREAKING)
def test_every_breaking_change_is_caught(change):
    readers = battery([change], 14)

    assert len(readers) >= 10
    for reader in readers:
        verdict = compare(writer=ORDER, reader=reader, content_model="closed-writer")
        assert verdict.status == "incompatible", json.dumps(reader)


def test_no_harmless_change_is_called_breaking():
    verdicts = [
        (reader, compare(writer=ORDER, reader=reader, content_model="closed-writer").status)
        for reader in battery(HARMLESS, 12)
    ]

    assert len(verdicts) >= 200
    assert [reader for reader, status in verdicts if status == "incompatible"] == []
    assert [reader for reader, status in verdicts if status == "unknown"] == []
