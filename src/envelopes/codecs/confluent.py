"""`confluent`: a zero byte, a schema id of four bytes (big-endian), then JSON: Schema Registry's wire format."""

from __future__ import annotations

import struct
from typing import Any

from envelopes._envelope import Headers, Wire

from ._parts import Malformed, Parts, key_bytes, key_text
from .json import parse

HEADER = struct.Struct(">bI")
HEAD = HEADER.size
NAMES: frozenset[str] = frozenset()


def read(raw: bytes, key: bytes | None, headers: Headers) -> tuple[Parts, Any]:  # noqa: ARG001 - every codec has this signature
    """Read the schema id and the data."""
    if len(raw) < HEADER.size or raw[0] != 0:
        raise Malformed("", "a zero byte and a schema id of four bytes", f"{raw[:5].hex(' ') or 'nothing'}")
    _, schema_id = HEADER.unpack_from(raw)
    return Parts(schema_id=schema_id, key=key_text(key)), parse(raw[HEADER.size :])


def place(payload: Any) -> tuple[str | int, ...]:  # noqa: ARG001 - every codec has this signature
    """The data is all there is behind the head."""
    return ()


def write(parts: Parts, raw: bytes, mode: str) -> Wire:  # noqa: ARG001 - every codec has this signature
    """Write the schema id that the catalog gives this version."""
    if parts.schema_id is None:
        raise Malformed("", "a schema id for this version in the catalog (schema_ids)", "none")
    return Wire(HEADER.pack(0, parts.schema_id) + raw, key_bytes(parts))
