"""A message cut to what matters: the way to the part that is rejected. `…` stands for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from contract_test.report.inert import json_line
from contract_test.schema.walk import unescape

_MAX_TEXT = 40
_REST = "…"


def excerpt(value: Any, pointer: str | None, room: int = 160) -> str:
    """Return a message in one line. If it is longer than `room`, only what a JSON pointer leads to is shown."""
    text = json_line(value)
    if len(text) <= room:
        return text
    return _on_the_way(value, [unescape(step) for step in (pointer or "").split("/")[1:]], room)


def _on_the_way(value: Any, steps: Sequence[str], room: int) -> str:
    if steps and isinstance(value, dict) and steps[0] in value:
        inner = f"{_cut_text(steps[0])}: {_on_the_way(value[steps[0]], steps[1:], room)}"
        return f"{{{inner}{', ' + _REST if len(value) > 1 else ''}}}"
    if steps and isinstance(value, list) and steps[0].isdecimal() and int(steps[0]) < len(value):
        number = int(steps[0])
        before = f"{_REST}, " if number else ""
        after = f", {_REST}" if number + 1 < len(value) else ""
        return f"[{before}{_on_the_way(value[number], steps[1:], room)}{after}]"
    return _brief(value, room)


def _brief(value: Any, room: int) -> str:
    """What is rejected, with as many of its members as there is room for."""
    text = json_line(value)
    if len(text) <= room:
        return text
    if isinstance(value, dict):
        return f"{{{_some((f'{_cut_text(name)}: {_short(inner)}' for name, inner in value.items()), room)}}}"
    return f"[{_some(map(_short, value), room)}]" if isinstance(value, list) else _cut_text(value)


def _some(members: Iterable[str], room: int) -> str:
    shown: list[str] = []
    for member in members:
        room -= len(member) + 2
        if room < 0:
            return ", ".join([*shown, _REST])
        shown.append(member)
    return ", ".join(shown)


def _short(value: Any) -> str:
    if isinstance(value, dict) and value:
        return f"{{{_REST}}}"
    return f"[{_REST}]" if isinstance(value, list) and value else _cut_text(value)


def _cut_text(value: Any) -> str:
    text = json_line(value)
    if len(text) <= _MAX_TEXT:
        return text
    return (
        f'{json_line(value[: _MAX_TEXT // 2])[:-1]}{_REST}"' if isinstance(value, str) else f"{text[:_MAX_TEXT]}{_REST}"
    )
