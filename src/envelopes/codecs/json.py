"""`json`: the data and nothing around it."""

from __future__ import annotations

from typing import Any

from envelopes import _json
from envelopes._envelope import Headers, Wire
from envelopes.catalog import Channel

from ._context import EMPTY, NO_DATA, CodecError, Context, key_bytes, key_of

CONTEXT_NAMES: frozenset[str] = frozenset()
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read(
    raw: bytes | None,
    key: bytes | None,
    headers: Headers,  # noqa: ARG001 - every codec has this signature
    channel: Channel,  # noqa: ARG001 - every codec has this signature
) -> tuple[Context, Any]:
    """Read the whole message as data. The catalog's pointers find the context in it."""
    context = EMPTY if key is None else Context(key=key_of(key))
    return context, NO_DATA if raw is None else parse(raw)


def write(context: Context, raw: bytes, channel: Channel) -> Wire:  # noqa: ARG001 - every codec has this signature
    """Write the data alone."""
    return Wire.of_parts(raw, key_bytes(context), ())


def parse(raw: bytes) -> Any:
    """Read one JSON text. Raises CodecError."""
    try:
        return _json.loads(raw)
    except _json.JsonError as error:
        if raw.startswith(_BYTE_ORDER_MARK):
            found = "a byte order mark before it"
        else:
            found = str(error) if raw.strip() else "nothing"
        raise CodecError("", "one JSON text", found) from None
