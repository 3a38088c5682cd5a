"""The fields of a contract by JSON pointer, what it allows of each, and what a message shows of that.

In a pointer `*` stands for any item of an array, and for any name that the contract only describes by a rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from contract_test.schema.applying import ApplyingSchemas
from contract_test.schema.match import json_type
from contract_test.schema.shape import Shape, Shapes
from contract_test.schema.sources import Position, Source
from contract_test.schema.walk import References, escape, unescape
from envelopes.validation import CompiledSchema, compile_schema

State = tuple[str, str]
"""A pointer and what holds there: `present`, `absent`, `null`, `empty`, `type T`, `value V`, `branch B`."""


@dataclass(frozen=True)
class FieldPlace:
    """One field where it stands; the fields of alternatives may share a pointer. `parent` is the pointer above."""

    pointer: str
    position: Position
    required: bool
    parent: str
    name: str | None = None
    """None for an item of an array, and for what has no name of its own."""


class Fields:
    """Reads a contract's fields. `resources` holds the schema at `uri` and every other that it reaches."""

    def __init__(self, resources: Mapping[str, Any], uri: str) -> None:
        references = self._references = References(resources, uri)
        self.resources, self.uri = resources, uri
        self.shapes = Shapes(references)
        self.root: Position = (Source(references.root),)
        self._validators: dict[str, CompiledSchema | None] = {}

    @cached_property
    def places(self) -> tuple[FieldPlace, ...]:
        """Every field, what holds it before what it holds. A schema that comes back to itself is followed once."""
        return tuple(self._below(self.root, "", ()))

    def places_up_to(self, most: int) -> tuple[FieldPlace, ...] | None:
        """Return the same, or None where there are more.

        Schemas that refer to each other in many ways have millions.
        """
        found = tuple(islice(self._below(self.root, "", ()), most + 1))
        return None if len(found) > most else found

    @cached_property
    def pointers(self) -> frozenset[str]:
        """The pointers of all fields."""
        return frozenset(place.pointer for place in self.places)

    @cached_property
    def instants(self) -> frozenset[str]:
        """The pointers of all fields with the format date-time."""
        return frozenset(each.pointer for each in self.places if self.keyword(each.position, "format") == "date-time")

    @cached_property
    def unordered(self) -> frozenset[str]:
        """The pointers of all arrays with unique items, whose order says nothing more than a set's."""
        return frozenset(each.pointer for each in self.places if self.keyword(each.position, "uniqueItems") is True)

    @cached_property
    def states(self) -> tuple[State, ...]:
        """Everything that the contract allows of its fields."""
        found: dict[State, None] = {}
        for state in self._own_states(self.root):
            found["", state] = None
        for place in self.places:
            if place.name is not None:
                found[place.pointer, "present"] = None
                if not place.required:
                    found[place.pointer, "absent"] = None
            for state in self._own_states(place.position):
                found[place.pointer, state] = None
        return tuple(found)

    def shown(self, data: Any) -> AbstractSet[State]:
        """Return which of the states a message shows."""
        shown = set[State]()
        self._looking.look(data, shown)
        return shown & self._all_states

    @cached_property
    def _all_states(self) -> frozenset[State]:
        return frozenset(self.states)

    @cached_property
    def _looking(self) -> _Looking:
        return _Looking(self, self.root, "")

    def undeclared(self, data: Any, *, declared_only: bool = True) -> list[str]:
        """Return the pointers of all fields in a valid message that the contract does not declare.

        A branch (`then`, `anyOf` …) declares fields only in messages to which it applies.
        `additionalProperties: true` declares none, unless `declared_only` is False.
        """
        return list((self._declaring if declared_only else self._sending).undeclared(data))

    @cached_property
    def _declaring(self) -> ApplyingSchemas:
        return ApplyingSchemas(self.resources, Shapes(self._references, declared_only=True))

    @cached_property
    def _sending(self) -> ApplyingSchemas:
        return ApplyingSchemas(self.resources, self.shapes)

    def pointers_of(self, uri: str, inside: str) -> tuple[str, ...]:
        """Return the fields whose values are described by the schema at a JSON pointer in a file."""
        location = f"{uri}#{inside}"
        found = [
            place.pointer
            for place in (FieldPlace("", self.root, required=True, parent=""), *self.places)
            if any(source.node.location == location for source in self.shapes.sources(place.position))
        ]
        return tuple(dict.fromkeys(found))

    def leads_to(self, pointer: str) -> bool:
        """Return whether a message may hold a value at a JSON pointer; `*` stands for any item or name."""
        return bool(self._positions_at(pointer))

    def locations_of(self, pointer: str) -> tuple[str, ...]:
        """Return where the schemas of a field stand, as `URI#pointer`; of what contains it, if it is not declared."""
        while pointer and not self._positions_at(pointer):
            pointer = pointer.rpartition("/")[0]
        sources = (source for at in self._positions_at(pointer) for source in self.shapes.sources(at))
        return tuple(dict.fromkeys(source.node.location for source in sources))

    def _positions_at(self, pointer: str) -> list[Position]:
        positions = [self.root]
        for step in pointer.split("/")[1:]:
            positions = [inner for position in positions for inner in self._at(position, unescape(step))]
        return positions

    def _at(self, position: Position, name: str) -> Iterator[Position]:
        shape = self.shapes.shape(position)
        if "array" in shape.types and (name == "*" or name.isdigit()):
            yield shape.items
        for objects in self._alternatives(shape):
            named = [field.position for field in objects.fields if name in (field.name, "*")]
            yield from named
            if not named and objects.additional is not None:
                yield objects.additional

    def is_valid_at(self, location: str, value: Any) -> bool:
        """Return whether a value is valid under the schema at `URI#pointer`."""
        if location not in self._validators:
            try:
                self._validators[location] = compile_schema(self.resources, location)
            except ValueError:
                self._validators[location] = None
        validator = self._validators[location]
        return validator is not None and validator.is_valid(value)

    def _below(self, position: Position, pointer: str, above: tuple[Position, ...]) -> Iterator[FieldPlace]:
        if position in above:
            return
        above = (*above, position)
        shape = self.shapes.shape(position)
        if shape.items:
            yield FieldPlace(f"{pointer}/*", shape.items, required=False, parent=pointer)
            yield from self._below(shape.items, f"{pointer}/*", above)
        for objects in self._alternatives(shape):
            for field in objects.fields:
                inner = f"{pointer}/{escape(field.name)}"
                yield FieldPlace(inner, field.position, field.required, pointer, field.name)
                yield from self._below(field.position, inner, above)
            if objects.additional is not None:
                yield FieldPlace(f"{pointer}/*", objects.additional, required=False, parent=pointer)
                yield from self._below(objects.additional, f"{pointer}/*", above)

    def _alternatives(self, shape: Shape) -> list[Shape]:
        return [self.shapes.shape(branch) for _, branch in shape.branches] if shape.tag else [shape]

    def _own_states(self, position: Position) -> Iterator[str]:
        shape = self.shapes.shape(position)
        types = shape.types - {"integer"} if "number" in shape.types else shape.types
        others = sorted("number" if name == "integer" else name for name in types - {"null"})
        if "null" in types and others:
            yield "null"
        if ("null" in types and len(others) == 1) or 1 < len(others) < _ANY:
            yield from (f"type {name}" for name in others)
        yield from (f"value {json.dumps(value)}" for value in self.choices(position))
        if shape.tag:
            yield from (f"branch {name}" for name, _ in shape.branches)
        else:
            yield from (f"branch {name}" for name, _ in self.branches(position))
        if "array" in types and not self.keyword(position, "minItems"):
            yield "empty"

    def choices(self, position: Position) -> list[Any]:
        """Return the only values that are allowed, where there are several."""
        shape = self.shapes.shape(position)
        if isinstance(shape.text, tuple):
            return list(shape.text) if len(shape.text) > 1 else []
        for schema in self.schemas(position):
            values = [value for value in schema.get("enum", ()) if isinstance(value, int | float)]
            if len(values) > 1:
                return values
        return []

    def branches(self, position: Position) -> list[tuple[str, str]]:
        """Return alternatives that differ in nothing else: their names, and the pointers of their schemas."""
        found = []
        for source in self.shapes.sources(position):
            for keyword in ("anyOf", "oneOf"):
                branches = source.node.schema.get(keyword)
                if "object" in source.on and isinstance(branches, list):
                    objects = sum(isinstance(each, dict) and "object" in self._types(each) for each in branches)
                    if objects > 1:
                        found += [
                            (f"{keyword}/{index}", f"{source.node.location}/{keyword}/{index}")
                            for index in range(len(branches))
                        ]
        return found

    @staticmethod
    def _types(schema: Mapping[str, Any]) -> list[str]:
        types = schema.get("type", "object")
        return [types] if isinstance(types, str) else types

    def schemas(self, position: Position) -> list[dict[str, Any]]:
        """Return the schemas that always have a say on a value that is not null."""
        return [source.node.schema for source in self.shapes.certain(position)]

    def keyword(self, position: Position, name: str) -> Any:
        """Return the value of a keyword in one of the schemas that always have a say, or None."""
        return next((schema[name] for schema in self.schemas(position) if name in schema), None)

    def chosen(self, value: dict[str, Any], shape: Shape) -> tuple[str, Shape]:
        """Return the alternative that an object's tag names; where there are none, its shape itself."""
        for name, branch in shape.branches:
            inner = self.shapes.shape(branch)
            tag = next((field for field in inner.fields if field.name == shape.tag), None)
            if tag is not None and value.get(shape.tag) in self.shapes.shape(tag.position).text:
                return name, inner
        return "", shape


class _Looking:
    """Looks at the values of one place: what does not hang on the value is looked up once, when one first comes."""

    def __init__(self, fields: Fields, position: Position, pointer: str) -> None:
        self._fields, self._pointer = fields, pointer
        self._shape = fields.shapes.shape(position)
        self._branches = fields.branches(position)
        kinds = {state.partition(" ")[0] for place, state in fields.states if place == pointer}
        self._typed, self._valued = "type" in kinds, "value" in kinds
        self._members: dict[str, _Members] = {}

    @cached_property
    def _items(self) -> _Looking:
        return _Looking(self._fields, self._shape.items, f"{self._pointer}/*")

    def look(self, value: Any, shown: set[State]) -> None:
        """Add what a value shows."""
        if self._typed:
            shown.add((self._pointer, f"type {json_type(value)}"))
        if value is None:
            shown.add((self._pointer, "null"))
        elif self._valued and isinstance(value, str | int | float):
            shown.add((self._pointer, f"value {json.dumps(value)}"))
        for name, location in self._branches:
            if self._fields.is_valid_at(location, value):
                shown.add((self._pointer, f"branch {name}"))
        if isinstance(value, dict):
            branch, shape = self._fields.chosen(value, self._shape)
            if branch:
                shown.add((self._pointer, f"branch {branch}"))
            members = self._members.get(branch)
            if members is None:
                members = self._members[branch] = _Members(self._fields, shape, self._pointer)
            members.look(value, shown)
        elif isinstance(value, list):
            if not value:
                shown.add((self._pointer, "empty"))
            for item in value:
                self._items.look(item, shown)


class _Members:
    """Looks at the members of the objects of one place and alternative."""

    def __init__(self, fields: Fields, shape: Shape, pointer: str) -> None:
        self._fields, self._shape, self._pointer = fields, shape, pointer
        self._named = {field.name: field for field in shape.fields}
        self._states = {
            name: ((inner, "present"), (inner, "absent"))
            for name in self._named
            for inner in [f"{pointer}/{escape(name)}"]
        }
        self._below: dict[str | None, _Looking] = {}

    def look(self, value: dict[str, Any], shown: set[State]) -> None:
        """Add what an object's members show."""
        for name, (present, absent) in self._states.items():
            if name in value:
                shown.add(present)
                self._at(name).look(value[name], shown)
            else:
                shown.add(absent)
        if len(value) > len(self._named) or not value.keys() <= self._named.keys():
            for name, member in value.items():
                if name not in self._named:
                    self._at(None).look(member, shown)

    def _at(self, name: str | None) -> _Looking:
        """What looks at a member; None for one that the contract does not name."""
        looking = self._below.get(name)
        if looking is None:
            position = (self._shape.additional or ()) if name is None else self._named[name].position
            inner = f"{self._pointer}/*" if name is None else f"{self._pointer}/{escape(name)}"
            looking = self._below[name] = _Looking(self._fields, position, inner)
        return looking


_known: dict[int, tuple[Any, Fields]] = {}


def fields_of(resources: Mapping[str, Any], uri: str) -> Fields:
    """Return the fields of a contract, read once."""
    found = _known.get(id(resources))
    if found is None or found[0] is not resources:
        found = _known[id(resources)] = (resources, Fields(resources, uri))
    return found[1]


_ANY = 6
"""As many types as there are, when null and one of the two numbers are not counted: any value."""
