"""Which fields messages have, against which their contract names: a tree that every message walks once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from contract_test.schema.applying import ApplyingSchemas
from contract_test.schema.shape import Shape, Shapes
from contract_test.schema.sources import Position, Source
from contract_test.schema.walk import References, escape, unescape

MAX_FIELDS = 10_000


class FieldEntry:
    """One place in the messages of a contract. In its pointer `*` stands for any item, and for any key of a map."""

    def __init__(
        self, shapes: Shapes, position: Position, pointer: str, above: tuple[tuple[Position, FieldEntry], ...]
    ) -> None:
        self._shapes, self._position, self.pointer = shapes, position, pointer
        self._above = (*above, (position, self))

    def _at(self, position: Position, step: str) -> FieldEntry:
        for known, place in self._above:
            if known == position and position:  # a schema that contains itself has no end of fields: one stands for all
                return place
        return FieldEntry(self._shapes, position, f"{self.pointer}/{step}", self._above)

    @cached_property
    def named(self) -> dict[str, FieldEntry]:
        """The declared fields of an object; of every alternative, where there are some."""
        shape = self._shapes.shape(self._position)
        found: dict[str, Position] = {field.name: field.position for field in shape.fields}
        for _, branch in shape.branches:
            for field in self._shapes.shape(branch).fields:
                found[field.name] = tuple(dict.fromkeys((*found.get(field.name, ()), *field.position)))
        return {name: self._at(position, escape(name)) for name, position in found.items()}

    @cached_property
    def rest(self) -> FieldEntry | None:
        """Fields that only a rule describes; None where there may be no others."""
        declared = [shape.additional for shape in self._alternatives if shape.additional is not None]
        return self._at(tuple(source for rule in declared for source in rule), "*") if declared else None

    def rest_for(self, name: str) -> FieldEntry | None:
        """Return the place of a field that is not named; None where it is undeclared."""
        described = any(self._shapes.rest(shape, name) is not None for shape in self._alternatives)
        return self.rest if described else None

    @cached_property
    def _alternatives(self) -> list[Shape]:
        shape = self._shapes.shape(self._position)
        return [shape, *(self._shapes.shape(branch) for _, branch in shape.branches)]

    @property
    def is_described(self) -> bool:
        """Whether any schema says something of it."""
        return bool(self._position)

    @cached_property
    def item(self) -> FieldEntry:
        """Any item of an array."""
        return self._at(self._shapes.shape(self._position).items, "*")


class FieldInventory:
    """The tree of one contract."""

    def __init__(self, references: References, shapes: Shapes, resources: Mapping[str, Any]) -> None:
        self.root = FieldEntry(shapes, (Source(references.root),), "", ())
        self._applying = ApplyingSchemas(resources, shapes)

    def look(self, value: Any, seen: set[FieldEntry], undeclared: set[tuple[FieldEntry, str]]) -> None:
        """Add the fields of one message to those that were seen, and the names that no contract knows."""
        self._look(value, self.root, seen, undeclared)
        if self._applying.depend_on_message:
            for pointer in self._applying.undeclared(value):
                around, _, name = pointer.rpartition("/")
                entry = self._entry_at(around, value)
                if entry is not None:
                    undeclared.add((entry, unescape(name)))

    def _entry_at(self, pointer: str, value: Any) -> FieldEntry | None:
        """Return the place of a JSON pointer into a message."""
        field: FieldEntry | None = self.root
        for step in pointer.split("/")[1:]:
            if field is None:
                break
            name = unescape(step)
            if isinstance(value, list):
                field, value = field.item, value[int(name)]
            else:
                field, value = field.named.get(name) or field.rest_for(name), value[name]
        return field

    def _look(
        self, value: Any, field: FieldEntry, seen: set[FieldEntry], undeclared: set[tuple[FieldEntry, str]]
    ) -> None:
        kind = value.__class__
        if kind is dict:
            named = field.named
            for name, child in value.items():
                below = named.get(name) or field.rest_for(name)
                if below is None:
                    undeclared.add((field, name))
                    continue
                seen.add(below)
                if child.__class__ is dict or child.__class__ is list:
                    self._look(child, below, seen, undeclared)
        elif kind is list:
            for child in value:
                if child.__class__ is dict or child.__class__ is list:
                    self._look(child, field.item, seen, undeclared)

    def pointer_of(self, pointer: str) -> str:
        """Return a JSON pointer into a message as one into the contract.

        No index, no key of a map, nothing unknown in it.
        """
        field: FieldEntry | None = self.root
        steps = []
        for step in pointer.split("/")[1:]:
            name = unescape(step)
            if field is not None and name in field.named:
                field = field.named[name]
                steps.append(step)
            else:
                field = None if field is None else (field.item if name.isdigit() else field.rest)
                steps.append("*")
        return "".join(f"/{step}" for step in steps)

    def declared(self) -> Iterator[str]:
        """Yield the pointers of all named fields, a field before those inside it."""
        pending, met, count = [self.root], {self.root}, 0
        while pending and count < MAX_FIELDS:
            field = pending.pop()
            if field is not self.root and not field.pointer.endswith("/*"):
                count += 1
                yield field.pointer
            below = [*field.named.values(), *filter(None, [field.rest]), field.item]
            fresh = [each for each in below if each not in met and each.is_described]
            met.update(fresh)
            pending += reversed(fresh)
