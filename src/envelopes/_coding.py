"""Bytes ⇄ envelopes, through the channel's codec and the subject's contract."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from . import _json
from ._envelope import Envelope, Wire
from ._errors import DecodeError, EncodeError, UnknownNameError, Violation
from ._values import ValueObject
from .catalog import Catalog, Channel, Subject
from .codecs import CODECS, Malformed, Parts
from .pointers import resolve_pointer
from .types import read_timestamp
from .validation import excerpt

log = logging.getLogger("envelopes")

_VERSION = re.compile(r"(?:^|[:/._-])v?([0-9]{1,9})(?:\.json)?#?$")


def decode_message(wire: bytes, channel: str, catalog: Catalog) -> Envelope[Any]:
    """Return the envelope of one message, as `envelopes.decode` does for one catalog."""
    channel_config = catalog.channel(channel)
    raw = wire if type(wire) is bytes else bytes(wire)
    try:
        if isinstance(wire, Wire):
            parts, data = CODECS[channel_config.codec].read(raw, wire.key, wire.headers)
        else:
            parts, data = CODECS[channel_config.codec].read(raw, None, ())
        declared = catalog.declared.get((channel, parts.type, parts.dataschema))
        subject, version = declared or (_subject(catalog, channel_config, parts, data), None)
    except Malformed as error:
        violation = Violation(error.pointer, channel_config.codec, error.expected, error.found)
        raise DecodeError(f"channel {channel}", None, violation, raw) from None
    if version is None:
        version = _declared_version(subject, parts, data)
        if version is None:
            version = _matching_version(catalog, subject, data)
    known = version if version in subject.versions else _known_version(subject, version, raw)
    value = catalog.value_object(subject.name, known).from_value(data, raw)
    envelope: Envelope[Any] = object.__new__(Envelope)
    # Not through the frozen class's __init__, which sets one field at a time: this is the hot path of every reader.
    _set_fields(
        envelope,
        {
            "data": value,
            "id": parts.id if parts.id is not None else _text(resolve_pointer(data, subject.id)),
            "source": parts.source,
            "type": subject.name,
            "time": parts.time if parts.time is not None else _time(resolve_pointer(data, subject.time)),
            "version": version,
            "dataschema": parts.dataschema,
            "key": parts.key,
            "extensions": parts.extensions,
            "newer": version != known,
        },
    )
    return envelope


def encode_message(message: Envelope[Any] | ValueObject, source: str | None, catalog: Catalog) -> Wire:
    """Return the bytes of one message, as `envelopes.encode` does for one catalog."""
    envelope = message if isinstance(message, Envelope) else Envelope(message)
    contract = getattr(type(envelope.data), "__contract__", None)
    if contract is None:
        kind = type(envelope.data).__name__
        raise TypeError(
            f"encode takes a value object, or an envelope with one, and got {kind}. Build it from its class"
        )
    subject = catalog.subject(contract.subject)
    if subject.channel is None:
        raise UnknownNameError("channel for subject", subject.name, tuple(catalog.channels))
    channel_config = catalog.channel(subject.channel)
    raw, data = envelope.data._check(EncodeError)  # noqa: SLF001 - to_json, without parsing its text again
    parts = Parts(
        type=subject.type or subject.name,
        id=envelope.id or _text(resolve_pointer(data, subject.id)) or str(uuid.uuid4()),
        source=envelope.source or source or f"/{catalog.package.partition('.')[0]}",
        time=envelope.time or _time(resolve_pointer(data, subject.time)) or datetime.now(UTC),
        dataschema=subject.dataschemas.get(contract.version),
        schema_id=subject.schema_ids.get(contract.version),
        key=envelope.key if envelope.key is not None else _text(resolve_pointer(data, subject.key)),
        extensions=envelope.extensions,
    )
    try:
        return CODECS[channel_config.codec].write(parts, raw, channel_config.mode)
    except Malformed as error:
        violation = Violation(error.pointer, channel_config.codec, error.expected, error.found)
        raise EncodeError(contract.subject, contract.version, violation) from None


class Decode(Protocol):
    """`decode` of a generated package."""

    def __call__(self, wire: bytes, *, channel: str) -> Envelope[Any]:
        """Read one message of a channel of this package's catalog.

        Args:
            wire: The bytes of the message. Pass `Wire(value, key, headers)` for a message of a stream.
            channel: The channel's name in the catalog.

        Returns:
            The envelope, with the value object of the message's subject and version in `data`.

        Raises:
            DecodeError: The codec or the contract does not accept the message.
            UnknownNameError: The catalog has no such channel.

        """
        ...


class Encode(Protocol):
    """`encode` of a generated package."""

    def __call__(self, message: Envelope[Any] | ValueObject, *, source: str | None = None) -> Wire:
        """Write one message for the channel of its subject in this package's catalog.

        Args:
            message: A value object of this package, or an envelope around one.
            source: Who sends the message, if the envelope does not name a source.

        Returns:
            The bytes to send, with the key and the headers for a stream.

        Raises:
            EncodeError: The contract or the codec does not accept the message.
            UnknownNameError: The catalog gives the subject no channel.
            TypeError: The message is not a value object.

        """
        ...


def coding_with(catalog: Catalog) -> tuple[Decode, Encode]:
    """Return `decode` and `encode` for the messages of a generated package."""

    def decode_(wire: bytes, *, channel: str) -> Envelope[Any]:
        return decode_message(wire, channel, catalog)

    def encode_(message: Envelope[Any] | ValueObject, *, source: str | None = None) -> Wire:
        return encode_message(message, source, catalog)

    for function, name, protocol in ((decode_, "decode", Decode), (encode_, "encode", Encode)):
        function.__name__ = function.__qualname__ = name
        function.__doc__ = protocol.__call__.__doc__
    return decode_, encode_


_set_fields: Callable[[Envelope[Any], dict[str, Any]], None] = Envelope.__dict__["__dict__"].__set__


def _subject(catalog: Catalog, channel_config: Channel, parts: Parts, data: Any) -> Subject:
    named = parts.type if parts.type is not None else parts.schema_id
    if named is None and channel_config.type is not None:
        named = _text(resolve_pointer(data, channel_config.type))
    subject = None if named is None else catalog.by_type.get((channel_config.name, named))
    here = catalog.by_channel.get(channel_config.name, [])
    if subject is not None:
        return subject
    if len(here) == 1 and not isinstance(named, str):
        return here[0]
    known = ", ".join(each.type or each.name for each in here) or "none: the catalog names no subject for it"
    raise Malformed(
        channel_config.type or "",
        f"a type of channel {channel_config.name} ({known})",
        "no type" if named is None else excerpt(named),
    )


def _declared_version(subject: Subject, parts: Parts, data: Any) -> int | None:
    if parts.dataschema is not None and (match := _VERSION.search(parts.dataschema)):
        return int(match[1])  # one that the catalog knows is found in `Catalog.declared`
    if parts.schema_id is not None:
        return next((version for version, number in subject.schema_ids.items() if number == parts.schema_id), None)
    if subject.version is None:
        return None
    version = resolve_pointer(data, subject.version)
    if isinstance(version, str) and (match := _VERSION.search(version)):
        return int(match[1])
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def _matching_version(catalog: Catalog, subject: Subject, data: Any) -> int:
    if len(subject.versions) == 1:
        return next(iter(subject.versions))
    newest_first = sorted(subject.versions, reverse=True)
    for version in newest_first:
        if catalog.value_object(subject.name, version).__contract__.validator.is_valid(data):
            return version
    return newest_first[0]


def _known_version(subject: Subject, version: int, raw: bytes) -> int:
    newest = max(subject.versions)
    if version < newest:
        known = ", ".join(f"v{number}" for number in sorted(subject.versions))
        raise DecodeError(subject.name, version, Violation("", "version", f"one of {known}", f"v{version}"), raw)
    log.warning("%s v%d is newer than this package knows: read as v%d", subject.name, version, newest)
    return newest


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _json.dumps(value).decode()


def _time(value: Any) -> datetime | None:
    try:
        return read_timestamp(value) if isinstance(value, str) else None
    except ValueError:
        return None
