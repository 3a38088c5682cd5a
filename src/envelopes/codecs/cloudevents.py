"""`cloudevents`: CloudEvents 1.0 in JSON, structured, or in binary mode with the attributes in headers.

Both modes are read. The content type of the message decides which of them it has, and without one its headers do. The
channel's `mode` chooses what is written. Sources: CloudEvents 1.0.2, its JSON event format, and its Kafka and AMQP
bindings, which call a header `ce_id` and `cloudEvents_id`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from envelopes import _json
from envelopes._envelope import Headers, Wire
from envelopes._time_problems import describe_timestamp
from envelopes.catalog import Channel
from envelopes.types import FrozenMap, freeze, plain, read_timestamp, usual_timestamp
from envelopes.validation import excerpt

from ._context import NO_DATA, CodecError, Context, header_text, key_bytes, key_of, last_header
from .json import parse

_REQUIRED = ("specversion", "id", "source", "type")
_NOT_EXTENSIONS = frozenset((*_REQUIRED, "time", "dataschema", "datacontenttype", "data", "data_base64"))
_DATA, _BASE64 = ("data",), ("data_base64",)
_NO_EXTENSIONS: FrozenMap[str, Any] = FrozenMap()
_USUAL_NUMBER = len(_REQUIRED)
_USUAL_TYPES = (None, "application/json")
_JSON_TYPE = re.compile(r"^[\w.+-]+/([\w.-]+\+)?json\s*(;.*)?$", re.IGNORECASE)
_FOREIGN_CHARSET = re.compile(r";\s*charset=\"?(?!utf-?8|us-ascii)[\w-]", re.IGNORECASE)
_PREFIX = re.compile("ce_|cloudEvents[_:]")
_EVENT_TYPE = "application/cloudevents"
EVENT_HEADERS = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
_USUAL_EVENT_TYPES = (b"application/cloudevents+json; charset=UTF-8", b"application/cloudevents+json")
_EXTENSION_NAME = re.compile("[a-z0-9]+")
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1
_WANTED_VALUE = "a string, a boolean, or an integer of 32 bits, as CloudEvents allows"

CONTEXT_NAMES = (_NOT_EXTENSIONS - {"data_base64"}) | {"subject", "partitionkey"}


def read(raw: bytes | None, key: bytes | None, headers: Headers, channel: Channel) -> tuple[Context, Any]:
    """Read an event in either mode."""
    media_type = last_header(headers, "content-type")
    if media_type in _USUAL_EVENT_TYPES or not headers:
        if raw is None and not headers:
            return Context(key=key_of(key)), NO_DATA
        return read_event(parse(raw or b""), key_of(key))
    content_type = None if media_type is None else header_text("content-type", media_type)
    if content_type is not None and content_type.lower().startswith(_EVENT_TYPE):
        _check_format(content_type)
        return read_event(parse(raw or b""), key_of(key))
    attributes: dict[str, Any] = {}
    for header, value in headers:
        prefix, name = split_header(header)
        if prefix == "ce_" or (prefix and channel.protocol == "amqp"):
            attributes[name] = header_text(header, value)
    if "specversion" not in attributes:
        if raw is None:
            return Context(key=key_of(key)), NO_DATA
        return read_event(parse(raw), key_of(key))
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    context = _context(_with_types(attributes, channel), key_of(key))
    if content_type is not None and _FOREIGN_CHARSET.search(content_type):
        raise CodecError("header content-type", "JSON in UTF-8", excerpt(content_type))
    return context, parse(raw) if raw else NO_DATA


def write(context: Context, raw: bytes, channel: Channel) -> Wire:
    """Write an event in the channel's mode."""
    if channel.mode == "binary":
        event = event_of(context, raw, channel)
        content_type = event.pop("datacontenttype", "application/json")
        del event["data"]
        prefix = header_prefix(channel)
        headers = [(prefix + name, _header(value)) for name, value in event.items()]
        return Wire(raw, key_bytes(context), [("content-type", content_type), *headers])
    return Wire.of_parts(_json.dumps(event_of(context, raw, channel), plain), key_bytes(context), EVENT_HEADERS)


def header_prefix(channel: Channel) -> str:
    """Return what stands before an attribute's name in the headers of a channel."""
    return "cloudEvents_" if channel.protocol == "amqp" else "ce_"


def split_header(header: str) -> tuple[str, str]:
    """Return a header's prefix, empty if it is no attribute's, and the name behind it.

    >>> split_header("cloudEvents:id")
    ('cloudEvents:', 'id')
    """
    found = _PREFIX.match(header)
    return ("", header) if found is None else (found[0], header[found.end() :])


def read_event(event: Any, key: str | bytes | None) -> tuple[Context, Any]:
    """Read a structured event that is parsed already."""
    if not isinstance(event, dict):
        raise CodecError("", "a CloudEvents object", excerpt(event))
    path = _DATA if "data" in event else _BASE64 if "data_base64" in event else ()
    try:
        context = _context(event, key, path)
        if path is _DATA and "data_base64" not in event:
            return context, event["data"]
        if path is _DATA:
            raise CodecError("/data_base64", "either data or data_base64", "both")  # noqa: TRY301 - as all else here
        return context, _from_base64(event["data_base64"]) if path else NO_DATA
    except CodecError as error:
        raise CodecError(error.pointer, error.expected, error.found, path) from None


def event_of(context: Context, raw: bytes, channel: Channel) -> dict[str, Any]:
    """Return a structured event whose values are ready for `_json.dumps`. Raises CodecError."""
    event: dict[str, Any] = {"specversion": "1.0"}
    if context.id is not None:
        event["id"] = _checked_text("id", context.id)
    if context.source is not None:
        event["source"] = _checked_text("source", context.source)
    if context.type is not None:
        event["type"] = _checked_text("type", context.type)
    if context.time is not None:
        event["time"] = _checked_time(context.time)
    if context.dataschema is not None:
        event["dataschema"] = _checked_text("dataschema", context.dataschema)
    if context.content_type is not None:
        event["datacontenttype"] = context.content_type
    for name, value in context.extensions.items():
        if name in _NOT_EXTENSIONS or not _EXTENSION_NAME.fullmatch(name):
            raise CodecError(
                f"/{name}", "an extension's name of lower-case letters and digits, not an attribute's", repr(name)
            )
        if value is not None:
            event[name] = _extension(name, value, channel)
    event["data"] = orjson.Fragment(raw)
    return event


def is_as_written(context: Context, channel: Channel) -> bool:
    """Return True if an event that was read so is one that `write` could have written for a channel."""
    return (
        channel.mode == "structured"
        and context.data_path == _DATA
        and not context.extensions
        and all(
            text is None or text.isprintable()
            for text in (context.id, context.source, context.type, context.dataschema)
        )
    )


def is_event(value: Any) -> bool:
    """Return True if the argument of a job is a CloudEvent: data with a field `specversion` is not yet one."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("specversion"), str)
        and "type" in value
        and not value.keys().isdisjoint(("source", "data", "data_base64"))
    )


def _check_format(content_type: str) -> None:
    name = content_type.lower().partition(";")[0].strip()
    if name in (_EVENT_TYPE, f"{_EVENT_TYPE}+json"):
        return
    found = f"a batch of events ({name})" if "batch" in name else f"an event in the format {name}"
    raise CodecError("header content-type", f"one event, {_EVENT_TYPE}+json", found)


def _with_types(attributes: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Give the extensions that the catalog declares their types: a header is always a text."""
    for name, kind in channel.extensions.items():
        text = attributes.get(name)
        if text is None:
            continue
        if kind == "boolean" and text in ("true", "false"):
            attributes[name] = text == "true"
        elif kind == "integer" and re.fullmatch("-?[0-9]{1,10}", text):
            attributes[name] = int(text)
        elif kind != "string":
            raise CodecError(
                f"header {header_prefix(channel)}{name}", f"the {kind} that the catalog declares", excerpt(text)
            )
    return attributes


def _from_base64(text: Any) -> Any:
    try:
        return parse(base64.b64decode(text, validate=True))
    except (TypeError, ValueError, binascii.Error) as error:
        if isinstance(error, CodecError):
            raise CodecError(f"/data_base64{error.pointer}", error.expected, error.found) from None
        raise CodecError("/data_base64", "base64", excerpt(text)) from None


def _context(event: Mapping[str, Any], key: str | bytes | None, path: tuple[str, ...] = ()) -> Context:
    get = event.get
    id_, source, type_ = get("id"), get("source"), get("type")
    if not (type(id_) is type(source) is type(type_) is str and id_ and source and type_):
        _refuse_missing(event)
    if get("specversion") != "1.0":
        _refuse_missing(event)
        raise CodecError("/specversion", '"1.0"', excerpt(event["specversion"]))
    content_type = get("datacontenttype")
    if content_type not in _USUAL_TYPES and not (isinstance(content_type, str) and _JSON_TYPE.match(content_type)):
        raise CodecError("/datacontenttype", "a JSON media type", excerpt(content_type))
    dataschema = get("dataschema")
    if dataschema is not None and not isinstance(dataschema, str):
        raise CodecError("/dataschema", "a URI", excerpt(dataschema))
    time = get("time")
    extensions = _NO_EXTENSIONS
    usual = _USUAL_NUMBER + (time is not None) + (dataschema is not None) + (content_type is not None) + bool(path)
    if len(event) != usual and not event.keys() <= _NOT_EXTENSIONS:
        extensions = FrozenMap(
            {name: freeze(value) for name, value in event.items() if name not in _NOT_EXTENSIONS and value is not None}
        )
    when = None if time is None else _time(time)
    return Context(type_, id_, source, when, dataschema, None, key, extensions, content_type, path)


def _refuse_missing(event: Mapping[str, Any]) -> None:
    """Raise CodecError for the first required attribute that is no text, if there is one."""
    for name in _REQUIRED:
        value = event.get(name)
        if not value or not isinstance(value, str):
            found = "nothing" if value is None else excerpt(value)
            raise CodecError(f"/{name}", "a non-empty string (CloudEvents 1.0 requires it)", found)


def _time(value: Any) -> datetime:
    usual = usual_timestamp(value)
    if usual is not None:
        return usual
    problem = describe_timestamp(value)
    if problem is None:
        try:
            return read_timestamp(value)
        except ValueError:  # the thirtieth of February
            pass
    expected = "an RFC 3339 date-time" if problem is None else f"an RFC 3339 date-time ({problem})"
    raise CodecError("/time", expected, excerpt(value))


def _checked_text(name: str, value: Any) -> str:
    if not value or not isinstance(value, str):
        raise CodecError(f"/{name}", "a non-empty string (CloudEvents 1.0 requires it)", excerpt(value))
    if not value.isprintable() and _NO_TEXT.search(value):
        raise CodecError(f"/{name}", "a string without control characters", excerpt(value))
    return value


def _checked_time(value: Any) -> datetime:
    if type(value) is datetime and value.tzinfo is UTC:
        return value
    offset = value.utcoffset() if isinstance(value, datetime) else None
    if offset is None or offset % timedelta(minutes=1):
        raise CodecError("/time", "a datetime with an offset of whole minutes", excerpt(str(value)))
    assert isinstance(value, datetime)
    return value


def _extension(name: str, value: Any, channel: Channel) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return _checked_time(value)
    if isinstance(value, str):
        if _NO_TEXT.search(value):
            raise CodecError(f"/{name}", "a string without control characters", excerpt(value))
    elif not isinstance(value, bool) and not (isinstance(value, int) and _SMALLEST <= value <= _LARGEST):
        raise CodecError(f"/{name}", _WANTED_VALUE, excerpt(value))
    kind = channel.extensions.get(name)
    if kind is not None and kind != _kind_of(value):
        raise CodecError(f"/{name}", f"the {kind} that the catalog declares", excerpt(value))
    return value


def _kind_of(value: Any) -> str:
    return "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "string"


def _header(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    text = _json.dumps(value, plain)
    return text.strip(b'"')
