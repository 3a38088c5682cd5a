"""The shapes of messages: what a message shows, as facts.

A fact is one thing at one place: a field that is there or absent, a type, a null, how many items, an alternative, an
enum's value, a length or a number at its bound. The shape of a message is all its facts.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import jsonschema_rs

from contract_test.schema.shape import Shapes
from contract_test.schema.sources import MAYBE, Position, Source, dict_in, dict_of
from contract_test.schema.walk import escape

Shape = int
"""A set of facts: each is one bit."""


class MessageShapes:
    """Computes the shapes of one contract's messages. Shapes of two MessageShapes objects cannot be compared."""

    def __init__(self, shapes: Shapes, root: Position) -> None:
        self.shapes = shapes
        self._bits: dict[Hashable, int] = {}
        self._shape = self.reader(root, "", ())

    def of(self, data: Any, form: Hashable = ()) -> Shape:
        """Return the shape of a message's data.

        `form` is added to the shape, such as how a message was wrapped.
        """
        return self._shape(data) | self.bit(("", form))

    def bit(self, fact: Hashable) -> int:
        """Return the bit that stands for a fact."""
        known = self._bits.get(fact)
        if known is None:
            known = self._bits[fact] = 1 << len(self._bits)
        return known

    def reader(self, position: Position, path: str, above: tuple[tuple[Position, _Reader], ...]) -> _Reader:
        """Return what reads the facts at one place; `above` are those around it."""
        for known, reader in above:
            if known == position and position:  # a schema inside itself: its facts are the same at any depth
                return reader
        return _Reader(self, position, path, above)


class _Reader:
    """Reads the facts at one place."""

    def __init__(
        self, owner: MessageShapes, position: Position, path: str, above: tuple[tuple[Position, _Reader], ...]
    ) -> None:
        self._owner, self._path = owner, path
        self._above = (*above, (position, self))
        self._position = position
        self._schemas: list[dict[str, Any]] | None = None

    def __call__(self, value: Any) -> int:
        if self._schemas is None:
            self._open()
        kind = value.__class__
        if kind is dict:
            return self._object(value)
        if kind is list:
            return self._array(value)
        if kind is str:
            if value in self._texts:
                return self._owner.bit((self._path, "text", value))
            size = len(value)
            return self._sizes.get(size, self._string)
        if kind is bool or value is None:
            return self._owner.bit((self._path, value))
        return self._number(value)

    def _open(self) -> None:
        """Read the schema; only when a value comes by, because a schema may contain itself."""
        owner, path = self._owner, self._path
        shapes = owner.shapes
        self._schemas = [source.node.schema for source in shapes.sources(self._position)]
        shape = shapes.shape(self._position)
        constants = [text for each in self._schemas for text in (*_list(each.get("enum")), each.get("const"))]
        self._texts = frozenset(text for text in constants if isinstance(text, str))
        self._string, self._object_bit = owner.bit((path, "string")), owner.bit((path, "object"))
        bounds = {size for each in self._schemas for word in ("minLength", "maxLength") if (size := each.get(word))}
        self._sizes = {size: owner.bit((path, "length", size)) for size in (0, *bounds)}
        self._counts = {
            count for each in self._schemas for word in ("minItems", "maxItems") if (count := each.get(word))
        }
        self._bounds = [value for each in self._schemas for value in (each.get("minimum"), each.get("maximum"))]
        self._tag = shape.tag
        tagged = [{field.name: field.position for field in shapes.shape(each).fields} for _, each in shape.branches]
        self._fields = self._readers({field.name: field.position for field in shape.fields}, "")
        self._branches = {
            text: self._readers(fields, f"<{text}>")
            for fields in tagged
            for source in shapes.sources(fields[self._tag])
            for text in (*_list(source.node.schema.get("enum")), source.node.schema.get("const"))
            if isinstance(text, str)
        }
        self._name_patterns = [
            (
                jsonschema_rs.validator_for({"pattern": pattern}),
                Source(shapes.references.inside(source.node, "patternProperties", pattern), MAYBE),
            )
            for source in shapes.sources(self._position)
            for pattern in dict_in(dict_of(source.node.schema), "patternProperties")
        ]
        described = {source.node.location for _, source in self._name_patterns}
        rest = tuple(source for source in shape.additional or () if source.node.location not in described)
        self._rest: dict[Position, _Reader] = {(): owner.reader(rest, f"{path}/*", self._above)}
        self._item = owner.reader(shape.items, f"{path}/*", self._above)

    def _readers(self, fields: dict[str, Position], branch: str) -> dict[str, tuple[_Reader, int]]:
        return {
            name: (
                self._owner.reader(position, f"{self._path}{branch}/{escape(name)}", self._above),
                self._owner.bit((self._path, branch, "absent", name)),
            )
            for name, position in fields.items()
        }

    def _object(self, value: dict[str, Any]) -> int:
        facts = self._object_bit
        fields = self._branches.get(value.get(self._tag, ""), self._fields) if self._branches else self._fields
        named = 0
        for name, (reader, absent) in fields.items():
            if name in value:
                named += 1
                facts |= reader(value[name])
            else:
                facts |= absent
        if named < len(value):
            for name, child in value.items():
                if name not in fields:
                    facts |= self._undeclared(name)(child)
        return facts

    def _undeclared(self, name: str) -> _Reader:
        """Return the reader of a field that only a pattern, or `additionalProperties`, describes."""
        matching = tuple(source for validator, source in self._name_patterns if validator.is_valid(name))
        if matching not in self._rest:
            self._rest[matching] = self._owner.reader(matching, f"{self._path}/*", self._above)
        return self._rest[matching]

    def _array(self, value: list[Any]) -> int:
        count = len(value)
        many = count if count in self._counts or count < 2 else "many"  # noqa: PLR2004 - none, one, many
        facts = self._owner.bit((self._path, "items", many))
        for child in value:
            facts |= self._item(child)
        return facts

    def _number(self, value: Any) -> int:
        if value in self._bounds:
            return self._owner.bit((self._path, "at", str(value)))
        kind = "whole" if isinstance(value, int) else "fraction"
        return self._owner.bit((self._path, kind, (value > 0) - (value < 0)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
