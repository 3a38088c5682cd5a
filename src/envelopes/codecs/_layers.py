"""Texts in a message that hold JSON of their own, and what is not JSON's to hold."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from envelopes import _json
from envelopes.types import loads_as_written, plain
from envelopes.validation import excerpt

from ._context import CodecError


def json_in_base64(text: Any, pointer: str) -> Any:
    """Read a text that is base64 of one JSON text, numbers as written. Raises CodecError."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise CodecError(pointer, "base64", excerpt(text)) from None
    return json_in_text(raw, pointer)


def json_in_text(raw: bytes, pointer: str) -> Any:
    """Read one JSON text inside a message, numbers as written. Raises CodecError."""
    try:
        return loads_as_written(raw)
    except _json.JsonError as error:
        raise CodecError(pointer, "one JSON text", str(error)) from None


def as_json(value: Any) -> bytes:
    """Write one JSON text, with the numbers as they were read."""
    return _json.dumps(value, plain)


def as_data(value: Any) -> Any:
    """Return JSON as readers get it, without how its numbers were written."""
    return _json.loads(as_json(value))


def as_base64(value: Any) -> str:
    """Write JSON as base64."""
    return base64.b64encode(as_json(value)).decode()


def member(value: Any, name: str, kind: type, pointer: str, expected: str) -> Any:
    """Return a member of an object that must be there, and not empty if it is a text. Raises CodecError."""
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, kind) or found == "":
        raise CodecError(f"{pointer}/{name}", expected, "nothing" if found is None else excerpt(found))
    return found


def arguments_of(data: Any, names: dict[str, type]) -> list[Any]:
    """Return the positional (and named) arguments in data that is to be written. Raises CodecError."""
    if not isinstance(data, dict) or not data.keys() <= names.keys():
        raise CodecError("", f"an object of {' and '.join(names)} alone", excerpt(data))
    found = [data.get(name, kind()) for name, kind in names.items()]
    for (name, kind), value in zip(names.items(), found, strict=True):
        if not isinstance(value, kind):
            raise CodecError(f"/{name}", "an array" if kind is list else "an object", excerpt(value))
    return found
