"""Changes of a message at JSON pointers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contract_test.schema.walk import escape, unescape


@dataclass(frozen=True)
class Edit:
    """One change of a message at a JSON pointer; without `value`, the field is taken away."""

    pointer: str
    what: str
    value: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.pointer or '/'} {self.what}"


def value_at(data: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer that leads somewhere."""
    for step in pointer.split("/")[1:]:
        data = data[int(step)] if isinstance(data, list) else data[unescape(step)]
    return data


def located(data: Any, pattern: str) -> Iterator[str]:
    """Yield every pointer in a message that a pattern with `*` leads to."""

    def below(value: Any, steps: Sequence[str], pointer: str) -> Iterator[str]:
        if not steps:
            yield pointer
            return
        name = unescape(steps[0])
        if isinstance(value, dict) and name in value:
            yield from below(value[name], steps[1:], f"{pointer}/{steps[0]}")
        elif steps[0] == "*" and isinstance(value, dict | list):
            members = value.items() if isinstance(value, dict) else enumerate(value)
            for key, member in members:
                yield from below(member, steps[1:], f"{pointer}/{escape(str(key))}")

    return below(data, pattern.split("/")[1:], "")


def edited(data: Any, edit: Edit) -> Any:
    """Return a copy of a message with one change; unchanged where the change has no place in it."""
    steps = edit.pointer.split("/")[1:]
    if not steps:
        return edit.value[0] if edit.value else data

    def change(value: Any, depth: int) -> Any:
        last = depth == len(steps) - 1
        if isinstance(value, dict):
            name = unescape(steps[depth])
            if last and not edit.value:
                return {key: member for key, member in value.items() if key != name}
            if last or name in value:
                return value | {name: edit.value[0] if last else change(value[name], depth + 1)}
        elif isinstance(value, list) and steps[depth].isdigit():
            index = int(steps[depth])
            if index < len(value):
                inner = ([edit.value[0]] if edit.value else []) if last else [change(value[index], depth + 1)]
                return [*value[:index], *inner, *value[index + 1 :]]
            if last and edit.value:
                return [*value, edit.value[0]]
        return value

    return change(data, 0)
