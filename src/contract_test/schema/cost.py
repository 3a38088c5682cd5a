"""How often a schema applies schemas to one and the same value: what a validator has to do before it descends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contract_test.schema.walk import Node, References

_IN_PLACE = ("allOf", "anyOf", "oneOf")
_IN_PLACE_ONE = ("if", "then", "else", "not")
_IN_PLACE_NAMED = ("dependentSchemas", "dependencies")

MAX_COST = 20_000
"""More applications than this to one value, and a small schema makes a validator work for seconds."""


class Costs:
    """Counts applications; a schema that comes back to itself without descending into the value costs infinity.

    `elsewhere` are the costs of schemas that are known already, by location. `counted` are the others.
    """

    def __init__(self, references: References, elsewhere: Mapping[str, float]) -> None:
        self._references, self._elsewhere = references, elsewhere
        self.counted: dict[str, float] = {}

    def of(self, node: Node) -> float:
        """Return the applications that one schema causes at one value, itself included."""
        pending: list[tuple[Node, list[Node] | None]] = [(node, None)]
        while pending:  # children first, without Python's own stack
            current, children = pending.pop()
            location = current.location
            if children is not None:
                self.counted[location] = 1 + sum(max(self._known(child) or 0, 0) for child in children)
            elif self._known(current) is None:
                if width(current.schema) + len(pending) > MAX_COST:
                    return MAX_COST + 1  # all of these apply to the same value
                self.counted[location] = -1  # being counted
                children = list(self._beside(current))
                if any(self._known(child) == -1 for child in children):
                    self.counted[location] = float("inf")
                    continue
                pending.append((current, children))
                pending.extend((child, None) for child in children if self._known(child) is None)
        return self._known(node) or 0

    def _known(self, node: Node) -> float | None:
        found = self.counted.get(node.location)
        return self._elsewhere.get(node.location) if found is None else found

    def _beside(self, node: Node) -> Iterator[Node]:
        schema, inside = node.schema, self._references.inside
        if not isinstance(schema, dict):
            return
        if isinstance(schema.get("$ref"), str):
            target = self._references.follow(node, schema["$ref"])
            if target is not None:
                yield target
            if self._references.alone(node):
                return
        for keyword in _IN_PLACE:
            if isinstance(schema.get(keyword), list):
                yield from (inside(node, keyword, place) for place in range(len(schema[keyword])))
        for keyword in _IN_PLACE_ONE:
            if isinstance(schema.get(keyword), dict):
                yield inside(node, keyword)
        for keyword in _IN_PLACE_NAMED:
            if isinstance(schema.get(keyword), dict):
                yield from (
                    inside(node, keyword, name) for name, child in schema[keyword].items() if isinstance(child, dict)
                )


def width(schema: Any) -> int:
    """Return how many schemas a schema lists for the same value."""
    lists = (schema.get(keyword) for keyword in _IN_PLACE) if isinstance(schema, dict) else ()
    return sum(len(each) for each in lists if isinstance(each, list))


def patterns_in(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the patterns that a schema itself contains, for its value and for the names of its fields."""
    if isinstance(schema.get("pattern"), str):
        yield schema["pattern"]
    if isinstance(schema.get("patternProperties"), dict):
        yield from schema["patternProperties"]
