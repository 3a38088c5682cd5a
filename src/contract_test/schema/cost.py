"""How often a schema applies schemas to one and the same value: what a validator has to do before it descends."""

from __future__ import annotations

from collections.abc import Iterator

from contract_test.schema.walk import Node, References

_IN_PLACE = ("allOf", "anyOf", "oneOf")
_IN_PLACE_ONE = ("if", "then", "else", "not")
_IN_PLACE_NAMED = ("dependentSchemas", "dependencies")

MAX_COST = 20_000
"""More applications than this to one value, and a small schema makes a validator work for seconds."""


class Costs:
    """Counts applications; a schema that comes back to itself without descending into the value costs infinity."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._known: dict[str, float] = {}

    def of(self, node: Node) -> float:
        """Return the applications that one schema causes at one value, itself included."""
        pending = [node]
        while pending:  # children first, without Python's own stack
            current = pending[-1]
            location = current.location
            if location in self._known and self._known[location] >= 0:
                pending.pop()
                continue
            children = list(self._beside(current))
            if location not in self._known:
                self._known[location] = -1  # being counted
                pending.extend(child for child in children if child.location not in self._known)
                if any(self._known.get(child.location) == -1 for child in children):
                    self._known[location] = float("inf")
                continue
            self._known[location] = 1 + sum(max(self._known.get(child.location, 0), 0) for child in children)
            pending.pop()
        return self._known[node.location]

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
