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


def webhook(names=24, *, states=("queued", "done"), card="string"):
    """One schema for every event of a webhook, told apart by what each one requires, with a shared base that is narrowed."""
    base = {
        "type": "object",
        "required": [f"f{at}" for at in range(12)],
        "properties": {
            **{f"f{at}": {"type": "string", "description": "d" * 80} for at in range(12)},
            "state": {"type": "string", "enum": list(states)},
            "card": card if isinstance(card, dict) else {"type": [card, "null"]},
        },
        "additionalProperties": False,
    }
    narrowed = {
        "allOf": [
            {"$ref": "#/definitions/base"},
            {"type": "object", "required": ["f0"], "properties": {"f0": {"type": "string"}}},
        ]
    }

    def event(name, action):
        return {
            "type": "object",
            "required": ["action", name, "sender"],
            "properties": {
                "action": {"type": "string", "enum": [action]},
                name: narrowed,
                "sender": {"$ref": "#/definitions/base"},
                "extra": {"$ref": "#/definitions/base"},
            },
            "additionalProperties": False,
        }

    kinds = [f"kind{number}" for number in range(names)]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "oneOf": [{"$ref": f"#/definitions/{kind}"} for kind in kinds],
        "definitions": {
            "base": base,
            **{f"{kind}${action}": event(kind, action) for kind in kinds for action in ("made", "gone", "moved")},
            **{
                kind: {"oneOf": [{"$ref": f"#/definitions/{kind}${action}"} for action in ("made", "gone", "moved")]}
                for kind in kinds
            },
        },
    }


ONE_MORE_STATE = webhook(states=("queued", "waiting", "done"))
ONE_MORE_EVENT = webhook(25)
ONE_TYPE_MORE = webhook(card={"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]})


@pytest.mark.parametrize("newer", [ONE_MORE_STATE, ONE_MORE_EVENT, ONE_TYPE_MORE])
def test_many_events_in_one_schema_that_accepts_more_are_compatible(newer):
    """Events that share the values of their action are told apart by what a closed one does not have."""
    older = webhook()

    assert compare(writer=older, reader=newer, budget=20).status == "compatible"
    assert compare(writer=newer, reader=older, budget=20).status == "incompatible"
