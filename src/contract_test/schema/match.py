"""Comparing an actual message with an expected one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contract_test.data.interaction import Mismatch
from contract_test.schema.walk import escape
from envelopes.validation import excerpt


@dataclass(frozen=True)
class Tolerance:
    """Which differences are none, by JSON pointers into the expected value, with `*` for any item.

    At `volatile` pointers any value will do, and at `masked` ones any of the same type. At `instants` are times, which
    may be the same instant in another spelling. At `unordered` are arrays whose items may come in any order.
    """

    volatile: Collection[str] = ()
    masked: Collection[str] = ()
    instants: Collection[str] = ()
    unordered: Collection[str] = ()


EXACT = Tolerance()


def mismatches(expected: Any, actual: Any, tolerance: Tolerance = EXACT, pointer: str = "") -> Iterator[Mismatch]:
    """Yield every place where two parsed JSON values differ."""
    if _is_among(pointer, tolerance.volatile):
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            place = f"{pointer}/{escape(name)}"
            if name in actual:
                yield from mismatches(value, actual[name], tolerance, place)
            else:
                yield Mismatch(place, excerpt(value), "nothing", "missing-field")
        for name in actual:
            if name not in expected:
                yield Mismatch(f"{pointer}/{escape(name)}", "nothing", excerpt(actual[name]), "new-field")
    elif isinstance(expected, list) and isinstance(actual, list):
        if expected != actual and _is_among(pointer, tolerance.unordered):
            actual = _aligned(expected, actual, tolerance, pointer)
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from mismatches(one, other, tolerance, f"{pointer}/{index}")
        if len(expected) != len(actual):
            yield Mismatch(pointer, f"an array of {len(expected)}", f"an array of {len(actual)}", "length-changed")
    elif json_type(expected) != json_type(actual):
        yield Mismatch(pointer, excerpt(expected), excerpt(actual), "type-changed")
    elif (
        pointer not in tolerance.masked
        and not same(expected, actual)
        and not (_is_among(pointer, tolerance.instants) and _same_instant(expected, actual))
    ):
        yield Mismatch(pointer, excerpt(expected), excerpt(actual), "value-changed")


def equal(expected: Any, actual: Any, tolerance: Tolerance = EXACT) -> bool:
    """Return whether two parsed JSON values do not differ."""
    return next(mismatches(expected, actual, tolerance), None) is None


def general(pointer: str) -> str:
    """Return a pointer with `*` for each index."""
    return "/".join("*" if step.isdigit() else step for step in pointer.split("/"))


def _is_among(pointer: str, pointers: Collection[str]) -> bool:
    if pointer in pointers:
        return True
    if not any("*" in each for each in pointers):
        return False
    return general(pointer) in pointers


def _aligned(expected: list[Any], actual: list[Any], tolerance: Tolerance, pointer: str) -> list[Any]:
    """Return the actual items in the order of the expected ones that they equal; the others in the places left."""
    rest, found = list(actual), dict[int, Any]()
    for index, item in enumerate(expected):
        for number, other in enumerate(rest):
            if next(mismatches(item, other, tolerance, f"{pointer}/{index}"), None) is None:
                found[index] = rest.pop(number)
                break
    left = iter(rest)
    aligned = [found[index] if index in found else next(left, None) for index in range(min(len(expected), len(actual)))]
    return [*aligned, *left]


def json_type(value: Any) -> str:
    """Return the JSON type of a parsed value."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    named = ((str, "string"), (dict, "object"), (list, "array"))
    return next((name for kind, name in named if isinstance(value, kind)), "number")


def same(one: Any, other: Any) -> bool:
    """Return a value that is equal where JSON Schema says so.

    1 and 1.0 are one number, true is not 1 (draft 2020-12, core, 4.2.2).
    """
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _same_instant(one: Any, other: Any) -> bool:
    """Return whether two texts name one instant: `2026-03-01T12:00:00Z` and `2026-03-01T13:00:00.0+01:00`."""
    try:
        times = [datetime.fromisoformat(_short(text)) for text in (one, other)]
    except (TypeError, ValueError, AttributeError):
        return False
    return all(each.tzinfo is not None for each in times) and times[0] == times[1]


def _short(text: str) -> str:
    """Return a time without zeros at the end of its fraction. Raises ValueError where it is finer than a datetime."""
    head, point, tail = text.partition(".")
    if not point:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    fraction = tail[:digits].rstrip("0")
    if len(fraction) > 6:  # noqa: PLR2004 - microseconds
        raise ValueError
    return f"{head}.{fraction}{tail[digits:]}" if fraction else head + tail[digits:]
