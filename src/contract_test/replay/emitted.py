"""Emitted messages: what a producer sent, read back as its channel carries it, and compared with what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from contract_test.data.contract import Channel, Contract, Subject
from contract_test.data.interaction import Mismatch
from contract_test.recordings.messages import Message
from contract_test.schema.fields import fields_of
from contract_test.schema.match import mismatches
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


@dataclass(frozen=True)
class Emitted:
    """One message as it leaves: its data, and, where the test gave more than that, its wire and envelope."""

    data: Any
    version: int
    wire: Wire | None = None
    envelope: Envelope[Any] | None = None
    broken: tuple[Mismatch, ...] = field(default=())


def read_emitted(value: Any, subject: Subject, expected: Message, runtime: Runtime) -> Emitted:
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
    return Emitted(read.data, read.version, read.wire, read.envelope, found)


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
                    return replace(read, wire=None, envelope=None) if isinstance(read, Emitted) else read
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
    return Emitted(data, envelope.data.__contract__.version, wire if isinstance(wire, Wire) else None, envelope)


def _from_data(data: Any, subject: Subject, expected: Message, runtime: Runtime) -> Emitted | Mismatch:
    recorded = expected.interaction.version
    plain = _json.loads(_json.dumps(data))
    for version in (recorded, *sorted(subject.contracts, reverse=True)):
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


def check_emitted(
    actual: Sequence[Emitted],
    expected: Message,
    subject: Subject,
    effects: int,
    is_known: Callable[[Emitted], bool],
) -> list[Mismatch]:
    """Return the mismatches between what was emitted for one cause and one of its `effects` messages.

    A recording keeps what is novel: more may be emitted, as long as it `is_known`, showing nothing that no recorded
    message shows, and comes once.
    """
    if not actual:
        found = "nothing was emitted: call `emits(message)`, and await what is async"
        return [Mismatch("", "a message", found, "nothing-emitted")]
    broken = [mismatch for each in actual for mismatch in each.broken]
    if broken:
        return broken
    best = min((list(_differences(expected, each, subject)) for each in actual), key=len)
    recorded = max(1, effects)
    if best or len(actual) == recorded:
        return best
    if len(actual) < recorded:
        return [Mismatch("", f"{recorded} for this cause", f"{len(actual)} emitted", "too-few-emitted")]
    if all(map(is_known, actual)) and not any(_is_again(*pair, subject) for pair in combinations(actual, 2)):
        return []
    return [Mismatch("", f"{recorded} for this cause", f"{len(actual)} emitted", "too-many-emitted")]


def _is_again(one: Emitted, other: Emitted, subject: Subject) -> bool:
    """Whether two messages are one that was emitted twice: by their id, or, where they have none, by all they say."""
    if subject.id is not None:
        return bool(resolve_pointer(one.data, subject.id) == resolve_pointer(other.data, subject.id))
    return next(mismatches(one.data, other.data, volatile=subject.volatile), None) is None


def _differences(expected: Message, actual: Emitted, subject: Subject) -> Iterator[Mismatch]:
    recorded = expected.interaction
    declared: frozenset[str] | None = None
    if actual.version != recorded.version:  # what only the other version has is no mistake
        contract = subject.contracts[recorded.version]
        declared = frozenset(place.pointer for place in fields_of(contract.resources, contract.uri).places)
    for found in mismatches(expected.data, actual.data, volatile=subject.volatile, masked=recorded.masked):
        if declared is None or found.check != "new-field" or found.pointer in declared:
            yield found
    if actual.wire is not None:
        yield from _key(expected, actual, subject)
        yield from _headers(expected, actual)
    if actual.envelope is not None:
        yield from _attributes(expected, actual.envelope, subject)


def _key(expected: Message, actual: Emitted, subject: Subject) -> Iterator[Mismatch]:
    """The catalog says where the key stands in the data; else a recorded key is a pseudonym: there is one, or none."""
    assert actual.wire is not None
    found = None if actual.wire.key is None else actual.wire.key.decode(errors="backslashreplace")
    if subject.key is not None and subject.key.startswith("/"):
        wanted = resolve_pointer(actual.data, subject.key)
        wanted = wanted if wanted is None or isinstance(wanted, str) else _json.dumps(wanted).decode()
        if found != wanted:
            yield Mismatch("key", f"{excerpt(wanted)} (what stands at {subject.key})", excerpt(found), "wrong-key")
    elif (found is None) != (expected.interaction.key is None):
        wanted = "no key" if expected.interaction.key is None else "a key"
        yield Mismatch("key", wanted, excerpt(found), "wrong-key")


def _headers(expected: Message, actual: Emitted) -> Iterator[Mismatch]:
    """What was recorded has to be there; its value only where a recording keeps values: the rest are pseudonyms."""
    assert actual.wire is not None
    found = {name: value.decode(errors="replace") for name, value in actual.wire.headers}
    for name, value in expected.interaction.headers.items():
        if name not in found:
            yield Mismatch(f"header {name}", excerpt(value), "nothing", "wrong-header")
        elif name in {"content-type", "ce_specversion"} and _plain(found[name]) != _plain(value):
            yield Mismatch(f"header {name}", excerpt(value), excerpt(found[name]), "wrong-header")


def _attributes(expected: Message, actual: Envelope[Any], subject: Subject) -> Iterator[Mismatch]:
    before = expected.envelope
    senders = {source for service in subject.sent_by for source in (service, f"/{service}")}
    if before.source in senders and actual.source != before.source:  # any other may be a pseudonym
        yield Mismatch("attribute source", excerpt(before.source), excerpt(actual.source), "wrong-header")
    if before.dataschema is not None and actual.dataschema is None:
        yield Mismatch("attribute dataschema", excerpt(before.dataschema), "nothing", "wrong-header")
    for name in sorted(before.extensions.keys() - actual.extensions.keys()):
        yield Mismatch(f"attribute {name}", excerpt(before.extensions[name]), "nothing", "wrong-header")


def _plain(value: str) -> str:
    return "".join(value.lower().split())
