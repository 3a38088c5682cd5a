"""Where it depends on undeclared fields whether a message is valid, so that its classes have to keep them.

`{"a": 1, "x": 1}` and `{"a": 1, "x": 2}` are unique items although nothing names `x`. Without `x`, they are not. The
same is true for what `not`, `if`, `contains` and alternatives of a `oneOf` say about the number or the names of fields.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from contract_test.schema.keywords import accepts_everything
from contract_test.schema.sources import dict_in, dict_of, list_of, own_types
from contract_test.schema.walk import Node, References, subschemas

MAX_STEPS = 300_000
"""How many schemas are looked at, each as often as another combination of schemas holds for a value.

Beyond them all classes keep undeclared fields.
"""
_TRIGGERS = frozenset(("uniqueItems", "not", "if", "oneOf", "contains", "minProperties"))
_ABOUT_OTHERS = ("minProperties", "maxProperties", "propertyNames", "patternProperties")
_REST = ("additionalProperties", "unevaluatedProperties")
_ITEMS = ("items", "prefixItems", "additionalItems", "unevaluatedItems")
_CONTAINERS = frozenset(("object", "array"))

_Nodes = tuple[Node, ...]


def keeps_undeclared(references: References, resources: Mapping[str, Any]) -> frozenset[str]:
    """Return the locations of the schemas whose objects keep undeclared fields."""
    schemas = (schema for uri, whole in resources.items() for _, schema, _ in subschemas(whole, uri, references.draft))
    if all(_TRIGGERS.isdisjoint(schema) for schema in schemas):
        return frozenset()
    return _Search(references).below(references.root)


class _Search:
    """Walks all combinations of schemas that hold for a value (`applied`), or are only tried on it (`tested`)."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._kept: set[str] = set()
        self._kept_below: set[str] = set()
        self._known: set[tuple[frozenset[str], frozenset[str]]] = set()
        self._waiting: list[tuple[_Nodes, _Nodes]] = []
        self._overlaps: dict[str, bool] = {}
        self._steps = 0

    def below(self, root: Node) -> frozenset[str]:
        self._wait((root,), ())
        while self._waiting:
            self._visit(*self._waiting.pop())
            if self._steps > MAX_STEPS:
                self._keep_below((root,))
                break
        return frozenset(self._kept)

    def _wait(self, applied: Sequence[Node], tested: Sequence[Node]) -> None:
        key = frozenset(each.location for each in applied), frozenset(each.location for each in tested)
        if applied and key not in self._known:
            self._known.add(key)
            self._waiting.append((tuple(applied), tuple(tested)))

    def _visit(self, applied: _Nodes, tested: _Nodes) -> None:
        applied, tested = self._in_place(applied, tested)
        fields, fields_tested = self._fields(applied), self._fields(tested)
        declared = fields.keys() | fields_tested.keys()
        if any("minProperties" in node.schema for node in applied) or any(_tells(node, declared) for node in tested):
            self._kept.update(node.location for node in applied)
        others = [child for node in applied for child in self._others(node)]
        others_tested = [child for node in tested for child in self._others(node)]
        for name, children in fields.items():
            self._wait([*children, *others], [*fields_tested.pop(name, ()), *others_tested])
        self._wait(others, [*others_tested, *(child for children in fields_tested.values() for child in children)])
        items = [child for node in applied for child in self._items(node)]
        if any(node.schema.get("uniqueItems") is True for node in (*applied, *tested)):
            self._keep_below(items)
        contained = [
            self._references.inside(node, "contains") for node in (*applied, *tested) if "contains" in node.schema
        ]
        self._wait(items, [*(child for node in tested for child in self._items(node)), *contained])

    def _in_place(self, applied: _Nodes, tested: _Nodes) -> tuple[_Nodes, _Nodes]:
        """Return these schemas and all that they apply to the same value."""
        found: tuple[dict[str, Node], dict[str, Node]] = ({}, {})
        pending = [(each, False) for each in applied] + [(each, True) for each in tested]
        while pending:
            node, is_tested = pending.pop()
            if not isinstance(node.schema, dict) or node.location in found[is_tested]:
                continue
            self._steps += 1
            found[is_tested][node.location] = node
            trying = {"not", "if", "oneOf"} if not is_tested and self._overlap(node) else {"not", "if"}
            for keyword, child in self._beside(node):
                if keyword not in ("not", "if"):
                    pending.append((child, is_tested))
                if keyword in trying:
                    pending.append((child, True))
        return tuple(found[False].values()), tuple(found[True].values())

    def _beside(self, node: Node) -> Iterator[tuple[str, Node]]:
        """Yield the schemas that a schema applies to the same value, with the keywords that say so."""
        schema, inside = node.schema, self._references.inside
        target = self._references.follow(node, schema["$ref"]) if isinstance(schema.get("$ref"), str) else None
        if target is not None:
            yield "$ref", target
        if self._references.alone(node):
            return
        dynamic = self._references.dynamic_target(node)
        if dynamic is not None:
            yield "$dynamicRef", dynamic
        for keyword in ("allOf", "anyOf", "oneOf"):
            for place in range(len(list_of(schema, keyword))):
                yield keyword, inside(node, keyword, place)
        for keyword in ("not", "if", "then", "else"):
            if keyword in schema:
                yield keyword, inside(node, keyword)
        for keyword in ("dependentSchemas", "dependencies"):
            for name in dict_in(schema, keyword):
                yield keyword, inside(node, keyword, name)

    def _overlap(self, node: Node) -> bool:
        """Return whether a value may be valid in two alternatives of a `oneOf`: no type and no tag excludes it."""
        known = self._overlaps.get(node.location)
        if known is not None:
            return known
        places = range(len(list_of(node.schema, "oneOf")))
        branches = [self._certain(self._references.inside(node, "oneOf", place)) for place in places]
        branches = [
            parts
            for parts in branches
            if _CONTAINERS & frozenset.intersection(*(own_types(part.schema) for part in parts))
        ]
        tags: dict[str, list[list[Any]]] = {}
        for parts in branches:
            fields = self._fields(parts)
            for name in {
                name
                for part in parts
                for name in list_of(part.schema, "required")
                if isinstance(name, str) and name in fields
            }:
                constants = [value for field in fields[name] for value in _constants(field.schema)]
                if constants:
                    tags.setdefault(name, []).append(constants)
        overlap = len(branches) > 1 and not any(_all_differ(each, len(branches)) for each in tags.values())
        return self._overlaps.setdefault(node.location, overlap)

    def _certain(self, node: Node) -> _Nodes:
        """Return a schema and those that hold wherever it holds."""
        found: dict[str, Node] = {}
        pending = [node]
        while pending:
            each = pending.pop()
            if isinstance(each.schema, dict) and each.location not in found:
                self._steps += 1
                found[each.location] = each
                pending += [child for keyword, child in self._beside(each) if keyword in ("$ref", "allOf")]
        return tuple(found.values()) or (Node({}, node.base, node.location),)

    def _fields(self, nodes: _Nodes) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in nodes:
            for name in dict_in(node.schema, "properties"):
                found.setdefault(name, []).append(self._references.inside(node, "properties", name))
        return found

    def _others(self, node: Node) -> Iterator[Node]:
        for pattern in dict_in(node.schema, "patternProperties"):
            yield self._references.inside(node, "patternProperties", pattern)
        yield from (self._references.inside(node, keyword) for keyword in _REST if keyword in node.schema)

    def _items(self, node: Node) -> Iterator[Node]:
        for keyword in _ITEMS:
            if isinstance(node.schema.get(keyword), list):
                yield from (self._references.inside(node, keyword, place) for place in range(len(node.schema[keyword])))
            elif keyword in node.schema:
                yield self._references.inside(node, keyword)

    def _keep_below(self, nodes: Iterable[Node]) -> None:
        """Keep undeclared fields of these values and of all values inside them."""
        pending = list(nodes)
        while pending:
            node = pending.pop()
            if not isinstance(node.schema, dict) or node.location in self._kept_below:
                continue
            self._kept_below.add(node.location)
            self._kept.add(node.location)
            pending += [child for _, child in self._beside(node)]
            pending += self._others(node)
            pending += self._items(node)
            pending += [child for children in self._fields((node,)).values() for child in children]


def _tells(node: Node, declared: Collection[str]) -> bool:
    """Return whether a schema that is tried on an object may change its mind if undeclared fields are left out."""
    schema = node.schema
    if any(word in schema for word in _ABOUT_OTHERS):
        return True
    if any(word in schema and not accepts_everything(schema[word]) for word in _REST):
        return True
    if any(isinstance(value, dict | list) for value in (*list_of(schema, "enum"), schema.get("const"))):
        return True
    negated = dict_of(schema.get("not"))
    return bool(negated) and any(
        isinstance(name, str) and name not in declared for name in list_of(negated, "required")
    )


def _constants(schema: Any) -> list[Any]:
    schema = dict_of(schema)
    return [schema["const"]] if "const" in schema else list_of(schema, "enum")


def _all_differ(values: list[list[Any]], count: int) -> bool:
    flat = [
        (isinstance(each, bool), each if isinstance(each, str | int | float) else repr(each))
        for listed in values
        for each in listed
    ]
    return len(values) == count and len(set(flat)) == len(flat)
