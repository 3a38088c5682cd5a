"""Reading what is scanned: every text in a JSON value, its keys too, and what is coded inside a text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from contract_test.scanner.leak_rules import ENCODED, RULES, decoded
from contract_test.scanner.people_rules import is_past_day, names_birth

MAX_DECODING_DEPTH = 4
MAX_STEP_LENGTH = 60
_SHORT = 100
MIN_LENGTH = 6  # a mail address
_MASKED = re.compile(r"/masked/[0-9]+")
_ESCAPED = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,4})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")


@dataclass(frozen=True)
class Leak:
    """One thing that should not be there, and where; never what it says.

    `pointer` leads into the line's JSON, a telling key in it replaced by `*`; it is empty where the line is no JSON.
    """

    rule: str
    thing: str
    pointer: str = ""


class _Pairs(list[tuple[str, Any]]):
    """An object with every pair that was written, a key that stands twice included."""


def leaks_in_line(line: bytes, public: frozenset[str] = frozenset()) -> list[Leak]:
    """Return what one line gives away: a JSON text, or any other.

    Texts and keys that are in `public`, such as the names that a contract declares, are not looked at.
    """
    text = line.decode(errors="backslashreplace")
    try:
        value = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return [Leak(rule, thing) for rule, thing in leaks_in_text(text)]
    return _leaks_in_value(value, 0, public)


def leaks_in_text(text: str, depth: int = 0) -> list[tuple[str, str]]:
    """Return the rules that a text breaks, and what each calls it.

    Looks into base64, percent signs and JSON as well.
    """
    return list(_leaks_in_short(text, depth) if len(text) <= _SHORT else _leaks_in(text, depth))


@lru_cache(maxsize=4096)
def _leaks_in_short(text: str, depth: int) -> tuple[tuple[str, str], ...]:
    """Most texts of a file stand in it again and again: names of fields above all."""
    return tuple(_leaks_in(text, depth))


def _leaks_in(text: str, depth: int) -> list[tuple[str, str]]:
    if len(text) < MIN_LENGTH:
        return []
    lowered, digits = text.lower(), len(text) - len(text.translate(_WITHOUT_DIGITS))
    found = [(rule.name, rule.thing) for rule in RULES if rule.breaks(text, lowered, digits)]
    if depth < MAX_DECODING_DEPTH:
        for inner in _inside(text):
            found += leaks_in_text(inner, depth + 1)
        if text.lstrip()[:1] in ("{", "[", '"'):
            try:
                value = json.loads(text, object_pairs_hook=_Pairs)
            except (ValueError, RecursionError):
                value = None
            if value is not None:
                found += [(leak.rule, leak.thing) for leak in _leaks_in_value(value, depth + 1)]
    return list(dict.fromkeys(found))


def _leaks_in_value(value: Any, depth: int, public: frozenset[str] = frozenset()) -> list[Leak]:
    try:
        return list(dict.fromkeys(_leaks(value, "", depth, public)))
    except RecursionError:
        return [Leak("depth", "a value too deep to be looked into")]


def _inside(text: str) -> Iterator[str]:
    """The texts that a text carries in another form."""
    if re.search("%[0-9A-Fa-f]{2}", text):
        yield unquote(text)
    if "\\" in text and _ESCAPED.search(text):
        yield _ESCAPED.sub(lambda found: chr(int(found[1] or found[2] or found[3], 16)), text)
    for found in ENCODED.finditer(text):
        inner = decoded(found[0])
        if inner:
            yield inner


def _leaks(value: Any, pointer: str, depth: int, public: frozenset[str]) -> Iterator[Leak]:
    if isinstance(value, _Pairs):
        for name, child in value:
            leaks_in_name = [] if name in public else leaks_in_text(name, depth)
            yield from (Leak(rule, f"{thing} in a key", pointer) for rule, thing in leaks_in_name)
            step = "*" if leaks_in_name or len(name) > MAX_STEP_LENGTH else name.replace("~", "~0").replace("/", "~1")
            if isinstance(child, str) and names_birth(name) and is_past_day(child):
                yield Leak("birth-date", "a date of birth", f"{pointer}/{step}")
            yield from _leaks(child, f"{pointer}/{step}", depth, public)
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield from _leaks(child, f"{pointer}/{place}", depth, public)
    elif isinstance(value, str) and value in public:
        return
    elif isinstance(value, str) and _MASKED.fullmatch(pointer) and value.startswith("/"):
        for step in value.split("/"):  # a recording's own list of pointers: each step is a key of the message
            if step.replace("~1", "/").replace("~0", "~") not in public:
                yield from (Leak(rule, thing, pointer) for rule, thing in leaks_in_text(step, depth))
    elif isinstance(value, str):
        yield from (Leak(rule, thing, pointer) for rule, thing in leaks_in_text(value, depth))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from (Leak(rule, thing, pointer) for rule, thing in leaks_in_text(str(value), MAX_DECODING_DEPTH))
