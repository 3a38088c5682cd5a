"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from typing import Any


def resolve_pointer(data: Any, pointer: str | None) -> Any:
    """Return the value at a JSON pointer (RFC 6901) in a parsed JSON value, or None where there is none."""
    if pointer is None:
        return None
    if isinstance(data, dict) and pointer[1:] in data and pointer.count("/") == 1:
        return data[pointer[1:]]
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(data, dict):
            data = data.get(name)
        elif isinstance(data, list) and name.isdigit() and int(name) < len(data):
            data = data[int(name)]
        else:
            return None
    return data
