"""Which schemas have a say on a value, and what they say of its type.

The result is never narrower than the schemas. Keywords that no Python type can express (`not`, lengths, patterns …) are
left out: the compiled validator holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract_test.schema.keywords import telling_keywords
from contract_test.schema.walk import Node, References

MAX_DEPTH = 100
"""How far a chain of references is followed for types; beyond it a value may look like anything."""

ALL_TYPES = frozenset(("null", "boolean", "integer", "number", "string", "array", "object"))
MAYBE: frozenset[str] = frozenset()
"""What a schema is always asked about that is only asked in some branch: nothing."""


@dataclass(frozen=True)
class Source:
    """A schema that has a say on a value: always, or in some branch.

    `on` are the JSON types of the values on which it always has one: of alternatives, those that no other one has. Of
    the sources of one `group`, at least one holds for every value.
    """

    node: Node
    on: frozenset[str] = ALL_TYPES
    group: str = ""

    @property
    def certain(self) -> bool:
        """Whether it has a say on every value."""
        return self.on == ALL_TYPES


Position = tuple[Source, ...]
"""Every schema that has a say on one value."""


class Sources:
    """Finds the sources of positions in the schemas of one contract."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._sources: dict[Position, Position] = {}
        self._types: dict[str, frozenset[str]] = {}
        self._texts: dict[str, str | tuple[str, ...]] = {}
        self._depth = 0

    @property
    def references(self) -> References:
        """What follows the references of these schemas."""
        return self._references

    def sources(self, position: Position) -> Position:
        """Return a position with all that `$ref`, `allOf`, `anyOf`, `oneOf`, `if`, `dependentSchemas` add."""
        known = self._sources.get(position)
        if known is not None:
            return known
        found: dict[str, Source] = {}
        pending = list(position)
        while pending:
            source = pending.pop(0)
            known_source = found.get(source.node.location)
            if not isinstance(source.node.schema, dict) or (known_source and source.on <= known_source.on):
                continue
            if known_source:
                source = Source(source.node, source.on | known_source.on)
            found[source.node.location] = source
            pending.extend(self._beside(source))
        self._sources[position] = tuple(found.values())
        return self._sources[position]

    def certain(self, position: Position) -> Position:
        """Return the sources that have a say on every value of a position that is not null."""
        types = self.scalars(position)[0] - {"null"}
        return tuple(source for source in self.sources(position) if source.on >= types)

    def settled(self, position: Position) -> Position:
        """Return a position as the one schema that its values have to satisfy where they are not null.

        What only refers to a schema, or chooses between one and null, is the same as that schema.
        """
        if len(position) != 1 or not position[0].certain:
            return position
        node = position[0].node
        for _ in range(MAX_DEPTH):
            step = self._step(node)
            if step is None:
                break
            node = step
        return (Source(node),)

    def _step(self, node: Node) -> Node | None:
        telling = set(telling_keywords(node.schema))
        if telling == {"$ref"}:
            return self._target(node)
        if len(telling) == 1 and telling <= {"anyOf", "oneOf"}:
            (keyword,) = telling
            branches = [
                self._references.inside(node, keyword, place) for place in range(len(list_of(node.schema, keyword)))
            ]
            valued = [branch for branch in branches if self.types(branch) - {"null"}]
            return valued[0] if len(valued) == 1 else None
        return None

    def _beside(self, source: Source) -> Iterator[Source]:
        node, inside = source.node, self._references.inside
        target = self._target(node)
        if target is not None:
            yield Source(target, source.on)
        if self._references.alone(node):
            return
        for place in range(len(list_of(node.schema, "allOf"))):
            yield Source(inside(node, "allOf", place), source.on)
        for keyword in ("anyOf", "oneOf"):
            branches = [inside(node, keyword, place) for place in range(len(list_of(node.schema, keyword)))]
            types = [self.types(branch) for branch in branches]
            for place, branch in enumerate(branches):
                others = MAYBE.union(*types[:place], *types[place + 1 :])
                yield Source(branch, source.on & (types[place] - others))
        for keyword in ("if", "then", "else"):
            if isinstance(node.schema.get(keyword), dict):
                yield Source(inside(node, keyword), MAYBE)
        for keyword in ("dependentSchemas", "dependencies"):
            for name, child in dict_in(node.schema, keyword).items():
                if isinstance(child, dict):
                    yield Source(inside(node, keyword, name), MAYBE)

    def _target(self, node: Node) -> Node | None:
        reference = node.schema.get("$ref")
        return self._references.follow(node, reference) if isinstance(reference, str) else None

    def types(self, node: Node) -> frozenset[str]:
        """Return the JSON types that a schema lets through; at least those, never fewer."""
        schema = node.schema
        if isinstance(schema, bool):
            return ALL_TYPES if schema else frozenset()
        if not isinstance(schema, dict):
            return ALL_TYPES
        if node.location in self._types:
            return self._types[node.location]
        self._types[node.location] = ALL_TYPES  # what a schema that comes back to itself says of itself: nothing
        if self._depth < MAX_DEPTH:
            self._depth += 1
            self._types[node.location] = self._read_types(node)
            self._depth -= 1
        return self._types[node.location]

    def _read_types(self, node: Node) -> frozenset[str]:
        schema = node.schema
        types = ALL_TYPES
        target = self._target(node)
        if target is not None:
            types &= self.types(target)
        if self._references.alone(node):
            return types
        types &= own_types(schema)
        for place in range(len(list_of(schema, "allOf"))):
            types &= self.types(self._references.inside(node, "allOf", place))
        for keyword in ("anyOf", "oneOf"):
            branches = [self._references.inside(node, keyword, place) for place in range(len(list_of(schema, keyword)))]
            if branches:
                types &= frozenset().union(*[self.types(branch) for branch in branches])
        return types

    def text(self, node: Node) -> str | tuple[str, ...]:
        """Return how the strings look that a schema lets through: a format, the only ones there are, or "" for any."""
        if not isinstance(node.schema, dict):
            return ""
        if node.location not in self._texts:
            self._texts[node.location] = ""  # as for types
            if self._depth < MAX_DEPTH:
                self._depth += 1
                self._texts[node.location] = self._read_text(node)
                self._depth -= 1
        return self._texts[node.location]

    def _read_text(self, node: Node) -> str | tuple[str, ...]:
        schema = node.schema
        target = self._target(node)
        found = self.text(target) if target is not None else ""
        if self._references.alone(node) or found:
            return found
        if isinstance(schema.get("const"), str):
            return (schema["const"],)
        if isinstance(schema.get("enum"), list):
            return tuple(dict.fromkeys(value for value in schema["enum"] if isinstance(value, str)))
        if schema.get("format") in ("date-time", "date"):
            return str(schema["format"])
        for place in range(len(list_of(schema, "allOf"))):
            found = self.text(self._references.inside(node, "allOf", place))
            if found:
                return found
        for keyword in ("anyOf", "oneOf"):
            branches = [self._references.inside(node, keyword, place) for place in range(len(list_of(schema, keyword)))]
            found = self._common_text(branches)
            if found:
                return found
        return ""

    def _common_text(self, branches: list[Node]) -> str | tuple[str, ...]:
        texts = [self.text(branch) for branch in branches if "string" in self.types(branch)]
        if texts and all(isinstance(text, tuple) and text for text in texts):
            return tuple(dict.fromkeys(value for text in texts for value in text))
        return texts[0] if texts and len(set(texts)) == 1 else ""

    def scalars(self, position: Position) -> tuple[frozenset[str], str | tuple[str, ...]]:
        """Return the types, and how the strings look, without a look at fields or items."""
        types = ALL_TYPES
        text: str | tuple[str, ...] = ""
        for source in position:
            if source.certain:
                types &= self.types(source.node)
                text = text or self.text(source.node)
        for group in {source.group for source in position if source.group}:
            members = [source.node for source in position if source.group == group]
            types &= frozenset().union(*[self.types(member) for member in members])
            text = text or self._common_text(members)
        return types, text


def dict_of(schema: Any) -> dict[str, Any]:
    """Return a schema that is an object; of any other an empty one."""
    return schema if isinstance(schema, dict) else {}


def dict_in(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    """Return the object at a keyword; an empty one where there is none."""
    return dict_of(schema.get(keyword))


def list_of(schema: dict[str, Any], keyword: str) -> list[Any]:
    """Return the list at a keyword; an empty one where there is none."""
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def types_of(value: Any) -> frozenset[str]:
    """Return the JSON types of a value; a number counts as an integer, too."""
    if value is None:
        return frozenset(("null",))
    if isinstance(value, bool):
        return frozenset(("boolean",))
    if isinstance(value, int | float):
        return frozenset(("number", "integer"))
    return frozenset(("string",) if isinstance(value, str) else ("array",) if isinstance(value, list) else ("object",))


def closed_types(types: set[Any]) -> frozenset[str]:
    """Return the JSON types among names; `number` brings `integer`."""
    return frozenset(types | {"integer"}) & ALL_TYPES if "number" in types else frozenset(types) & ALL_TYPES


def own_types(schema: dict[str, Any]) -> frozenset[str]:
    """Return the JSON types that `type`, `const` and `enum` of a schema let through."""
    types = ALL_TYPES
    declared = schema.get("type")
    if isinstance(declared, str | list):
        types &= closed_types({declared} if isinstance(declared, str) else set(declared))
    if "const" in schema:
        types &= types_of(schema["const"])
    if isinstance(schema.get("enum"), list):
        types &= frozenset().union(*map(types_of, schema["enum"]))
    return types
