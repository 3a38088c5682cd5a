"""Scrubbing: free text leaves a message before it is kept, and the message stays valid.

A string is kept only where the contract says that it carries no person: `x-sensitivity: public`, an enum, a constant, a
time. Every other one becomes a keyed pseudonym (HMAC-SHA-256, RFC 2104) of the same length and the same kinds of
characters: the same text is the same pseudonym in every message, so who is who can still be seen.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from typing import Any

from contract_test.schema.shape import Position, Shapes
from contract_test.schema.walk import escape

_KEPT_FORMATS = frozenset(("date-time", "date", "time", "duration"))
_PREFIX = re.compile(r"[A-Za-z]{1,3}(?=[-_:])")
_HEXADECIMAL = re.compile(r"[0-9a-f-]{32,36}|[0-9A-F-]{32,36}")


def scrub(value: Any, position: Position, shapes: Shapes, key: bytes, pointer: str = "") -> tuple[Any, tuple[str, ...]]:
    """Replace what may not be kept in a parsed JSON value; gives the new value and the pointers that were masked."""
    if isinstance(value, str):
        return (value, ()) if _may_keep(value, position, shapes) else (pseudonym(value, key), (pointer,))
    masked: list[str] = []
    if isinstance(value, dict):
        made: dict[str, Any] = {}
        for name, child in value.items():
            made[name], found = scrub(child, _child(position, name, shapes), shapes, key, f"{pointer}/{escape(name)}")
            masked += found
        return made, tuple(masked)
    if isinstance(value, list):
        items = []
        for index, child in enumerate(value):
            item, found = scrub(child, shapes.shape(position).items, shapes, key, f"{pointer}/{index}")
            items.append(item)
            masked += found
        return items, tuple(masked)
    return value, ()


def pseudonym(text: str, key: bytes) -> str:
    """The stand-in for a text: letters for letters, digits for digits, the rest and a prefix like `m-` stay."""
    stream = _stream(text, key)
    if _HEXADECIMAL.fullmatch(text):
        digits = "0123456789ABCDEF" if text.isupper() else "0123456789abcdef"
        return "".join(digits[next(stream) % 16] if letter != "-" else letter for letter in text)
    prefix = _PREFIX.match(text)
    start = prefix.end() if prefix else 0
    return text[:start] + "".join(_stand_in(letter, next(stream)) for letter in text[start:])


def _stand_in(letter: str, number: int) -> str:
    if letter in "0123456789":
        return "123456789"[number % 9]
    if letter.isupper():
        return chr(ord("A") + number % 26)
    return chr(ord("a") + number % 26) if letter.isalpha() else letter


def _stream(text: str, key: bytes) -> Iterator[int]:
    block = 0
    while True:
        yield from hmac.digest(key, block.to_bytes(4, "big") + text.encode(), "sha256")
        block += 1


def _may_keep(value: str, position: Position, shapes: Shapes) -> bool:
    schemas = [source.node.schema for source in shapes.sources(position)]
    said = [schema["x-sensitivity"] for schema in schemas if isinstance(schema.get("x-sensitivity"), str)]
    if said:
        return all(word == "public" for word in said)
    return any(
        value in (schema.get("enum") or ()) or schema.get("const") == value or schema.get("format") in _KEPT_FORMATS
        for schema in schemas
    )


def _child(position: Position, name: str, shapes: Shapes) -> Position:
    shape = shapes.shape(position)
    for field in shape.fields:
        if field.name == name:
            return field.position
    for _, branch in shape.branches:
        found = _child(branch, name, shapes)
        if found:
            return found
    return shape.additional or ()
