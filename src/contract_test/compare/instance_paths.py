"""Where in a message a validator found an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def with_empty_names(path: Iterable[str | int], message: Any, is_found: Callable[[Any], bool]) -> list[str | int]:
    """Return a path with the empty names in it, which jsonschema-rs leaves out of its paths.

    `is_found` says of a value whether it is the one that the error is about.
    """
    given, value = list(path), message
    found: list[str | int] = []
    for step in given:
        while isinstance(value, dict) and str(step) not in value and "" in value:
            found.append("")
            value = value[""]
        try:
            value = value[int(step)] if isinstance(value, list) else value[str(step)]
        except (KeyError, IndexError, TypeError, ValueError):
            return given
        found.append(step)
    while isinstance(value, dict) and "" in value and not is_found(value):
        found.append("")
        value = value[""]
    return found if is_found(value) else given
