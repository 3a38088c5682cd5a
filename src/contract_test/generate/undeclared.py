"""Where it depends on undeclared fields whether a message is valid, so that its classes have to keep them.

`{"a": 1, "x": 1}` and `{"a": 1, "x": 2}` are unique items although nothing names `x`. Without `x`, they are not. The
same is true for what `not`, `if`, `contains` and alternatives of a `oneOf` say about the number or the names of fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from contract_test.schema.keywords import accepts_everything, telling_keywords
from contract_test.schema.sources import dict_in, dict_of, list_of, own_types
from contract_test.schema.walk import Node, References, subschemas

MAX_STEPS = 300_000
"""How many schemas are looked at, each as often as another combination of schemas holds for a value.

Beyond them all classes keep undeclared fields.
"""
_TRIGGERS = frozenset(("uniqueItems", "not", "if", "oneOf", "contains", "minProperties"))
_PATTERNS = "patternProperties"
_ABOUT_OTHERS = ("minProperties", "maxProperties", "propertyNames", _PATTERNS)
_REST = ("additionalProperties", "unevaluatedProperties")
_ITEMS = ("items", "prefixItems", "additionalItems", "unevaluatedItems")
_CONTAINERS = frozenset(("object", "array"))

_APPLIED, _TRIED, _TESTED = range(3)

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
        applied, tried, tested = self._in_place(applied, tested)
        every = (*applied, *tried, *tested)
        fields, others, items = self._fields(applied), self._others(applied), self._items(applied)
        inner = self._fields((*tried, *tested))
        inner_others, inner_items = self._others((*tried, *tested)), self._items((*tried, *tested))
        known = {name for node in (*applied, *tried) for name in _names(node.schema)}
        if (
            any("minProperties" in node.schema for node in applied)
            or any(_counts_fields(node) for node in (*tried, *tested))
            or any(not known.issuperset(_names(node.schema)) for node in tested)
        ):
            self._kept.update(node.location for node in applied)
        if any(map(_has_container, (*tried, *tested))):
            self._keep_below(applied)
        if any(node.schema.get("uniqueItems") is True for node in every):
            self._keep_below(items)
        for name, children in fields.items():
            self._wait([*children, *others], [*inner.pop(name, ()), *inner_others])
        self._wait(others, [*inner_others, *(child for children in inner.values() for child in children)])
        contained = [self._references.inside(node, "contains") for node in every if "contains" in node.schema]
        self._wait(items, [*inner_items, *contained])

    def _in_place(self, applied: _Nodes, tested: _Nodes) -> tuple[_Nodes, _Nodes, _Nodes]:
        """Return these schemas and all that they apply to the same value: in `applied`, `tried` and `tested` ones.

        An `if` or a `oneOf` of applied schemas is tried. The class has the fields that these name, and no others do.
        """
        found: tuple[dict[str, Node], ...] = ({}, {}, {})
        pending = [(each, _APPLIED) for each in applied] + [(each, _TESTED) for each in tested]
        while pending:
            node, how = pending.pop()
            if not isinstance(node.schema, dict) or node.location in found[how]:
                continue
            self._steps += 1
            found[how][node.location] = node
            is_overlapping = how == _APPLIED and self._overlap(node)
            for keyword, child in self._beside(node):
                if keyword == "not":
                    if how != _APPLIED or not _only_forbids_fields(child.schema):
                        pending.append((child, _TESTED))
                elif keyword == "if":
                    pending.append((child, max(how, _TRIED)))
                else:
                    pending.append((child, how))
                    if keyword == "oneOf" and is_overlapping:
                        pending.append((child, _TRIED))
        return tuple(found[_APPLIED].values()), tuple(found[_TRIED].values()), tuple(found[_TESTED].values())

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

    def _others(self, nodes: _Nodes) -> list[Node]:
        inside = self._references.inside
        patterns = [inside(node, _PATTERNS, name) for node in nodes for name in dict_in(node.schema, _PATTERNS)]
        return patterns + [inside(node, keyword) for node in nodes for keyword in _REST if keyword in node.schema]

    def _items(self, nodes: _Nodes) -> list[Node]:
        found: list[Node] = []
        for node, keyword in product(nodes, _ITEMS):
            if isinstance(node.schema.get(keyword), list):
                places = range(len(node.schema[keyword]))
                found += [self._references.inside(node, keyword, place) for place in places]
            elif keyword in node.schema:
                found.append(self._references.inside(node, keyword))
        return found

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
            pending += self._others((node,)) + self._items((node,))
            pending += [child for children in self._fields((node,)).values() for child in children]


def _counts_fields(node: Node) -> bool:
    """Return whether a schema says something about all fields of an object, also about those that it does not name."""
    schema = node.schema
    rest = (word for word in _REST if word in schema)
    return any(word in schema for word in _ABOUT_OTHERS) or not all(accepts_everything(schema[word]) for word in rest)


def _has_container(node: Node) -> bool:
    """Return whether a schema lists objects or arrays, which are equal to others only with all of their fields."""
    return any(isinstance(value, dict | list) for value in (*list_of(node.schema, "enum"), node.schema.get("const")))


def _only_forbids_fields(schema: Any) -> bool:
    """Return whether `not` with this schema only says which fields must not be there together."""
    return isinstance(schema, dict) and set(telling_keywords(schema)) == {"required"}


def _names(schema: dict[str, Any]) -> set[str]:
    """Return the names of fields that a schema says something about."""
    found = {*dict_in(schema, "properties"), *filter(_is_text, list_of(schema, "required"))}
    for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
        for name, needed in dict_in(schema, keyword).items():
            found |= {name, *filter(_is_text, needed if isinstance(needed, list) else ())}
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


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
