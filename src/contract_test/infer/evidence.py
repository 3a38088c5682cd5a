"""Rules of evidence: which property names are data, which format all strings have.

A schema is published, but messages are not. So a string gets into a schema only if there is evidence that it is a code
of the program. Other strings may be personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from contract_test.scanner import leaks_in_text
from contract_test.schema.walk import unescape

MIN_VALUES = 30
"""The number of values from which a common property is taken to be no coincidence."""

MAX_NAME_LENGTH = 64
LONG_NUMBER = re.compile(r"[0-9]{3}")
_NUMBER_OF_A_NAME = re.compile(r"(?i:iso|sha|rfc|http|ean|utf)[_-]?[0-9]{3,5}|[0-9]{3,4}(?=[A-Z][a-z]{2}|_[a-z]{3})")
"""The numbers of standards, and those with a word after them, such as in `sha256` and `error404Count`."""
_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$.:-]*")
_PERSONAL_NAME = re.compile(
    r".@.|[0-9]([ ().-]?[0-9]){5}|(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}|[0-9a-fA-F]{4})"
    r"|([0-9a-fA-F]{2}[:-]){3}[0-9a-fA-F]{2}"
)

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
"""The formats that are recognised, each with a cheap first test. Not `hostname`, because most words are valid."""


class Masked(str):
    """A pseudonym. It is no evidence of which strings there are."""

    __slots__ = ()


def without_marks(value: Any) -> Any:
    """Return a parsed JSON value with plain strings in place of `Masked` ones, as validators need it."""
    if isinstance(value, dict):
        return {name: without_marks(child) for name, child in value.items()}
    if isinstance(value, list):
        return [without_marks(child) for child in value]
    return str(value) if isinstance(value, Masked) else value


@dataclass(frozen=True)
class DeclaredFields:
    """Fields that the user declares to be enums or maps: JSON pointers, with `*` for any item or any key of a map."""

    enums: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()


def has_value_at(value: Any, pointer: str) -> bool:
    """Return True if a message has a value at such a pointer."""
    if pointer and not pointer.startswith("/"):
        return False
    found = [value]
    for step in map(unescape, pointer.split("/")[1:]):
        within = [dict(enumerate(each)) if isinstance(each, list) else each for each in found]
        members = [each for each in within if isinstance(each, dict)]
        found = [child for each in members for name, child in each.items() if step in ("*", name)]
    return bool(found)


def format_of(texts: Iterable[str]) -> str | None:
    """Return the format that all these strings have, or None."""
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


def is_personal_name(name: str) -> bool:
    """Return True if a property's name is certainly data: it contains an address, a number of somebody, or a secret."""
    return len(name) > MAX_NAME_LENGTH or _PERSONAL_NAME.search(name) is not None or bool(leaks_in_text(name))


def is_odd_name(name: str) -> bool:
    """Return True if a property's name may be data: it is no identifier, or contains a long number."""
    return _NAME.fullmatch(name) is None or LONG_NUMBER.search(_NUMBER_OF_A_NAME.sub("", name)) is not None


def looks_like_data(name: str) -> bool:
    """Return True if a property's name is or may be data. Such a name is not declared in a schema."""
    return is_personal_name(name) or is_odd_name(name)


def kind_of(value: Any) -> str:
    """Return the JSON type of a parsed value: `integer` if it is written without a fraction."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "integer" if isinstance(value, int) else "number"
