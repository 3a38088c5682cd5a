"""`cloudevents`: CloudEvents 1.0 in JSON, structured, or in Kafka's binary mode with `ce_` headers.

Both modes are read; the channel's `mode` chooses what is written. Sources: CloudEvents 1.0.2, its JSON event format,
and its Kafka protocol binding.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from envelopes import _json
from envelopes._envelope import Headers, Wire
from envelopes.types import FrozenMap, plain, read_timestamp
from envelopes.validation import excerpt

from ._parts import Malformed, Parts, key_bytes, key_text
from .json import parse

_REQUIRED = ("specversion", "id", "source", "type")
_NOT_EXTENSIONS = frozenset((*_REQUIRED, "time", "dataschema", "datacontenttype", "data", "data_base64"))
_NO_EXTENSIONS: FrozenMap[str, Any] = FrozenMap()
_USUAL_TYPES = (None, "application/json")
_JSON_TYPE = re.compile(r"^[\w.+-]+/([\w.-]+\+)?json\s*(;.*)?$", re.IGNORECASE)
_DATE_TIME = re.compile(
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)


HEAD = 0
NAMES = (_NOT_EXTENSIONS - {"data_base64"}) | {"subject"}


def read(raw: bytes, key: bytes | None, headers: Headers) -> tuple[Parts, Any]:
    """Read an event in either mode."""
    attributes: dict[str, Any] = {
        name[3:]: value.decode(errors="replace") for name, value in headers if name.startswith("ce_")
    }
    if "specversion" not in attributes:
        return read_event(parse(raw), key_text(key))
    content_type = next((value for name, value in headers if name == "content-type"), None)
    if content_type is not None:
        attributes["datacontenttype"] = content_type.decode(errors="replace")
    return _context(attributes, key_text(key)), parse(raw)


def place(payload: Any) -> tuple[str | int, ...]:
    """The event's data; in binary mode the data is all there is."""
    return ("data",) if is_event(payload) else ()


def write(parts: Parts, raw: bytes, mode: str) -> Wire:
    """Write an event in the channel's mode."""
    if mode == "binary":
        event = event_of(parts, raw)
        del event["data"], event["datacontenttype"]
        headers = [(f"ce_{name}", _header(value)) for name, value in event.items()]
        return Wire(raw, key_bytes(parts), [("content-type", b"application/json"), *headers])
    content_type = ("content-type", b"application/cloudevents+json; charset=UTF-8")
    return Wire(_json.dumps(event_of(parts, raw), plain), key_bytes(parts), [content_type])


def read_event(event: Any, key: str | None = None) -> tuple[Parts, Any]:
    """Take a structured event, already parsed, apart."""
    if not isinstance(event, dict):
        raise Malformed("", "a CloudEvents object", excerpt(event))
    parts = _context(event, key)
    if "data" in event:
        return parts, event["data"]
    if "data_base64" not in event:
        raise Malformed("/data", "the event's data", "nothing")
    try:
        return parts, parse(base64.b64decode(event["data_base64"], validate=True))
    except (TypeError, ValueError, binascii.Error) as error:
        if isinstance(error, Malformed):
            raise Malformed(f"/data_base64{error.pointer}", error.expected, error.found) from None
        raise Malformed("/data_base64", "base64", excerpt(event["data_base64"])) from None


def event_of(parts: Parts, raw: bytes) -> dict[str, Any]:
    """Put a structured event together; its values are ready for `_json.dumps`."""
    event: dict[str, Any] = {"specversion": "1.0"}
    for name in ("id", "source", "type", "time", "dataschema"):
        value = getattr(parts, name)
        if value is not None:
            event[name] = value
    event["datacontenttype"] = "application/json"
    for name, value in parts.extensions.items():
        if name in _NOT_EXTENSIONS or not re.fullmatch("[a-z0-9]+", name):
            raise Malformed(
                f"/{name}", "an extension's name of lower-case letters and digits, not an attribute's", repr(name)
            )
        if value is not None:
            event[name] = value
    event["data"] = orjson.Fragment(raw)
    return event


def is_event(value: Any) -> bool:
    """Whether a parsed JSON value says that it is a CloudEvent."""
    return isinstance(value, dict) and isinstance(value.get("specversion"), str)


def _context(event: Mapping[str, Any], key: str | None) -> Parts:
    get = event.get
    for name in _REQUIRED:
        value = get(name)
        if not value or not isinstance(value, str):
            raise Malformed(
                f"/{name}",
                "a non-empty string (CloudEvents 1.0 requires it)",
                "nothing" if value is None else excerpt(value),
            )
    if event["specversion"] != "1.0":
        raise Malformed("/specversion", '"1.0"', excerpt(event["specversion"]))
    content_type = get("datacontenttype")
    if content_type not in _USUAL_TYPES and not (isinstance(content_type, str) and _JSON_TYPE.match(content_type)):
        raise Malformed("/datacontenttype", "a JSON media type", excerpt(content_type))
    dataschema = get("dataschema")
    if dataschema is not None and not isinstance(dataschema, str):
        raise Malformed("/dataschema", "a URI", excerpt(dataschema))
    extensions = _NO_EXTENSIONS
    if not event.keys() <= _NOT_EXTENSIONS:
        extensions = FrozenMap(
            {name: value for name, value in event.items() if name not in _NOT_EXTENSIONS and value is not None}
        )
    time = get("time")
    return Parts(
        event["type"],
        event["id"],
        event["source"],
        None if time is None else _time(time),
        dataschema,
        None,
        key,
        extensions,
    )


def _time(value: Any) -> datetime:
    if isinstance(value, str) and _DATE_TIME.match(value):
        try:
            return read_timestamp(value)
        except ValueError:  # the thirtieth of February
            pass
    raise Malformed("/time", "an RFC 3339 date-time", excerpt(value))


def _header(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    text = _json.dumps(value, plain)
    return text.strip(b'"')
