"""What the text of an error may show of a message.

A value is shown if its contract says `x-sensitivity: public` of it. Of any other value, the text has the type and the
length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ._violation_search import Node, root_node, target_of

_ANNOTATION = "x-sensitivity"
_MAX_NODES = 2_000
_OPAQUE = frozenset(("$dynamicRef", "$recursiveRef"))
_ALTERNATIVES = ("anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "dependencies")
_OF_FIELDS = ("additionalProperties", "unevaluatedProperties")
_OF_ITEMS = ("items", "additionalItems", "contains", "unevaluatedItems", "prefixItems")
_NUMBER = re.compile(r"-?[0-9][0-9.eE+-]*…?")
_HEADER_BYTES = re.compile(r"the bytes(?: [0-9a-f]{2})+")
_MANY_BYTES = re.compile(r"(?:[0-9a-f]{2} ){5,}[0-9a-f]{2}")
"""More than a registry's framing has."""


def described(found: str) -> str:
    """Return the type and the length of the value that an excerpt shows. What shows no value stays as it is."""
    if found.startswith('"'):
        try:
            size = len(json.loads(found))
        except ValueError:  # cut
            return "a long text"
        return f"a text of {_counted(size, 'character')}" if size else "an empty text"
    if found.startswith("'"):
        return "a text"
    if _HEADER_BYTES.fullmatch(found):
        return _counted(found.count(" ") - 1, "byte")
    if _MANY_BYTES.fullmatch(found):
        return _counted(found.count(" ") + 1, "byte")
    if _NUMBER.fullmatch(found):
        return f"a number of {_counted(sum(letter.isdigit() for letter in found), 'digit')}"
    return found


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def is_public(resources: Mapping[str, Any], location: str, pointer: str) -> bool:
    """Return True if the schema at a location says `public` of the value at a pointer, and nothing else.

    An annotation on an object or an array holds for what is in it. What only some alternatives say to be public is not
    public. False if finding out takes too long.
    """
    root = root_node(resources, location)
    if root is None:
        return False
    search = _Search(resources)
    applied = search.in_place([_Applied(root)])
    public = _says_public(applied, inherited=False)
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        applied = search.in_place(
            each._replace(node=child) for each in applied for child in search.children(each.node, name)
        )
        public = _says_public(applied, inherited=public)
    return public and not search.is_over


class _Applied(NamedTuple):
    """A schema that applies to a value: always, or as a part of an alternative."""

    node: Node
    alternative: int = 0
    """0 for always."""


def _says_public(applied: list[_Applied], *, inherited: bool) -> bool:
    words: dict[int, set[str]] = {each.alternative: set() for each in applied}
    for each in applied:
        if _ANNOTATION in each.node.schema:
            words[each.alternative].add(str(each.node.schema[_ANNOTATION]))
    if set().union(*words.values()) - {"public"}:
        return False
    always = words.pop(0, set())
    return bool(always) or inherited or (bool(words) and all(words.values()))


class _Search:
    def __init__(self, resources: Mapping[str, Any]) -> None:
        self._resources = resources
        self._looked_at = 0
        self._alternatives = 0
        self.is_over = False
        """True if the budget is spent, or a keyword is not understood: then something may be missing."""

    def in_place(self, applied: Iterable[_Applied]) -> list[_Applied]:
        """Return the schemas that apply to one value: these, and all that they apply to the same value."""
        found: dict[tuple[int, int], _Applied] = {}
        pending = list(applied)
        while pending and not self.is_over:
            each = pending.pop()
            node, alternative = each
            schema = node.schema
            if not isinstance(schema, dict) or (id(schema), alternative) in found:
                continue
            self._looked_at += 1
            self.is_over = self._looked_at > _MAX_NODES or not _OPAQUE.isdisjoint(schema)
            found[id(schema), alternative] = each
            if isinstance(schema.get("$ref"), str):
                target = target_of(self._resources, node)
                self.is_over = self.is_over or target is node
                pending.append(each._replace(node=target))
            pending += (each._replace(node=child) for child in _below(node, "allOf"))
            for keyword in _ALTERNATIVES:
                for child in _below(node, keyword):
                    self._alternatives += 1
                    pending.append(_Applied(child, self._alternatives))
        return list(found.values())

    def children(self, node: Node, name: str) -> Iterator[Node]:
        """Yield the schemas that apply to a field or an item of a value."""
        schema = node.schema
        declared = schema.get("properties")
        is_declared = isinstance(declared, dict) and name in declared
        if is_declared:
            yield node.inside("properties", name)
        for pattern in schema.get("patternProperties") or ():
            try:
                matches = re.search(pattern, name) is not None
            except re.error:
                self.is_over = matches = True
            is_declared = is_declared or matches
            if matches:
                yield node.inside("patternProperties", pattern)
        for keyword in () if is_declared else _OF_FIELDS:
            yield from _below(node, keyword)
        if name.isdigit():
            for keyword in _OF_ITEMS:
                yield from _below(node, keyword, name)


def _below(node: Node, keyword: str, index: str | None = None) -> Iterator[Node]:
    """Yield the schemas under a keyword: one, those of a list or of a map. With an index, only that one of a list."""
    value = node.schema.get(keyword)
    if isinstance(value, list):
        chosen = range(len(value)) if index is None else [int(index)] if int(index) < len(value) else []
        yield from (node.inside(keyword, each) for each in chosen)
    elif isinstance(value, dict) and keyword in ("dependentSchemas", "dependencies"):
        yield from (node.inside(keyword, name) for name in value)
    elif isinstance(value, dict):
        yield node.inside(keyword)
