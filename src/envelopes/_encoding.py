"""Envelopes to bytes, through the subject's contract and the channel's codec.

What can be known of a class and a channel before its messages is found out once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from . import _json
from ._decoding import data_as_read, text_of, time_of
from ._envelope import Envelope, Received, Wire
from ._errors import EncodeError, UnknownNameError, Violation
from ._values import ValueObject
from .catalog import Catalog, Channel, Subject
from .codecs import CODECS, CodecError, Context, cloudevents
from .codecs._context import key_bytes
from .pointers import resolve_pointer
from .types import FrozenMap
from .validation import excerpt

_NO_EXTENSIONS: FrozenMap[str, Any] = FrozenMap()


def encode_message(
    message: Envelope[Any] | ValueObject, source: str | None, catalog: Catalog, channel: str | None = None
) -> Wire:
    """Return the bytes of one message, as `envelopes.encode` does for one catalog."""
    envelope = message if isinstance(message, Envelope) else None
    data: Any = message if envelope is None else envelope.data
    read_from = None if envelope is None else envelope.channel
    writer: ChannelWriter | None = catalog.writers.get((type(data), read_from, channel))
    if writer is None:
        writer = catalog.writers[type(data), read_from, channel] = ChannelWriter(
            catalog, type(data), read_from, channel
        )
    try:
        if envelope is None:
            return writer.write(data, source)
        received = envelope._received  # noqa: SLF001 - what `decode` keeps in it
        if received is None:
            return writer.write_envelope(envelope, source)
        unchanged = writer.as_read(received) if received.is_unchanged else None
        return writer.pass_on(envelope, received, source) if unchanged is None else unchanged
    except CodecError as error:
        violation = Violation(error.pointer, writer.channel.codec, error.expected, error.found)
        raise EncodeError(writer.subject.name, writer.version, violation) from None


class ChannelWriter:
    """Writes the messages of one class for one channel."""

    def __init__(self, catalog: Catalog, cls: Any, read_from: str | None, given: str | None) -> None:
        contract = getattr(cls, "__contract__", None)
        if contract is None:
            raise TypeError(
                f"encode takes a value object, or an envelope with one, and got {cls.__name__}. Build it from its class"
            )
        self.subject, self.version = catalog.subject(contract.subject), contract.version
        self.channel = catalog.channel(_channel_for(self.subject, read_from, given, catalog))
        self._catalog = catalog
        self._read_from: Channel = catalog.channels.get(read_from or "", self.channel)
        self._write = CODECS[self.channel.codec].write
        self._is_bare = self.channel.codec == "json"
        self._type = self.subject.type or self.subject.name
        self._source = f"/{catalog.package.partition('.')[0]}"

    def write(self, value: ValueObject, source: str | None) -> Wire:
        """Return the bytes of a new message."""
        raw, data = value._check(EncodeError)  # noqa: SLF001 - to_json, without parsing its text again
        subject = self.subject
        key = _key(subject, data, _NO_EXTENSIONS)
        if self._is_bare:  # nothing else is written
            return Wire.of_parts(raw, None if key is None else key.encode(), ())
        context = Context(
            self._type,
            text_of(resolve_pointer(data, subject.id)) or str(uuid.uuid4()),
            source or self._source,
            time_of(resolve_pointer(data, subject.time)) or datetime.now(UTC),
            subject.dataschemas.get(self.version),
            subject.schema_ids.get(self.version),
            key,
            _NO_EXTENSIONS,
            "application/json",
        )
        return self._write(context, raw, self.channel)

    def write_envelope(self, envelope: Envelope[Any], source: str | None) -> Wire:
        """Return the bytes of a new message in an envelope, with what the envelope leaves open filled in."""
        raw, data = envelope.data._check(EncodeError)  # noqa: SLF001 - to_json, without parsing its text again
        subject = self.subject
        if envelope.type not in (None, subject.name, subject.type):
            raise CodecError("/type", f"{subject.type or subject.name}, or no type", excerpt(envelope.type))
        context = Context(
            type=self._type,
            id=_or_else(envelope.id, lambda: text_of(resolve_pointer(data, subject.id)) or str(uuid.uuid4())),
            source=_or_else(envelope.source, lambda: source or self._source),
            time=_or_else(envelope.time, lambda: time_of(resolve_pointer(data, subject.time)) or datetime.now(UTC)),
            dataschema=_dataschema(envelope, self._catalog, subject, self.version),
            schema_id=subject.schema_ids.get(self.version),
            key=_or_else(envelope.key, lambda: _key(subject, data, envelope.extensions)),
            extensions=envelope.extensions,
            content_type="application/json",
        )
        return self._write(context, raw, self.channel)

    def as_read(self, received: Received) -> Wire | None:
        """Return the message that was read, if that is what this channel's codec would write for it."""
        context: Context = received.context
        codec = self.channel.codec
        if codec != self._read_from.codec:
            return None
        if context.key is None and self.subject.key is not None and not isinstance(received.wire, Wire):
            return None  # read from a list, which has no keys
        if self._is_bare:
            return Wire.of_parts(received.wire, key_bytes(context), ())
        if codec == "cloudevents" and cloudevents.is_as_written(context, self.channel):
            return Wire.of_parts(received.wire, key_bytes(context), cloudevents.EVENT_HEADERS)
        return None

    def pass_on(self, envelope: Envelope[Any], received: Received, source: str | None) -> Wire:
        """Return the bytes of a message that was read, with nothing changed but what the caller changed."""
        raw, context = _passed_on(envelope, received, source, self._catalog, self.subject)
        if self._read_from.codec != self.channel.codec:
            context = _in_another_codec(context, raw, envelope, source, self._catalog, self.subject)
        return self._write(context, raw, self.channel)


def _channel_for(subject: Subject, read_from: str | None, given: str | None, catalog: Catalog) -> str:
    """Return the channel to write for: the given one, else the one that a message was read from, else the first.

    Raises UnknownNameError if the subject is on no channel, or not on the given one.
    """
    if subject.channel is None:
        raise UnknownNameError("channel for subject", subject.name, tuple(catalog.channels))
    if given is not None and given not in subject.all_channels:
        known = tuple(each for each in subject.all_channels if each is not None)
        raise UnknownNameError(f"channel of {subject.name}", given, known)
    return given or (read_from if read_from in subject.all_channels else None) or subject.channel


def _dataschema(envelope: Envelope[Any], catalog: Catalog, subject: Subject, version: int) -> str | None:
    """Return the URI of a new message's version: the envelope's own, unless readers would take it for another's."""
    given = envelope.dataschema
    if given is None:
        return subject.dataschemas.get(version)
    declared = catalog.declared.get((subject.channel or "", subject.type or subject.name, given))
    family = subject.dataschema_family
    named = declared[1] if declared else family.version_of(given) if family else None
    if named not in (None, version):
        raise CodecError("/dataschema", f"the URI of v{version}, or none", excerpt(given))
    return given


def _passed_on(
    envelope: Envelope[Any], received: Received, source: str | None, catalog: Catalog, subject: Subject
) -> tuple[bytes, Context]:
    """Return a message that was read, with nothing changed but what the caller changed."""
    read: Context = received.context
    version = envelope.data.__contract__.version
    filled: dict[str, Any] = {"dataschema": envelope.dataschema}
    if envelope.data is received.data:
        raw = data_as_read(received.wire, read)
        data = None
    elif envelope.newer and envelope.version is not None and version != envelope.version:
        raise CodecError(
            "",
            f"a version that this package knows (v{version} is the newest): update the package to change it",
            f"data that was changed in a message of v{envelope.version}",
        )
    else:
        raw, data = envelope.data._check(EncodeError)  # noqa: SLF001 - to_json, without parsing its text again
        filled["schema_id"] = subject.schema_ids.get(version)
        if version != envelope.version and not read.is_bare:
            filled["dataschema"] = subject.dataschemas.get(version)
    if data is None:
        data = _json.loads(raw)
    # What decode found in the data is not what the message says around it.
    id_ = None if read.id is None and envelope.id == text_of(resolve_pointer(data, subject.id)) else envelope.id
    time = (
        None if read.time is None and envelope.time == time_of(resolve_pointer(data, subject.time)) else envelope.time
    )
    key = envelope.key
    if key is None and not isinstance(received.wire, Wire):  # read from a list, which has no keys
        key = _key(subject, data, envelope.extensions)
    context = read._replace(
        type=read.type or subject.type or subject.name,
        id=id_,
        source=envelope.source,
        time=time,
        key=key,
        extensions=envelope.extensions,
        **filled,
    )
    if not context.is_bare:
        context = context._replace(
            id=_or_else(envelope.id, lambda: text_of(resolve_pointer(data, subject.id)) or str(uuid.uuid4())),
            source=_or_else(envelope.source, lambda: source or f"/{catalog.package.partition('.')[0]}"),
        )
    return raw, context


def _in_another_codec(
    context: Context, raw: bytes, envelope: Envelope[Any], source: str | None, catalog: Catalog, subject: Subject
) -> Context:
    """Return the context of a message that goes to a channel whose codec may say more, or says it otherwise."""
    version = envelope.version or envelope.data.__contract__.version
    return Context(
        type=subject.type or subject.name,
        id=_or_else(envelope.id, lambda: text_of(resolve_pointer(_json.loads(raw), subject.id)) or str(uuid.uuid4())),
        source=_or_else(envelope.source, lambda: source or f"/{catalog.package.partition('.')[0]}"),
        time=envelope.time,
        dataschema=context.dataschema or subject.dataschemas.get(version),
        schema_id=subject.schema_ids.get(version, context.schema_id),
        key=_or_else(context.key, lambda: _key(subject, _json.loads(raw), envelope.extensions)),
        extensions=envelope.extensions,
        content_type="application/json",
    )


def _or_else(value: Any, make: Callable[[], Any]) -> Any:
    return make() if value is None else value


def _key(subject: Subject, data: Any, extensions: Mapping[str, Any]) -> str | None:
    """Return the key that the catalog asks for: a value in the data, or an extension such as `partitionkey`."""
    if subject.key is not None and not subject.key.startswith("/") and subject.key != "":
        return text_of(extensions.get(subject.key))
    return text_of(resolve_pointer(data, subject.key))
