"""Record: what stands on a channel becomes recordings, scrubbed, and only as much as is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from contract_test.data.contract import Catalog, Channel, Contract
from contract_test.data.drift import Drift
from contract_test.data.interaction import Interaction, Tapped
from contract_test.data.reading import Mark
from contract_test.files.exact_json import exact_dumps
from contract_test.files.recordings import append_recording, line_of, read_recording, wire_of
from contract_test.record.causes import Causes
from contract_test.record.conformance import ConformanceChecker, RejectedMessage
from contract_test.record.message_scrubber import Scrubber
from contract_test.record.novelty import Novelty
from contract_test.record.quarantine import Quarantine
from contract_test.record.validator import ContractsCatalog, ContractValidator, ValidatedData
from contract_test.recordings.messages import cause_in, data_of
from contract_test.scanner import leaks_in_line
from contract_test.schema.fingerprints import Fingerprints
from envelopes import DecodeError, Envelope

MAX_REMEMBERED = 20_000
MAX_EFFECTS = 5


@dataclass
class Recorded:
    """What a run read and kept. `shapes` are those of this channel's recordings, old and new."""

    drift: Drift
    kept: Counter[str] = field(default_factory=Counter)
    shapes: int = 0
    quarantined: int = 0
    unscrubbed: Counter[str] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)
    """What the scanner found in scrubbed messages, which were then not kept: where and what, never the text."""
    missing_causes: int = 0
    """How many recorded messages' causes are not recorded."""
    written: dict[Path, None] = field(default_factory=dict)


class Recorder:
    """Takes the messages of one channel in. Nothing is written before `write`, which may be called again and again."""

    def __init__(
        self, catalog: Catalog, channel: Channel, key: bytes, per_shape: int, quarantine: Quarantine | None = None
    ) -> None:
        self._catalog, self._channel, self._per_shape = catalog, channel, per_shape
        self._scrubber = Scrubber(catalog, channel, key)
        self._contracts = ContractsCatalog(catalog, channel)
        self._checker = ConformanceChecker(self._contracts, channel)
        self._causes = Causes(catalog, self._contracts, self._scrubber.pseudonyms)
        self._has_effects = any(each.caused_by and each.channel == channel for each in catalog.subjects.values())
        self._by_id: dict[str, _Item] = {}
        self._by_cause: dict[str, list[_Item]] = {}
        self._recordings: dict[str, _Kept] = {}
        self._quarantine = quarantine
        self.marks: dict[str, Mark] = {}
        """Where each part of the source was read to."""
        self.result = Recorded(self._checker.drift)

    def take_all(self, messages: Iterable[Tapped | None]) -> None:
        """Take every message."""
        for message in messages:
            if message is not None:
                self.take(message)

    def take(self, message: Tapped) -> None:
        """Take in one message: decode and check it, and keep it where it may show something new.

        It is scrubbed before it is written.
        """
        found = self._checker.check(message)
        if isinstance(found, RejectedMessage):
            self._reject(message, found)
        else:
            self._keep(message, found)
        if message.mark is not None:
            self.marks[message.mark[0]] = message.mark[1]

    def write(self, *, caught_up: bool = True) -> Recorded:
        """Add what is new since the last time to the recordings; what stood there stays as it was.

        Until it has `caught_up` with the channel, a recorder keeps room for shapes that may still come.
        """
        for kept in list(self._recordings.values()):
            kept.novelty.choose(self._accept, last=caught_up)
        for kept in self._recordings.values():
            if kept.fresh:
                kept.fresh.sort(key=itemgetter(0))
                self.result.written[append_recording(kept.contract, [each for _, each in kept.fresh])] = None
                kept.fresh = []
        if self._quarantine is not None:
            self._quarantine.write()
        self._checker.result()
        self.result.missing_causes = self._causes.missing
        self.result.shapes = sum(len(kept.novelty.shown) for kept in self._recordings.values())
        return self.result

    def time_of(self, message: Tapped) -> datetime | None:
        """Return when a message was sent, if it or the catalog says so. Raises DecodeError where it cannot be read."""
        return self._contracts.read(message.wire, self._channel).time

    @property
    def holds_back(self) -> bool:
        """Whether messages that were read wait for the recorder to have caught up."""
        return any(kept.novelty.holds_back for kept in self._recordings.values())

    def _keep(self, message: Tapped, envelope: Envelope[Any]) -> None:
        validated: ValidatedData = envelope.data
        kept = self._kept(validated.validator)
        subject = self._catalog.subjects[kept.contract.subject]
        cause = cause_in(envelope, validated.data, subject)
        item = _Item(self.result.drift.read, message, validated, kept, cause)
        if self._has_effects:
            self._remember(item, envelope.id)
        shape = kept.fingerprints.of(validated.data)
        wanted = envelope.id is not None and self._causes.wants(envelope.id)
        preferred = cause is None or (kept.novelty.is_open(shape) and self._causes.has(cause))
        kept.novelty.offer(shape, bytes(message.wire), item, preferred=preferred, wanted=wanted)

    def _remember(self, item: _Item, name: str | None) -> None:
        """Hold the latest messages: what is kept later may need its cause, and the other effects of it."""
        if len(self._by_id) >= MAX_REMEMBERED:
            self._by_id.clear()
            self._by_cause.clear()
        if name is not None:
            self._by_id[name] = item
        if item.cause is not None:
            self._by_cause.setdefault(item.cause, []).append(item)

    def _accept(self, item: _Item) -> bool:
        """Scrub a message and take it into the recording, unless it is there, or has no business there."""
        kept = item.kept
        interaction = self._scrubber.interaction(item.message, kept.contract, item.validated.data)
        line = line_of(replace(interaction, seen={}))
        if line in kept.lines:
            return False
        try:
            self._contracts.read(wire_of(interaction), self._channel)
        except DecodeError as error:
            self.result.unscrubbed[
                f"{error.subject}{item.validated.validator.inventory.pointer_of(error.pointer)}"
            ] += 1
            return False
        if self._leaks(line_of(interaction), kept.contract.name):
            return False
        kept.lines.add(line)
        kept.fresh.append((item.number, interaction))
        self.result.kept[kept.contract.name] += 1
        self._causes.add(interaction)
        if item.cause is not None:
            effects = self._by_cause.pop(item.cause, [])
            together = effects if len(effects) <= MAX_EFFECTS else []  # else a fan-out: some of it show the rest
            for other in (self._by_id.pop(item.cause, None), *together):
                if other is not None and other is not item:
                    self._accept(other)
        return True

    def _leaks(self, line: bytes, name: str) -> bool:
        """Whether the scanner finds something in what was scrubbed."""
        found = leaks_in_line(line)
        for leak in found:
            self.result.leaks[f"{name}{leak.pointer}: {leak.thing} ({leak.rule})"] += 1
        return bool(found)

    def _kept(self, validator: ContractValidator) -> _Kept:
        known = self._recordings.get(validator.contract.name)
        if known is None:
            channels = {**self._catalog.channels, self._channel.name: self._channel}
            known = self._recordings[validator.contract.name] = _Kept(validator, channels, self._per_shape)
        return known

    def _reject(self, message: Tapped, rejected: RejectedMessage) -> None:
        if self._quarantine is None or not self._quarantine.wants(rejected):
            return
        contract = None if rejected.validator is None else rejected.validator.contract
        shown = self._scrubber.rejected(message, contract)
        if not self._leaks(exact_dumps(shown), "kept apart"):
            self.result.quarantined += self._quarantine.add(rejected, shown)


class _Kept:
    """What is recorded of one contract, before this run and in it."""

    def __init__(self, validator: ContractValidator, channels: Mapping[str, Channel], per_shape: int) -> None:
        self.contract: Contract = validator.contract
        self.fingerprints = Fingerprints(validator.shapes, validator.position)
        old = read_recording(validator.contract)
        self.lines = {line_of(replace(each, seen={})) for each in old}
        shapes = (
            self.fingerprints.of(data_of(each, channels[each.channel])) for each in old if each.channel in channels
        )
        self.novelty: Novelty[_Item] = Novelty(shapes, per_shape)
        self.fresh: list[tuple[int, Interaction]] = []


class _Item(NamedTuple):
    """A message that may be kept. `number` counts from the first that was read; `cause` is what it names as its own."""

    number: int
    message: Tapped
    validated: ValidatedData
    kept: _Kept
    cause: str | None
