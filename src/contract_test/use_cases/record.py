"""Record: what stands on a channel becomes recordings, scrubbed, and only as much as is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog, Channel, Contract
from contract_test.data.drift import Drift
from contract_test.data.interaction import Interaction, Tapped
from contract_test.data.reading import Mark
from contract_test.files.exact_json import exact_loads
from contract_test.files.recordings import append_recording, line_of, read_recording, wire_of
from contract_test.schema.novelty import Fingerprint, fingerprint
from contract_test.schema.scrub import pseudonym, scrub
from contract_test.use_cases.judged import Contracts, Judge, Judged
from contract_test.use_cases.messages import at_path, data_of
from contract_test.use_cases.observe import Observer, Refused
from contract_test.use_cases.quarantine import Quarantine
from envelopes import DecodeError
from envelopes.codecs import CODECS

_KEPT_ATTRIBUTES = frozenset(("class", "specversion", "type", "source", "dataschema", "datacontenttype", "time"))
_KEPT_HEADERS = frozenset(("content-type", *(f"ce_{name}" for name in _KEPT_ATTRIBUTES)))


@dataclass
class Recorded:
    """What a run read and kept. `shapes` are those of this channel's recordings, old and new."""

    drift: Drift
    kept: Counter[str] = field(default_factory=Counter)
    known: int = 0
    shapes: int = 0
    quarantined: int = 0
    unscrubbed: Counter[str] = field(default_factory=Counter)
    written: dict[Path, None] = field(default_factory=dict)


class Recorder:
    """Takes the messages of one channel in. Nothing is written before `write`, which may be called again and again."""

    def __init__(
        self, catalog: Catalog, channel: Channel, key: bytes, per_shape: int, quarantine: Quarantine | None = None
    ) -> None:
        self._catalog, self._channel, self._key, self._per_shape = catalog, channel, key, per_shape
        self._codec = CODECS[channel.codec]
        self._contracts = Contracts(catalog, channel)
        self._observer = Observer(self._contracts, channel)
        self._recordings: dict[str, _Kept] = {}
        self._quarantine = quarantine
        self.marks: dict[str, Mark] = {}
        """Where each part of the source was read to."""
        self.result = Recorded(self._observer.drift)

    def take_all(self, messages: Iterable[Tapped | None]) -> None:
        """Take every message."""
        for message in messages:
            if message is not None:
                self.take(message)

    def take(self, message: Tapped) -> None:
        """Decode, fingerprint and scrub one message, and keep it where it shows something new."""
        found = self._observer.observe(message)
        if isinstance(found, Refused):
            self._refuse(message, found)
        else:
            self._keep(message, found.data)
        if message.mark is not None:
            self.marks[message.mark[0]] = message.mark[1]

    def write(self) -> Recorded:
        """Add what was kept since the last time to the recordings; what stood there stays as it was."""
        for kept in self._recordings.values():
            if kept.fresh:
                self.result.written[append_recording(kept.contract, kept.fresh)] = None
                kept.fresh = []
        if self._quarantine is not None:
            self._quarantine.write()
        self._observer.result()
        return self.result

    def _keep(self, message: Tapped, judged: Judged) -> None:
        kept = self._kept(judged.judge)
        shape = fingerprint(judged.data, judged.judge.position, judged.judge.shapes)
        if kept.shown[shape] >= self._per_shape:
            self.result.known += 1
            return
        interaction = self._scrubbed(message, judged)
        line = line_of(replace(interaction, seen={}))
        if line in kept.lines:
            self.result.known += 1
            return
        try:
            self._contracts.read(wire_of(interaction), self._channel)
        except DecodeError as error:
            self.result.unscrubbed[f"{error.subject}{judged.judge.census.pointer_of(error.pointer)}"] += 1
            return
        kept.lines.add(line)
        self.result.shapes += shape not in kept.shown
        kept.shown[shape] += 1
        kept.fresh.append(interaction)
        self.result.kept[kept.contract.name] += 1

    def _kept(self, judge: Judge) -> _Kept:
        known = self._recordings.get(judge.contract.name)
        if known is None:
            known = self._recordings[judge.contract.name] = _Kept(judge, self._catalog.channels)
            self.result.shapes += len(known.shown)
        return known

    def _scrubbed(self, message: Tapped, judged: Judged) -> Interaction:
        payload = exact_loads(bytes(message.wire[self._codec.HEAD :]))
        place = self._codec.place(payload)
        try:
            data = at_path(payload, place)
        except LookupError:  # an event whose data is in base64: recorded as what it says
            data = judged.data
            inner = at_path(payload, place[:-1])
            inner["data"] = inner.pop("data_base64", None)
        data, masked = scrub(data, judged.judge.position, judged.judge.shapes, self._key)
        return Interaction(
            channel=self._channel.name,
            subject=judged.judge.contract.subject,
            version=judged.judge.contract.version,
            payload=self._around(payload, place, data),
            key=self._stream_key(message),
            headers=self._headers(message),
            prefix=bytes(message.wire[: self._codec.HEAD]).hex(),
            masked=masked,
            seen=message.seen,
        )

    def _refuse(self, message: Tapped, refused: Refused) -> None:
        if self._quarantine is None or not self._quarantine.wants(refused):
            return
        judge = refused.judge
        try:
            payload = exact_loads(bytes(message.wire[self._codec.HEAD :]))
            place: tuple[str | int, ...] = self._codec.place(payload)
            try:
                data = at_path(payload, place)
            except (LookupError, TypeError):
                place, data = (), payload
            known = Quarantine.NOTHING if judge is None else judge
            scrubbed, masked = scrub(data, known.position, known.shapes, self._key)
            shown = {"payload": self._around(payload, place, scrubbed), "masked": sorted(masked)}
        except (ValueError, TypeError, LookupError, RecursionError):  # not JSON, or not to be walked
            text = bytes(message.wire[:200]).decode(errors="backslashreplace")
            shown = {"text": pseudonym(text, self._key), "bytes": len(message.wire)}
        context = {"key": self._stream_key(message), "headers": self._headers(message), "seen": dict(message.seen)}
        self.result.quarantined += self._quarantine.add(refused, shown | context)

    def _stream_key(self, message: Tapped) -> str | None:
        key = message.wire.key
        return None if key is None else pseudonym(key.decode(errors="backslashreplace"), self._key)

    def _headers(self, message: Tapped) -> dict[str, str]:
        headers = {name: value.decode(errors="replace") for name, value in message.wire.headers}
        return {
            name: value if name in _KEPT_HEADERS else pseudonym(value, self._key)
            for name, value in headers.items()
            if name in _KEPT_HEADERS or name.startswith("ce_")
        }

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

    def __init__(self, judge: Judge, channels: Mapping[str, Channel]) -> None:
        self.contract: Contract = judge.contract
        old = read_recording(judge.contract)
        self.fresh: list[Interaction] = []
        self.lines = {line_of(replace(each, seen={})) for each in old}
        self.shown: Counter[Fingerprint] = Counter(
            fingerprint(data_of(each, channels[each.channel]), judge.position, judge.shapes)
            for each in old
            if each.channel in channels
        )


def _mask(value: Any, key: bytes) -> Any:
    if isinstance(value, str):
        return pseudonym(value, key)
    if isinstance(value, dict):
        return {name: _mask(child, key) for name, child in value.items()}
    return [_mask(child, key) for child in value] if isinstance(value, list) else value
