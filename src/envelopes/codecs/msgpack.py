"""`msgpack`: the data alone, in MessagePack instead of JSON. Only what JSON can say is read and written."""

from __future__ import annotations

import math
from importlib import import_module
from types import NoneType
from typing import Any

from envelopes import _json
from envelopes._envelope import Headers, Wire
from envelopes.catalog import Channel
from envelopes.plugins import missing_extra
from envelopes.types import plain
from envelopes.validation import excerpt

from ._context import NO_DATA, CodecError, Context, key_bytes, key_of
from ._layers import json_in_text

CONTEXT_NAMES: frozenset[str] = frozenset()
REQUIRES = "msgpack"
"""The package that it needs, and the extra that has it."""
_EXPECTED = "one value in MessagePack"


def read(
    raw: bytes | None,
    key: bytes | None,
    headers: Headers,  # noqa: ARG001 - every codec has this signature
    channel: Channel,  # noqa: ARG001 - every codec has this signature
) -> tuple[Context, Any]:
    """Read the whole message as data. The catalog's pointers find the context in it."""
    context = Context(key=key_of(key), unfold=unfold)
    return context, NO_DATA if raw is None else unfold(raw)


def write(context: Context, raw: bytes, channel: Channel) -> Wire:  # noqa: ARG001 - every codec has this signature
    """Write the data alone."""
    return Wire.of_parts(fold(json_in_text(raw, "")), key_bytes(context), ())


def unfold(raw: bytes) -> Any:
    """Return the JSON value that a message stands for. Raises CodecError."""
    try:
        value = _package().unpackb(raw, raw=False, strict_map_key=False, object_pairs_hook=_object, ext_hook=_refuse)
    except CodecError:
        raise
    except (ValueError, RecursionError) as error:  # msgpack's own are ValueErrors
        raise CodecError("", _EXPECTED, f"something else ({error or type(error).__name__})") from None
    _check(value, "", _json.MAX_DEPTH)
    return value


def fold(document: Any) -> bytes:
    """Return a JSON value in MessagePack. Raises CodecError."""
    value = _json.loads(_json.dumps(document, plain))
    try:
        packed: bytes = _package().packb(value, default=_refuse_number)
    except (ValueError, OverflowError, TypeError) as error:
        if isinstance(error, CodecError):
            raise
        raise CodecError("", "what MessagePack can write", str(error)) from None
    return packed


def _package() -> Any:
    try:
        return import_module("msgpack")
    except ImportError:
        raise missing_extra("msgpack", REQUIRES, REQUIRES) from None


def _object(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    found = dict[str, Any]()
    for name, value in pairs:
        if not isinstance(name, str):
            raise CodecError("", "keys that are texts, as JSON has them", f"a key of the type {type(name).__name__}")
        if name in found:
            raise CodecError("", "each key once", "a key twice")
        found[name] = value
    return found


def _refuse(code: int, _: bytes) -> Any:
    raise CodecError("", "JSON's types", f"an extension of type {code}")


def _refuse_number(value: Any) -> Any:
    raise CodecError("", "a number of 64 bits", excerpt(str(value)))


def _check(value: Any, pointer: str, levels: int) -> None:
    if levels < 0:
        raise CodecError("", f"at most {_json.MAX_DEPTH} levels", "more")
    if isinstance(value, dict):
        for name, child in value.items():
            _check(child, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", levels - 1)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _check(child, f"{pointer}/{index}", levels - 1)
    elif isinstance(value, bytes):
        raise CodecError(pointer, "JSON's types", "bytes (bin)")
    elif isinstance(value, float) and not math.isfinite(value):
        raise CodecError(pointer, "a finite number", str(value))
    elif not isinstance(value, (str, int, float, NoneType)):
        raise CodecError(pointer, "JSON's types", "an extension of type -1 (a timestamp)")
