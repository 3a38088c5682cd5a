"""What messages may tell about a field: which texts are an enum, which names are data, which format all texts have.

A schema is published, messages are not: without evidence that a text is a word of the program, and not somebody's
name, it stays out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from contract_test.schema.walk import unescape

ENOUGH = 30
"""From so many values on, what holds for all of them is more than chance."""
MOST_CODES = 20
LEAST_EACH = 3

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*([_.:/-][A-Za-z0-9]+)*")
MAX_CODE_LENGTH = 40
MAX_NAME_LENGTH = 64
_LONG_NUMBER = re.compile(r"[0-9]{3}")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$.:-]*")
_PERSONAL_NAME = re.compile(r".@.|[0-9]([ ().-]?[0-9]){5}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}|[0-9a-fA-F]{4})")

_TELLING = frozenset((
    "action", "category", "channel", "class", "event", "kind", "level", "method", "mode", "op", "operation", "phase",
    "platform", "plan", "priority", "reaction", "reason", "result", "role", "severity", "stage", "state", "status",
    "tier", "type", "unit", "variant", "visibility",
))  # fmt: skip
"""Fields so named hold words of the program. Any other field becomes an enum only where somebody asks for it."""

_FORMATS = {
    "date-time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    "time": re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}"),
    "duration": re.compile(r"P[0-9T]"),
    "uuid": re.compile(r"[0-9A-Fa-f]{8}-"),
    "ipv4": re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$"),
    "ipv6": re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:"),
    "email": re.compile(r"[^@\s]+@"),
    "uri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://"),
}
"""The formats that are recognised, each with a cheap look. `hostname` is not: nearly every word is one."""


class Masked(str):
    """A text that stands for another one: a pseudonym says nothing about which texts there are."""

    __slots__ = ()


def unmarked(value: Any) -> Any:
    """Return a parsed JSON value with plain texts again: a validator knows no others."""
    if isinstance(value, dict):
        return {name: unmarked(child) for name, child in value.items()}
    if isinstance(value, list):
        return [unmarked(child) for child in value]
    return str(value) if isinstance(value, Masked) else value


@dataclass(frozen=True)
class Named:
    """Places that somebody knows to be enums or maps: JSON pointers, with `*` for any item or any key of a map."""

    enums: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()


def leads_to(value: Any, pointer: str) -> bool:
    """Return whether a message holds something at such a place."""
    if pointer and not pointer.startswith("/"):
        return False
    found = [value]
    for step in map(unescape, pointer.split("/")[1:]):
        within = [dict(enumerate(each)) if isinstance(each, list) else each for each in found]
        members = [each for each in within if isinstance(each, dict)]
        found = [child for each in members for name, child in each.items() if step in ("*", name)]
    return bool(found)


def format_of(texts: Iterable[str]) -> str | None:
    """Return the format that all these texts have."""
    distinct = set(texts)
    first = next(iter(distinct))
    for name, look in _FORMATS.items():
        if look.match(first) and all(
            look.match(text) and _format_validator(name).is_valid(text) for text in map(str, distinct)
        ):
            return name
    return None


@cache
def _format_validator(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({"type": "string", "format": name}, validate_formats=True)


def are_codes(texts: Sequence[str]) -> bool:
    """Return whether texts look like words of the program.

    Few, each seen several times, short, without long numbers.
    """
    counts = Counter(texts)
    return (
        len(counts) <= MOST_CODES
        and min(counts.values()) >= LEAST_EACH
        and not any(isinstance(text, Masked) for text in texts)
        and all(_is_code(text) for text in counts)
    )


def _is_code(text: str) -> bool:
    return len(text) <= MAX_CODE_LENGTH and _CODE.fullmatch(text) is not None and not _LONG_NUMBER.search(text)


def is_settled(texts: Sequence[str]) -> bool:
    """Return whether there are many texts, and the second half of them showed none that the first did not."""
    half = len(texts) // 2
    return len(texts) >= ENOUGH and set(texts[half:]) <= set(texts[:half])


def is_telling(place: str) -> bool:
    """Return whether the name at the end of a JSON pointer says that its values are words of the program."""
    words = _WORD.findall(place.rpartition("/")[2])
    return bool(words) and words[-1].lower() in _TELLING


def is_personal_name(name: str) -> bool:
    """Return whether a property's name is certainly data: it holds an address, a telephone number, or a long id."""
    return len(name) > MAX_NAME_LENGTH or _PERSONAL_NAME.search(name) is not None


def is_odd_name(name: str) -> bool:
    """Return whether a property's name may be data.

    No identifier, or with a number that a program would not count to.
    """
    return _NAME.fullmatch(name) is None or _LONG_NUMBER.search(name) is not None


def looks_like_data(name: str) -> bool:
    """Return whether a property's name is data, or may be: no schema declares it."""
    return is_personal_name(name) or is_odd_name(name)


def kind_of(value: Any) -> str:
    """Return the JSON type of a parsed value; `integer` where it is written without a fraction."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "integer" if isinstance(value, int) else "number"
