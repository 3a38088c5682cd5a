"""Emitted messages: what a producer sent, read back as its channel carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from contract_test.data.contract import Channel, Contract, Subject
from contract_test.data.interaction import Mismatch
from contract_test.recordings.messages import Message
from contract_test.schema.fields import fields_of
from envelopes import (
    ContractViolationError,
    DecodeError,
    Envelope,
    EnvelopesError,
    ValueObject,
    Violation,
    Wire,
    _json,
    decode,
    encode,
)
from envelopes.catalog import Catalog as Runtime
from envelopes.codecs import CODECS
from envelopes.pointers import resolve_pointer
from envelopes.validation import excerpt, find_violation

UNKNOWN: Any = object()
"""What the test did not tell of a message: its key, or its headers."""


@dataclass(frozen=True)
class Sent:
    """A message that was sent with more than the test's first argument tells: where to, with which key and headers."""

    value: Any
    channel: str | None = None
    key: Any = UNKNOWN
    headers: Any = UNKNOWN


def sent_with(value: Any, *, channel: str | None = None, key: Any = UNKNOWN, headers: Any = UNKNOWN) -> Any:
    """Return a message that a test gave to `emits`, with all that it told of it."""
    beside = channel is not None or key is not UNKNOWN or headers is not UNKNOWN
    return Sent(value, channel, key, headers) if beside else value


@dataclass(frozen=True)
class Emitted:
    """One message as it leaves: its data, and, where the test gave more than that, its key, headers and envelope."""

    data: Any
    version: int
    key: Any = UNKNOWN
    headers: Any = UNKNOWN
    envelope: Envelope[Any] | None = None
    broken: tuple[Mismatch, ...] = field(default=())


def read_emitted(value: Any, subject: Subject, expected: Message, runtime: Runtime) -> Emitted:
    """Read what a test gave to `emits`.

    It is a value object, an envelope, the channel's bytes or text, plain data, or one of these as `Sent`. What breaks
    the contract is in `broken`, and so is a channel that is not one of the subject's.
    """
    if not isinstance(value, Sent):
        return _read_value(value, subject, expected, runtime)
    try:
        beside = Wire(
            b"", None if value.key is UNKNOWN else value.key, () if value.headers is UNKNOWN else value.headers
        )
    except TypeError as error:
        mismatch = Mismatch("", "a key and headers as a client takes them", str(error), "contract-broken")
        return Emitted(None, expected.interaction.version, broken=(mismatch,))
    inner = value.value
    bare = isinstance(inner, bytes | bytearray | memoryview | str) and not isinstance(inner, Wire)
    if bare or isinstance(inner, Wire):  # its codec may need the headers
        wire = inner if isinstance(inner, Wire) else Wire(inner)
        key, headers = wire.key if value.key is UNKNOWN else beside.key, beside.headers or wire.headers
        inner = Wire(bytes(wire), key, headers)
    found = _read_value(inner, subject, expected, runtime)
    return replace(
        found,
        key=beside.key if value.key is not UNKNOWN else UNKNOWN if bare else found.key,
        headers=beside.headers if value.headers is not UNKNOWN else UNKNOWN if bare else found.headers,
        broken=(*_wrong_channel(value.channel, subject), *found.broken),
    )


def _wrong_channel(channel: str | None, subject: Subject) -> list[Mismatch]:
    """Compare where a message was sent, by a channel's name or address, with what the catalog says of its subject."""
    if channel is None or any(channel == each.name or each.matches(channel) for each in subject.channels):
        return []
    wanted = " or ".join(excerpt(each.address) for each in subject.channels)
    return [Mismatch("channel", wanted, excerpt(channel), "wrong-channel")]


def _read_value(value: Any, subject: Subject, expected: Message, runtime: Runtime) -> Emitted:
    """Read a value object, an envelope, the channel's bytes or text, or plain data.

    What breaks the contract is in `broken`: an invalid value, another subject, something that is none of these, and,
    because a writer is closed, every field that the contract does not declare.
    """
    version = expected.interaction.version
    try:
        read = _read(value, subject, expected, runtime)
    except ContractViolationError as error:
        return Emitted(None, version, broken=(_broken(error.violation),))
    except EnvelopesError as error:
        return Emitted(None, version, broken=(Mismatch("", subject.name, str(error), "contract-broken"),))
    if isinstance(read, Mismatch):
        return Emitted(None, version, broken=(read,))
    contract = subject.contracts.get(read.version, subject.newest)
    found = tuple(
        Mismatch(
            pointer,
            f"no field that {contract.name} does not declare",
            excerpt(resolve_pointer(read.data, pointer)),
            _UNDECLARED,
        )
        for pointer in _undeclared(contract, read.data)
    )
    return replace(read, broken=found)


_UNDECLARED = "undeclared-field"


def _read(value: Any, subject: Subject, expected: Message, runtime: Runtime) -> Emitted | Mismatch:
    if isinstance(value, ValueObject):
        contract = value.__contract__
        if contract.subject != subject.name:
            return _other_subject(subject, contract.subject)
        return Emitted(_json.loads(value.to_json()), contract.version)
    if isinstance(value, Envelope):
        if value.data.__contract__.subject != subject.name:
            return _other_subject(subject, value.data.__contract__.subject)
        channel = expected.interaction.channel
        wire = encode(value, source=expected.envelope.source, channel=channel, catalog=runtime)
        return _from_wire(wire, subject, expected, runtime)
    if isinstance(value, bytes | bytearray | memoryview):
        return _from_wire(value if isinstance(value, bytes) else bytes(value), subject, expected, runtime)
    if isinstance(value, str):  # what a client that decodes its answers sends and gets
        return _from_wire(value.encode(errors="surrogatepass"), subject, expected, runtime)
    if isinstance(value, Mapping | list):
        return _from_data(dict(value) if isinstance(value, Mapping) else value, subject, expected, runtime)
    wanted = "a value object, an envelope, the channel's bytes or text, or plain data"
    return Mismatch("", wanted, f"a `{type(value).__name__}` given to `emits`", "contract-broken")


def _from_wire(wire: bytes, subject: Subject, expected: Message, runtime: Runtime) -> Emitted | Mismatch:
    """Read a message as the channel carries it that the expected one was recorded on, or another of the subject's.

    Of another channel only the data can be compared: what is around it may be written otherwise there.
    """
    recorded_on = expected.interaction.channel
    try:
        return _from_channel(wire, subject, runtime.channel(recorded_on), runtime)
    except DecodeError:
        for channel in subject.channels:
            if channel.name != recorded_on:
                with suppress(DecodeError):
                    read = _from_channel(wire, subject, channel, runtime)
                    return (
                        replace(read, key=UNKNOWN, headers=UNKNOWN, envelope=None)
                        if isinstance(read, Emitted)
                        else read
                    )
        raise


def _from_channel(wire: bytes, subject: Subject, channel: Channel, runtime: Runtime) -> Emitted | Mismatch:
    try:
        envelope = decode(wire, channel=channel.name, catalog=runtime)
    except DecodeError as error:
        if error.subject in runtime.subjects and error.subject != subject.name:
            return _other_subject(subject, error.subject)
        raise
    if envelope.type != subject.name:
        return _other_subject(subject, str(envelope.type))
    codec = CODECS[channel.codec]
    beside = wire if isinstance(wire, Wire) else Wire(wire)
    _, data = codec.read(bytes(wire), beside.key, beside.headers, channel)
    version = envelope.data.__contract__.version
    if isinstance(wire, Wire):
        return Emitted(data, version, wire.key, wire.headers, envelope)
    return Emitted(data, version, envelope=envelope)


def _from_data(data: Any, subject: Subject, expected: Message, runtime: Runtime) -> Emitted | Mismatch:
    recorded = expected.interaction.version
    plain = _json.loads(_json.dumps(data))
    named = resolve_pointer(plain, subject.version) if subject.version and subject.version.startswith("/") else None
    first = [named] if type(named) is int and named in subject.contracts else []
    for version in (*first, recorded, *sorted(subject.contracts, reverse=True)):
        accepts = runtime.value_object(subject.name, version).__contract__.validator.is_valid
        if accepts(plain) and not _undeclared(subject.contracts[version], plain):
            return Emitted(plain, version)
    violation = find_violation(runtime.value_object(subject.name, recorded).__contract__.validator, plain)
    return Emitted(plain, recorded) if violation is None else _broken(violation)


def _undeclared(contract: Contract, data: Any) -> Sequence[str]:
    fields = fields_of(contract.resources, contract.uri)
    return fields.undeclared(data, declared_only=not contract.sends_undeclared)


def _broken(violation: Violation) -> Mismatch:
    return Mismatch(violation.pointer, violation.expected, violation.found, "contract-broken")


def _other_subject(subject: Subject, found: str) -> Mismatch:
    return Mismatch("", f"a message of {subject.name}, which the marker names", f"one of {found}", "wrong-subject")
