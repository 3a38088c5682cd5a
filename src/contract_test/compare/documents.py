"""A schema document: read once, with what its references stand for. Nothing is ever fetched."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from referencing import Specification
from referencing.exceptions import Unresolvable
from referencing.jsonschema import (
    DRAFT4,
    DRAFT6,
    DRAFT7,
    DRAFT201909,
    DRAFT202012,
    SchemaRegistry,
    lookup_recursive_ref,
)

from contract_test.compare.dialects import NEWEST, Dialect, dialect_of
from contract_test.compare.equivalents import Equivalents, Targets
from contract_test.schema.bundle import value_at

MAX_DEPTH = 120
MAX_ENUM = 50_000  # values; each one costs microseconds in every step of a comparison
_NESTED_BASES = 3
_SPECIFICATIONS = {4: DRAFT4, 6: DRAFT6, 7: DRAFT7, 19: DRAFT201909, 20: DRAFT202012}
_MOVES_REFERENCES = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$recursiveAnchor")


class UnusableSchemaError(ValueError):
    """A valid schema of which nothing can be proved: its text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a schema stands: what its references are relative to, and the dialect it is written in.

    `resolver` is None inside a plain document, whose references are pointers into itself.
    """

    dialect: Dialect
    resolver: Any = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference stands for. Targets with equal keys mean the same, in whichever document."""

    schema: Any
    place: Place
    key: Hashable


class Document:
    """One side of a comparison.

    `plain` says that no part of it moves references (`$id`, anchors): then equal text means equal schemas. `apart` says
    that the resources of the compared documents differ. They share their `equivalents`: one that is not to `keep` is
    numbered like those that are, and later ones are not numbered like it.
    """

    def __init__(
        self,
        schema: Any,
        side: str,
        resources: Mapping[str, Any],
        equivalents: Equivalents | None = None,
        *,
        keep: bool = True,
        apart: bool = False,
    ) -> None:
        dialect = dialect_of(schema)
        if dialect is None:
            raise UnusableSchemaError(f"the {side} is written in a dialect that is not known: {schema['$schema']}")
        self.schema = schema
        self.side = side
        self.dialect = dialect
        self.resources = resources
        self.uri = str(schema.get(dialect.id_keyword, "")) if isinstance(schema, dict) else ""
        self.plain = True
        self.equivalents = equivalents or Equivalents()
        self._keep = keep
        self.apart = apart
        subschemas = self._survey(schema)
        if self.plain and keep:
            self._refuse_circles(subschemas)

    @cached_property
    def place(self) -> Place:
        """The place of the root."""
        return Place(self.dialect, None if self.plain else self._resolver)

    @cached_property
    def _resolver(self) -> Any:
        registry: SchemaRegistry = SPECIFICATIONS
        for uri, contents in self.resources.items():
            dialect = dialect_of(contents)
            if dialect is not None:
                registry = registry.with_resource(uri, _SPECIFICATIONS[dialect.number].create_resource(contents))
        root = _SPECIFICATIONS[self.dialect.number].create_resource(self.schema)
        # crawled here once: a lookup would crawl anew, because it does not keep what it found
        return registry.with_resource(self.uri.rstrip("#"), root).crawl().resolver(self.uri.rstrip("#"))

    def _survey(self, schema: Any) -> list[dict[str, Any]]:
        """Look through the whole document once, for its depth and for what moves references.

        List its objects.
        """
        todo, seen = [(schema, 0)], []
        while todo:
            value, depth = todo.pop()
            if depth > MAX_DEPTH:
                raise UnusableSchemaError(f"the {self.side} is nested deeper than {MAX_DEPTH} levels")
            if isinstance(value, dict):
                seen.append(value)
                if isinstance(value.get("enum"), list) and len(value["enum"]) > MAX_ENUM:
                    raise UnusableSchemaError(
                        f"an enum of the {self.side} has {len(value['enum']):,} values; "
                        f"at most {MAX_ENUM:,} can be compared in time"
                    )
                if (depth and isinstance(value.get(self.dialect.id_keyword), str)) or any(
                    isinstance(value.get(keyword), (str, bool)) for keyword in _MOVES_REFERENCES
                ):
                    self.plain = False
                ref = value.get("$ref")
                if self.apart and isinstance(ref, str) and self.local(ref) is None:
                    self.plain = False
                if depth and isinstance(value.get("$schema"), str) and dialect_of(value) is not self.dialect:
                    self.plain = False
                todo += [(member, depth + 1) for member in value.values()]
            elif isinstance(value, list):
                todo += [(item, depth + 1) for item in value if isinstance(item, (dict, list))]
        return seen

    def _refuse_circles(self, subschemas: list[dict[str, Any]]) -> None:
        """Raise where a schema applies itself to the same value again.

        It has no meaning, and validators never return.
        """
        done: set[int] = set()
        for start in subschemas:
            trail: list[tuple[int, Iterator[Any]]] = []
            open_now: set[int] = set()
            upcoming: Any = start
            while True:
                if isinstance(upcoming, dict) and id(upcoming) in open_now:
                    raise UnusableSchemaError(f"a reference of the {self.side} leads to itself")
                if isinstance(upcoming, dict) and id(upcoming) not in done:
                    open_now.add(id(upcoming))
                    trail.append((id(upcoming), self._in_place(upcoming)))
                while trail:
                    upcoming = next(trail[-1][1], None)
                    if upcoming is not None:
                        break
                    finished, _ = trail.pop()
                    open_now.discard(finished)
                    done.add(finished)
                if not trail:
                    break

    def _in_place(self, schema: dict[str, Any]) -> Iterator[Any]:
        """The schemas that one schema applies to the same value."""
        known = self.dialect.keywords
        ref = schema.get("$ref")
        if isinstance(ref, str) and (local := self.local(ref)) is not None:
            with suppress(UnusableSchemaError):
                yield self.pointed(local)
            if self.dialect.ref_stands_alone:
                return
        for keyword in (
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "then",
            "else",
            "dependentSchemas",
            "dependencies",
        ):
            part = schema.get(keyword) if keyword in known else None
            if isinstance(part, list):
                yield from part
            elif isinstance(part, dict):
                yield from (part.values() if keyword.startswith("depend") else (part,))

    def target(self, ref: str, place: Place, *, keyword: str = "$ref") -> Target:
        """Return what `ref` stands for at `place`.

        Raises `UnusableSchemaError` where nothing at hand answers to it.
        """
        if place.resolver is None:
            local = self.local(ref)
            if local is not None:
                return Target(self.pointed(local), place, ("text", place.dialect.number, self.fingerprint(local)))
            place = Place(place.dialect, self._resolver)
        resolver = place.resolver
        try:
            if keyword == "$recursiveRef":
                found = lookup_recursive_ref(resolver)
            else:
                found = resolver.lookup(ref)
                # a resolver without a dynamic scope has no public spelling
                static = resolver._registry.resolver(resolver._base_uri)  # noqa: SLF001
                if keyword == "$ref" and found.contents is not static.lookup(ref).contents:
                    raise UnusableSchemaError(f"{ref} of the {self.side} depends on how it was reached")
        except (Unresolvable, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UnusableSchemaError(
                f"{keyword} {ref} of the {self.side} stands for nothing at hand; nothing is fetched"
            ) from error
        dialect = dialect_of(found.contents, place.dialect) or NEWEST
        scope = tuple(dict.fromkeys(uri for uri, _ in found.resolver.dynamic_scope()))
        base = found.resolver._base_uri  # noqa: SLF001 - nor has this
        key = (self.side, id(found.contents), base, scope)
        return Target(found.contents, Place(dialect, found.resolver), key)

    def local(self, ref: str) -> str | None:
        """Return the pointer of a reference into this very document, None for any other."""
        uri, _, fragment = ref.partition("#")
        if uri not in ("", self.uri.rstrip("#")) or (fragment and not fragment.startswith("/")):
            return None
        return unquote(fragment)

    def pointed(self, pointer: str) -> Any:
        """Return what stands at a pointer. Raises `UnusableSchemaError` where nothing does."""
        found = value_at(self.schema, pointer)
        if found is None:
            raise UnusableSchemaError(f"#{pointer} of the {self.side} points to nothing")
        return found

    def fingerprint(self, pointer: str) -> Hashable:
        """Return what a target means, with everything that it refers to; None for what no reference leads to.

        Equal in two documents that share their equivalents if they mean the same.
        """
        return self._numbers.get(pointer)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return self.equivalents.numbers(self, keep=self._keep)

    def targets(self) -> Targets:
        """Return what the references of this document lead to: its text without references, and the references."""
        found: dict[str, tuple[Hashable, tuple[str, ...]]] = {}
        todo = list(self._local_references(self.schema))
        while todo:
            pointer = todo.pop()
            if pointer not in found:
                try:
                    value = self.pointed(pointer)
                except UnusableSchemaError:
                    value = None
                refs = tuple(self._local_references(value))
                found[pointer] = ((self.dialect.number, self._text_of(value)), refs)
                todo += refs
        return found

    def _local_references(self, value: Any) -> Iterator[str]:
        return (local for ref in _references(value) if (local := self.local(ref)) is not None)

    def _text_of(self, value: Any) -> int:
        """The number of a value's text, in which a reference into the document says only that it is one."""

        def without(part: Any) -> Any:
            if isinstance(part, list):
                return [without(item) for item in part]
            if not isinstance(part, dict):
                return part
            made = {name: without(member) for name, member in part.items()}
            if isinstance(part.get("$ref"), str) and self.local(part["$ref"]) is not None:
                made["$ref"] = None
            return made

        return _text_number(json.dumps(without(value), sort_keys=True))

    def in_subschema(self, schema: dict[str, Any], place: Place) -> Place:
        """Return the place inside a subschema, which may have an `$id` and a dialect of its own."""
        if place.resolver is None:
            return place
        dialect = dialect_of(schema, place.dialect)
        if dialect is None:
            raise UnusableSchemaError(f"the {self.side} holds a dialect that is not known: {schema['$schema']}")
        specification: Specification[Any] = _SPECIFICATIONS[dialect.number]
        if not isinstance(schema.get(dialect.id_keyword), str):
            return Place(dialect, place.resolver)
        return Place(dialect, place.resolver.in_subresource(specification.create_resource(schema)))


def reachable(schema: Any, resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return those resources that a schema may refer to, directly or through others."""
    if not resources:
        return {}
    found: dict[str, Any] = {}
    todo = [("", schema)]
    while todo:
        uri, contents = todo.pop()
        bases = {uri}
        for _ in range(_NESTED_BASES):
            bases |= {urljoin(base, value) for base in bases for value in _strings(contents, ("$id", "id"))}
        for ref in _strings(contents, ("$ref", "$dynamicRef", "$schema")):
            for base in bases:
                target = urldefrag(urljoin(base, ref)).url
                if target in resources and target not in found:
                    found[target] = resources[target]
                    todo.append((target, resources[target]))
    return found


def _strings(value: Any, keywords: tuple[str, ...]) -> Iterator[str]:
    """Every string that stands under one of some keywords."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name in keywords and isinstance(member, str):
                yield member
            else:
                yield from _strings(member, keywords)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, keywords)


_TEXTS: dict[str, int] = {}


def _text_number(text: str) -> int:
    """A number that stands for a text: short to compare, and equal only for equal texts."""
    return _TEXTS.setdefault(text, len(_TEXTS))


def _references(value: Any) -> Iterator[str]:
    """Every reference in a value, in an order that depends on its text alone."""
    if isinstance(value, dict):
        for name in sorted(value):
            if name == "$ref" and isinstance(value[name], str):
                yield value[name]
            else:
                yield from _references(value[name])
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
