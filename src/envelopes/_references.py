"""Where the references of a contract's schemas lead: base URIs, anchors, and the dynamic scope.

A location is `URI#pointer`, with the URI of a file and a pointer from its root. A scope says where each dynamic anchor
leads that a resource on the way has: the outermost resource decides (draft 2020-12, section 8.2.3.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin

from ._one_document import SCHEMA_KEYWORDS, SCHEMA_LIST_KEYWORDS, SCHEMA_MAP_KEYWORDS
from .pointers import escape, resolve_pointer

DRAFTS = ("draft-04", "draft-06", "draft-07", "2019-09", "2020-12")
REF_ALONE = frozenset(("draft-04", "draft-06", "draft-07"))
"""Drafts in which all keywords beside `$ref` are ignored."""
DYNAMIC_KEYWORDS = ("$dynamicRef", "$recursiveRef")
_RECURSIVE = "$recursiveAnchor"
_NO_ASSERTIONS = frozenset(("$comment", "$defs", "$ref", "$schema", "definitions"))


class Scoped(NamedTuple):
    """A schema's location, and where dynamic anchors lead there."""

    location: str
    scope: frozenset[tuple[str, str]] = frozenset()

    def inside(self, *steps: str) -> Scoped:
        """Return the same scope at a place below."""
        pointer = "".join(f"/{escape(step).replace('%', '%25')}" for step in steps)
        return self._replace(location=self.location + pointer)


class References:
    """The resources among a contract's files: each file, and each schema with an `$id` of its own."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents = documents
        self._roots: dict[str, str] = {}
        self._bases: dict[str, str] = {}
        self._anchors: dict[tuple[str, str], str] = {}
        self._dynamic: dict[str, dict[str, str]] = {}
        self._is_dynamic = False
        for uri, schema in documents.items():
            self._add_resource(f"{uri}#", uri)
            self._read(schema, Scoped(f"{uri}#"), f"{uri}#", uri)

    def schema_at(self, location: str) -> Any:
        """Return the schema at a location."""
        uri, _, pointer = location.partition("#")
        return resolve_pointer(self._documents[uri], unquote(pointer)) if pointer else self._documents[uri]

    def draft_of(self, location: str) -> str:
        """Return the draft that a schema is written in."""
        for root in (self._root_of(location), f"{location.partition('#')[0]}#"):
            schema = self.schema_at(root)
            declared = schema.get("$schema") if isinstance(schema, dict) else None
            if isinstance(declared, str):
                return next((draft for draft in DRAFTS if draft in declared.replace("draft/", "")), DRAFTS[-1])
        return DRAFTS[-1]

    def entered(self, place: Scoped) -> Scoped:
        """Return a place with the dynamic anchors of its own resource in its scope."""
        if not self._is_dynamic:
            return place
        own = self._dynamic[self._root_of(place.location)]
        scope = own | {name: target for name, target in place.scope if name != _RECURSIVE or name in own}
        return place._replace(scope=frozenset(scope.items()))

    def referred(self, place: Scoped, keyword: str, reference: str) -> Scoped:
        """Return where a reference leads that is in the schema at a place."""
        target = self._resolved(place.location, "#" if keyword == "$recursiveRef" else reference)
        if keyword != "$ref":
            fragment = _RECURSIVE if keyword == "$recursiveRef" else reference.partition("#")[2]
            if fragment in self._dynamic[self._root_of(target)]:
                target = dict(place.scope).get(fragment, target)
        return self.entered(place._replace(location=target))

    def target(self, place: Scoped) -> Scoped:
        """Follow a schema that is only a reference to the first one that is more."""
        place, seen = self.entered(place), set[Scoped]()
        while place not in seen:
            seen.add(place)
            schema = self.schema_at(place.location)
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                break
            if self.draft_of(place.location) not in REF_ALONE and schema.keys() - _NO_ASSERTIONS:
                break
            place = self.referred(place, "$ref", schema["$ref"])
        return place

    def _resolved(self, location: str, reference: str) -> str:
        document, _, fragment = reference.partition("#")
        root = self._root_of(location)
        if document:
            root = self._roots.get(document) or self._roots[urljoin(self._bases[root], document)]
        if fragment and not fragment.startswith("/"):
            return self._anchors[root, unquote(fragment)]
        return root + fragment

    def _root_of(self, location: str) -> str:
        """Return the location of the resource that a schema belongs to."""
        while location not in self._bases and not location.endswith("#"):
            location = location.rpartition("/")[0]
        return location

    def _add_resource(self, location: str, base: str) -> None:
        self._roots[base], self._bases[location] = location, base
        self._dynamic.setdefault(location, {})

    def _read(self, schema: Any, place: Scoped, root: str, base: str) -> None:
        """Read `$id`s and anchors of a schema and of those in it."""
        pending = [(schema, place, root, base)]
        while pending:
            schema, place, root, base = pending.pop()
            if not isinstance(schema, dict):
                continue
            identifier = schema.get("$id")
            if isinstance(identifier, str) and identifier.startswith("#"):
                self._anchors[root, identifier[1:]] = place.location
            elif isinstance(identifier, str):
                root, base = place.location, urljoin(base, identifier).rstrip("#")
                self._add_resource(root, base)
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(schema.get(keyword), str):
                    self._anchors[root, schema[keyword]] = place.location
            if isinstance(schema.get("$dynamicAnchor"), str):
                self._dynamic[root][schema["$dynamicAnchor"]] = place.location
            if schema.get(_RECURSIVE) is True and place.location == root:
                self._dynamic[root][_RECURSIVE] = root
            self._is_dynamic = self._is_dynamic or any(isinstance(schema.get(each), str) for each in DYNAMIC_KEYWORDS)
            pending += [(child, below, root, base) for child, below in _children(schema, place)]


def _children(schema: dict[str, Any], place: Scoped) -> Iterator[tuple[Any, Scoped]]:
    for keyword, value in schema.items():
        if keyword in SCHEMA_MAP_KEYWORDS and isinstance(value, dict):
            yield from ((child, place.inside(keyword, name)) for name, child in value.items())
        elif keyword in SCHEMA_LIST_KEYWORDS and isinstance(value, list):
            yield from ((child, place.inside(keyword, str(index))) for index, child in enumerate(value))
        elif keyword in SCHEMA_KEYWORDS:
            yield value, place.inside(keyword)
