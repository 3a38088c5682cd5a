"""JSON with every number as it was written: `1e5`, `1.50`, `-0`, thirty digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envelopes import Wire, _json
from envelopes.types import freeze, loads_as_written, plain

MAX_DEPTH = _json.MAX_DEPTH + 8  # a recorded message, with its interaction or its quarantined row around it


def exact_loads(raw: bytes) -> Any:
    """Read one JSON text; a number that would be written in another way remembers its text. Raises JsonError."""
    return loads_as_written(raw, MAX_DEPTH)


def exact_dumps(value: Any) -> bytes:
    """Write one JSON text, keys sorted, numbers as they were read."""
    return _json.dumps(_sorted(value), plain)


def wire(payload: Any, key: str | None = None, headers: Mapping[str, str] | None = None, prefix: str = "") -> Wire:
    """Return the bytes, key and headers of a recorded message; `prefix` is in hexadecimal digits."""
    texts = [(name, value.encode()) for name, value in (headers or {}).items()]
    try:
        text = _json.dumps(payload, plain)
    except TypeError:  # a number that is too long to be written as it is
        text = _json.dumps(freeze(payload, MAX_DEPTH), plain)
    return Wire(bytes.fromhex(prefix) + text, None if key is None else key.encode(), texts)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else freeze(value)
