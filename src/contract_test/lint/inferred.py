"""Warnings about what an inferred schema leaves open, and people should decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MIN_FIELDS = 8

Remark = tuple[str, str, str, str]


def null_only(pointer: str, node: dict[str, Any], _draft: str) -> Iterator[Remark]:
    """Yield a warning for a field that can only be null."""
    if pointer and (
        node.get("type") in ("null", ["null"]) or node.get("const", 0) is None or node.get("enum") == [None]
    ):
        if _is_alternative(pointer):
            return
        advice = 'Add the type of its other values, such as ["string", "null"], or leave the field out.'
        yield pointer, "null-only", "the only value is null, so no consumer can use this field", advice


def without_items(pointer: str, node: dict[str, Any], _draft: str) -> Iterator[Remark]:
    """Yield a warning for an array whose items may be anything."""
    types = node.get("type")
    is_array = types == "array" or (isinstance(types, list) and "array" in types)
    described = (
        "items",
        "prefixItems",
        "contains",
        "unevaluatedItems",
        "$ref",
        "enum",
        "const",
        "allOf",
        "anyOf",
        "oneOf",
    )
    if is_array and not any(keyword in node for keyword in described) and node.get("maxItems") != 0:
        advice = 'Add "items", or "items": true for any item. `contract-test infer` describes them when it sees some.'
        yield pointer, "items-not-stated", "the items of the array may be anything", advice


def mixed_map(pointer: str, node: dict[str, Any], _draft: str) -> Iterator[Remark]:
    """Yield a warning for an object that has fields and is a map, too."""
    rule = node.get("additionalProperties")
    if isinstance(rule, dict) and rule and isinstance(node.get("properties"), dict) and node["properties"]:
        sentence = "a map that has fields of its own, too: a misspelled field is taken for a key"
        advice = "Put the keys into a field of their own in the next subject, or describe them with patternProperties."
        yield f"{pointer}/additionalProperties", "map-with-fields", sentence, advice


def all_required(pointer: str, node: dict[str, Any], _draft: str) -> Iterator[Remark]:
    """Yield a warning for a message whose fields are all required, nested objects included."""
    if pointer or not _requires_all(node):
        return
    advice = "Take a field out of `required` if a message may lack it. `contract-test verify` finds such messages."
    yield "/required", "everything-required", "every field of the message is required, in nested objects, too", advice


def _requires_all(node: dict[str, Any]) -> bool:
    count = 0
    pending: list[Any] = [node]
    while pending:
        each = pending.pop()
        if not isinstance(each, dict):
            continue
        properties = each.get("properties")
        if isinstance(properties, dict):
            required = each.get("required")
            if not isinstance(required, list) or not properties.keys() <= {*map(str, required)}:
                return False
            count += len(properties)
            pending += properties.values()
        pending.append(each.get("items"))
        for keyword in ("oneOf", "anyOf", "allOf"):
            if isinstance(each.get(keyword), list):
                pending += each[keyword]
        if isinstance(each.get("$defs"), dict):
            pending += each["$defs"].values()
    return count >= MIN_FIELDS


def _is_alternative(pointer: str) -> bool:
    steps = pointer.split("/")
    return len(steps) > 2 and steps[-2] in ("anyOf", "oneOf", "allOf", "not", "if", "then", "else", "prefixItems")  # noqa: PLR2004
