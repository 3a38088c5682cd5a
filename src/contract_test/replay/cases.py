"""Recorded messages as cases for a service's consumers and producers, and the check of what its producers emit."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any, Literal

from contract_test.data.contract import Catalog, Contract, Subject
from contract_test.data.errors import CatalogError, ContractTestError, NothingFoundError
from contract_test.data.interaction import Mismatch
from contract_test.data.result import OperationKind, Origin
from contract_test.files.installed import missing_extra
from contract_test.files.quarantine import Quarantine
from contract_test.files.recordings import is_recorded, read_recording
from contract_test.files.state import State
from contract_test.recordings.messages import Message, by_id, causes_of, read_message
from contract_test.recordings.provenance import too_old
from contract_test.replay.effect_matching import check_emitted, compared_by_type
from contract_test.replay.emitted import Emitted, read_emitted
from contract_test.replay.message_exchange import MessageExchange
from contract_test.replay.variations.derivation import Variation
from contract_test.schema.fields import fields_of
from contract_test.schema.message_shapes import MessageShapes, Shape
from envelopes import _json
from envelopes.catalog import Catalog as Runtime
from envelopes.types import freeze, plain

Elsewhere = Literal["", "reads_elsewhere", "effect", "noticed"]
"""How it is known that a service reads a message although that could not be watched."""


@dataclass(frozen=True)
class Delivery:
    """How messages reach a consumer: one after another. It may crash where it acknowledges.

    `crash` is "before" where the transport does not know of the acknowledgement and gives the message once more,
    "after" where it does and the message is gone.
    The state after it is compared with what `once` leaves: each message once, in the
    order in which they were sent.
    """

    arrivals: tuple[Message, ...]
    once: tuple[Message, ...]
    crash: Literal["", "before", "after"] = ""


@dataclass(frozen=True)
class Case:
    """One message that a consumer gets, or that a producer has to emit again; its `causes` led to it.

    Of a cause without recorded effects `message` is only an example of what may be emitted.

    A variation has the `base` that it was made from, a short `name`, and in `change` everything that was changed.
    """

    subject: Subject
    version: int
    operation: OperationKind
    message: Message
    causes: tuple[Message, ...] = ()
    effects: tuple[Message, ...] = ()
    origin: Origin = "recorded"
    name: str = ""
    change: str = ""
    base: Case | None = None
    variation: Variation | None = None
    delivery: Delivery | None = None
    batch: tuple[Message, ...] = ()
    """What a consumer that takes several messages at once gets after this one."""
    bulk: tuple[Case, ...] = ()
    """In bulk: all cases of the one item that this one stands for."""
    replaced: Mapping[str, Any] = field(default_factory=dict)
    """What the service sees by pointer in place of what stands in its message: a fault made on purpose."""
    dumped: Any = None
    """The value object of another message, which the test turns into JSON in the place of this one."""
    elsewhere: Elsewhere = ""
    """How it is known that the service reads the message where that cannot be watched."""
    exchange: MessageExchange | None = None
    """What gives the service another message than its test has."""
    ignored: bool = False
    """Whether code of the service ran without reading the message, as far as anybody can know."""
    twice: bool = False
    """Another fault made on purpose: the service gets its message once more."""

    @property
    def cause(self) -> Message | None:
        """The message that led to this one, or the first of them."""
        return self.causes[0] if self.causes else None

    @property
    def label(self) -> str:
        """The pytest id: `message.liked-v2[v2.jsonl:14]`, of a variation `message.liked-v2[v2.jsonl:14 unicode]`."""
        label = self.message.interaction.label
        if self.bulk:
            return f"{label.partition('[')[0]}[{len(self.bulk)} in bulk]"
        return f"{label[:-1]} {self.name}]" if self.name else label

    @property
    def given_text(self) -> str:
        """The data of the message that the service gets, as JSON text."""
        return _json.dumps(freeze((self.cause or self.message).data), plain).decode()

    @property
    def expected_text(self) -> str:
        """The data of the message that a producer has to emit again, as JSON text."""
        return "" if self.operation == "consumes" else _json.dumps(freeze(self.message.data), plain).decode()

    @property
    def about(self) -> str:
        """Whom it concerns, for a failure's report."""
        senders, readers = ", ".join(self.subject.sent_by) or "nobody", ", ".join(self.subject.received_by) or "nobody"
        lines = [
            f"contract   {self.subject.name} v{self.version}: sent by {senders}, received by {readers}",
            f"message    {self.message.interaction.place}",
        ]
        if self.change:
            lines += [f"{self.origin:<11}{self.change}", f"data       {self.given_text}"]
        lines += [f"cause      {cause.interaction.place}" for cause in self.causes]
        return "\n".join(lines)


class Replay:
    """The recorded messages that concern one service."""

    def __init__(self, catalog: Catalog, runtime: Runtime, service: str) -> None:
        self.catalog, self.runtime, self.service = catalog, runtime, service
        self._read: dict[str, list[Message]] = {}
        self._shapes: dict[tuple[str, int], tuple[MessageShapes, Shape]] = {}
        if not self.operations:
            services = sorted(
                {name for each in catalog.subjects.values() for name in (*each.sent_by, *each.received_by)}
            )
            raise NothingFoundError(
                f"no subject is sent or received by service {service!r} (known: {', '.join(services) or 'none'})",
                place=str(catalog.root / "catalog.toml"),
                advice="Correct `service` under [tool.contract-test] in pyproject.toml, or add it to a subject.",
            )

    @cached_property
    def operations(self) -> frozenset[tuple[str, str]]:
        """What the catalog says that this service does: ("consumes" or "produces", subject)."""
        return frozenset(
            [("consumes", subject.name) for subject in self.catalog.received_by(self.service)]
            + [("produces", subject.name) for subject in self.catalog.sent_by(self.service)]
        )

    @property
    def subjects(self) -> list[Subject]:
        """The subjects that this service has to do with."""
        return [self.catalog.subjects[name] for name in sorted({name for _, name in self.operations})]

    def recorded(self, name: str) -> bool:
        """Return whether there is a recording of a subject, readable or not."""
        return any(map(is_recorded, self.catalog.subjects[name].contracts.values()))

    def unrecorded(self) -> list[Contract]:
        """Return the consumed versions without a recorded message, of subjects that have recordings."""
        return [
            contract
            for subject in self.catalog.received_by(self.service)
            if self.recorded(subject.name)
            for contract in subject.contracts.values()
            if not is_recorded(contract)
        ]

    def consumer_cases(self, name: str) -> list[Case]:
        """Return every recorded message of a subject, of every version.

        Raises NothingFoundError where there is none.
        """
        subject = self._subject(name, "consumes")
        cases = [Case(subject, each.interaction.version, "consumes", each) for each in self.messages(subject)]
        return self._found(cases, subject)

    def producer_cases(self, name: str, caused_by: str | None) -> list[Case]:
        """Return every recorded message of a subject with the one that caused it.

        Raises NothingFoundError where nothing is recorded, or a cause is not.
        """
        subject = self._subject(name, "produces")
        sent_on = {channel.name for channel in subject.channels}  # consumers put the copies on retry and dead_letter
        messages = [each for each in self.messages(subject) if each.interaction.channel in sent_on]
        if caused_by is None:
            return self._found(
                [Case(subject, each.interaction.version, "produces", each) for each in messages], subject
            )
        if subject.caused_by is None:
            raise CatalogError(
                f"the catalog does not say where a {name} names its cause",
                place=f'{self.catalog.root / "catalog.toml"}:[subjects."{name}"]',
                advice="Add caused_by: where the id of its cause stands, such as /caused_by; or correct the marker.",
            )
        causes = by_id(self.messages(self._subject(caused_by, None)))
        effects: dict[tuple[str, ...], list[Message]] = {}
        for each in messages:
            effects.setdefault(causes_of(each, subject), []).append(each)
        others = by_id(
            each for other in self.catalog.subjects.values() if other.name != caused_by for each in self.messages(other)
        )
        cases = []
        for each in messages:
            ids = causes_of(each, subject)
            if not ids or any(
                cause in causes or cause not in others for cause in ids
            ):  # nowhere recorded: an item that fails, not one that is missing
                found = tuple(causes[cause] for cause in ids if cause in causes)
                together = tuple(effects[ids])
                version = each.interaction.version
                cases.append(
                    Case(subject, version, "produces", each, found if len(found) == len(ids) else (), together)
                )
        if messages and not any(case.cause for case in cases):
            place = messages[0].interaction.place
            raise NothingFoundError(
                f"no recorded {caused_by} has the id that a recorded {name} names as its cause",
                place=place,
                advice="Record both channels over the same time; `caused_by` in the catalog says where the id stands.",
            )
        named = {cause for ids in effects for cause in ids}
        unanswered = [each for key, each in causes.items() if key not in named] if cases else []
        if ("consumes", caused_by) in self.operations:
            cases += [_unanswered(subject, cases[0].message, each) for each in unanswered]
        return self._found(cases, subject)

    def check_emitted(self, case: Case, emitted: Iterable[Any]) -> tuple[list[Mismatch], tuple[int, ...]]:
        """Return how what a producer emitted for one case differs from the contract and from what was recorded.

        With it, the versions that were emitted.
        """
        actual = [read_emitted(each, case.subject, case.message, self.runtime) for each in emitted]
        versions = tuple(sorted({each.version for each in actual}))
        if case.origin == "cause":
            return [mismatch for each in actual for mismatch in each.broken], versions
        found = check_emitted(
            actual, case.message, case.effects, case.causes, case.subject, lambda each: self._is_known(case, each)
        )
        return found, versions

    def compared_by_type(self, message: Message, subject: Subject) -> tuple[str, ...]:
        """Return the masked fields of a recorded message that a producer's are compared with by type only."""
        if not message.interaction.masked:
            return ()
        return compared_by_type(
            message, [self._by_id[each] for each in causes_of(message, subject) if each in self._by_id]
        )

    @cached_property
    def _by_id(self) -> Mapping[str, Message]:
        return by_id(each for subject in self.catalog.subjects.values() for each in self.messages(subject))

    def _is_known(self, case: Case, emitted: Emitted) -> bool:
        """Whether a message shows nothing that no recorded message of its version shows."""
        key = case.subject.name, emitted.version
        if key not in self._shapes:
            contract = case.subject.contracts[emitted.version]
            fields = fields_of(contract.resources, contract.uri)
            shapes = MessageShapes(fields.shapes, fields.root)
            recorded = [each for each in self.messages(case.subject) if each.interaction.version == emitted.version]
            self._shapes[key] = (
                shapes,
                reduce(or_, (shapes.of(each.data) for each in recorded), 0),
            )
        shapes, recorded_shape = self._shapes[key]
        return not shapes.of(emitted.data) & ~recorded_shape

    def required(self, operation: str, name: str) -> list[Message]:
        """Return every recorded message that an operation of this service has to be replayed with.

        If several services send a subject, those that another of them sent need no test here: a message whose cause is
        recorded, and is no message that this service receives.
        """
        subject = self.catalog.subjects[name]
        messages = self.messages(subject)
        if operation == "produces":
            sent_on = {channel.name for channel in subject.channels}
            messages = [each for each in messages if each.interaction.channel in sent_on]
        if operation == "consumes" or subject.caused_by is None or len(subject.sent_by) == 1:
            return messages
        received = self.catalog.received_by(self.service)
        known = by_id(each for other in received for each in self.messages(other))
        others = by_id(
            each for other in self.catalog.subjects.values() if other not in received for each in self.messages(other)
        )
        return [
            each
            for each in messages
            if any(cause in known or cause not in others for cause in causes_of(each, subject) or ("",))
        ]

    def old(self, most: timedelta) -> list[str]:
        """Return what is to be said of recordings that are older.

        A process that replays nothing itself reads them for it.
        """
        lines = []
        for name in list(self._read) or sorted({subject for _, subject in self.operations}):
            try:
                messages = self.messages(self.catalog.subjects[name])
            except ContractTestError:  # an item says so
                continue
            times: dict[int, list[datetime | None]] = {}
            for each in messages:
                times.setdefault(each.interaction.version, []).append(each.envelope.time)
            for version, sent in times.items():
                found = too_old(sent, most)
                if found:
                    lines.append(f"{name} v{version}: {'. '.join(found)}")
        return lines

    def messages(self, subject: Subject) -> list[Message]:
        """Return every recorded message of a subject. Raises RecordingError for one that cannot be read."""
        if subject.name not in self._read:
            with _nothing_collected():
                self._read[subject.name] = [
                    read_message(interaction, self.catalog, self.runtime)
                    for contract in subject.contracts.values()
                    for interaction in read_recording(contract)
                ]
        return self._read[subject.name]

    def _subject(self, name: str, operation: str | None) -> Subject:
        subject = self.catalog.subjects.get(name)
        if subject is None:
            known = ", ".join(self.catalog.subjects)
            raise CatalogError(
                f"no subject {name!r} in the catalog", place=str(self.catalog.root), advice=f"Known: {known}."
            )
        if operation is not None and (operation, name) not in self.operations:
            other = "produces" if operation == "consumes" else "consumes"
            side = "received_by" if operation == "consumes" else "sent_by"
            advice = f'Add "{self.service}" to {side} of [subjects."{name}"].'
            if (other, name) in self.operations:
                advice = (
                    f'The catalog says that it {other} it: mark the test @pytest.mark.{other}("{name}"). Or: {advice}'
                )
            raise CatalogError(
                f"the catalog does not say that {self.service} {operation} {name}",
                place=str(self.catalog.root / "catalog.toml"),
                advice=advice,
            )
        return subject

    def _found(self, cases: list[Case], subject: Subject) -> list[Case]:
        if not cases:
            channel = subject.channel.name if subject.channel else "CHANNEL"
            quarantine = State(self.catalog.root, channel).quarantine
            why = Quarantine(quarantine, channel).why(subject.name)
            advice = f"Record some: contract-test record URL --channel {channel}."
            if why:
                problem = f"no recorded message of {subject.name}, only some in the quarantine ({why})"
                advice = f"Fix the producer, or write a version that allows them. {advice}"
                raise NothingFoundError(problem, place=str(quarantine), advice=advice)
            if extra := missing_extra(self.catalog.root):
                advice = f"Install the recordings of the package: pip install '{extra}'."
            place = str(subject.newest.path.parent / "recordings")
            raise NothingFoundError(f"no recorded message of {subject.name}", place=place, advice=advice)
        return cases


def _unanswered(subject: Subject, example: Message, cause: Message) -> Case:
    """Return the case of a cause without recorded effects."""
    name = f"{cause.interaction.subject} v{cause.interaction.version} line {cause.interaction.line}"
    change = f"{name}, of which no effect is recorded"
    version = example.interaction.version
    return Case(subject, version, "produces", example, (cause,), origin="cause", name=name, change=change)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Spare the garbage collector: it would look through all messages again and again, and all of them stay."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
