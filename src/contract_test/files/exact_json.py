"""JSON with every number as it was written: `1e5`, `1.50`, `-0`, thirty digits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from envelopes import Wire, _json
from envelopes.types import ExactFloat, ExactInt, freeze, plain

_DEEPEST = _json.MAX_DEPTH + 8  # a recorded message, with its interaction or its quarantined row around it
# What the fast reader would write in another way: an exponent, a zero at the end of a fraction, a negative zero.
_UNUSUAL = re.compile(  # one set of characters to begin with: several would each be tried at every place
    rb"[0-9-](?:(?<=[0-9])(?:[eE][+-]?[0-9]|\.(?:[0-9]*[1-9]0+(?![0-9])|00)|[0-9]{15})|(?<=-)0(?![0-9]))"
)


def exact_loads(raw: bytes) -> Any:
    """Read one JSON text; a number that would be written in another way remembers its text. Raises JsonError."""
    value = _json.loads(raw, _DEEPEST)
    return json.loads(raw, parse_int=_integer, parse_float=_fraction) if _UNUSUAL.search(raw) else value


def exact_dumps(value: Any) -> bytes:
    """Write one JSON text, keys sorted, numbers as they were read."""
    return _json.dumps(_sorted(value), plain)


def wire(payload: Any, key: str | None = None, headers: Mapping[str, str] | None = None, prefix: str = "") -> Wire:
    """Return the bytes, key and headers of a recorded message; `prefix` is in hexadecimal digits."""
    texts = [(name, value.encode()) for name, value in (headers or {}).items()]
    try:
        text = _json.dumps(payload, plain)
    except TypeError:  # a number that is too long to be written as it is
        text = _json.dumps(freeze(payload, _DEEPEST), plain)
    return Wire(bytes.fromhex(prefix) + text, None if key is None else key.encode(), texts)


def _integer(text: str) -> int:
    number = int(text)
    return number if str(number) == text and abs(number) < 2**63 else ExactInt.of(text)


def _fraction(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else ExactFloat.of(text)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else freeze(value)
