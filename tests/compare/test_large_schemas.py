"""Large schemas that changed in a few places are decided within the default budget, and every change is named."""

import copy
import json
import random

import pytest

from contract_test import compare

LEAVES = (
    {"type": "string", "description": "d" * 60},
    {"type": "integer", "minimum": 0},
    {"enum": ["a", "b", "c"]},
    {"type": "boolean"},
)


def manifest(definitions=120):
    """A schema of many definitions that all refer to each other, as the manifests of build tools do."""
    chance = random.Random(1)

    def member(number):
        ref = {"$ref": f"#/definitions/D{chance.randrange(definitions)}"}
        shapes = (
            ref,
            {"type": "array", "items": ref},
            {"anyOf": [{"type": "string"}, ref]},
            {"type": "object", "additionalProperties": ref},
            {"oneOf": [{"type": "null"}, ref]},
        )
        return copy.deepcopy(chance.choice(LEAVES if number % 2 else shapes))

    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {f"r{number}": {"$ref": f"#/definitions/D{number}"} for number in range(10)},
        "definitions": {
            f"D{number}": {
                "type": "object",
                "description": "x" * 80,
                "properties": {f"p{at}": member(at) for at in range(8)},
                "additionalProperties": False,
            }
            for number in range(definitions)
        },
    }


def changed(schema, places):
    """A copy in which the first text of the enum in each of these definitions is gone, and where it stands."""
    made = copy.deepcopy(schema)
    pointers = set()
    for name in places:
        for field, leaf in made["definitions"][name]["properties"].items():
            if "enum" in leaf:
                leaf["enum"] = leaf["enum"][1:]
                pointers.add(f"/definitions/{name}/properties/{field}/enum")
                break
    return made, pointers


@pytest.mark.parametrize("newer", ["reader", "writer"])
def test_each_of_a_few_changes_in_a_large_schema_is_named(newer):
    old = manifest()
    new, pointers = changed(old, ["D3", "D50", "D110"])
    assert len(json.dumps(old)) > 50_000
    assert len(pointers) > 1

    verdict = compare(old, new, content_model="closed-writer", formats="assertion", newer=newer, budget=20)

    assert verdict.status == "incompatible"
    assert {reason.reader_pointer for reason in verdict.incompatibilities} == pointers
    assert verdict.unexplained == ""


def test_a_large_schema_that_reads_more_is_compatible():
    old = manifest()
    new, _ = changed(old, ["D3", "D50", "D110"])

    assert compare(new, old, content_model="closed-writer", formats="assertion", budget=20).status == "compatible"
