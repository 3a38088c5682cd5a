"""Novelty: which messages show something that those kept before do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contract_test.schema.shape import Position, Shapes
from contract_test.schema.walk import escape

Fingerprint = frozenset[tuple[str, str]]


def fingerprint(value: Any, position: Position, shapes: Shapes) -> Fingerprint:
    """The shape of one message: which fields are there, of which type, with which of the allowed texts."""
    return frozenset(_facts(value, position, shapes, ""))


def _facts(value: Any, position: Position, shapes: Shapes, path: str) -> Iterator[tuple[str, str]]:
    shape = shapes.shape(position)
    if isinstance(value, dict):
        yield path, "object"
        named = {field.name: field.position for field in shape.fields}
        for _, branch in shape.branches:
            named |= {field.name: field.position for field in shapes.shape(branch).fields}
        for name, child in value.items():
            step = escape(name) if name in named else "*"
            yield from _facts(child, named.get(name, shape.additional or ()), shapes, f"{path}/{step}")
    elif isinstance(value, list):
        yield path, "array" if value else "empty array"
        for child in value:
            yield from _facts(child, shape.items, shapes, f"{path}/*")
    elif isinstance(value, str) and isinstance(shape.text, tuple):
        yield path, f"string {value}"
    else:
        yield path, {str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")
