"""Equality of JSON values: `1` is `1.0`, and neither is `true`."""

from __future__ import annotations

from typing import Any


def json_equal(one: Any, other: Any) -> bool:
    """Return True if two parsed JSON values are equal."""
    pending = [(one, other)]
    while pending:
        left, right = pending.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pending += [(value, right[name]) for name, value in left.items()]
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pending += zip(left, right, strict=True)
        elif isinstance(left, bool) is not isinstance(right, bool) or left != right:
            return False
    return True
