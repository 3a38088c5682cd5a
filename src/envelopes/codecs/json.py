"""`json`: the data and nothing around it."""

from __future__ import annotations

from typing import Any

from envelopes import _json
from envelopes._envelope import Headers, Wire

from ._parts import Malformed, Parts, key_bytes, key_text

HEAD = 0
NAMES: frozenset[str] = frozenset()
_NOTHING = Parts()


def read(raw: bytes, key: bytes | None, headers: Headers) -> tuple[Parts, Any]:  # noqa: ARG001 - every codec has this signature
    """Everything is data; the catalog's pointers find the rest in it."""
    return (_NOTHING if key is None else Parts(key=key_text(key))), parse(raw)


def place(payload: Any) -> tuple[str | int, ...]:  # noqa: ARG001 - every codec has this signature
    """The data is all there is."""
    return ()


def write(parts: Parts, raw: bytes, mode: str) -> Wire:  # noqa: ARG001 - every codec has this signature
    """Write the data alone."""
    return Wire(raw, key_bytes(parts))


def parse(raw: bytes) -> Any:
    """Read one JSON text. Raises Malformed."""
    try:
        return _json.loads(raw)
    except _json.JsonError as error:
        raise Malformed("", "one JSON text", str(error) if raw.strip() else "nothing") from None
