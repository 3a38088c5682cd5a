"""What a schema lets a value look like: the plan of a value object's fields.

A shape is never narrower than the schema. Keywords that no Python type can say (`not`, `if`, lengths, patterns …) do
not appear in it: the compiled validator holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jsonschema_rs

from contract_test.schema.keywords import accepts_everything, telling_keywords
from contract_test.schema.sources import ALL_TYPES, MAYBE, Position, Source, Sources, dict_in, dict_of, list_of
from contract_test.schema.walk import Node, References


@dataclass(frozen=True)
class Shape:
    """The JSON types a value may have, and how the composite ones look. An empty set of types: nothing is valid."""

    types: frozenset[str]
    text: str | tuple[str, ...] = ""
    """`date-time`, `date`, or the only strings that are allowed."""
    items: Position = ()
    fields: tuple[Field, ...] = ()
    additional: Position | None = None
    """Values under names that only a rule describes; None where such fields are undeclared."""
    branches: tuple[tuple[str, Position], ...] = ()
    """Alternatives that differ in a constant text in the field `tag`."""
    tag: str = ""
    title: str = ""
    description: str = ""


@dataclass(frozen=True)
class Field:
    """One named property of an object."""

    name: str
    position: Position
    required: bool
    description: str = ""
    default: Any = field(default=None, compare=False)


class Shapes(Sources):
    """Reads shapes from the schemas of one contract.

    With `declared_only`, `additionalProperties: true` declares no field: it is no promise to send any.
    """

    def __init__(self, references: References, *, declared_only: bool = False) -> None:
        super().__init__(references)
        self._declared_only = declared_only
        self._patterns: dict[str, str] = {}
        self._shapes: dict[Position, Shape] = {}

    def shape(self, position: Position) -> Shape:
        """Return the shape of the values at a position."""
        if position not in self._shapes:
            self._shapes[position] = self._read_shape(position)
        return self._shapes[position]

    def _read_shape(self, position: Position) -> Shape:
        types, text = self.scalars(position)
        sources = self.sources(position)
        title, description = self._annotations(position)
        items: Position = self.items(sources) if "array" in types else ()
        if "object" not in types:
            return Shape(types, text, items, title=title, description=description)
        tag, branches = self._branches(position)
        fields = () if tag else tuple(self.fields(sources))
        additional = None if tag else self.additional(sources, named=bool(fields))
        return Shape(types, text, items, fields, additional, branches, tag, title, description)

    def _annotations(self, position: Position) -> tuple[str, str]:
        schemas = [source.node.schema for source in self.certain(position)]

        def first(keyword: str) -> str:
            return next((schema[keyword] for schema in schemas if isinstance(schema.get(keyword), str)), "")

        return first("title"), first("description")

    def items(self, sources: Position) -> Position:
        """Return what describes the items of arrays, of schemas that have a say on them."""
        found: list[Source] = []
        for source in sources:
            node = source.node
            if self._references.alone(node):
                continue
            first = [("prefixItems", place) for place in range(len(list_of(node.schema, "prefixItems")))]
            rest = "items"
            if isinstance(node.schema.get("items"), list):
                first, rest = [("items", place) for place in range(len(node.schema["items"]))], "additionalItems"
            places: list[tuple[str | int, ...]] = [*first]
            if rest in node.schema:
                places.append((rest,))
            certain = "array" in source.on
            group = node.location if certain and first and rest in node.schema else ""
            on = ALL_TYPES if certain and not first else MAYBE
            found.extend(Source(self._references.inside(node, *place), on, group) for place in places)
            found.extend(
                Source(self._references.inside(node, keyword), MAYBE)
                for keyword in ("contains", "unevaluatedItems")
                if keyword in node.schema
            )
        return tuple(found)

    def fields(self, sources: Position) -> Iterator[Field]:
        """Yield the fields that schemas name which have a say on an object."""
        found: dict[str, list[Source]] = {}
        required: dict[str, bool] = {}
        for source in sources:
            node = source.node
            if self._references.alone(node):
                continue
            certain = "object" in source.on
            for name in dict_in(node.schema, "properties"):
                inside = self._references.inside(node, "properties", name)
                found.setdefault(name, []).append(Source(inside, ALL_TYPES if certain else MAYBE))
            for name in _mentioned(node.schema):
                found.setdefault(name, [])
            for name in list_of(node.schema, "required"):
                required[name] = required.get(name, False) or certain
        for name, each in found.items():
            position = tuple(each)
            if any(source.certain and source.node.schema is False for source in position):
                continue
            _, description = self._annotations(position)
            default = next((s.node.schema["default"] for s in position if "default" in dict_of(s.node.schema)), None)
            yield Field(name, position, required.get(name, False), description, default)

    def additional(self, sources: Position, *, named: bool) -> Position | None:
        """Return what describes the fields that these schemas do not name; None where such fields are undeclared."""
        found: list[Source] = []
        for source in sources:
            node = source.node
            if self._references.alone(node):
                continue
            places: list[tuple[str, ...]] = []
            for pattern in dict_in(node.schema, "patternProperties"):
                places.append(("patternProperties", pattern))
                self._patterns[self._references.inside(node, "patternProperties", pattern).location] = pattern
            rules = ("additionalProperties", "unevaluatedProperties")
            places.extend((keyword,) for keyword in rules if self._declares_others(node, keyword))
            group = node.location if "object" in source.on and "additionalProperties" in node.schema else ""
            found.extend(Source(self._references.inside(node, *place), MAYBE, group=group) for place in places)
        counted = not self._declared_only and any(not _COUNTING.isdisjoint(source.node.schema) for source in sources)
        return tuple(found) if found or counted or not named else None

    def _declares_others(self, node: Node, keyword: str) -> bool:
        """Return whether a rule for other fields declares them: `true`, or `{}`, may be no promise to send any."""
        if node.schema.get(keyword, False) is False:
            return False
        rule = self.settled((Source(self._references.inside(node, keyword)),))[0].node.schema
        return not (self._declared_only and accepts_everything(rule))

    def rest(self, shape: Shape, name: str) -> Position | None:
        """Return what describes a field that is not among those of a shape; None where it is undeclared."""
        return self.described_by(shape.additional, name)

    def described_by(self, additional: Position | None, name: str) -> Position | None:
        """Return those schemas for other fields that speak of one field; None where it is undeclared."""
        if not additional:
            return additional
        return tuple(source for source in additional if self._describes(source, name)) or None

    def _describes(self, source: Source, name: str) -> bool:
        pattern = self._patterns.get(source.node.location)
        return pattern is None or _name_pattern(pattern).is_valid(name)

    def _branches(self, position: Position) -> tuple[str, tuple[tuple[str, Position], ...]]:
        """Recognize alternatives that differ in a constant text, if no other keyword applies to the value."""
        if len(position) != 1 or not position[0].certain:
            return "", ()
        node = self.settled(position)[0].node
        keyword = next((word for word in ("oneOf", "anyOf") if list_of(dict_of(node.schema), word)), "")
        if not keyword or set(telling_keywords(node.schema)) - {keyword}:
            return "", ()
        alternatives = []
        for place in range(len(node.schema[keyword])):
            branch = Source(self._references.inside(node, keyword, place))
            if "object" in self.types(branch.node):
                alternatives.append(branch)
        return self._tagged(alternatives) if len(alternatives) > 1 else ("", ())

    def _tagged(self, alternatives: list[Source]) -> tuple[str, tuple[tuple[str, Position], ...]]:
        tags: dict[str, list[tuple[str, ...]]] = {}
        for branch in alternatives:
            for each in self.fields(self.sources((branch,))):
                types, text = self.scalars(each.position)
                if each.required and types == {"string"} and isinstance(text, tuple) and text:
                    tags.setdefault(each.name, []).append(text)
        for name, texts in tags.items():
            flat = [text for each in texts for text in each]
            if len(texts) == len(alternatives) and len(set(flat)) == len(flat):
                return name, tuple((text[0], (branch,)) for text, branch in zip(texts, alternatives, strict=True))
        return "", ()


@lru_cache(maxsize=512)
def _name_pattern(pattern: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({"pattern": pattern})


_COUNTING = frozenset(("minProperties", "propertyNames"))
"""Keywords that say something of fields which nothing names: such fields are not undeclared."""


def _mentioned(schema: dict[str, Any]) -> Iterator[str]:
    """The names that a schema asks for without describing them."""
    names = [*list_of(schema, "required")]
    for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
        for name, needed in dict_in(schema, keyword).items():
            names.extend((name, *needed) if isinstance(needed, list) else (name,))
    return (name for name in names if isinstance(name, str))
