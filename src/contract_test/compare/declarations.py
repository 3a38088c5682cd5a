"""Which properties and items a schema speaks of: what a closed writer declares, and what `unevaluated…` leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from contract_test.compare.documents import Document, Place, UnusableSchemaError
from contract_test.compare.nodes import Node, Pool
from contract_test.compare.unevaluated import Coverage
from contract_test.schema.keywords import accepts_everything, telling_keywords

DRAFT_2019, DRAFT_2020 = 19, 20
_MAX_STEPS = 24


class Nodes(Protocol):
    """What makes nodes of subschemas, as the conditions of a coverage need it."""

    pool: Pool
    document: Document

    def in_place(self, schema: Any, place: Place, *, closed: bool) -> Node:
        """Return a schema that speaks of the same value as the schema around it."""

    def location(self, schema: Any, place: Place, *, closed: bool | None = None) -> Node:
        """Return a schema that stands for a value of its own."""

    def present(self, name: str) -> Node:
        """Return the objects that have a property."""


class Declarations:
    """Reads the coverage of the schemas of one document."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    def of(self, schema: Any, place: Place, seen: frozenset[int] = frozenset()) -> Coverage:
        """Return which properties and items a schema speaks of, including by its `unevaluated…` keywords."""
        if not isinstance(schema, dict) or id(schema) in seen:
            return Coverage.of_nothing()
        place = self._nodes.document.in_subschema(schema, place)
        found = self.without_unevaluated(schema, place, seen)
        if place.dialect.number >= DRAFT_2019:
            everything = self._nodes.pool.anything
            if "unevaluatedProperties" in schema:
                is_true = self._accepts_everything(schema["unevaluatedProperties"], place)
                found += Coverage.of_properties(everything, everything=True, in_so_many_words=is_true)
            if "unevaluatedItems" in schema:
                found += Coverage.of_items(everything, everything=True)
        return found

    def without_unevaluated(self, schema: dict[str, Any], place: Place, seen: frozenset[int]) -> Coverage:
        """Return the same without the schema's own `unevaluated…` keywords."""
        seen |= {id(schema)}
        found = Coverage.of_nothing()
        known = place.dialect.keywords
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            if keyword in schema and keyword in known:
                target = self._nodes.document.target(schema[keyword], place, keyword=keyword)
                found += self.of(target.schema, target.place, seen)
        if "$ref" in schema and place.dialect.ref_stands_alone:
            return found
        found += self._own_coverage(schema, place)
        for part in schema.get("allOf", ()):
            found += self.of(part, place, seen)
        for keyword in ("anyOf", "oneOf"):
            for part in schema.get(keyword, ()):
                found += self._given(part, self.of(part, place, seen), place)
        if "if" in schema and "if" in known:
            tested = replace(self.of(schema["if"], place, seen), required=())  # a test requires nothing
            found += self._given(schema["if"], tested, place)
            if "then" in schema:
                found += self._given(schema["if"], self.of(schema["then"], place, seen), place)
            if "else" in schema:
                otherwise = self._nodes.pool.negation(self._nodes.in_place(schema["if"], place, closed=False))
                found += self.of(schema["else"], place, seen).given(self._nodes.pool, otherwise)
        for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
            for name, part in schema.get(keyword, {}).items() if keyword in known else ():
                asked = Coverage.of_required(self._nodes.pool.anything, part) if isinstance(part, list) else None
                asked = asked or self.of(part, place, seen)
                found += asked.given(self._nodes.pool, self._nodes.present(name))
        return found

    def _given(self, condition: Any, found: Coverage, place: Place) -> Coverage:
        return found.given(self._nodes.pool, self._nodes.in_place(condition, place, closed=False)) if found else found

    def _own_coverage(self, schema: dict[str, Any], place: Place) -> Coverage:
        always, known = self._nodes.pool.anything, place.dialect.keywords
        found = Coverage.of_nothing()
        names = frozenset(schema.get("properties", ()))
        patterns = frozenset(schema.get("patternProperties", ()))
        if names or patterns or "additionalProperties" in schema:
            everything = "additionalProperties" in schema
            is_true = everything and self._accepts_everything(schema["additionalProperties"], place)
            found += Coverage.of_properties(
                always, names=names, patterns=patterns, everything=everything, in_so_many_words=is_true
            )
        if schema.get("required"):
            found += Coverage.of_required(always, schema["required"])
        items = schema.get("prefixItems" if place.dialect.number >= DRAFT_2020 else "items", ())
        prefix = len(items) if isinstance(items, list) else 0
        rest = "items" if place.dialect.number >= DRAFT_2020 else "additionalItems"
        everything = rest in schema if place.dialect.number >= DRAFT_2020 or prefix else "items" in schema
        if prefix or everything:
            found += Coverage.of_items(always, prefix=prefix, everything=everything)
        if "contains" in schema and "contains" in known and place.dialect.number >= DRAFT_2020:
            found += Coverage.of_items(always, matching=self._nodes.location(schema["contains"], place, closed=False))
        return found

    def _accepts_everything(self, schema: Any, place: Place) -> bool:
        """Return whether a schema is `true`, by another name or by reference."""
        for _ in range(_MAX_STEPS):
            if accepts_everything(schema) or telling_keywords(schema) != ["$ref"]:
                break
            try:
                target = self._nodes.document.target(schema["$ref"], self._nodes.document.in_subschema(schema, place))
            except UnusableSchemaError:
                break
            schema, place = target.schema, target.place
        return accepts_everything(schema)
