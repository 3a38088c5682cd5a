"""Find the place of a violation without building every error of every alternative.

A validator reports, for each alternative that fails, every error in it. Below a recursive union that doubles with each
level of a message. So the work is estimated first, and where it is too much, the search walks down to the part of the
message that is wrong, by asking of each part only whether it is valid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from .pointers import escape

_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
_IN_PLACE = ("if", "then", "else", "not")
_IN_PLACE_MAPS = ("dependentSchemas", "dependencies")
_OPAQUE = ("$dynamicRef", "$recursiveRef")
_BASE_WORK, _WORK_PER_VALUE = 2_000, 4
_VALUES_PER_WORK, _LISTED_PER_WORK = 50, 20
"""An error holds the whole value and what was expected, so a large one costs as much as several small ones."""
_UNEXPLAINED = ("oneOf", "anyOf", "propertyNames", "enum", "patternProperties")
_BASE_CHECKS, _CHECKS_PER_VALUE = 50_000, 50
_MAX_STEPS = 2_000


class Node(NamedTuple):
    """A schema and its location: `uri#pointer`."""

    uri: str
    pointer: str
    schema: Any

    @property
    def location(self) -> str:
        """The URI that this schema is compiled by."""
        return f"{self.uri}#{self.pointer}"

    def inside(self, *steps: str | int) -> Node:
        """Return the schema below this one."""
        schema = self.schema
        for step in steps:
            schema = schema[step]
        return Node(self.uri, self.pointer + "".join(f"/{escape(str(step))}" for step in steps), schema)


class Checks(Protocol):
    """Tell whether the schema at a location accepts a value; None if that schema cannot be compiled alone."""

    def __call__(self, location: str, value: Any) -> bool | None:
        """Return the answer for one value."""
        ...


class Place(NamedTuple):
    """Where the search stopped: a part of the message, its JSON pointer, the schema that rejects it."""

    node: Node
    pointer: str
    value: Any
    affordable: bool
    """Whether all errors may be built there."""
    keyword: str
    """The union that could not be explained."""


def root_node(resources: Mapping[str, Any], location: str) -> Node | None:
    """Return the schema at `URI#pointer`."""
    uri, _, pointer = location.partition("#")
    return _follow(resources, uri, pointer)


class Search:
    """Looks for the part of one rejected message that is wrong. It remembers what it measured."""

    def __init__(self, resources: Mapping[str, Any], is_valid: Checks) -> None:
        self._resources, self._is_valid = resources, is_valid
        self._work = _Work(resources, self._size)
        self._sizes: dict[int, int] = {}
        self._checked = 0

    def is_affordable(self, node: Node, value: Any, *, for_one: bool) -> bool:
        """Return True if a validator may build every error of this value.

        The work may be linear in the value's size, or, `for_one` violation alone, no more than for a small message.
        """
        budget = _BASE_WORK + (0 if for_one else _WORK_PER_VALUE * self._size(value))
        try:
            return self._work.of(node, value, budget) <= budget
        except RecursionError:
            return False

    def locate(self, node: Node, value: Any) -> Place:
        """Walk from a rejected message down to the smallest part that is known to be wrong."""
        pointer, affordable, keyword = "", False, "oneOf"
        limit = _BASE_CHECKS + _CHECKS_PER_VALUE * self._size(value)
        for _ in range(_MAX_STEPS):
            node = target_of(self._resources, node)
            keyword = next((each for each in _UNEXPLAINED if each in _keywords(node)), keyword)
            affordable = self.is_affordable(node, value, for_one=True)
            found = None if affordable or self._checked > limit else self._descend(node, value)
            if found is None:
                break
            step, node, value = found
            pointer += step
        return Place(node, pointer, value, affordable, keyword)

    def _descend(self, node: Node, value: Any) -> tuple[str, Node, Any] | None:
        if not isinstance(node.schema, dict):
            return None
        for step, child, part in chain(_parts(node, value), _matching_parts(node, value)):
            if self._rejects(child, part):
                return step, child, part
        for branch in _list(node, "allOf"):
            if self._rejects(branch, value):
                return "", branch, value
        for keyword in ("anyOf", "oneOf"):
            meant = [each for each in _list(node, keyword) if not _excludes(self._resources, each, value)]
            if len(meant) == 1 and self._rejects(meant[0], value):
                return "", meant[0], value
        return None

    def _rejects(self, node: Node, value: Any) -> bool:
        self._checked += self._size(value)
        return self._is_valid(node.location, value) is False

    def _size(self, value: Any) -> int:
        """Return how many JSON values are in this one, itself included."""
        known = self._sizes.get(id(value))
        if known is None:
            parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            known = self._sizes[id(value)] = 1 + sum(map(self._size, parts))
        return known


def _parts(node: Node, value: Any) -> Iterator[tuple[str, Node, Any]]:
    """Yield the fields or items of a value with the schemas that apply to them, as far as names and places tell."""
    schema = node.schema
    if isinstance(value, dict):
        properties = schema.get("properties")
        named = properties if isinstance(properties, dict) else {}
        for name in named.keys() & value.keys():
            yield f"/{escape(name)}", node.inside("properties", name), value[name]
        if "additionalProperties" in schema and "patternProperties" not in schema:
            for name in value.keys() - named.keys():
                yield f"/{escape(name)}", node.inside("additionalProperties"), value[name]
    elif isinstance(value, list):
        prefix = next((each for each in ("prefixItems", "items") if isinstance(schema.get(each), list)), None)
        listed = len(schema[prefix]) if prefix is not None else 0
        rest = "items" if isinstance(schema.get("items"), (dict, bool)) else None
        for index, item in enumerate(value):
            if prefix is not None and index < listed:
                yield f"/{index}", node.inside(prefix, index), item
            elif rest is not None:
                yield f"/{index}", node.inside(rest), item


def _matching_parts(node: Node, value: Any) -> Iterator[tuple[str, Node, Any]]:
    """Yield the fields of a value with the schemas whose pattern their names match."""
    patterns = node.schema.get("patternProperties")
    for pattern in patterns if isinstance(patterns, dict) and isinstance(value, dict) else ():
        try:
            matches = re.compile(pattern).search
        except re.error:  # the pattern of another dialect
            continue
        for name in filter(matches, value):
            yield f"/{escape(name)}", node.inside("patternProperties", pattern), value[name]


def _excludes(resources: Mapping[str, Any], branch: Node, value: Any) -> bool:
    """Return True if an alternative is not meant: the value has another type, or a field with another constant."""
    schema = target_of(resources, branch).schema
    if not isinstance(schema, dict):
        return schema is False
    kinds = schema.get("type")
    wanted = kinds if isinstance(kinds, list) else [kinds]
    if kinds is not None and not any(_has_type(value, each) for each in wanted):
        return True
    if not isinstance(value, dict):
        return "const" in schema and schema["const"] != value
    properties = schema.get("properties")
    for name, each in properties.items() if isinstance(properties, dict) else ():
        if isinstance(each, dict) and name in value:
            constants = [each["const"]] if "const" in each else each.get("enum")
            if isinstance(constants, list) and value[name] not in constants:
                return True
    return False


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
}


def _has_type(value: Any, name: Any) -> bool:
    is_type = _TYPES.get(name)
    return not isinstance(value, (dict, list, str, bool, type(None))) if is_type is None else is_type(value)


class _Work:
    """Counts how often schemas are applied when every alternative is evaluated to the end."""

    def __init__(self, resources: Mapping[str, Any], size: Callable[[Any], int]) -> None:
        self._resources, self._size = resources, size
        self._known: dict[tuple[int, int, int], float] = {}

    def of(self, node: Node, value: Any, budget: int) -> float:
        """Return the work; infinity as soon as it is more than the budget."""
        key = id(node.schema), id(value), budget
        known = self._known.get(key)
        if known is None:
            self._known[key] = float("inf")  # a schema that comes back to itself without descending
            known = self._own(node.schema, value)
            for child, part in self._applied(node, value):
                known += self.of(child, part, budget)
                if known > budget:
                    known = float("inf")
                    break
            self._known[key] = known
        return known

    def _own(self, schema: Any, value: Any) -> float:
        work = 1 + self._size(value) // _VALUES_PER_WORK
        if isinstance(schema, dict):
            listed = schema.get("enum")
            work += len(listed) // _LISTED_PER_WORK if isinstance(listed, list) else 0
            if "propertyNames" in schema and isinstance(value, dict):
                work *= 1 + len(value)
        return work

    def _applied(self, node: Node, value: Any) -> Iterator[tuple[Node, Any]]:
        schema = node.schema
        if not isinstance(schema, dict):
            return
        if isinstance(schema.get("$ref"), str):
            target = target_of(self._resources, node)
            if target is not node:
                yield target, value
        if any(keyword in schema for keyword in _OPAQUE):
            yield from ((Node(uri, "", root), value) for uri, root in self._resources.items() if root is not schema)
        for keyword in _IN_PLACE_LISTS:
            yield from ((branch, value) for branch in _list(node, keyword))
        for keyword in _IN_PLACE:
            if isinstance(schema.get(keyword), dict):
                yield node.inside(keyword), value
        for keyword in _IN_PLACE_MAPS:
            if isinstance(schema.get(keyword), dict) and isinstance(value, dict):
                yield from ((node.inside(keyword, name), value) for name in schema[keyword].keys() & value.keys())
        yield from ((child, part) for _, child, part in _parts(node, value))
        if isinstance(value, dict) and isinstance(schema.get("patternProperties"), dict):
            for pattern in schema["patternProperties"]:
                yield from ((node.inside("patternProperties", pattern), part) for part in value.values())


def _keywords(node: Node) -> Iterable[str]:
    return node.schema if isinstance(node.schema, dict) else ()


def _list(node: Node, keyword: str) -> Iterator[Node]:
    if isinstance(node.schema.get(keyword), list):
        yield from (node.inside(keyword, index) for index in range(len(node.schema[keyword])))


def target_of(resources: Mapping[str, Any], node: Node) -> Node:
    """Return what a schema that is only a reference refers to, and any other schema as it is."""
    for _ in range(_MAX_STEPS):
        reference = node.schema.get("$ref") if isinstance(node.schema, dict) else None
        if not isinstance(reference, str):
            break
        document, _, pointer = reference.partition("#")
        target = _follow(resources, document or node.uri, pointer)
        if target is None:
            break
        node = target
    return node


def _follow(resources: Mapping[str, Any], uri: str, pointer: str) -> Node | None:
    if uri not in resources or (pointer and not pointer.startswith("/")):
        return None
    schema = resources[uri]
    for step in pointer.split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(schema, dict) and name in schema:
            schema = schema[name]
        elif isinstance(schema, list) and name.isdigit() and int(name) < len(schema):
            schema = schema[int(name)]
        else:
            return None
    return Node(uri, pointer, schema)
