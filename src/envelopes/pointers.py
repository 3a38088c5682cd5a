"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from typing import Any


def resolve_pointer(data: Any, pointer: str | None) -> Any:
    """Return the value at a JSON pointer in a parsed JSON value, or None if there is none."""
    if pointer is None:
        return None
    if isinstance(data, dict) and pointer[1:] in data and pointer.count("/") == 1:
        return data[pointer[1:]]
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(data, dict):
            data = data.get(name)
        elif isinstance(data, list) and name.isdigit() and len(name) < _MAX_INDEX_DIGITS and int(name) < len(data):
            data = data[int(name)]
        else:
            return None
    return data


_MAX_INDEX_DIGITS = 19


def escape(name: str) -> str:
    """Write a field's name as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
