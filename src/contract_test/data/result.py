"""What a run of `pytest --contracts` found: plain data, filled in by the session and rendered by every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal

from contract_test.data.interaction import Mismatch

OperationKind = Literal["consumes", "produces"]
Origin = Literal["recorded", "variation", "generated", "delivery", "cause"]
Outcome = Literal["passed", "failed", "skipped"]
Exercised = Literal["recorded", "variation", "never"]

CHECKS = {
    "handler-failed": "the service, or its test, failed on a message that its contract allows",
    "field-unknown": "the code reads a field that the contract does not have",
    "contract-broken": "a message breaks its contract",
    "undeclared-field": "a message holds a field that its contract does not declare",
    "missing-field": "a field that was recorded is not emitted any more",
    "new-field": "a field is emitted that was not there when the message was recorded",
    "type-changed": "a value has another JSON type than when it was recorded",
    "value-changed": "a value is not the one that was recorded",
    "length-changed": "an array has another length than when it was recorded",
    "wrong-key": "the message's key is not the one that the catalog, or the recording, asks for",
    "wrong-header": "a header, or an attribute of the envelope, is not the one that was recorded",
    "wrong-channel": "a message was sent to an address that the catalog does not give its subject",
    "wrong-subject": "a message of another subject was emitted",
    "nothing-emitted": "the producer emitted nothing",
    "too-many-emitted": "the producer emitted more messages than were recorded for one cause",
    "wrong-cause": "a message names another cause than the one that was given",
    "copy-emitted": "a producer's test emitted a copy of what was recorded, and no code of the service ran",
    "too-few-emitted": "the producer emitted fewer messages than were recorded for one cause",
    "effect-not-as-declared": "a message twice, late or after a crash left another state than its channel declares",
    "message-not-read": "a consumer's test passed, and nothing of the message was read",
    "cannot-replay": "there is nothing to replay, or it cannot be read",
}
"""Every check that a replayed message can fail, by its id."""


@dataclass(frozen=True)
class Failure:
    """Why a replayed message failed: the id of the check, and what to do. `pointer` leads into the message's data."""

    check: str
    sentence: str
    pointer: str = ""
    advice: str = ""
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True)
class GivenMessage:
    """The message that a service got: for a producer its cause. `place` is the file and line it was recorded at."""

    subject: str
    version: int
    place: str


@dataclass(frozen=True)
class Fault:
    """A recorded message broken on purpose: what was broken where, and whether the test of one item noticed."""

    pointer: str
    change: str
    noticed: bool


@dataclass(frozen=True)
class Survivor:
    """A broken message that no test noticed: in which item, what was broken where."""

    item: str
    pointer: str
    change: str


@dataclass(frozen=True)
class Strength:
    """How many of the messages that were broken on purpose one of the operation's own tests noticed."""

    noticed: int
    total: int
    survivors: tuple[Survivor, ...] = ()

    @cached_property
    def left(self) -> tuple[tuple[str, str, int], ...]:
        """The faults that were not noticed: pointer, change, and in how many messages."""
        found = Counter((survivor.pointer, survivor.change) for survivor in self.survivors)
        return tuple((pointer, change, count) for (pointer, change), count in sorted(found.items()))


@dataclass(frozen=True)
class MessageResult:
    """One message that was replayed in one pytest item, and what became of it.

    `place` is the file and line of the recorded message behind it, and `data_pointer` leads to its data in that line.
    `change` says what a variation changed in it.
    `reads` are the pointers into what was given that the service read, `test_reads` those that its test read; `*` is
    any item or any undeclared name, `/**` at the end all below; where it failed there are none. `message` is the data
    as JSON text, kept where it failed; so is `expected`, what was recorded, where that is something else.
    `elsewhere` is how it is known that the service read the message if that could not be watched: "effect" (its state
    changed), "noticed" (its test fails with another message) or "reads_elsewhere" (the marker says so). `unread` says
    what a test did whose service did not read the message: "compared" (it with itself), "ignored" (code of the service
    ran) or "only-test" (none ran). `hidden` are errors that did not reach the test, and `emitted` counts messages for a
    cause without recorded effects. `sent` are the versions of the messages that a producer's test emitted. `reason`
    says why it was skipped. `finding` is the id of its failure in `contracts/accepted.toml`, and `accepted` says until
    when and why it is accepted.
    """

    item: str
    subject: str
    version: int
    operation: OperationKind
    outcome: Outcome
    origin: Origin = "recorded"
    place: str = ""
    change: str = ""
    data_pointer: str = ""
    given: GivenMessage | None = None
    reads: tuple[str, ...] = ()
    test_reads: tuple[str, ...] = ()
    failure: Failure | None = None
    message: str = ""
    expected: str = ""
    faults: tuple[Fault, ...] = ()
    elsewhere: str = ""
    unread: str = ""
    hidden: tuple[str, ...] = ()
    emitted: int = 0
    reason: str = ""
    finding: str = ""
    accepted: str = ""
    sent: tuple[int, ...] = ()

    @property
    def line(self) -> int:
        """The line of the recorded message, or 0."""
        line = self.place.rpartition(":")[2]
        return int(line) if line.isdecimal() else 0


@dataclass(frozen=True)
class Operation:
    """One service's operation on one version of a subject, with every message that was replayed for it."""

    subject: str
    version: int
    operation: OperationKind
    played: tuple[MessageResult, ...]
    sent_by: tuple[str, ...] = ()
    received_by: tuple[str, ...] = ()
    strength: Strength | None = None
    owners: Mapping[str, str] = field(default_factory=dict)
    """Who answers for these services, in words, by service."""

    @property
    def concerned(self) -> str:
        """Who sends and receives it, and who answers for them."""
        senders, receivers = (", ".join(names) or "nobody" for names in (self.sent_by, self.received_by))
        owned = (f"; {service} is owned by {owner}" for service, owner in self.owners.items())
        return f"sent by {senders}, received by {receivers}{''.join(owned)}"

    def count(self, outcome: Outcome, origin: Origin | None = None) -> int:
        """Return how many messages had that outcome; of one origin, or of all."""
        return sum(each.outcome == outcome and origin in (None, each.origin) for each in self.played)

    @cached_property
    def recorded(self) -> int:
        """How many recorded messages were replayed, by however many tests."""
        return len({each.place for each in self.played if each.origin == "recorded"})

    @cached_property
    def varied(self) -> int:
        """How many messages, or deliveries, were made of those."""
        return len({(each.place, each.change) for each in self.played if each.origin != "recorded"})

    @property
    def failed(self) -> tuple[MessageResult, ...]:
        """The messages that failed, also those whose failure is accepted."""
        return tuple(each for each in self.played if each.outcome == "failed")

    @cached_property
    def accepted(self) -> int:
        """How many failures are accepted, so that they do not make the run red."""
        return sum(bool(each.accepted) for each in self.failed)

    @cached_property
    def sent(self) -> tuple[int, ...]:
        """The versions of the messages that a producer's tests emitted, where they passed."""
        return tuple(sorted({version for each in self.played if each.outcome == "passed" for version in each.sent}))

    @cached_property
    def unwatched(self) -> bool:
        """True if what the service reads could not be watched in any message: it decodes with other code."""
        passed = [each for each in self.played if each.outcome == "passed"]
        return bool(passed) and all(each.elsewhere for each in passed)

    @cached_property
    def observations(self) -> Counter[tuple[str, tuple[str, ...], bool]]:
        """How many messages passed with which `elsewhere`, `hidden` errors, and messages `emitted` for nothing."""
        return Counter(
            (each.elsewhere, each.hidden, bool(each.emitted)) for each in self.played if each.outcome == "passed"
        )

    @cached_property
    def recorded_lines(self) -> frozenset[int]:
        """The lines of the recorded messages that tests ran with, or skipped."""
        return frozenset(each.line for each in self.played if each.origin == "recorded")

    @cached_property
    def skipped(self) -> tuple[MessageResult, ...]:
        """The messages that every test skipped, each once."""
        found = {(each.place, each.change): each for each in self.played if each.outcome == "skipped"}
        if not found:
            return ()
        ran = {(each.place, each.change) for each in self.played if each.outcome != "skipped"}
        return tuple(each for key, each in found.items() if key not in ran)


@dataclass(frozen=True)
class FieldReads:
    """In how many recorded messages a service read a field; in `by_test` more only its test did.

    `varied` says in how many of their variations; `pointer` has `*` for any item, and for any undeclared name.
    """

    pointer: str
    by_service: int
    by_test: int = 0
    varied: int = 0


@dataclass(frozen=True)
class Reader:
    """What one service reads of one version. Whatever is not in `fields` it never read in `messages` messages.

    `contract` stands for the content that was replayed: after a change of the contract nothing is known.
    """

    service: str
    subject: str
    version: int
    contract: str
    messages: int
    fields: tuple[FieldReads, ...]


@dataclass(frozen=True)
class Fact:
    """One thing that a contract allows of one field: `present`, `absent`, `null`, `value "x"`, `branch x`, `empty`."""

    pointer: str
    state: str
    exercised: Exercised = "never"


@dataclass(frozen=True)
class Coverage:
    """Which of the things that a contract allows were replayed."""

    subject: str
    version: int
    facts: tuple[Fact, ...]

    @cached_property
    def share(self) -> float:
        """The part that was exercised at all, from 0 to 1."""
        return sum(fact.exercised != "never" for fact in self.facts) / len(self.facts) if self.facts else 1.0

    @cached_property
    def recorded_share(self) -> float:
        """The part that recorded messages exercised, from 0 to 1."""
        return sum(fact.exercised == "recorded" for fact in self.facts) / len(self.facts) if self.facts else 1.0


@dataclass(frozen=True)
class Revision:
    """The commit of a service that was verified. `dirty` is True if files differed from it."""

    version: str = ""
    dirty: bool = False


@dataclass(frozen=True)
class PinnedContract:
    """One contract that a service uses, by the digest of its content, and what the service does with the subject."""

    subject: str
    version: int
    digest: str
    sends: bool = False
    receives: bool = False


@dataclass(frozen=True)
class Upcast:
    """What came of trying the upcasters of a package on messages of a version, to bring them to the newest one.

    `problem` says why they do not bring every message there; `tried` on how many messages they were tried.
    """

    subject: str
    version: int
    tried: str
    problem: str = ""


def digest_of_contracts(contracts: Iterable[PinnedContract]) -> str:
    """Return one digest for the content of all these contracts, whoever uses them for what."""
    lines = sorted(f"{each.subject} v{each.version} {each.digest}\n" for each in contracts)
    return sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Run:
    """Everything that one run found. `problems` concern the run as a whole; each makes it red.

    `partial` says how much of the service was verified, if somebody selected a part: "partial: 3 of 7 operations".
    `contracts` are those of the service's subjects, every version, and `revision` is the service's own. `upcasts` tell
    of each version from which an upcaster leads to the newest one. `site` is the address of a site of
    the contracts, to whose pages a report links.
    """

    service: str
    operations: tuple[Operation, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    readers: tuple[Reader, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    partial: str = ""
    revision: Revision = Revision()
    contracts: tuple[PinnedContract, ...] = ()
    upcasts: tuple[Upcast, ...] = ()
    site: str = ""
