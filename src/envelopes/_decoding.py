"""Bytes to envelopes, through the channel's codec and the subject's contract.

This is the hot path of every reader: what can be known of a channel before its messages is found out once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from . import _json
from ._compiled import CompiledModel, compiled_model
from ._envelope import Envelope, Received, Wire
from ._errors import DecodeError, Violation
from ._json import JsonError, loads
from ._message_version import declared_version, known_version, matching_version
from .catalog import Catalog, Channel, Subject
from .codecs import CODECS, NO_DATA, CodecError, Context
from .codecs._context import EMPTY
from .pointers import resolve_pointer
from .types import FrozenMap, loads_as_written, loads_with_decimals, plain, read_timestamp
from .validation import excerpt


def decode_message(message: bytes | str | None, channel: str, catalog: Catalog) -> Envelope[Any]:
    """Return the envelope of one message, as `envelopes.decode` does for one catalog."""
    decoder: ChannelDecoder | None = catalog.decoders.get(channel)
    if decoder is None:
        decoder = catalog.decoders[channel] = ChannelDecoder(catalog, catalog.channel(channel))
    return decoder.decode(message)


class _Version(NamedTuple):
    """What reads the data of one version of a subject."""

    subject: Subject
    version: int
    from_value: Callable[[Any, bytes], Any]
    compiled: CompiledModel | None
    """What is behind `from_value`, unless something else is in the place of the class."""
    as_written: bool
    """Whether it has decimals."""
    id_name: str | None
    """The name of the id in JSON, if it is at the top of the data."""
    time_field: str | None
    """The field of the time, if it is at the top of the data."""
    fields: dict[str, Any]
    """An envelope's attributes, as far as they are known."""


class ChannelDecoder:
    """Reads the messages of one channel."""

    def __init__(self, catalog: Catalog, channel: Channel) -> None:
        self._catalog, self._channel = catalog, channel
        self._read = CODECS[channel.codec].read
        self._versions: dict[tuple[str, int], _Version] = {}
        self._declared: dict[tuple[str | None, str | None], _Version] = {}
        """What reads messages with a type and a `dataschema` that name one version, or with none, if that is enough."""
        self._is_bare = channel.codec == "json"

    def decode(self, message: bytes | str | None) -> Envelope[Any]:
        """Return the envelope of one message. Raises DecodeError."""
        wire = message if type(message) is bytes else Wire.of(message)
        raw = bytes(wire)
        try:
            if isinstance(wire, Wire):
                context, data = self._read(None if wire.is_null else raw, wire.key, wire.headers, self._channel)
            elif self._is_bare:  # as the codec does, without two calls more
                context, data = EMPTY, loads(raw)
            else:
                context, data = self._read(raw, None, (), self._channel)
            if data is NO_DATA:
                return _without_data(self._catalog, self._channel, context, wire)
            reader = self._declared.get((context.type, context.dataschema))
            subject, version = (reader.subject, reader.version) if reader else self._subject(context, data)
        except CodecError as error:
            violation = Violation(error.pointer, self._channel.codec, error.expected, error.found)
            raise DecodeError(f"channel {self._channel.name}", None, violation, raw) from None
        except JsonError:
            return self.decode(Wire(raw))  # the codec says what is wrong
        if reader is None:
            reader = self._reader(subject, version, context, raw)
        if reader.as_written:
            data = loads_with_decimals(data_as_read(wire, context))
        compiled = reader.compiled
        if compiled is not None and compiled.accepts(data):  # as in from_value, without a call more for most messages
            try:
                value_object = compiled.make(data)
            except ValidationError:
                value_object = reader.from_value(data, raw)
        else:
            value_object = reader.from_value(data, raw)
        fields = reader.fields.copy()
        fields["data"] = value_object
        if context is EMPTY:
            fields["id"] = _found(data, reader.id_name, subject.id)
            if subject.time is not None:
                fields["time"] = _time_in(value_object, data, reader.time_field, subject.time)
        else:
            fields["id"] = _found(data, reader.id_name, subject.id) if context.id is None else context.id
            fields["time"] = context.time
            if context.time is None and subject.time is not None:
                fields["time"] = _time_in(value_object, data, reader.time_field, subject.time)
            fields["source"], fields["key"] = context.source, context.key
            fields["dataschema"], fields["extensions"] = context.dataschema, context.extensions
        if version != reader.version:
            fields["version"], fields["newer"] = version, True
        fields["_received"] = _new_tuple(Received, (value_object, wire, context, True))
        envelope: Envelope[Any] = _new(Envelope)
        _set_fields(envelope, fields)  # not through the frozen class's __init__, which sets one field at a time
        return envelope

    def _subject(self, context: Context, data: Any) -> tuple[Subject, int]:
        """Return the subject and the version of a message. Raises CodecError."""
        declared = self._catalog.declared.get((self._channel.name, context.type, context.dataschema))
        if declared is not None:
            return declared
        subject = _subject(self._catalog, self._channel, context, data)
        version = declared_version(subject, context, data)
        return subject, matching_version(self._catalog, subject, data) if version is None else version

    def _reader(self, subject: Subject, declared: int, context: Context, raw: bytes) -> _Version:
        """Return what reads a version, or the newest one in place of one that is not known yet. Raises DecodeError."""
        version = declared if declared in subject.versions else known_version(subject, declared, raw)
        reader = self._versions.get((subject.name, version)) or self._prepare(subject, version)
        is_only = context.type is None and context.dataschema is None and self._is_only(subject)
        if is_only or (self._channel.name, context.type, context.dataschema) in self._catalog.declared:
            self._declared[context.type, context.dataschema] = reader
        return reader

    def _is_only(self, subject: Subject) -> bool:
        """Return True if a message of the channel that names nothing is always of one version of this subject."""
        here = self._catalog.by_channel.get(self._channel.name, [])
        return len(here) == len(subject.versions) == 1 and self._channel.type is None and subject.version is None

    def _prepare(self, subject: Subject, version: int) -> _Version:
        cls = self._catalog.value_object(subject.name, version)
        compiled = compiled_model(cls) if isinstance(cls, type) else None  # a test may put something else in its place
        at = _name_at_the_top(subject.time)
        time_fields = [name for name, json in cls.__json_names__.items() if json == at] if compiled else []
        fields: dict[str, Any] = {
            "data": None,
            "id": None,
            "source": None,
            "type": subject.name,
            "time": None,
            "version": version,
            "dataschema": None,
            "key": None,
            "extensions": FrozenMap(),
            "newer": False,
            "channel": self._channel.name,
            "_received": None,
        }
        prepared = _Version(
            subject,
            version,
            cls.from_value,
            compiled,
            cls.__as_written__,
            _name_at_the_top(subject.id),
            time_fields[0] if time_fields else None,
            fields,
        )
        self._versions[subject.name, version] = prepared
        return prepared


def _name_at_the_top(pointer: str | None) -> str | None:
    """Return the name that a pointer leads to, if it is a field of the whole message."""
    at_the_top = pointer is not None and pointer.startswith("/") and pointer.count("/") == 1 and "~" not in pointer
    return pointer[1:] if pointer and at_the_top else None


def _found(data: Any, name: str | None, pointer: str | None) -> str | None:
    found = data.get(name) if name is not None and type(data) is dict else resolve_pointer(data, pointer)
    return found if found is None or type(found) is str else text_of(found)


def _time_in(value_object: Any, data: Any, field: str | None, pointer: str) -> datetime | None:
    if field is not None and field in value_object.__pydantic_fields_set__:
        made = value_object.__dict__[field]
        if isinstance(made, datetime):
            return made
    return time_of(resolve_pointer(data, pointer))


def _without_data(catalog: Catalog, channel_config: Channel, context: Context, wire: bytes) -> Envelope[Any]:
    """Return the envelope of a tombstone or an event without data, if the channel allows them."""
    if channel_config.without_data != "allow":
        if context.type is not None:
            raise CodecError("/data", "the event's data", "nothing")
        raise CodecError("", "a message", 'no value (a tombstone; without_data = "allow" lets the channel have them)')
    subject = catalog.by_type.get((channel_config.name, context.type)) if context.type is not None else None
    return Envelope(
        None,
        id=context.id,
        source=context.source,
        type=context.type if subject is None else subject.name,
        time=context.time,
        dataschema=context.dataschema,
        key=context.key,
        extensions=context.extensions,
        channel=channel_config.name,
        _received=Received(None, wire, context),
    )


def data_as_read(wire: bytes, context: Context) -> bytes:
    """Return the JSON text of the data in a message, with every number as it was written."""
    text = bytes(wire[context.json_start :])
    if not context.data_path and context.unfold is None:
        return text
    value = loads_as_written(text) if context.unfold is None else context.unfold(text)
    for step in context.data_path:
        value = value[step]
    return base64.b64decode(value) if context.data_path[-1:] == ("data_base64",) else _json.dumps(value, plain)


_new = object.__new__
_new_tuple = tuple.__new__  # half the time of a named tuple's own
_set_fields: Callable[[Envelope[Any], dict[str, Any]], None] = Envelope.__dict__["__dict__"].__set__


def _subject(catalog: Catalog, channel_config: Channel, context: Context, data: Any) -> Subject:
    named = context.type if context.type is not None else context.schema_id
    if named is None and channel_config.type is not None:
        named = text_of(resolve_pointer(data, channel_config.type))
    subject = None if named is None else catalog.by_type.get((channel_config.name, named))
    here = catalog.by_channel.get(channel_config.name, [])
    if subject is not None:
        return subject
    if len(here) == 1 and not isinstance(named, str):
        return here[0]
    known = ", ".join(each.type or each.name for each in here) or "none: the catalog names no subject for it"
    raise CodecError(
        channel_config.type or "",
        f"a type of channel {channel_config.name} ({known})",
        "no type" if named is None else excerpt(named),
    )


def text_of(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _json.dumps(value).decode()


def time_of(value: Any) -> datetime | None:
    try:
        return read_timestamp(value) if isinstance(value, str) else None
    except ValueError:
        return None
