"""Rules of evidence: which property names are data, which format all strings have.

A schema is published, but messages are not. So a string gets into a schema only if there is evidence that it is a code
of the program. Other strings may be personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import jsonschema_rs

from contract_test.scanner import leaks_in_text
from contract_test.schema.walk import unescape

MAX_RISK = 0.05
MIN_MESSAGES = round(1 / MAX_RISK) - 2
"""The number of messages from which a rule without an exception is stated.

By Laplace's rule of succession, the next message breaks such a rule with a probability of 1 / (messages + 2).
"""
MIN_VALUES = 30
"""The number of values from which a common property is taken to be no coincidence."""
MIN_DISTINCT = 5
"""The number of different texts from which a common format is taken to be no coincidence."""

MAX_NAME_LENGTH = 64
LONG_NUMBER = re.compile(r"[0-9]{3}")
_NUMBER_OF_A_NAME = re.compile(r"(?i:iso|sha|rfc|http|ean|utf)[_-]?[0-9]{3,5}|[0-9]{3,4}(?=[A-Z][a-z]{2}|_[a-z]{3})")
"""The numbers of standards, and those with a word after them, such as in `sha256` and `error404Count`."""
MAX_WORDS_OF_A_NAME = 2
_NAME = re.compile(r"[^\W\d][\w$.:/~ @#&()+*'?!%,\[\]-]*|[$@#_*.~/+-][\w$.:/~ @#-]*|[0-9]{1,2}[\w .:/-]*")
"""Letters of any script, with blanks and signs as people put them into the names of columns."""
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
    """What the user knows of some fields: JSON pointers, with `*` for any item or any key of a map.

    `fields` are names that look like data. What is at `as_seen`, and inside, is in all messages as it was seen.
    """

    enums: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    as_seen: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    def is_as_seen(self, place: str) -> bool:
        """Return True if what was seen at a place is declared to hold for all messages."""
        return any(place == each or place.startswith(f"{each}/") for each in self.as_seen)


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
    found: tuple[str, ...] | None = None
    for text in set(texts):
        found = possible_formats(text, found)
    return found[0] if found else None


def possible_formats(text: str, among: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Return the formats that a string has, among some or all."""
    names = _FORMATS if among is None else among
    return tuple(name for name in names if _FORMATS[name].match(text) and _format_validator(name).is_valid(str(text)))


def is_settled_format(form: str, name: str, distinct: int) -> bool:
    """Return True if there is enough evidence for a format: different texts, or a field's name that fits.

    `name` is the name of the field. Of versions such as 120.0.60.71 and of codes such as P1D even many are no proof.
    """
    words = {word.lower() for word in _WORD.findall(name)}
    if form == "email":
        return distinct >= MIN_MESSAGES and not words.isdisjoint(_NAMES_OF_FORMATS[form])
    if form in _UNSURE_FORMATS:
        return not words.isdisjoint(_NAMES_OF_FORMATS[form]) and not words & {"version", "build"}
    return distinct >= MIN_DISTINCT or not words.isdisjoint(_NAMES_OF_FORMATS[form])


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_UNSURE_FORMATS = frozenset(("ipv4", "ipv6", "duration", "time"))
_NAMES_OF_FORMATS = {
    "date-time": {"at", "time", "on", "date", "datetime", "timestamp", "created", "updated", "since", "until", "when",
                  "ts", "start", "end", "expires", "modified"},
    "date": {"date", "day", "on", "birthday", "dob", "at", "since", "until", "start", "end", "due", "from", "to"},
    "time": {"time", "at", "opens", "closes", "hour", "start", "end", "from", "to"},
    "duration": {"duration", "period", "interval", "timeout", "ttl", "after", "age", "delay", "length", "lead"},
    "uuid": {"id", "uuid", "guid", "key", "uid", "ref", "token", "trace", "correlation"},
    "ipv4": {"ip", "ipv4", "addr", "address", "host", "remote", "client", "peer", "server"},
    "ipv6": {"ip", "ipv6", "addr", "address", "host", "remote", "client", "peer", "server"},
    "email": {"email", "mail", "emails", "recipient", "to", "from", "cc", "bcc", "contact", "reply", "address"},
    "uri": {"url", "uri", "href", "link", "links", "urls", "callback", "webhook", "endpoint", "website", "avatar",
            "image", "src", "homepage", "source", "schema", "icon", "photo", "picture", "logo"},
}  # fmt: skip


@cache
def _format_validator(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({"type": "string", "format": name}, validate_formats=True)


@lru_cache(maxsize=100_000)
def is_personal_name(name: str) -> bool:
    """Return True if a property's name is certainly data: it contains an address, a number of somebody, or a secret."""
    return len(name) > MAX_NAME_LENGTH or _PERSONAL_NAME.search(name) is not None or bool(leaks_in_text(name))


def is_odd_name(name: str) -> bool:
    """Return True if a property's name may be data: a phrase, a long number in it, no letter first."""
    words = name.split()
    if len(words) > MAX_WORDS_OF_A_NAME or (len(words) > 1 and all(word[0].isupper() for word in words)):
        return True  # a sentence, a street or a person
    return (name != "" and _NAME.fullmatch(name) is None) or LONG_NUMBER.search(
        _NUMBER_OF_A_NAME.sub("", name)
    ) is not None


def looks_like_data(name: str) -> bool:
    """Return True if a property's name is or may be data."""
    return is_odd_name(name) or is_personal_name(name)


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
