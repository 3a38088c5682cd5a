"""Recording: the messages of a channel become recordings.

Each message goes through the same steps, from top to bottom: decode and check it, choose whether it shows something
new, scrub it, check it again, scan it, write it. Only the last step touches the disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from contract_test.data.contract import Catalog, Channel, Contract
from contract_test.data.drift import Drift
from contract_test.data.errors import RecordingError
from contract_test.data.finding import Finding
from contract_test.data.interaction import Interaction, Tapped
from contract_test.data.reading import Mark
from contract_test.files.accepted import accepted_by, mark_accepted, read_accepted
from contract_test.files.exact_json import exact_dumps
from contract_test.files.leak_findings import leak_findings
from contract_test.files.quarantine import Quarantine
from contract_test.files.recordings import append_recording, line_of, read_recording, recording_path, wire_of
from contract_test.record.causes import Causes
from contract_test.record.conformance import ConformanceChecker, RejectedMessage
from contract_test.record.message_scrubber import Scrubber
from contract_test.record.novelty import Novelty
from contract_test.record.validator import ContractsCatalog, ContractValidator, ValidatedData
from contract_test.recordings.messages import cause_in, data_of
from contract_test.recordings.patterns_of_secrets import patterns_of_secrets
from contract_test.schema.declared import declared_texts
from contract_test.schema.message_shapes import MessageShapes
from envelopes import DecodeError, Envelope

MAX_REMEMBERED_MESSAGES = 20_000
MAX_EFFECTS_OF_ONE_CAUSE = 5


@dataclass
class Recorded:
    """The result of a run. `shapes` counts the shapes in this channel's recordings, old and new."""

    drift: Drift
    kept: Counter[str] = field(default_factory=Counter)
    shapes: int = 0
    quarantined: int = 0
    unscrubbed: Counter[str] = field(default_factory=Counter)
    """Messages that were not kept because they are not valid after scrubbing, by contract and pointer."""
    leaks: Counter[Finding] = field(default_factory=Counter)
    """How many messages were not kept because of each finding of the scanner."""
    patterns_of_secrets: dict[str, int] = field(default_factory=dict)
    """How many patterns of a recorded contract leave no room for pseudonyms that no scanner takes for secrets."""
    missing_causes: int = 0
    """How many causes are named by recorded messages, but not recorded."""
    written: dict[Path, None] = field(default_factory=dict)


class Recorder:
    """Records the messages of one channel. Only `write` touches the disk; it can be called repeatedly."""

    def __init__(
        self, catalog: Catalog, channel: Channel, key: bytes, per_shape: int, quarantine: Quarantine | None = None
    ) -> None:
        self._catalog, self._channel, self._per_shape = catalog, channel, per_shape
        self._scrubber = Scrubber(catalog, channel, key)
        self._contracts = ContractsCatalog(catalog, channel)
        self._checker = ConformanceChecker(self._contracts, channel)
        self._causes = Causes(catalog, self._contracts, self._scrubber.pseudonyms)
        self._has_effects = any(each.caused_by and channel in each.all_channels for each in catalog.subjects.values())
        self._by_id: dict[str, _Item] = {}
        self._by_cause: dict[str, list[_Item]] = {}
        self._recordings: dict[str, _Recording] = {}
        self._quarantine = quarantine
        self._public = declared_texts(catalog) | {channel.name, channel.address}
        self._accepted = accepted_by(read_accepted(catalog.root), "scan")
        self._today = datetime.now(UTC).date()
        self.marks: dict[str, Mark] = {}
        """Where each part of the source was read to."""
        self.result = Recorded(self._checker.drift)

    def take_all(self, messages: Iterable[Tapped | None]) -> None:
        """Take every message."""
        for message in messages:
            if message is not None:
                self.take(message)

    def take(self, message: Tapped) -> None:
        """Decode and check one message. Hold it in memory if it may show something new."""
        checked = self._checker.check(message)
        if isinstance(checked, RejectedMessage):
            self._quarantine_message(message, checked)
        elif checked is not None:
            self._consider(message, checked)
        if message.mark is not None:
            self.marks[message.mark[0]] = message.mark[1]

    def write(self, *, caught_up: bool = True) -> Recorded:
        """Choose among the messages that were taken, scrub and scan them, and append them to the recordings.

        Until it has `caught_up` with the channel, the recorder keeps room for shapes that may still come.
        """
        for recording in list(self._recordings.values()):
            recording.novelty.choose(self._accept, last=caught_up)
        for recording in self._recordings.values():
            if recording.patterns_of_secrets:
                self.result.patterns_of_secrets[recording.contract.name] = recording.patterns_of_secrets
            if recording.fresh:
                recording.fresh.sort(key=itemgetter(0))
                path = append_recording(recording.contract, [each for _, each in recording.fresh])
                self.result.written[path] = None
                recording.fresh = []
        if self._quarantine is not None:
            self._quarantine.write()
        self._checker.result()
        self.result.missing_causes = self._causes.missing
        self.result.shapes = sum(len(recording.novelty.shown) for recording in self._recordings.values())
        return self.result

    def time_of(self, message: Tapped) -> datetime | None:
        """Return when a message was sent, or None if neither it nor the catalog says so. Raises DecodeError."""
        return self._contracts.read(message.wire, self._channel).time

    @property
    def holds_back(self) -> bool:
        """True while messages wait until the recorder has caught up."""
        return any(recording.novelty.holds_back for recording in self._recordings.values())

    # 1. Choose

    def _consider(self, message: Tapped, envelope: Envelope[Any]) -> None:
        """Offer a valid message to its recording."""
        validated: ValidatedData = envelope.data
        recording = self._recording_of(validated.validator)
        subject = self._catalog.subjects[recording.contract.subject]
        cause = cause_in(envelope, validated.data, subject)
        item = _Item(self.result.drift.read, message, validated, recording, cause)
        if self._has_effects:
            self._remember(item, envelope.id)
        shape = recording.message_shapes.of(validated.data)
        wanted = envelope.id is not None and self._causes.wants(envelope.id)
        preferred = cause is None or (recording.novelty.is_open(shape) and self._causes.has(cause))
        recording.novelty.offer(shape, bytes(message.wire), item, preferred=preferred, wanted=wanted)

    def _remember(self, item: _Item, message_id: str | None) -> None:
        """Hold the latest messages: a message that is kept later may need its cause, and the cause's other effects."""
        if len(self._by_id) >= MAX_REMEMBERED_MESSAGES:
            self._by_id.clear()
            self._by_cause.clear()
        if message_id is not None:
            self._by_id[message_id] = item
        if item.cause is not None:
            self._by_cause.setdefault(item.cause, []).append(item)

    def _recording_of(self, validator: ContractValidator) -> _Recording:
        known = self._recordings.get(validator.contract.name)
        if known is None:
            known = self._recordings[validator.contract.name] = _Recording(validator, self._channel, self._per_shape)
        return known

    # 2. Scrub, check again, scan

    def _accept(self, item: _Item) -> bool:
        """Add a chosen message to its recording. Return False if it is there already or must not be kept."""
        recording = item.recording
        interaction = self._scrubber.interaction(item.message, recording.contract, item.validated.data)
        line = line_of(replace(interaction, seen={}))
        if line in recording.lines or not self._is_still_valid(interaction, item.validated.validator):
            return False
        if self._has_leaks(line_of(interaction), recording_path(recording.contract)):
            return False
        recording.lines.add(line)
        recording.fresh.append((item.number, interaction))
        self.result.kept[recording.contract.name] += 1
        self._causes.add(interaction)
        self._accept_related(item)
        return True

    def _accept_related(self, item: _Item) -> None:
        """Add the cause of a message, and the cause's other effects unless there are many."""
        if item.cause is None:
            return
        effects = self._by_cause.pop(item.cause, [])
        few_effects = (
            effects if len(effects) <= MAX_EFFECTS_OF_ONE_CAUSE else []
        )  # a fan-out: some effects show the rest
        for other in (self._by_id.pop(item.cause, None), *few_effects):
            if other is not None and other is not item:
                self._accept(other)

    def _is_still_valid(self, interaction: Interaction, validator: ContractValidator) -> bool:
        try:
            self._contracts.read(wire_of(interaction), self._channel)
        except DecodeError as error:
            self.result.unscrubbed[f"{error.subject}{validator.inventory.pointer_of(error.pointer)}"] += 1
            return False
        except RecordingError:  # its codec cannot encode it again
            self.result.unscrubbed[validator.contract.name] += 1
            return False
        return True

    def _has_leaks(self, line: bytes, path: Path) -> bool:
        """Return True if the scanner finds something in a scrubbed message that nobody accepted. Count it."""
        found = (each.within(self._catalog.root) for each in leak_findings(line, path, self._public, 1))
        findings = mark_accepted(found, self._accepted, self._today)
        left = {replace(each, pointer=each.general_pointer): None for each in findings if each.severity == "error"}
        self.result.leaks.update(left.keys())
        return bool(left)

    def _quarantine_message(self, message: Tapped, rejected: RejectedMessage) -> None:
        contract = None if rejected.validator is None else rejected.validator.contract
        quarantine = self._quarantine
        if quarantine is None or not quarantine.has_room(rejected.reasons, contract_known=contract is not None):
            return
        scrubbed = self._scrubber.rejected(message, contract)
        if not self._has_leaks(exact_dumps(scrubbed), quarantine.path):
            self.result.quarantined += quarantine.add(rejected.reasons, scrubbed)


class _Recording:
    """One contract's recording: what was in the file before this run, and what is added to it.

    A message is new if it shows something that none of the same channel did: another channel may have another codec.
    """

    def __init__(self, validator: ContractValidator, channel: Channel, per_shape: int) -> None:
        self.contract: Contract = validator.contract
        self.message_shapes = MessageShapes(validator.shapes, validator.position)
        old = read_recording(validator.contract)
        self.lines = {line_of(replace(each, seen={})) for each in old}
        shapes = (self.message_shapes.of(data_of(each, channel)) for each in old if each.channel == channel.name)
        self.novelty: Novelty[_Item] = Novelty(shapes, per_shape)
        self.fresh: list[tuple[int, Interaction]] = []

    @cached_property
    def patterns_of_secrets(self) -> int:
        """How many patterns leave no room for pseudonyms that no scanner takes for secrets."""
        return sum(1 for _ in patterns_of_secrets(self.contract))


class _Item(NamedTuple):
    """A valid message that may be kept. `number` counts the messages read so far; `cause` is the id of its cause."""

    number: int
    message: Tapped
    validated: ValidatedData
    recording: _Recording
    cause: str | None
