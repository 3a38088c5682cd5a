"""How the objects, arrays and scalars of an alternative look: which fields, which items, which values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from contract_test.generate.alternatives import ANYTHING, Alternative, Conjunction, Position, Reader, values_of
from contract_test.schema.sources import dict_in, dict_of, list_of, types_of
from contract_test.schema.walk import Node

MAX_RULES = 32
"""How many combinations of rules for undeclared names are told apart."""
MAX_TUPLE = 32
"""How many items of a fixed length are typed one by one."""


@dataclass(frozen=True)
class ObjectShape:
    """The named fields of an object, and what it may hold under other names."""

    fields: dict[str, Position]
    required: frozenset[str]
    additional: Position | None
    """None where the contract says nothing about other names."""
    closed: bool
    """Whether no other name is allowed."""


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


def object_shape(reader: Reader, alternative: Alternative) -> ObjectShape:
    """Return how the objects of one alternative look."""
    inside = reader.references.inside
    fields: dict[str, list[Node]] = {}
    required: set[str] = set()
    names: list[str] = []
    for node in alternative.nodes:
        for name in dict_in(node.schema, "properties"):
            fields.setdefault(name, []).append(inside(node, "properties", name))
        required.update(name for name in list_of(node.schema, "required") if isinstance(name, str))
        names += _mentioned(node.schema)
    for node in alternative.hints:
        names += [*dict_in(node.schema, "properties"), *_mentioned(node.schema)]
    for name in names:
        fields.setdefault(name, [])
    additional, closed = _undeclared(reader, alternative, named=bool(fields))
    found: dict[str, Position] = {name: (tuple(nodes),) for name, nodes in fields.items()}
    shown = {name: position for name, position in found.items() if not any(n.schema is False for n in position[0])}
    return ObjectShape(shown, frozenset(required), additional, closed)


def is_impossible(reader: Reader, shape: ObjectShape) -> bool:
    """Return whether no object can look like this: a required field has no valid value."""
    return any(name not in shape.fields or _empty(reader, shape.fields[name]) for name in shape.required)


def _empty(reader: Reader, position: Position) -> bool:
    return all(values_of(each.nodes) == [] for each in reader.alternatives(position))


def _undeclared(reader: Reader, alternative: Alternative, *, named: bool) -> tuple[Position | None, bool]:
    rules: list[Position] = []
    closed = counted = ruled = False
    for node in alternative.nodes:
        counted = counted or not _COUNTING.isdisjoint(node.schema)
        options = _rules(reader, node)
        if options is None:
            continue
        ruled = True
        if not options:
            closed = True
        elif options != ANYTHING:
            rules.append(options)
    if closed:
        return (None if named else ANYTHING), True
    if not rules:
        return (ANYTHING if ruled or counted or not named else None), False
    combined: list[Conjunction] = []
    for picked in product(*rules[:MAX_RULES]):
        combined.append(tuple(dict.fromkeys(node for conjunction in picked for node in conjunction)))
        if len(combined) > MAX_RULES:
            return ANYTHING, False
    return tuple(combined), False


def _rules(reader: Reader, node: Node) -> Position | None:
    """Return what one schema says about undeclared names: None for nothing, an empty position if there may be none."""
    schema, inside = node.schema, reader.references.inside
    patterns = [(inside(node, "patternProperties", name),) for name in dict_in(schema, "patternProperties")]
    if any(name in _EVERY_NAME for name in dict_in(schema, "patternProperties")):
        every = [inside(node, "patternProperties", name) for name in schema["patternProperties"] if name in _EVERY_NAME]
        return (tuple(every),)
    rest = "additionalProperties"
    if rest not in schema and _ELSEWHERE.isdisjoint(schema):
        rest = "unevaluatedProperties"
    if rest not in schema:
        return ANYTHING if patterns or schema.get("unevaluatedProperties", False) is not False else None
    if schema[rest] is False:
        return tuple(patterns)
    if schema[rest] is True or schema[rest] == {}:
        return ANYTHING
    return (*patterns, (inside(node, rest),))


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
    alone = _ELSEWHERE.isdisjoint(schema) and "contains" not in schema
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


def _mentioned(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the names that a schema asks for without describing them."""
    names: list[Any] = [*list_of(schema, "required")]
    for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
        for name, needed in dict_in(schema, keyword).items():
            names.extend((name, *needed) if isinstance(needed, list) else (name,))
    return (name for name in names if isinstance(name, str))


_SCALARS = frozenset(("null", "boolean", "integer", "number", "string"))
_COUNTING = frozenset(("minProperties", "propertyNames"))
"""Keywords that say something about fields that no keyword names: such fields are not undeclared."""
_ELSEWHERE = frozenset(("$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"))
"""Keywords beside which other schemas may describe fields and items."""
_EVERY_NAME = frozenset(("", ".*", "^", "$", "^.*", ".*$"))
"""Patterns that every name matches. A dot matches no line break, so `^.*$` is none of them."""
