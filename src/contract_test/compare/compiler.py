# ruff: noqa: SLF001 - the table of keywords names the methods that compile them
"""Schema documents of any dialect become nodes: keyword by keyword, one table row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_test.compare import format_assertion, lookarounds, nodes
from contract_test.compare.automata import no_deadline
from contract_test.compare.declarations import DRAFT_2019, DRAFT_2020, Declarations
from contract_test.compare.documents import Document, Place, UnusableSchemaError
from contract_test.compare.nodes import Node, Pool
from contract_test.compare.unevaluated import Coverage, close_items, close_properties
from contract_test.compare.values import TYPES, exact

_NO_NAMES: frozenset[str] = frozenset()
_DRAFT_6 = 6


class Compiler:
    """Compiles one document into a pool.

    With `assert_formats`, `format` is asserted. With `closed`, an object holds only the properties that
    some part of its schema declares or requires: what a writer sends, as opposed to what its schema admits. A
    schema that declares no property, or has a schema for others, stays as it is. `additionalProperties: true` is
    no promise to send any, unless the writer is `open_where_true`. `in_time` raises an exception after the deadline.
    """

    def __init__(
        self, pool: Pool, document: Document, *, assert_formats: bool, closed: bool = False,
        open_where_true: bool = False, in_time: Callable[[], None] = no_deadline,
    ) -> None:  # fmt: skip
        self.pool = pool
        self.document = document
        self.assert_formats = assert_formats
        self.closed = closed
        self.open_where_true = open_where_true
        self._in_time = in_time
        self._declarations = Declarations(self)
        self._compiled: dict[tuple[int, str], tuple[Any, Node]] = {}
        """By identity of a schema, which is held with its node, and by what it was compiled as."""

    def root(self) -> Node:
        """Return the node of the whole document. What its references lead to is compiled later, without a deadline."""
        node = self.location(self.document.schema, self.document.place)
        self._in_time = no_deadline
        return node

    def location(self, schema: Any, place: Place, *, closed: bool | None = None) -> Node:
        """Return a schema that stands for a value of its own: the root, a property, an item."""
        closed = self.closed if closed is None else closed
        if not closed or not isinstance(schema, dict):
            return self.in_place(schema, place, closed=False)
        return self._once(schema, place, "sent", lambda: self._sent(schema, place))

    def _sent(self, schema: dict[str, Any], place: Place) -> Node:
        """Return the values that a closed writer sends."""
        parts = [self.in_place(schema, place, closed=False), self.in_place(schema, place, closed=True)]
        coverage = self._declarations.of(schema, place)
        if not self.open_where_true:
            coverage = coverage.without_true()
        if coverage.declares_properties:
            parts.append(close_properties(self.pool, coverage.sent(), self.pool.nothing))
        return self.pool.all_of(parts)

    def _once(self, schema: dict[str, Any], place: Place, kind: str, compiled: Callable[[], Node]) -> Node:
        """Return what a subschema was compiled to, or compile it; where references move, each time anew."""
        if place.resolver is not None:
            return compiled()
        known = self._compiled.get((id(schema), kind))
        if known is None:
            known = self._compiled[id(schema), kind] = (schema, compiled())
        return known[1]

    def in_place(self, schema: Any, place: Place, *, closed: bool) -> Node:
        """Return a schema that speaks of the same value as the schema around it."""
        if isinstance(schema, bool):
            return self.pool.anything if schema else self.pool.nothing
        if not isinstance(schema, dict):
            raise UnusableSchemaError(f"a reference of the {self.document.side} leads to what is no schema")
        return self._once(
            schema, place, "closed" if closed else "open", lambda: self._written(schema, place, closed=closed)
        )

    def _written(self, schema: dict[str, Any], place: Place, *, closed: bool) -> Node:
        self._in_time()
        place = self.document.in_subschema(schema, place)
        known = place.dialect.keywords
        if "$ref" in schema and place.dialect.ref_stands_alone:
            return self._ref("$ref", schema, place, closed)
        parts = [
            compile_keyword(self, schema, place, closed)
            for keyword, compile_keyword in _KEYWORDS.items()
            if keyword in schema and keyword in known
        ]
        parts += [
            self._ref(keyword, schema, place, closed)
            for keyword in ("$ref", "$dynamicRef", "$recursiveRef")
            if keyword in schema and keyword in known
        ]
        if place.dialect.number >= DRAFT_2019:
            own = Coverage.of_nothing()
            if "unevaluatedProperties" in schema or "unevaluatedItems" in schema:
                own = self._declarations.without_unevaluated(schema, place, frozenset())
            if "unevaluatedProperties" in schema:
                member = self.location(schema["unevaluatedProperties"], place, closed=closed)
                parts.append(close_properties(self.pool, own, member))
            if "unevaluatedItems" in schema:
                item = self.location(schema["unevaluatedItems"], place, closed=closed)
                parts.append(close_items(self.pool, own, item))
        return self._with_certain(self.pool.all_of(parts))

    def _with_certain(self, whole: Node) -> Node:
        """Say in every alternative what holds for certain: the type, and that a property which tells it apart is there.

        Only then can two of them be seen to exclude each other.
        """
        parts = _conjuncts(whole)
        types = [part for part in parts if isinstance(part, nodes.TypeIs)]
        present = [part for part in parts if isinstance(part, nodes.Has)]
        if not types and not present:
            return whole

        def with_them(option: Node) -> Node:
            declared = {each.name for each in _conjuncts(option) if isinstance(each, nodes.Property)}
            return self.pool.all_of([*types, *(has for has in present if has.name in declared), option])

        return self.pool.all_of(
            [
                self.pool.make(type(part), tuple(with_them(option) for option in part.parts))
                if isinstance(part, (nodes.AnyOf, nodes.OneOf))
                else part
                for part in parts
            ]
        )

    def _ref(self, keyword: str, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        try:
            target = self.document.target(schema[keyword], place, keyword=keyword)
        except UnusableSchemaError as error:
            return self.pool.make(nodes.Unsupported, str(error))

        def compile_target() -> Node:
            try:
                return self.in_place(target.schema, target.place, closed=closed)
            except UnusableSchemaError as error:
                return self.pool.make(nodes.Unsupported, str(error))

        return self.pool.ref((target.key, closed), compile_target)

    def present(self, name: str) -> Node:
        """Return the objects that have a property."""
        return self.pool.all_of([self.pool.make(nodes.TypeIs, frozenset(["object"])), self.pool.make(nodes.Has, name)])

    # One method a keyword, or a few that only make sense together.

    def _type(self, schema: dict[str, Any], place: Place, _closed: bool) -> Node:  # noqa: FBT001
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        pool = self.pool
        if "integer" not in names or "number" in names:
            types = frozenset(names) - {"integer"}
            return pool.anything if types == set(TYPES) else pool.make(nodes.TypeIs, types)
        types = frozenset(names) - {"integer"} | {"number"}
        parts: list[Node] = [pool.make(nodes.TypeIs, types), pool.make(nodes.MultipleOf, exact(1))]
        if place.dialect.number < _DRAFT_6:
            parts.append(pool.make(nodes.WrittenWithoutFraction))
        return pool.all_of(parts)

    def _enum(self, schema: dict[str, Any], _place: Place, _closed: bool) -> Node:  # noqa: FBT001
        return self.pool.values(schema["enum"])

    def _const(self, schema: dict[str, Any], _place: Place, _closed: bool) -> Node:  # noqa: FBT001
        return self.pool.values([schema["const"]])

    def _each(self, keyword: str, schema: dict[str, Any], place: Place, closed: bool) -> list[Node]:  # noqa: FBT001
        return [self.in_place(part, place, closed=closed) for part in schema[keyword]]

    def _all_of(self, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        return self.pool.all_of(self._each("allOf", schema, place, closed))

    def _any_of(self, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        return self.pool.any_of(self._each("anyOf", schema, place, closed))

    def _one_of(self, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        parts = [part for part in self._each("oneOf", schema, place, closed) if part is not self.pool.nothing]
        if len(parts) <= 1:
            return self.pool.any_of(parts)
        return self.pool.make(nodes.OneOf, tuple(parts))

    def _not(self, schema: dict[str, Any], place: Place, _closed: bool) -> Node:  # noqa: FBT001
        return self.pool.negation(self.in_place(schema["not"], place, closed=False))

    def _if(self, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        pool = self.pool
        condition = self.in_place(schema["if"], place, closed=False)
        then = self.in_place(schema.get("then", True), place, closed=closed)
        otherwise = self.in_place(schema.get("else", True), place, closed=closed)
        return pool.all_of([pool.any_of([pool.negation(condition), then]), pool.any_of([condition, otherwise])])

    def _number(self, keyword: str, schema: dict[str, Any], place: Place, _closed: bool) -> Node:  # noqa: FBT001
        kind = nodes.MinNumber if keyword.endswith("inimum") else nodes.MaxNumber
        exclusive = keyword.startswith("exclusive")
        if place.dialect.number < _DRAFT_6:
            exclusive = schema.get("exclusive" + keyword.capitalize()) is True
        return self.pool.make(kind, exact(schema[keyword]), exclusive)

    def _multiple_of(self, schema: dict[str, Any], _place: Place, _closed: bool) -> Node:  # noqa: FBT001
        return self.pool.make(nodes.MultipleOf, exact(schema["multipleOf"]))

    def _count(
        self,
        kind: type[Node],
        keyword: str,
        schema: dict[str, Any],
        _place: Place,
        _closed: bool,  # noqa: FBT001
    ) -> Node:
        count = int(schema[keyword])
        return self.pool.anything if count == 0 and keyword.startswith("min") else self.pool.make(kind, count)

    def _pattern(self, schema: dict[str, Any], _place: Place, _closed: bool) -> Node:  # noqa: FBT001
        return lookarounds.pattern_node(self.pool, schema["pattern"])

    def _format(self, schema: dict[str, Any], _place: Place, _closed: bool) -> Node:  # noqa: FBT001
        name = schema["format"]
        if self.assert_formats and name in format_assertion.ASSERTED:
            return self.pool.make(nodes.Format, name)
        return self.pool.anything

    def _items(self, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        modern = place.dialect.number >= DRAFT_2020
        prefix = schema.get("prefixItems", []) if modern else schema.get("items", [])
        if not isinstance(prefix, list):
            return self._items_from(0, prefix, place, closed)
        parts: list[Node] = [
            self.pool.make(nodes.ItemAt, index, item)
            for index, item in enumerate(self.location(part, place, closed=closed) for part in prefix)
            if item is not self.pool.anything
        ]
        rest = schema.get("items" if modern else "additionalItems", True)
        if modern or "items" in schema:
            parts.append(self._items_from(len(prefix), rest, place, closed))
        return self.pool.all_of(parts)

    def _items_from(self, start: int, schema: Any, place: Place, closed: bool) -> Node:  # noqa: FBT001
        item = self.location(schema, place, closed=closed)
        if item is self.pool.anything:
            return item
        if item is self.pool.nothing:
            return self.pool.make(nodes.MaxItems, start)
        return self.pool.make(nodes.ItemsFrom, start, item)

    def _contains(self, schema: dict[str, Any], place: Place, _closed: bool) -> Node:  # noqa: FBT001
        item = self.location(schema["contains"], place, closed=False)
        counted = place.dialect.number >= DRAFT_2019
        least = int(schema.get("minContains", 1)) if counted else 1
        parts: list[Node] = []
        if least:
            parts.append(self.pool.make(nodes.ContainsAtLeast, item, least))
        if counted and "maxContains" in schema:
            parts.append(self.pool.make(nodes.ContainsAtMost, item, int(schema["maxContains"])))
        return self.pool.all_of(parts)

    def _unique(self, schema: dict[str, Any], _place: Place, _closed: bool) -> Node:  # noqa: FBT001
        return self.pool.make(nodes.UniqueItems) if schema["uniqueItems"] else self.pool.anything

    def _required(self, schema: dict[str, Any], _place: Place, _closed: bool) -> Node:  # noqa: FBT001
        return self._has_all(schema["required"])

    def _has_all(self, names: list[str]) -> Node:
        return self.pool.all_of([self.pool.make(nodes.Has, name) for name in names])

    def _properties(self, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        members = {name: self.location(part, place, closed=closed) for name, part in schema["properties"].items()}
        return self.pool.all_of(
            [
                self.pool.make(nodes.Property, name, member)
                for name, member in members.items()
                if member is not self.pool.anything
            ]
        )

    def _members(
        self, member: Node, matching: str | None = None, names: frozenset[str] = _NO_NAMES,
        patterns: frozenset[str] = _NO_NAMES,
    ) -> Node:  # fmt: skip
        if member is self.pool.anything:
            return member
        wanted = frozenset() if matching is None else frozenset([matching])
        return self.pool.make(nodes.Members, wanted, names, patterns, member)

    def _pattern_properties(self, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        return self.pool.all_of(
            [
                self._members(self.location(part, place, closed=closed), pattern)
                for pattern, part in schema["patternProperties"].items()
            ]
        )

    def _additional(self, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        member = self.location(schema["additionalProperties"], place, closed=closed)
        names, patterns = schema.get("properties", ()), schema.get("patternProperties", ())
        return self._members(member, None, frozenset(names), frozenset(patterns))

    def _names(self, schema: dict[str, Any], place: Place, _closed: bool) -> Node:  # noqa: FBT001
        name = self.location(schema["propertyNames"], place, closed=False)
        return name if name is self.pool.anything else self.pool.make(nodes.NamesAre, name)

    def _dependent(self, keyword: str, schema: dict[str, Any], place: Place, closed: bool) -> Node:  # noqa: FBT001
        parts = []
        for name, asked in schema[keyword].items():
            then = self._has_all(asked) if isinstance(asked, list) else self.in_place(asked, place, closed=closed)
            parts.append(self.pool.any_of([self.pool.negation(self.present(name)), then]))
        return self.pool.all_of(parts)


def _conjuncts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, nodes.AllOf) else (node,)


_Keyword = Callable[[Compiler, dict[str, Any], Place, bool], Node]


def _of(method: Callable[..., Node], *arguments: Any) -> _Keyword:
    """A keyword that shares its method with others."""
    return lambda compiler, schema, place, closed: method(compiler, *arguments, schema, place, closed)


# `items` says what `prefixItems` and `additionalItems` mean, so the three are compiled once, where any of
# them stands.
_KEYWORDS: dict[str, _Keyword] = {
    "type": Compiler._type,
    "enum": Compiler._enum,
    "const": Compiler._const,
    "allOf": Compiler._all_of,
    "anyOf": Compiler._any_of,
    "oneOf": Compiler._one_of,
    "not": Compiler._not,
    "if": Compiler._if,
    "minimum": _of(Compiler._number, "minimum"),
    "maximum": _of(Compiler._number, "maximum"),
    "exclusiveMinimum": _of(Compiler._number, "exclusiveMinimum"),
    "exclusiveMaximum": _of(Compiler._number, "exclusiveMaximum"),
    "multipleOf": Compiler._multiple_of,
    "minLength": _of(Compiler._count, nodes.MinLength, "minLength"),
    "maxLength": _of(Compiler._count, nodes.MaxLength, "maxLength"),
    "pattern": Compiler._pattern,
    "format": Compiler._format,
    "prefixItems": Compiler._items,
    "items": Compiler._items,
    "contains": Compiler._contains,
    "minItems": _of(Compiler._count, nodes.MinItems, "minItems"),
    "maxItems": _of(Compiler._count, nodes.MaxItems, "maxItems"),
    "uniqueItems": Compiler._unique,
    "required": Compiler._required,
    "properties": Compiler._properties,
    "patternProperties": Compiler._pattern_properties,
    "additionalProperties": Compiler._additional,
    "propertyNames": Compiler._names,
    "minProperties": _of(Compiler._count, nodes.MinProperties, "minProperties"),
    "maxProperties": _of(Compiler._count, nodes.MaxProperties, "maxProperties"),
    "dependentRequired": _of(Compiler._dependent, "dependentRequired"),
    "dependentSchemas": _of(Compiler._dependent, "dependentSchemas"),
    "dependencies": _of(Compiler._dependent, "dependencies"),
}
