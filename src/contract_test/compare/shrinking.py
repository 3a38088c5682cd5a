"""Smaller and plainer versions of a value that keep a property: what makes a witness readable."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

_MAX_TRIES = 400
_PLAIN: tuple[Any, ...] = (None, False, 0, "", [], {})


def weight(value: Any) -> tuple[int, int, str]:
    """Return the size of a value: smaller is easier to read, by fewer parts, then by a shorter text."""
    text = json.dumps(value, sort_keys=True)
    return _parts(value), len(text), text


def _parts(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + _parts(member) for member in value.values())
    return 1 + sum(_parts(item) for item in value) if isinstance(value, list) else 1


def shrink(value: Any, keeps: Callable[[Any], bool]) -> Any:
    """Return the smallest value found by small steps from `value` of which `keeps` still holds."""
    tries = 0
    best, best_weight = value, weight(value)
    improved = True
    while improved:
        improved = False
        for candidate in _smaller(best):
            candidate_weight = weight(candidate)
            if candidate_weight >= best_weight:
                continue
            tries += 1
            if tries > _MAX_TRIES:
                return best
            if keeps(candidate):
                best, best_weight, improved = candidate, candidate_weight, True
                break
    return best


def _smaller(value: Any) -> Iterator[Any]:
    yield from _PLAIN
    if isinstance(value, dict):
        for name in value:
            yield {other: member for other, member in value.items() if other != name}
        for name, member in value.items():
            for smaller in _smaller(member):
                yield {**value, name: smaller}
    elif isinstance(value, list):
        half = len(value) // 2
        if half:
            yield from (value[:half], value[half:])
        for index in range(len(value)):
            yield value[:index] + value[index + 1 :]
        for index, item in enumerate(value):
            for smaller in _smaller(item):
                yield [*value[:index], smaller, *value[index + 1 :]]
    elif isinstance(value, str):
        half = len(value) // 2
        if half:
            yield from (value[:half], value[half:])
        yield from (value[:index] + value[index + 1 :] for index in range(min(len(value), 40)))
        if len(value) > 1 and set(value) != {"a"}:
            yield "a" * len(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from (1, -1, 2, 10)
        if isinstance(value, float) and abs(value) < 2**53:
            yield int(value)
            yield round(value, 1)
        elif isinstance(value, int):
            yield from (value // 10, value // 2)
