"""A JSON value as lines for people, with those marked at which something is wrong."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from contract_test.schema.walk import escape, unescape

_STEP = "  "


@dataclass(frozen=True)
class Line:
    """One line of a JSON text; `marked` where a pointer leads to it."""

    text: str
    marked: bool = False


def marked_lines(text: str, pointers: Collection[str]) -> list[Line]:
    """Split a JSON text into lines. A pointer that leads to nothing marks what it would stand in."""
    value = json.loads(text)
    return list(_lines(value, "", "", {_existing(value, pointer) for pointer in pointers}, "", ""))


def _lines(value: Any, pointer: str, indent: str, marked: Collection[str], before: str, after: str) -> Iterator[Line]:
    here = pointer in marked
    children = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    if not children:
        yield Line(f"{indent}{before}{json.dumps(value, ensure_ascii=False)}{after}", here)
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield Line(f"{indent}{before}{opening}", here)
    for number, (name, child) in enumerate(children, start=1):
        label = f"{json.dumps(name, ensure_ascii=False)}: " if isinstance(value, dict) else ""
        comma = "," if number < len(children) else ""
        yield from _lines(child, f"{pointer}/{escape(str(name))}", indent + _STEP, marked, label, comma)
    yield Line(f"{indent}{closing}{after}")


def _existing(value: Any, pointer: str) -> str:
    found = ""
    for step in pointer.split("/")[1:]:
        name: Any = unescape(step)
        name = int(name) if isinstance(value, list) and name.isdecimal() else name
        try:
            value = value[name]
        except (LookupError, TypeError):
            break
        found += f"/{step}"
    return found
