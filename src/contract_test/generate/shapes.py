"""How the arrays and scalars of an alternative look: which items, which values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract_test.generate.alternatives import ANYTHING, Alternative, Position, Reader, values_of
from contract_test.schema.sources import dict_of, list_of, types_of
from contract_test.schema.walk import Node

MAX_TUPLE = 32
"""How many items of a fixed length are typed one by one."""


@dataclass(frozen=True)
class ArrayShape:
    """The items of an array; `fixed` has one position for each item if their number is fixed."""

    items: Position
    fixed: tuple[Position, ...] | None = None


@dataclass(frozen=True)
class Scalars:
    """The texts, numbers and booleans that are allowed: listed values, or types with all their values."""

    types: frozenset[str]
    values: tuple[Any, ...]
    format: str = ""
    """`date-time`, `date` or `decimal`, if all texts (or numbers) have it."""


def array_shape(reader: Reader, alternative: Alternative) -> ArrayShape:
    """Return how the arrays of one alternative look."""
    first: list[list[Node]] = []
    least, most = 0, None
    for node in alternative.nodes:
        prefix, rest = _items(reader, node)
        while len(first) < len(prefix):
            first.append([])
        least = max([least, *(value for value in [node.schema.get("minItems")] if isinstance(value, int))])
        limits = [value for value in (most, node.schema.get("maxItems")) if isinstance(value, int)]
        if rest is not None and rest.schema is False:
            limits.append(len(prefix))
        most = min(limits, default=None)
    for place, nodes in enumerate(first):
        for node in alternative.nodes:
            prefix, rest = _items(reader, node)
            each = prefix[place] if place < len(prefix) else rest
            if each is not None:
                nodes.append(each)
    rests = [_items(reader, node)[1] for node in alternative.nodes]
    rest_nodes = tuple(node for node in rests if node is not None)
    length = len(first)
    positions: list[Position] = [(tuple(nodes),) for nodes in first]
    if 0 < length <= MAX_TUPLE and least == length == most:
        return ArrayShape(ANYTHING, tuple(positions))
    if most is not None and most <= length:
        return ArrayShape(_joined(positions[:most]))
    return ArrayShape(_joined([*positions, (rest_nodes,)]))


def _joined(positions: list[Position]) -> Position:
    return tuple(dict.fromkeys(conjunction for position in positions for conjunction in position))


def _items(reader: Reader, node: Node) -> tuple[list[Node], Node | None]:
    """Return the schemas of the first items, and that of all others if there is one."""
    schema, inside = node.schema, reader.references.inside
    if isinstance(schema.get("items"), list):
        prefix = [inside(node, "items", place) for place in range(len(schema["items"]))]
        return prefix, inside(node, "additionalItems") if "additionalItems" in schema else None
    prefix = [inside(node, "prefixItems", place) for place in range(len(list_of(schema, "prefixItems")))]
    if "items" in schema:
        return prefix, inside(node, "items")
    alone = ELSEWHERE.isdisjoint(schema) and "contains" not in schema
    return prefix, inside(node, "unevaluatedItems") if "unevaluatedItems" in schema and alone else None


def scalars(alternative: Alternative) -> Scalars:
    """Return the scalar values of one alternative."""
    types = alternative.types & _SCALARS
    values = values_of(alternative.nodes)
    schemas = [dict_of(node.schema) for node in alternative.nodes]
    if values is not None:
        allowed = [value for value in values if _fits(value, types)]
        return Scalars(frozenset(), tuple(allowed))
    found = ""
    if any(schema.get("x-python-type") == "decimal" for schema in schemas):
        found = "decimal"
    else:
        found = next((schema["format"] for schema in schemas if schema.get("format") in ("date-time", "date")), "")
    return Scalars(types, (), found)


def _fits(value: Any, types: frozenset[str]) -> bool:
    if isinstance(value, float) and not value.is_integer():
        return "number" in types
    return bool(types_of(value) & types)


_SCALARS = frozenset(("null", "boolean", "integer", "number", "string"))
ELSEWHERE = frozenset(("$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"))
"""Keywords beside which other schemas may describe fields and items."""
