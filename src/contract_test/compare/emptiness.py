"""Where a closed writer can send nothing at all: what holds of such a place, holds of no message.

A writer that declares too little for its own `minProperties`, or whose `enum` and `type` contradict each other, makes
every comparison come out well. A value inside that is forbidden in so many words (`false`, `not: {}`) is meant: the
message can be sent without it. A contract of nothing but that lets no message be sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contract_test.compare.compiler import Compiler
from contract_test.compare.dialects import dialect_of
from contract_test.compare.differences import Spot
from contract_test.compare.documents import Document, UnusableSchemaError
from contract_test.compare.nodes import Pool
from contract_test.compare.places import Places
from contract_test.compare.solver import OutOfTimeError, Solver

_INSIDE = ("items", "additionalItems", "additionalProperties", "contains", "unevaluatedItems", "unevaluatedProperties")
_NAMED_INSIDE = ("properties", "patternProperties")
_BESIDE = ("then", "else")
_NAMED_BESIDE = ("dependentSchemas", "dependencies")
_LISTS = {"allOf": False, "anyOf": False, "oneOf": False, "prefixItems": True, "items": True}
_MAX_PLACES = 2000


def empty_places(schema: Any, resources: Mapping[str, Any], budget: float) -> list[str]:
    """Return the JSON pointers of the subschemas that accept nothing that a closed writer sends."""
    if dialect_of(schema) is None:
        return []
    deadline = time.thread_time() + budget
    try:
        document = Document(schema, "writer", resources)
        pool = Pool()
        solver = Solver(pool, deadline)
        compiler = Compiler(pool, document, assert_formats=True, closed=True, in_time=solver.in_time)
        return [spot.pointer for spot in Values(document).all() if sends_nothing(spot, compiler, solver)]
    except (UnusableSchemaError, OutOfTimeError, RecursionError, ValueError):
        return []


def sends_nothing(spot: Spot, compiler: Compiler, solver: Solver) -> bool:
    """Return True if it is proved that a writer can send no value for a subschema, and that is not what it is for."""
    if spot.pointer and (not isinstance(spot.schema, dict) or spot.schema.get("not", None) in ({}, True)):
        return False
    return solver.search([(compiler.location(spot.schema, spot.place), True)]).is_empty


class Values:
    """The subschemas of a document that stand for a value of its own: the root, properties, items.

    Each is there once, with what leads to it.
    """

    def __init__(self, document: Document) -> None:
        self._places = Places(document)
        self._above: dict[str, set[str]] = {}
        self._found: dict[str, tuple[Spot, bool]] = {}
        todo = [(Spot(document.schema, "", (), document.place), True, "")]
        while todo and len(self._found) < _MAX_PLACES:
            spot, is_value, above = todo.pop(0)
            pointer = spot.pointer
            self._above.setdefault(pointer, set()).add(above)
            known = self._found.get(pointer)
            if known is None or (is_value and not known[1]):
                self._found[pointer] = (spot, is_value)
            if known is None:
                todo += [(inner, inner_is_value, pointer) for inner, inner_is_value in self._inside(spot)]

    def all(self) -> list[Spot]:
        """Return every one of them."""
        return [spot for spot, is_value in self._found.values() if is_value]

    def around(self, pointers: Iterable[str]) -> list[Spot]:
        """Return those in which one of these places is, directly or by reference."""
        todo = [max((known for known in self._found if _is_inside(pointer, known)), key=len) for pointer in pointers]
        seen: set[str] = set()
        while todo:
            pointer = todo.pop()
            if pointer not in seen:
                seen.add(pointer)
                todo += self._above.get(pointer, ())
        return [spot for pointer, (spot, is_value) in self._found.items() if is_value and pointer in seen]

    def _inside(self, spot: Spot) -> Iterator[tuple[Spot, bool]]:
        schema = spot.schema
        if not isinstance(schema, dict):
            return
        if isinstance(schema.get("$ref"), str):
            target = self._places.target(spot)
            if target is not None:
                yield target, False
            if spot.place.dialect.ref_stands_alone:
                return
        for keyword in spot.place.dialect.keywords & schema.keys():
            value = schema[keyword]
            if keyword in (*_INSIDE, *_BESIDE) and isinstance(value, dict):
                yield spot.inside(keyword), keyword in _INSIDE
            elif keyword in (*_NAMED_INSIDE, *_NAMED_BESIDE) and isinstance(value, dict):
                for name, member in value.items():
                    if isinstance(member, dict):
                        yield spot.inside(keyword, name), keyword in _NAMED_INSIDE
            elif keyword in _LISTS and isinstance(value, list):
                for at, item in enumerate(value):
                    if isinstance(item, dict):
                        yield spot.inside(keyword, at), _LISTS[keyword]


def _is_inside(pointer: str, around: str) -> bool:
    return not around or pointer == around or pointer.startswith((f"{around}/", f"{around}#"))
