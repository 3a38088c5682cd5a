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
        """The sources that have a say on every value of a position that is not null."""
        types = self._scalars(position)[0] - {"null"}
        return tuple(source for source in self.sources(position) if source.on >= types)

    def settled(self, position: Position) -> Position:
        """A position as the one schema that its values have to satisfy where they are not null.

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
                self._references.inside(node, keyword, place) for place in range(len(_list(node.schema, keyword)))
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
        for place in range(len(_list(node.schema, "allOf"))):
            yield Source(inside(node, "allOf", place), source.on)
        for keyword in ("anyOf", "oneOf"):
            branches = [inside(node, keyword, place) for place in range(len(_list(node.schema, keyword)))]
            types = [self.types(branch) for branch in branches]
            for place, branch in enumerate(branches):
                others = MAYBE.union(*types[:place], *types[place + 1 :])
                yield Source(branch, source.on & (types[place] - others))
        for keyword in ("if", "then", "else"):
            if isinstance(node.schema.get(keyword), dict):
                yield Source(inside(node, keyword), MAYBE)
        for keyword in ("dependentSchemas", "dependencies"):
            for name, child in _dict(node.schema, keyword).items():
                if isinstance(child, dict):
                    yield Source(inside(node, keyword, name), MAYBE)

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
        title, description = self._annotations(position)
        items: Position = self._items(sources) if "array" in types else ()
        if "object" not in types:
            return Shape(types, text, items, title=title, description=description)
        tag, branches = self._branches(position)
        fields = () if tag else tuple(self._fields(sources))
        additional = None if tag else self._additional(sources, named=bool(fields))
        return Shape(types, text, items, fields, additional, branches, tag, title, description)

    def _annotations(self, position: Position) -> tuple[str, str]:
        schemas = [source.node.schema for source in self.certain(position)]

        def first(keyword: str) -> str:
            return next((schema[keyword] for schema in schemas if isinstance(schema.get(keyword), str)), "")

        return first("title"), first("description")

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

    def _fields(self, sources: Position) -> Iterator[Field]:
        found: dict[str, list[Source]] = {}
        required: dict[str, bool] = {}
        for source in sources:
            node = source.node
            if self._references.alone(node):
                continue
            certain = "object" in source.on
            for name in _dict(node.schema, "properties"):
                inside = self._references.inside(node, "properties", name)
                found.setdefault(name, []).append(Source(inside, ALL_TYPES if certain else MAYBE))
            for name in _mentioned(node.schema):
                found.setdefault(name, [])
            for name in _list(node.schema, "required"):
                required[name] = required.get(name, False) or certain
        for name, each in found.items():
            position = tuple(each)
            if any(source.certain and source.node.schema is False for source in position):
                continue
            _, description = self._annotations(position)
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
            group = node.location if "object" in source.on and "additionalProperties" in node.schema else ""
            found.extend(Source(self._references.inside(node, *place), MAYBE, group=group) for place in places)
        counted = any(not _COUNTING.isdisjoint(source.node.schema) for source in sources)
        return tuple(found) if found or counted or not named else None

    def _branches(self, position: Position) -> tuple[str, tuple[tuple[str, Position], ...]]:
        """Recognise alternatives that a constant text tells apart; nothing else may be said of the value."""
        if len(position) != 1 or not position[0].certain:
            return "", ()
        node = self.settled(position)[0].node
        keyword = next((word for word in ("oneOf", "anyOf") if _list(_dict_of(node.schema), word)), "")
        if not keyword or set(node.schema) - {keyword, *_ANNOTATIONS}:
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

_SILENT = frozenset((
    "title", "description", "$comment", "examples", "default", "deprecated", "readOnly", "writeOnly",
))  # fmt: skip
"""Keywords that ask nothing of a value."""

_ANNOTATIONS = (
    "title",
    "description",
    "$comment",
    "examples",
    "$schema",
    "$id",
    "id",
    "$defs",
    "definitions",
    "deprecated",
)


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


def telling_keywords(schema: Any) -> list[str]:
    """The keywords of a schema that ask something of a value."""
    return [word for word in _dict_of(schema) if word not in _SILENT and not word.startswith("x-")]


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
