"""Holding an actual message against an expected one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from contract_test.data.interaction import Mismatch
from contract_test.schema.walk import escape
from envelopes.validation import excerpt


def mismatches(
    expected: Any, actual: Any, *, volatile: Collection[str] = (), masked: Collection[str] = (), pointer: str = ""
) -> Iterator[Mismatch]:
    """Yield every place where two parsed JSON values differ.

    At `volatile` pointers (`*` for any item) anything that is there will do; at `masked` ones, any value of the type.
    """
    if _is_among(pointer, volatile):
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            place = f"{pointer}/{escape(name)}"
            if name in actual:
                yield from mismatches(value, actual[name], volatile=volatile, masked=masked, pointer=place)
            else:
                yield Mismatch(place, excerpt(value), "nothing", "missing-field")
        for name in actual:
            if name not in expected:
                yield Mismatch(f"{pointer}/{escape(name)}", "nothing", excerpt(actual[name]), "new-field")
    elif isinstance(expected, list) and isinstance(actual, list):
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from mismatches(one, other, volatile=volatile, masked=masked, pointer=f"{pointer}/{index}")
        if len(expected) != len(actual):
            yield Mismatch(pointer, f"an array of {len(expected)}", f"an array of {len(actual)}", "length-changed")
    elif json_type(expected) != json_type(actual):
        yield Mismatch(pointer, excerpt(expected), excerpt(actual), "type-changed")
    elif pointer not in masked and not same(expected, actual):
        yield Mismatch(pointer, excerpt(expected), excerpt(actual), "value-changed")


def _is_among(pointer: str, pointers: Collection[str]) -> bool:
    if pointer in pointers:
        return True
    if not any("*" in each for each in pointers):
        return False
    return "/".join("*" if step.isdigit() else step for step in pointer.split("/")) in pointers


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
