"""JSON values: their types, and their equality as JSON Schema defines it (1 is 1.0, and 0 is not false)."""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from typing import Any

TYPES = ("null", "boolean", "number", "string", "array", "object")


def type_of(value: Any) -> str:
    """Name the JSON type of a value; an integer is a "number"."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float, Fraction)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def exact(number: float | Fraction) -> Fraction:
    """Read a number as the decimal that its JSON text shows: 0.1 is one tenth."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def plain(number: Fraction) -> int | float:
    """Write an exact number as the JSON number nearest to it."""
    return int(number) if number.denominator == 1 else float(number)


def identity(value: Any) -> Hashable:
    """Map equal JSON values, and only those, to equal keys."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, (int, float, Fraction)):
        return exact(value)
    if isinstance(value, list):
        return ("array", tuple(identity(item) for item in value))
    return ("object", frozenset((name, identity(member)) for name, member in value.items()))
