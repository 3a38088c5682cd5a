"""What a schema lets a value look like: the plan of a value object's fields.

A shape is never narrower than the schema. Keywords that no Python type can say (`not`, `if`, lengths, patterns …) do
not appear in it: the compiled validator holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contract_test.schema.walk import Node, References

MAX_DEPTH = 100
"""How far a chain of references is followed for types; beyond it a value may look like anything."""

ALL_TYPES = frozenset(("null", "boolean", "integer", "number", "string", "array", "object"))


@dataclass(frozen=True)
class Source:
    """A schema that has a say on a value: always, or only in some branch (`certain` is False).

    Of the sources of one `group`, at least one holds for every value.
    """

    node: Node
    certain: bool
    group: str = ""


Position = tuple[Source, ...]
"""Every schema that has a say on one value."""


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
    """Alternatives told apart by a constant text in the field `tag`."""
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


class Shapes:
    """Reads shapes from the schemas of one contract."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._shapes: dict[Position, Shape] = {}
        self._sources: dict[Position, Position] = {}
        self._types: dict[str, frozenset[str]] = {}
        self._depth = 0
        self._texts: dict[str, str | tuple[str, ...]] = {}

    def sources(self, position: Position) -> Position:
        """A position with everything that `$ref`, `allOf`, `anyOf`, `oneOf`, `if` and `dependentSchemas` add to it."""
        known = self._sources.get(position)
        if known is not None:
            return known
        found: dict[tuple[str, bool], Source] = {}
        pending = list(position)
        while pending:
            source = pending.pop(0)
            key = (source.node.location, source.certain)
            if key in found or (source.node.location, True) in found or not isinstance(source.node.schema, dict):
                continue
            found[key] = source
            pending.extend(self._beside(source))
        self._sources[position] = tuple(found.values())
        return self._sources[position]

    def _beside(self, source: Source) -> Iterator[Source]:
        node, inside = source.node, self._references.inside
        target = self._target(node)
        if target is not None:
            yield Source(target, source.certain)
        if self._references.alone(node):
            return
        for keyword in ("allOf", "anyOf", "oneOf"):
            for place in range(len(_list(node.schema, keyword))):
                yield Source(inside(node, keyword, place), source.certain and keyword == "allOf")
        for keyword in ("if", "then", "else"):
            if isinstance(node.schema.get(keyword), dict):
                yield Source(inside(node, keyword), certain=False)
        for keyword in ("dependentSchemas", "dependencies"):
            for name, child in _dict(node.schema, keyword).items():
                if isinstance(child, dict):
                    yield Source(inside(node, keyword, name), certain=False)

    def _target(self, node: Node) -> Node | None:
        reference = node.schema.get("$ref")
        return self._references.follow(node, reference) if isinstance(reference, str) else None

    def types(self, node: Node) -> frozenset[str]:
        """The JSON types that a schema lets through; at least those, never fewer."""
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
        declared = schema.get("type")
        if isinstance(declared, str | list):
            types &= _closed({declared} if isinstance(declared, str) else set(declared))
        if "const" in schema:
            types &= _types_of(schema["const"])
        if isinstance(schema.get("enum"), list):
            types &= frozenset().union(*map(_types_of, schema["enum"]))
        for place in range(len(_list(schema, "allOf"))):
            types &= self.types(self._references.inside(node, "allOf", place))
        for keyword in ("anyOf", "oneOf"):
            branches = [self._references.inside(node, keyword, place) for place in range(len(_list(schema, keyword)))]
            if branches:
                types &= frozenset().union(*[self.types(branch) for branch in branches])
        return types

    def text(self, node: Node) -> str | tuple[str, ...]:
        """How the strings look that a schema lets through: a format, the only ones there are, or "" for any."""
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
        for place in range(len(_list(schema, "allOf"))):
            found = self.text(self._references.inside(node, "allOf", place))
            if found:
                return found
        for keyword in ("anyOf", "oneOf"):
            branches = [self._references.inside(node, keyword, place) for place in range(len(_list(schema, keyword)))]
            found = self._common_text(branches)
            if found:
                return found
        return ""

    def _common_text(self, branches: list[Node]) -> str | tuple[str, ...]:
        texts = [self.text(branch) for branch in branches if "string" in self.types(branch)]
        if texts and all(isinstance(text, tuple) and text for text in texts):
            return tuple(dict.fromkeys(value for text in texts for value in text))
        return texts[0] if texts and len(set(texts)) == 1 else ""

    def shape(self, position: Position) -> Shape:
        """The shape of the values at a position."""
        if position not in self._shapes:
            self._shapes[position] = self._read_shape(position)
        return self._shapes[position]

    def _read_shape(self, position: Position) -> Shape:
        types, text = self._scalars(position)
        sources = self.sources(position)
        title, description = _annotations(sources)
        items: Position = self._items(self.sources(self.only(position, "array"))) if "array" in types else ()
        if "object" not in types:
            return Shape(types, text, items, title=title, description=description)
        objects = self.only(position, "object")
        if objects != position:
            each = self.shape(objects)
            fields, additional, tag, branches = each.fields, each.additional, each.tag, each.branches
            title, description = title or each.title, description or each.description
            return Shape(types, text, items, fields, additional, branches, tag, title, description)
        tag, branches = self._branches(position)
        fields = () if tag else tuple(self._fields(sources))
        additional = None if tag else self._additional(sources, named=bool(fields))
        return Shape(types, text, items, fields, additional, branches, tag, title, description)

    def _scalars(self, position: Position) -> tuple[frozenset[str], str | tuple[str, ...]]:
        """The types, and how the strings look, without a look at fields or items."""
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

    def _items(self, sources: Position) -> Position:
        found: list[Source] = []
        for source in sources:
            node = source.node
            if self._references.alone(node):
                continue
            first = [("prefixItems", place) for place in range(len(_list(node.schema, "prefixItems")))]
            rest = "items"
            if isinstance(node.schema.get("items"), list):
                first, rest = [("items", place) for place in range(len(node.schema["items"]))], "additionalItems"
            places: list[tuple[str | int, ...]] = [*first]
            if rest in node.schema:
                places.append((rest,))
            group = node.location if source.certain and first and rest in node.schema else ""
            found.extend(
                Source(self._references.inside(node, *place), source.certain and not first, group) for place in places
            )
            found.extend(
                Source(self._references.inside(node, keyword), certain=False)
                for keyword in ("contains", "unevaluatedItems")
                if keyword in node.schema
            )
        return tuple(found)

    def _fields(self, sources: Position) -> Iterator[Field]:
        found: dict[str, list[Source]] = {}
        required: dict[str, bool] = {}
        for source in sources:
            node = source.node
            if self._references.alone(node):
                continue
            for name in _dict(node.schema, "properties"):
                found.setdefault(name, []).append(
                    Source(self._references.inside(node, "properties", name), source.certain)
                )
            for name in _mentioned(node.schema):
                found.setdefault(name, [])
            for name in _list(node.schema, "required"):
                required[name] = required.get(name, False) or source.certain
        for name, each in found.items():
            position = tuple(each)
            if any(source.certain and source.node.schema is False for source in position):
                continue
            _, description = _annotations(self.sources(position))
            default = next((s.node.schema["default"] for s in position if "default" in _dict_of(s.node.schema)), None)
            yield Field(name, position, required.get(name, False), description, default)

    def _additional(self, sources: Position, *, named: bool) -> Position | None:
        found: list[Source] = []
        for source in sources:
            node = source.node
            if self._references.alone(node):
                continue
            patterns = [("patternProperties", name) for name in _dict(node.schema, "patternProperties")]
            places: list[tuple[str, ...]] = [*patterns]
            rules = ("additionalProperties", "unevaluatedProperties")
            places.extend((keyword,) for keyword in rules if node.schema.get(keyword, False) is not False)
            group = node.location if source.certain and "additionalProperties" in node.schema else ""
            found.extend(Source(self._references.inside(node, *place), certain=False, group=group) for place in places)
        counted = any(not _COUNTING.isdisjoint(source.node.schema) for source in sources)
        return tuple(found) if found or counted or not named else None

    def only(self, position: Position, kind: str) -> Position:
        """Where all is said of the values of one type: of alternatives the only one that has them, if it is one."""
        seen = {position}
        while len(alternatives := self._alternatives(position, kind)) == 1:
            position = (alternatives[0],)
            if position in seen:
                break
            seen.add(position)
        return position

    def _alternatives(self, position: Position, kind: str) -> list[Source]:
        """The alternatives for values of one type, where nothing else is said of them."""
        if len(position) != 1 or not position[0].certain:
            return []
        node, seen = position[0].node, set[str]()
        while isinstance(node.schema, dict) and not _telling(node.schema) - {"$ref"}:
            target = self._target(node)
            if target is None or node.location in seen:
                return []
            seen.add(node.location)
            node = target
        keyword = next((word for word in ("oneOf", "anyOf") if _list(_dict_of(node.schema), word)), "")
        if not keyword or _telling(node.schema) != {keyword}:
            return []
        inside = [self._references.inside(node, keyword, place) for place in range(len(node.schema[keyword]))]
        return [Source(each, certain=True) for each in inside if kind in self.types(each)]

    def _branches(self, position: Position) -> tuple[str, tuple[tuple[str, Position], ...]]:
        """Recognise alternatives that a constant text tells apart; nothing else may be said of the value."""
        alternatives = self._alternatives(position, "object")
        return self._tagged(alternatives) if len(alternatives) > 1 else ("", ())

    def _tagged(self, alternatives: list[Source]) -> tuple[str, tuple[tuple[str, Position], ...]]:
        tags: dict[str, list[tuple[str, ...]]] = {}
        for branch in alternatives:
            for each in self._fields(self.sources((branch,))):
                types, text = self._scalars(each.position)
                if each.required and types == {"string"} and isinstance(text, tuple) and text:
                    tags.setdefault(each.name, []).append(text)
        for name, texts in tags.items():
            flat = [text for each in texts for text in each]
            if len(texts) == len(alternatives) and len(set(flat)) == len(flat):
                return name, tuple((text[0], (branch,)) for text, branch in zip(texts, alternatives, strict=True))
        return "", ()


_COUNTING = frozenset(("minProperties", "propertyNames"))
"""Keywords that say something of fields which nothing names: such fields are not undeclared."""

_ANNOTATIONS = frozenset((
    "title", "description", "$comment", "examples", "$schema", "$id", "id", "$defs", "definitions", "default",
    "deprecated", "readOnly", "writeOnly",
))  # fmt: skip


def _telling(schema: dict[str, Any]) -> set[str]:
    """The keywords that say something of a value, or may."""
    return {word for word in schema if word not in _ANNOTATIONS and not word.startswith("x-")}


def _types_of(value: Any) -> frozenset[str]:
    if value is None:
        return frozenset(("null",))
    if isinstance(value, bool):
        return frozenset(("boolean",))
    if isinstance(value, int | float):
        return frozenset(("number", "integer"))
    return frozenset(("string",) if isinstance(value, str) else ("array",) if isinstance(value, list) else ("object",))


def _closed(types: set[Any]) -> frozenset[str]:
    return frozenset(types | {"integer"}) & ALL_TYPES if "number" in types else frozenset(types) & ALL_TYPES


def _annotations(sources: Position) -> tuple[str, str]:
    def first(keyword: str) -> str:
        certain = (source.node.schema.get(keyword) for source in sources if source.certain)
        return next((text for text in certain if isinstance(text, str)), "")

    return first("title"), first("description")


def _dict_of(schema: Any) -> dict[str, Any]:
    return schema if isinstance(schema, dict) else {}


def _dict(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    return _dict_of(schema.get(keyword))


def _list(schema: dict[str, Any], keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _mentioned(schema: dict[str, Any]) -> Iterator[str]:
    """The names that a schema asks for without describing them."""
    names = [*_list(schema, "required")]
    for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
        for name, needed in _dict(schema, keyword).items():
            names.extend((name, *needed) if isinstance(needed, list) else (name,))
    return (name for name in names if isinstance(name, str))
