"""References as generators of schemas write them: with characters that a URI must escape."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

_WITH_ILLEGAL = re.compile(r'"\$ref": "[^"]*[<>|{}^` \[\]]')
_LEGAL = "%:/?#@!$&'()*+,;=~"
_VALUES = ("const", "enum", "default", "examples")
"""Keywords that hold values, in which `$ref` is a name like any other."""


def with_legal_references(schema: Any, text: str) -> Any:
    """Return a schema, of which `text` is the JSON, with the references escaped: `#/definitions/List<A>`.

    They lead to the same places, and validators accept them.
    """
    return _escaped(schema) if _WITH_ILLEGAL.search(text) else schema


def _escaped(value: Any) -> Any:
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: member if name in _VALUES else _member(name, member) for name, member in value.items()}


def _member(name: str, member: Any) -> Any:
    return quote(member, safe=_LEGAL) if name == "$ref" and isinstance(member, str) else _escaped(member)
