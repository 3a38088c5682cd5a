"""Envelopes to bytes, and `decode` and `encode` as a generated package has them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from . import _json
from ._decoding import data_as_read, decode_message, text_of, time_of
from ._envelope import Envelope, Received, T_co, Wire
from ._errors import EncodeError, UnknownNameError, Violation
from ._values import ValueObject
from .catalog import Catalog, Subject
from .codecs import CODECS, CodecError, Context
from .pointers import resolve_pointer
from .validation import excerpt


def encode_message(
    message: Envelope[Any] | ValueObject, source: str | None, catalog: Catalog, channel: str | None = None
) -> Wire:
    """Return the bytes of one message, as `envelopes.encode` does for one catalog."""
    envelope = message if isinstance(message, Envelope) else Envelope(message)
    contract = getattr(type(envelope.data), "__contract__", None)
    if contract is None:
        kind = type(envelope.data).__name__
        raise TypeError(
            f"encode takes a value object, or an envelope with one, and got {kind}. Build it from its class"
        )
    subject = catalog.subject(contract.subject)
    channel_config = catalog.channel(channel_for(subject, envelope, channel, catalog))
    try:
        if envelope._received is None:  # noqa: SLF001 - what `decode` keeps in it
            raw, context = _new_context(envelope, source, catalog, subject, contract.version)
        else:
            raw, context = _passed_on(envelope, envelope._received, source, catalog, subject)  # noqa: SLF001 - the same
            read_from = catalog.channels.get(envelope.channel or channel_config.name, channel_config)
            if read_from.codec != channel_config.codec:
                context = _in_another_codec(context, raw, envelope, source, catalog, subject)
        return CODECS[channel_config.codec].write(context, raw, channel_config)
    except CodecError as error:
        violation = Violation(error.pointer, channel_config.codec, error.expected, error.found)
        raise EncodeError(contract.subject, contract.version, violation) from None


def channel_for(subject: Subject, envelope: Envelope[Any], given: str | None, catalog: Catalog) -> str:
    """Return the channel to write for: the given one, else the one that a message was read from, else the first.

    Raises UnknownNameError if the subject is on no channel, or not on the given one.
    """
    if subject.channel is None:
        raise UnknownNameError("channel for subject", subject.name, tuple(catalog.channels))
    if given is not None and given not in subject.all_channels:
        known = tuple(each for each in subject.all_channels if each is not None)
        raise UnknownNameError(f"channel of {subject.name}", given, known)
    read_from = envelope.channel if envelope.channel in subject.all_channels else None
    return given or read_from or subject.channel


def _new_context(
    envelope: Envelope[Any], source: str | None, catalog: Catalog, subject: Subject, version: int
) -> tuple[bytes, Context]:
    """Return the data of a message as JSON, and its context, with what the envelope leaves open filled in."""
    raw, data = envelope.data._check(EncodeError)  # noqa: SLF001 - to_json, without parsing its text again
    if envelope.type not in (None, subject.name, subject.type):
        raise CodecError("/type", f"{subject.type or subject.name}, or no type", excerpt(envelope.type))
    return raw, Context(
        type=subject.type or subject.name,
        id=_or_else(envelope.id, lambda: text_of(resolve_pointer(data, subject.id)) or str(uuid.uuid4())),
        source=_or_else(envelope.source, lambda: source or f"/{catalog.package.partition('.')[0]}"),
        time=_or_else(envelope.time, lambda: time_of(resolve_pointer(data, subject.time)) or datetime.now(UTC)),
        dataschema=_dataschema(envelope, catalog, subject, version),
        schema_id=subject.schema_ids.get(version),
        key=_or_else(envelope.key, lambda: _key(subject, data, envelope)),
        extensions=envelope.extensions,
        content_type="application/json",
    )


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
        key = _key(subject, data, envelope)
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
        key=_or_else(context.key, lambda: _key(subject, _json.loads(raw), envelope)),
        extensions=envelope.extensions,
        content_type="application/json",
    )


def _or_else(value: Any, make: Callable[[], Any]) -> Any:
    return make() if value is None else value


def _key(subject: Subject, data: Any, envelope: Envelope[Any]) -> str | None:
    """Return the key that the catalog asks for: a value in the data, or an extension such as `partitionkey`."""
    if subject.key is not None and not subject.key.startswith("/") and subject.key != "":
        return text_of(envelope.extensions.get(subject.key))
    return text_of(resolve_pointer(data, subject.key))


class Decode(Protocol):
    """`decode` of a generated package."""

    def __call__(self, wire: bytes | str | None, *, channel: str) -> Envelope[Any]:
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

    def __call__(
        self, message: Envelope[Any] | ValueObject, *, source: str | None = None, channel: str | None = None
    ) -> Wire:
        """Write one message for a channel of its subject in this package's catalog.

        Args:
            message: A value object of this package, or an envelope around one.
            source: Who sends the message, if the envelope does not name a source.
            channel: The channel to write for, if the subject has several. The default is the one that the envelope was
                read from, or else the first.

        Returns:
            The bytes to send, with the key and the headers for a stream.

        Raises:
            EncodeError: The contract or the codec does not accept the message.
            UnknownNameError: The catalog gives the subject no channel, or not this one.
            TypeError: The message is not a value object.

        """
        ...


def coding_with(catalog: Catalog) -> tuple[Decode, Encode]:
    """Return `decode` and `encode` for the messages of a generated package."""

    def decode_(wire: bytes | str | None, *, channel: str) -> Envelope[Any]:
        return decode_message(wire, channel, catalog)

    def encode_(message: Envelope[Any] | ValueObject, *, source: str | None = None, channel: str | None = None) -> Wire:
        return encode_message(message, source, catalog, channel)

    for function, name, protocol in ((decode_, "decode", Decode), (encode_, "encode", Encode)):
        function.__name__ = function.__qualname__ = name
        function.__doc__ = protocol.__call__.__doc__
    return decode_, encode_


class Reader(Protocol[T_co]):
    """Reads the messages of one channel, as one of the classes of its subjects."""

    def __call__(self, wire: bytes | str | None) -> Envelope[T_co]:
        """Read one message of the channel.

        Args:
            wire: The bytes of the message. Pass `Wire(value, key, headers)` for a message of a stream.

        Returns:
            The envelope. A type checker knows the classes that its `data` can have, so `match` can be exhaustive.

        Raises:
            DecodeError: The codec or the contract does not accept the message.

        """
        ...


def reader_of(catalog: Catalog, channel: str) -> Reader[Any]:
    """Return the function that reads the messages of one channel of a generated package."""

    def read(wire: bytes | str | None) -> Envelope[Any]:
        return decode_message(wire, channel, catalog)

    read.__doc__ = Reader.__call__.__doc__
    return read
