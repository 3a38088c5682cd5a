"""`confluent`: Schema Registry's framing of JSON.

Written, and read: a zero byte, a schema id of four bytes (big-endian), then JSON. Also read, and passed on: the same in
the header `__value_schema_id`, with JSON alone in the value. In either place, there may be the byte 1 and a GUID of 16
bytes instead. It names no version.
"""

from __future__ import annotations

import struct
from typing import Any

from envelopes._envelope import Headers, Wire
from envelopes.catalog import Channel

from ._context import NO_DATA, CodecError, Context, key_bytes, key_of, last_header
from .json import parse

CONTEXT_NAMES: frozenset[str] = frozenset()
PREFIX = struct.Struct(">bI")
_EXPECTED = "a zero byte and a schema id of four bytes, or the byte 1 and a schema GUID of 16 bytes"
_ID_HEADER = "__value_schema_id"
_OTHER_FRAMINGS = ("apicurio.value.globalId", "apicurio.value.contentId", "apicurio.value.encoding")
_MAGIC_GUID = 1
_GUID_SIZE = 17
_LONG_ID = 9  # a zero byte and eight of Apicurio's


def read(
    raw: bytes | None,
    key: bytes | None,
    headers: Headers,
    channel: Channel,  # noqa: ARG001 - every codec has this signature
) -> tuple[Context, Any]:
    """Read the schema id and the data."""
    if raw is None:
        return Context(key=key_of(key)), NO_DATA
    in_header = last_header(headers, _ID_HEADER)
    if in_header is not None:
        prefix, start = _checked_header(in_header), 0
    else:
        _check_prefix(raw, headers)
        start = _GUID_SIZE if raw[0] == _MAGIC_GUID else PREFIX.size
        prefix = raw[:start]
    schema_id = None if prefix[0] == _MAGIC_GUID else PREFIX.unpack(prefix)[1]
    context = Context(schema_id=schema_id, key=key_of(key), json_start=start, prefix=prefix)
    return context, parse(raw[start:])


def write(context: Context, raw: bytes, channel: Channel) -> Wire:  # noqa: ARG001 - every codec has this signature
    """Write the schema id that the catalog gives this version, or the GUID that was read."""
    if context.schema_id is not None:
        prefix = PREFIX.pack(0, context.schema_id)
    elif context.prefix[:1] == bytes([_MAGIC_GUID]):
        prefix = context.prefix
    else:
        raise CodecError("", "a schema id for this version in the catalog (schema_ids)", "none")
    if context.prefix and context.json_start == 0:  # read with the id in a header
        return Wire(raw, key_bytes(context), [(_ID_HEADER, prefix)])
    return Wire(prefix + raw, key_bytes(context))


def _checked_header(value: bytes) -> bytes:
    if (len(value), value[:1]) not in ((PREFIX.size, b"\0"), (_GUID_SIZE, bytes([_MAGIC_GUID]))):
        raise CodecError(f"header {_ID_HEADER}", _EXPECTED, value[:_GUID_SIZE].hex(" ") or "nothing")
    return value


def _check_prefix(raw: bytes, headers: Headers) -> None:
    for name, _ in headers:
        if name in _OTHER_FRAMINGS:
            raise CodecError(
                f"header {name}", _EXPECTED, "Apicurio's framing by headers: read the channel with the codec json"
            )
    if raw[:1] == bytes([_MAGIC_GUID]) and len(raw) > _GUID_SIZE:
        return
    if len(raw) < PREFIX.size or raw[0] != 0:
        found = "JSON without a prefix" if raw.lstrip()[:1] in (b"{", b"[") else raw[:5].hex(" ") or "nothing"
        raise CodecError("", _EXPECTED, found)
    if raw[1:5] == bytes(4) and raw[_LONG_ID : _LONG_ID + 1] in (b"{", b"[", b'"'):
        raise CodecError("", _EXPECTED, "an id of eight bytes, which is Apicurio's framing")
