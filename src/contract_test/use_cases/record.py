"""Record: what stands on a channel becomes recordings, scrubbed, and only as much as is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog, Channel, Contract
from contract_test.data.interaction import Interaction, Tapped
from contract_test.files.recordings import line_of, read_recording, write_recording
from contract_test.schema.novelty import Fingerprint, fingerprint
from contract_test.schema.scrub import pseudonym, scrub
from contract_test.schema.shape import Position, Shapes, Source
from contract_test.schema.walk import References
from contract_test.use_cases.messages import at_path, data_of, wire_of
from envelopes import Catalog as Runtime
from envelopes import DecodeError, Envelope, _json, decode
from envelopes.codecs import CODECS

_KEPT_ATTRIBUTES = frozenset(("class", "specversion", "type", "source", "dataschema", "datacontenttype", "time"))
_KEPT_HEADERS = frozenset(("content-type", *(f"ce_{name}" for name in _KEPT_ATTRIBUTES)))


@dataclass
class Recorded:
    """What a run read and kept. `drift` counts the messages that no contract accepts, by the reason."""

    read: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    known: int = 0
    drift: Counter[str] = field(default_factory=Counter)
    unscrubbed: Counter[str] = field(default_factory=Counter)
    written: list[Path] = field(default_factory=list)


class Recorder:
    """Takes the messages of one channel in. Nothing is written before `write`."""

    def __init__(self, catalog: Catalog, channel: Channel, runtime: Runtime, key: bytes, per_shape: int) -> None:
        self._catalog, self._channel, self._runtime = catalog, channel, runtime
        self._key, self._per_shape = key, per_shape
        self._contracts: dict[tuple[str, int], _Kept] = {}
        self.result = Recorded()

    def take_all(self, messages: Iterable[Tapped]) -> None:
        """Take every message."""
        for message in messages:
            self.take(message)

    def take(self, message: Tapped) -> None:
        """Decode, fingerprint and scrub one message, and keep it where it shows something new."""
        self.result.read += 1
        try:
            envelope: Envelope[Any] = decode(message.wire, channel=self._channel.name, catalog=self._runtime)
        except DecodeError as error:
            self.result.drift[f"{error.subject}{error.pointer}: {error.violation.keyword}"] += 1
            return
        contract = envelope.data.__contract__
        kept = self._kept(contract.subject, contract.version)
        payload = _json.loads(bytes(message.wire[CODECS[self._channel.codec].HEAD :]))
        data = at_path(payload, CODECS[self._channel.codec].place(payload))
        shape = fingerprint(data, kept.position, kept.shapes)
        if kept.shown[shape] >= self._per_shape:
            self.result.known += 1
            return
        interaction = self._scrubbed(message, payload, kept)
        line = line_of(replace(interaction, seen={}))
        if line in kept.lines:
            self.result.known += 1
            return
        try:
            decode(wire_of(interaction), channel=self._channel.name, catalog=self._runtime)
        except DecodeError as error:
            self.result.unscrubbed[f"{error.subject}{error.pointer}"] += 1
            return
        kept.lines.add(line)
        kept.shown[shape] += 1
        kept.fresh.append(interaction)
        self.result.kept[kept.contract.name] += 1

    def write(self) -> Recorded:
        """Add what was kept to the recordings; what stood there stays as it was."""
        for kept in self._contracts.values():
            if kept.fresh:
                self.result.written.append(write_recording(kept.contract, [*kept.old, *kept.fresh]))
        return self.result

    def _kept(self, subject: str, version: int) -> _Kept:
        if (subject, version) not in self._contracts:
            contract = self._catalog.subjects[subject].contracts[version]
            self._contracts[subject, version] = _Kept(contract, self._channel, self._catalog)
        return self._contracts[subject, version]

    def _scrubbed(self, message: Tapped, payload: Any, kept: _Kept) -> Interaction:
        codec = CODECS[self._channel.codec]
        place = codec.place(payload)
        data, masked = scrub(at_path(payload, place), kept.position, kept.shapes, self._key)
        headers = {name: value.decode(errors="replace") for name, value in message.wire.headers}
        shown = {
            name: value if name in _KEPT_HEADERS else pseudonym(value, self._key)
            for name, value in headers.items()
            if name in _KEPT_HEADERS or name.startswith("ce_")
        }
        key = None if message.wire.key is None else message.wire.key.decode(errors="backslashreplace")
        return Interaction(
            channel=self._channel.name,
            subject=kept.contract.subject,
            version=kept.contract.version,
            payload=self._around(payload, place, data),
            key=None if key is None else pseudonym(key, self._key),
            headers=shown,
            prefix=bytes(message.wire[: codec.HEAD]).hex(),
            masked=masked,
            seen=message.seen,
        )

    def _around(self, value: Any, place: tuple[str | int, ...], data: Any) -> Any:
        """Put scrubbed data back, and scrub the context around it."""
        if not place:
            return data
        if isinstance(value, list):
            return [self._around(value[0], place[1:], data)]
        return {
            name: self._around(child, place[1:], data)
            if name == place[0]
            else child
            if name in _KEPT_ATTRIBUTES
            else _mask(child, self._key)
            for name, child in value.items()
        }


class _Kept:
    """What is recorded of one contract, before this run and in it."""

    def __init__(self, contract: Contract, channel: Channel, catalog: Catalog) -> None:
        self.contract = contract
        self.old = read_recording(contract)
        self.fresh: list[Interaction] = []
        self.lines = {line_of(replace(each, seen={})) for each in self.old}
        self.shown: Counter[Fingerprint] = Counter(
            fingerprint(data_of(each, catalog.channels[channel.name]), self.position, self.shapes) for each in self.old
        )

    @cached_property
    def _references(self) -> References:
        return References(self.contract.resources, self.contract.uri)

    @cached_property
    def shapes(self) -> Shapes:
        return Shapes(self._references)

    @cached_property
    def position(self) -> Position:
        return (Source(self._references.root, certain=True),)


def _mask(value: Any, key: bytes) -> Any:
    if isinstance(value, str):
        return pseudonym(value, key)
    if isinstance(value, dict):
        return {name: _mask(child, key) for name, child in value.items()}
    return [_mask(child, key) for child in value] if isinstance(value, list) else value
