"""Paths into parsed documents, and JSON pointers as such paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contract_test.schema.walk import unescape

Path = tuple[str | int, ...]


def value_at(document: Any, path: Sequence[str | int]) -> Any:
    """Return what is at a path."""
    for step in path:
        document = document[step]
    return document


def resolved(document: Any, steps: Sequence[str | int]) -> Path | None:
    """Return a validator's path with keys as they are: it has numbers for keys like "0", and leaves out empty ones."""
    path: list[str | int] = []
    for step in steps:
        while isinstance(document, dict) and str(step) not in document and "" in document:
            path.append("")
            document = document[""]
        path.append(str(step) if isinstance(document, dict) else step)
        try:
            document = document[path[-1]]
        except (LookupError, TypeError):
            return None
    return tuple(path)


def steps_of(document: Any, pointer: str) -> Path:
    """Return a JSON pointer as a path, with numbers for the items of arrays."""
    path: list[str | int] = []
    for step in pointer.split("/")[1:]:
        name: str | int = unescape(step)
        path.append(int(name) if isinstance(document, list) else name)
        document = document[path[-1]]
    return tuple(path)


def alternative_at(document: Any, path: Sequence[str | int]) -> str:
    """Return the constant that tells the innermost alternative around a path from the others, or ""."""
    found = ""
    for end in range(2, len(path) + 1):
        if path[end - 2] in ("oneOf", "anyOf") and isinstance(path[end - 1], int):
            branch = value_at(document, path[:end])
            properties = branch.get("properties", {}) if isinstance(branch, dict) else {}
            constants = [each["const"] for each in properties.values() if isinstance(each, dict) and "const" in each]
            found = next((str(each) for each in constants if isinstance(each, str | int)), found)
    return found
