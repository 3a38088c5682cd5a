"""Recorded messages as bytes, as envelopes, and as cause and effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_test.data.contract import Catalog, Channel, Subject
from contract_test.data.errors import RecordingError
from contract_test.data.interaction import Interaction
from contract_test.files.recordings import wire_of
from contract_test.schema.walk import escape
from envelopes import DecodeError, Envelope, _json, decode
from envelopes.catalog import Catalog as Runtime
from envelopes.codecs import CODECS, CodecError
from envelopes.pointers import resolve_pointer
from envelopes.types import plain


@dataclass(frozen=True)
class Message:
    """A recorded message that has been read back."""

    interaction: Interaction
    envelope: Envelope[Any]
    data: Any
    """The data as plain JSON, as it was recorded."""

    @property
    def data_path(self) -> tuple[str | int, ...]:
        """Where the data is in the payload."""
        return self.envelope.data_path


def data_of(interaction: Interaction, channel: Channel) -> Any:
    """Return the data of a recorded message, as plain JSON.

    As a reader gets it, without how its numbers were written.
    """
    wire = wire_of(interaction)
    try:
        context, _ = CODECS[channel.codec].read(bytes(wire), wire.key, wire.headers, channel)
    except CodecError as error:
        raise LookupError(f"no data at {error.pointer}: expected {error.expected}, found {error.found}") from None
    return plain_data(interaction, context.data_path)


def plain_data(interaction: Interaction, path: tuple[str | int, ...]) -> Any:
    """Return the data at a path in a recorded message, without how its numbers were written."""
    return _json.loads(_json.dumps(at_path(interaction.payload, path), plain))


def pointer_in_line(path: tuple[str | int, ...], pointer: str = "") -> str:
    """Return the JSON pointer into a recorded line, of a pointer into the data at a path in its payload."""
    return "".join(f"/{escape(str(step))}" for step in ("payload", *path)) + pointer


def at_path(value: Any, path: tuple[str | int, ...]) -> Any:
    """Return the value at the end of a path of keys and indexes."""
    for step in path:
        value = value[step]
    return value


def read_message(interaction: Interaction, catalog: Catalog, runtime: Runtime) -> Message:
    """Read a recorded message back. Raises RecordingError where its own contract does not accept it any more."""
    channel = catalog.channels.get(interaction.channel)
    if channel is None:
        raise RecordingError(
            f"channel {interaction.channel!r} is not in the catalog", place=interaction.place, advice="Record again."
        )
    try:
        envelope = decode(wire_of(interaction), channel=channel.name, catalog=runtime)
    except DecodeError as error:
        advice = "Record again, or mend the line; if the contract changed, it needs a new version."
        raise RecordingError(
            f"the recorded message breaks its contract: {error}", place=interaction.place, advice=advice
        ) from None
    return Message(interaction, envelope, plain_data(interaction, envelope.data_path))


def cause_of(message: Message, subject: Subject) -> str | None:
    """Return the id of the message that caused this one, where the catalog says where it stands."""
    return cause_in(message.envelope, message.data, subject)


def causes_of(message: Message, subject: Subject) -> tuple[str, ...]:
    """Return the ids of all messages that caused this one: the catalog may name an array of them."""
    where = subject.caused_by
    found = resolve_pointer(message.data, where) if where is not None and where.startswith("/") else None
    if isinstance(found, list):
        return tuple(filter(None, map(_id_of, found)))
    one = cause_of(message, subject)
    return () if one is None else (one,)


def cause_in(envelope: Envelope[Any], data: Any, subject: Subject) -> str | None:
    """Return the id of the message that caused the one with this data."""
    where = subject.caused_by
    if where is None:
        return None
    return _id_of(resolve_pointer(data, where) if where.startswith("/") else envelope.extensions.get(where))


def _id_of(value: Any) -> str | None:
    """Return the id that a value names: a text, or a whole number, which the envelope of its message has as a text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def by_id(messages: Iterable[Message]) -> Mapping[str, Message]:
    """Return the messages by the id of their envelope; of two with one id, the first."""
    found: dict[str, Message] = {}
    for message in messages:
        if message.envelope.id is not None:
            found.setdefault(message.envelope.id, message)
    return found
