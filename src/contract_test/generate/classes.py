"""From the shapes of a contract to the classes of its module: names, fields and types, still without any text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from contract_test.schema.names import class_identifier, identifier, literal, unused
from contract_test.schema.shape import Field, Shape, Shapes
from contract_test.schema.sources import ALL_TYPES, Position, Source, telling_keywords
from contract_test.schema.walk import References, unescape

MAX_NESTING = 80
MAX_MIXTURES = 50
MAX_FIELDS = 4000
"""Where a module would grow beyond these, the rest of it is `Json`: real contracts stay far below."""


@dataclass(frozen=True)
class Attribute:
    """One field of a class. `type` is Python source made of known names and of literals only."""

    name: str
    json_name: str
    type: str
    required: bool
    default: Any = None
    description: str = ""
    additional: bool = False


@dataclass(frozen=True)
class ValueClass:
    """One class of a module. `place` is where its schema stands (`/pointer` or `URI#pointer`), if at one place."""

    name: str
    base: str
    place: str | None
    attributes: tuple[Attribute, ...]
    nullable: tuple[str, ...] = ()
    title: str = ""
    description: str = ""


def value_classes(resources: Mapping[str, Any], uri: str, name: str, taken: frozenset[str]) -> tuple[ValueClass, ...]:
    """Return the classes that carry a contract's messages, each after those it uses, the message's own last.

    `name` is the message's class, `taken` the names that a class or a field may not have.
    """
    return _Planner(References(resources, uri), taken).plan(name)


_Key = frozenset[tuple[str, frozenset[str]]]


class _Planner:
    def __init__(self, references: References, taken: frozenset[str]) -> None:
        self._references = references
        self._shapes = Shapes(references)
        self._taken = set(taken)
        self._names: dict[_Key, str] = {}
        self._made: list[ValueClass] = []
        self._fields = 0
        self._mixtures: set[_Key] = set()
        self._open: set[_Key] = set()

    def plan(self, name: str) -> tuple[ValueClass, ...]:
        self._taken.add(name)
        root: Position = (Source(self._references.root),)
        shape = self._shapes.shape(root)
        if shape.types == {"object"} and shape.fields:
            self._names[self._key(root)] = name
            self._class(name, shape, place="")
        else:
            attribute = Attribute("root", "root", self._type(root, "Root"), required=True)
            self._made.append(ValueClass(name, "RootValue", "", (attribute,), (), shape.title, shape.description))
        return tuple(self._made)

    def _key(self, position: Position) -> _Key:
        """Positions with the same sources have the same class; a lone `$ref` is the same as what it leads to."""
        sources = self._shapes.sources(position)
        telling = [source for source in sources if set(telling_keywords(source.node.schema)) - {"$ref"}]
        return frozenset((source.node.location, source.on) for source in telling or sources)

    def _class(self, name: str, shape: Shape, place: str | None) -> None:
        self._fields += len(shape.fields)
        attributes: list[Attribute] = []
        nullable = []
        types = [self._type(each.position, each.name) if each.position else "Json" for each in shape.fields]
        names = self._attribute_names(shape.fields)  # after the types, which bring the names of their classes
        for each, annotation, python_name in zip(shape.fields, types, names, strict=True):
            attributes.append(self._attribute(each, python_name, annotation))
            if not each.required and self._may_be_null(each):
                nullable.append(python_name)
        attributes.sort(key=lambda attribute: not attribute.required)
        if shape.additional is not None:
            used = {*self._taken, *names, *(attribute.json_name for attribute in attributes)}
            rest = unused("additional_properties", used)
            values = self._type(shape.additional, f"{name}Value")
            attributes.append(Attribute(rest, rest, f"FrozenMap[str, {values}]", required=False, additional=True))
        base = "ValueObject" if shape.additional is None else "OpenValueObject"
        made = ValueClass(name, base, place, tuple(attributes), tuple(nullable), shape.title, shape.description)
        self._made.append(made)

    def _attribute_names(self, fields: Sequence[Field]) -> list[str]:
        """The fields' names in Python; one that can be kept as it is goes to no other field."""
        used, found = set(self._taken), {}
        for each in sorted(fields, key=lambda each: identifier(each.name, "field") != each.name):
            found[each.name] = unused(_reserve(identifier(each.name, "field"), self._taken), used)
            used.add(found[each.name])
        return [found[each.name] for each in fields]

    def _attribute(self, each: Field, name: str, annotation: str) -> Attribute:
        default = None if each.required else self._default(each, annotation)
        if (
            not each.required
            and default is None
            and annotation not in ("Json", "None")
            and not annotation.endswith(" | None")
        ):
            annotation = f"{annotation} | None"
        return Attribute(name, each.name, annotation, each.required, default, each.description)

    def _default(self, each: Field, annotation: str) -> Any:
        """A schema's default, where it is a plain value of the field's plain type."""
        value = each.default
        kinds = {"str": str, "Boolean": bool, "Integer": int}
        if annotation in kinds and type(value) is kinds[annotation]:
            return value if not isinstance(value, int) or abs(value) < 2**63 else None
        text = self._shapes.shape(each.position).text if each.position else ""
        return value if isinstance(text, tuple) and value in text and annotation.startswith("Literal[") else None

    def _may_be_null(self, each: Field) -> bool:
        return "null" in (self._shapes.shape(each.position).types if each.position else ALL_TYPES)

    def _type(self, position: Position, hint: str) -> str:
        """The annotation for a position, as Python source; its classes are made on the way."""
        types = self._shapes.shape(position).types
        position = self._shapes.settled(position)
        key = self._key(position)
        inside_itself = key in self._open and "array" in types
        large = len(self._open) > MAX_NESTING or self._fields > MAX_FIELDS
        too_much = key in self._open or large or self._too_mixed(position)
        if inside_itself or (too_much and key not in self._names):
            return "Json"  # only classes can name themselves; and any value loses nothing
        self._open.add(key)
        try:
            return self._union(position, types, hint)
        finally:
            self._open.discard(key)

    def _too_mixed(self, position: Position) -> bool:
        """Whether a position adds yet another mixture of schemas; there can be exponentially many of them."""
        if len(position) < 2:  # noqa: PLR2004 - a mixture has two parts
            return False
        self._mixtures.add(self._key(position))
        return len(self._mixtures) > MAX_MIXTURES

    def _union(self, position: Position, types: frozenset[str], hint: str) -> str:
        shape = self._shapes.shape(position)
        unnamed = not (shape.fields or shape.branches or shape.additional)
        if types == ALL_TYPES and unnamed and not shape.items:
            return "Json"
        members: list[str] = []
        if "object" in types:
            members.append(self._object(position, shape, hint))
        if "array" in types:
            members.append(f"tuple[{self._type(shape.items, hint) if shape.items else 'Json'}, ...]")
        if "boolean" in types:
            members.append("Boolean")
        if "number" in types:
            members.append("Number")
        elif "integer" in types:
            members.append("Integer")
        if "string" in types:
            members.append(_text_type(shape.text))
        if "null" in types:
            members.append("None")
        return " | ".join(members) if members else "Json"

    def _object(self, position: Position, shape: Shape, hint: str) -> str:
        if shape.branches:
            if any(
                len({identifier(name, "field") for name in names}) < len(names) for names in self._field_names(shape)
            ):
                return "FrozenMap[str, Json]"
            names = [self._named(branch, self._shapes.shape(branch), f"{hint} {tag}") for tag, branch in shape.branches]
            return f"Annotated[{' | '.join(names)}, Field(discriminator={literal(identifier(shape.tag, 'field'))})]"
        if shape.fields:
            return self._named(position, shape, hint)
        return f"FrozenMap[str, {self._type(shape.additional, hint) if shape.additional else 'Json'}]"

    def _field_names(self, shape: Shape) -> list[list[str]]:
        return [[each.name for each in self._shapes.shape(branch).fields] for _, branch in shape.branches]

    def _named(self, position: Position, shape: Shape, hint: str) -> str:
        key = self._key(position)
        if key in self._names:
            return self._names[key]
        place = self._place(position)
        definition = "" if place is None else _definition(place)
        title = class_identifier(shape.title) if len(shape.title.split()) <= 3 else ""  # noqa: PLR2004 - longer ones are sentences
        wanted = class_identifier(definition) or title or class_identifier(hint) or "Part"
        name = unused(wanted, self._taken, "")
        self._taken.add(name)
        self._names[key] = name
        self._class(name, shape, place)
        return name

    def _place(self, position: Position) -> str | None:
        """Where the schema stands that says everything about a position, if one does."""
        if len(position) != 1 or not position[0].certain:
            return None
        node = self._shapes.settled(position)[0].node
        document, _, pointer = node.location.partition("#")
        return pointer if document == self._references.uri and pointer else node.location


def _text_type(text: str | tuple[str, ...]) -> str:
    if isinstance(text, tuple):
        return f"Literal[{', '.join(map(literal, text))}]" if text else "str"
    return {"date-time": "Timestamp", "date": "Day"}.get(text, "str")


def _definition(place: str) -> str:
    steps = unquote(place).split("/")
    return unescape(steps[-1]) if len(steps) > 1 and steps[-2] in ("$defs", "definitions") else ""


def _reserve(name: str, taken: set[str]) -> str:
    return f"{name}_" if name in taken else name
