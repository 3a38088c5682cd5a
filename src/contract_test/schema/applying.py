"""Which fields of a valid message its contract declares, where that depends on the message.

`then`, `else`, `dependentSchemas` and the members of `anyOf` and `oneOf` declare fields only where they apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contract_test.schema.shape import Shapes
from contract_test.schema.sources import MAYBE, Position, Source, dict_in, list_of
from contract_test.schema.walk import Node, escape, subschemas
from envelopes.validation import CompiledSchema, compile_schema


@dataclass(frozen=True)
class _Described:
    """The fields of the objects for which certain schemas have a say, and the rule for all others."""

    named: Mapping[str, Position]
    additional: Position | None


class ApplyingSchemas:
    """Looks at messages with those schemas of a contract that apply to them."""

    def __init__(self, resources: Mapping[str, Any], shapes: Shapes) -> None:
        self._resources, self._shapes = resources, shapes
        self._references = shapes.references
        self._validators: dict[str, CompiledSchema | None] = {}
        self._described: dict[Position, _Described] = {}
        self._conditional: dict[Position, bool] = {}

    @cached_property
    def depend_on_message(self) -> bool:
        """Whether any schema of the contract declares fields only in some messages."""
        return any(
            not _BRANCHING.isdisjoint(node)
            for uri, resource in self._resources.items()
            for _, node, _ in subschemas(resource, uri, self._references.draft)
        )

    @cached_property
    def root(self) -> Position:
        """A whole message."""
        return (Source(self._references.root),)

    def undeclared(self, value: Any, position: Position | None = None, pointer: str = "") -> Iterator[str]:
        """Yield the pointers of all fields in a valid message that no schema that applies to it declares."""
        position = self.root if position is None else tuple(Source(each.node) for each in position)
        if isinstance(value, list):
            items = self._shapes.items(self._applying(position, value))
            for index, item in enumerate(value if items else ()):
                yield from self.undeclared(item, items, f"{pointer}/{index}")
        if not isinstance(value, dict):
            return
        sources = self._applying(position, value)
        described = self._fields(sources)
        if not described.named and described.additional is None:
            return  # no keyword describes its fields: any will do
        for name, member in value.items():
            inner = f"{pointer}/{escape(name)}"
            below = described.named.get(name)
            if not below and (below is None or not self._asks_for(sources, name, value)):
                below = self._shapes.described_by(described.additional, name)
            if below is None:
                yield inner
            elif isinstance(member, dict | list):
                yield from self.undeclared(member, below, inner)

    def _fields(self, sources: Position) -> _Described:
        found = self._described.get(sources)
        if found is None:
            named = {field.name: field.position for field in self._shapes.fields(sources)}
            found = _Described(named, self._shapes.additional(sources, named=self._names_some(sources)))
            self._described[sources] = found
        return found

    def _asks_for(self, sources: Position, name: str, value: dict[str, Any]) -> bool:
        """Return whether an object must have a field that nothing describes."""
        asking = (source for source in sources if source.on and not self._references.alone(source.node))
        schemas = [source.node.schema for source in asking]
        needed = [list_of(schema, "required") for schema in schemas]
        for keyword in ("dependentRequired", "dependencies"):
            for schema in schemas:
                rules = dict_in(schema, keyword)
                needed += [names for at, names in rules.items() if at in value and isinstance(names, list)]
        return any(name in names for names in needed)

    def _names_some(self, sources: Position) -> bool:
        """Return whether these schemas name a field, or would if others of their own branches applied."""
        return any(True for _ in self._shapes.fields(self._shapes.sources(sources)))

    def _applying(self, position: Position, value: Any) -> Position:
        """Return a position with all that has a say on one value of it."""
        sources = self._shapes.sources(position)
        if not self._has_branches(sources):
            return sources
        found: dict[str, Source] = {}
        pending = list(position)
        while pending:
            source = pending.pop(0)
            known = found.get(source.node.location)
            if not isinstance(source.node.schema, dict) or (known and source.on <= known.on):
                continue
            found[source.node.location] = source
            pending += self._beside(source, value)
        return tuple(found.values())

    def _has_branches(self, sources: Position) -> bool:
        known = self._conditional.get(sources)
        if known is None:
            known = any(
                not _BRANCHING.isdisjoint(source.node.schema) and not self._references.alone(source.node)
                for source in sources
            )
            self._conditional[sources] = known
        return known

    def _beside(self, source: Source, value: Any) -> Iterator[Source]:
        """Yield the schemas that one schema applies to the same value; a test in `if` has no say on it."""
        node, schema, inside = source.node, source.node.schema, self._references.inside
        reference = schema.get("$ref")
        target = self._references.follow(node, reference) if isinstance(reference, str) else None
        if target is not None:
            yield Source(target, source.on)
        if self._references.alone(node):
            return
        applied = [inside(node, "allOf", place) for place in range(len(list_of(schema, "allOf")))]
        for keyword in ("anyOf", "oneOf"):
            parts = [inside(node, keyword, place) for place in range(len(list_of(schema, keyword)))]
            applied += [part for part in parts if self._holds(part, value)]
        if isinstance(schema.get("if"), dict | bool):
            tested = inside(node, "if")
            holds = self._holds(tested, value)
            chosen = "then" if holds else "else"
            if holds:
                yield Source(tested, MAYBE)
            if isinstance(schema.get(chosen), dict):
                applied.append(inside(node, chosen))
        for keyword in ("dependentSchemas", "dependencies"):
            for name, child in dict_in(schema, keyword).items():
                if isinstance(child, dict) and isinstance(value, dict) and name in value:
                    applied.append(inside(node, keyword, name))
        yield from (Source(each, source.on) for each in applied)

    def _holds(self, node: Node, value: Any) -> bool:
        """Return whether a schema accepts a value; also where it cannot be compiled by itself."""
        location = node.location
        if location not in self._validators:
            try:
                self._validators[location] = compile_schema(self._resources, location)
            except ValueError:
                self._validators[location] = None
        validator = self._validators[location]
        return validator is None or validator.is_valid(value)


_BRANCHING = frozenset(("anyOf", "oneOf", "if", "dependentSchemas", "dependencies"))
