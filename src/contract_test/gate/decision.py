"""Decision: every message that a version would read or write in an environment, and whether its reader accepts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from contract_test.data.deployment import ServiceVersion
from contract_test.data.finding import Finding
from contract_test.gate.evidence import Evidence, Evidences, Written
from contract_test.gate.timeline import Timeline, horizon_of

Direction = Literal["reads", "writes", "itself"]
Outcome = Literal["yes", "no", "unknown", "accepted"]

RULES = {
    "reader-rejects": "A reader rejects a message that may be in flight, or that will be sent.",
    "not-known": "It is not known whether a reader accepts a message.",
}


@dataclass(frozen=True)
class Standing:
    """Messages that were counted on a channel: of which version, how many, and in which file that is noted."""

    written: Written
    count: int
    place: str


@dataclass(frozen=True)
class Check:
    """One reader and one kind of message that it may meet.

    `why` says why it may meet it, and `until` when the last such message is gone, if only a version that is not
    deployed any more sent it. `writer` is None for a message that was counted.
    """

    direction: Direction
    written: Written
    writer: ServiceVersion | None
    reader: ServiceVersion
    why: str
    evidence: Evidence
    until: datetime | None = None
    affected: str = ""
    accepted: str = ""

    @property
    def status(self) -> Outcome:
        """What it says; "accepted" if somebody accepted it."""
        return "accepted" if self.accepted else self.evidence.status

    @property
    def sentence(self) -> str:
        """Who accepts or rejects what of whom."""
        if not self.written.subject:
            return self.evidence.sentence
        verb = {"yes": "accepts", "no": "rejects", "unknown": "may reject"}[self.evidence.status]
        message = f"{self.written.subject} v{self.written.version}" if self.written.version else self.written.subject
        return f"{self.reader} {verb} {message} of {self.writer or 'the channel'}"

    @property
    def finding(self) -> Finding:
        """The check as a finding, whose id depends on no commit."""
        found, subject = self.evidence, self.written.subject
        rule = "reader-rejects" if found.status == "no" else "not-known"
        sender = self.writer.service if self.writer else "standing"
        details = tuple(filter(None, (self.why, f"place: {found.place}" if found.place else "")))
        key = f"{rule}:{subject}:{sender} v{self.written.version}>{self.reader.service}:{found.rule}:{found.pointer}"
        return Finding(
            f"{subject}/v{self.written.version}.json" if subject else str(self.reader),
            found.pointer,
            rule,
            f"{self.sentence}: {found.sentence}" if subject else found.sentence,
            found.command or "Deploy a version of the reader that accepts it first, or send a compatible version.",
            explanation=RULES[rule],
            details=details,
            affected=(self.affected,) if self.affected else (),
            subject=subject,
            witness=found.witness,
            rejected=found.rejected,
            recorded=found.place,
            key=key.rstrip(":"),
        )


@dataclass(frozen=True)
class Surroundings:
    """What an answer depends on, beside the timeline: what was counted, and the findings that somebody accepted."""

    evidences: Evidences
    now: datetime
    standing: Sequence[Standing] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)


def checks_of(candidate: ServiceVersion, timeline: Timeline, around: Surroundings) -> list[Check]:
    """Return every check that the deployment of a version depends on."""
    found = [*_own(candidate, around), *_reads(candidate, timeline, around), *_writes(candidate, timeline, around)]
    unique: dict[Any, Check] = {}
    for each in found:
        unique.setdefault((each.written, each.writer, each.reader), each)
    return [_marked(each, around) for each in unique.values()]


def _marked(check: Check, around: Surroundings) -> Check:
    if check.evidence.status == "yes":
        return replace(check, accepted="") if not check.evidence.accepted else check
    accepted = around.accepted.get(check.finding.id, "")
    return replace(check, accepted=accepted) if accepted else check


def _own(candidate: ServiceVersion, around: Surroundings) -> Iterator[Check]:
    """Yield what the candidate's own run says: that it never ran, that it was red, or that it emits other messages."""
    known = around.evidences.of(candidate)
    nothing = Written("", 0)
    if known is None:
        unverified = around.evidences.unproved(candidate, "consumes", "")
        assert unverified is not None, "it has no verification"
        yield Check("itself", nothing, None, candidate, "", unverified)
        return
    for problem in known.problems:
        command = "Make the run green, and publish its result."
        evidence = Evidence("unknown", "run-failed", f"its run failed: {problem}", command=command)
        yield Check("itself", nothing, None, candidate, "", evidence)
    for each in known.operations:
        failures = [failure for failure in each.failures if not failure.accepted]
        if each.operation == "produces" and failures:
            first = failures[0]
            sentence = f"what it emits is not as it was recorded: {first.check}: {first.sentence}"
            written = Written(each.subject, each.version, known.known(each.subject).get(each.version, ""))
            evidence = Evidence("no", "recorded-message-fails", sentence, first.check, place=first.place)
            yield Check("writes", written, candidate, candidate, "its own test", evidence)


def _reads(candidate: ServiceVersion, timeline: Timeline, around: Surroundings) -> Iterator[Check]:
    """Yield a check for everything that the candidate may meet on its channels."""
    evidences, catalog = around.evidences, around.evidences.catalog
    if evidences.of(candidate) is None:
        return
    for name in sorted(evidences.receives(candidate)):
        subject = catalog.subjects.get(name)
        horizon = horizon_of(catalog, subject) if subject else None
        for service in sorted({*timeline.services, candidate.service}):
            present = timeline.in_flight(service, horizon, around.now)
            deployed = timeline.deployed(service)
            if service == candidate.service:
                present = {**present, candidate.version: None}
            for version, until in present.items():
                writer = ServiceVersion(service, version)
                why = _why(writer, candidate, deployed, until, timeline.environment)
                direction: Direction = "itself" if service == candidate.service else "reads"
                yield from _between(direction, writer, candidate, name, why, until, around)
        for each in around.standing:
            if each.written.subject == name:
                why = f"{each.count} of them stand on the channel, by {each.place}"
                yield _check("reads", each.written, None, candidate, why, None, around)


def _why(
    writer: ServiceVersion,
    candidate: ServiceVersion,
    deployed: Sequence[str],
    until: datetime | None,
    environment: str,
) -> str:
    if writer == candidate:
        return "it will send it itself"
    if writer.version in deployed:
        return f"{writer} is deployed in {environment}"
    if until is None:
        return f"{writer} was deployed in {environment}, and no retention says how long its messages stay"
    return f"{writer} was deployed in {environment}; its messages may be in flight until {until:%Y-%m-%d %H:%M} UTC"


def _writes(candidate: ServiceVersion, timeline: Timeline, around: Surroundings) -> Iterator[Check]:
    """Yield a check for every reader that is deployed, of everything that the candidate may send."""
    evidences = around.evidences
    if evidences.of(candidate) is None:
        return
    for name in sorted(evidences.sends(candidate)):
        for service in sorted({*timeline.services, candidate.service}):
            versions = dict.fromkeys(timeline.deployed(service))
            if service == candidate.service:
                versions[candidate.version] = None
            for version in versions:
                reader = ServiceVersion(service, version)
                if name in evidences.receives(reader):
                    why = (
                        f"{reader} is deployed in {timeline.environment}"
                        if reader != candidate
                        else "it reads it itself"
                    )
                    direction: Direction = "itself" if service == candidate.service else "writes"
                    yield from _between(direction, candidate, reader, name, why, None, around)


def _between(
    direction: Direction,
    writer: ServiceVersion,
    reader: ServiceVersion,
    subject: str,
    why: str,
    until: datetime | None,
    around: Surroundings,
) -> Iterator[Check]:
    evidences = around.evidences
    if subject not in evidences.sends(writer):
        return
    unproved = evidences.unproved(writer, "produces", subject)
    if unproved is not None:
        yield Check(direction, Written(subject, 0), writer, reader, why, unproved, until, _affected(subject, around))
        return
    for written in evidences.writes(writer, subject):
        yield _check(direction, written, writer, reader, why, until, around)


def _check(
    direction: Direction,
    written: Written,
    writer: ServiceVersion | None,
    reader: ServiceVersion,
    why: str,
    until: datetime | None,
    around: Surroundings,
) -> Check:
    evidence = around.evidences.accepts(reader, written)
    affected = _affected(written.subject, around)
    return Check(direction, written, writer, reader, why, evidence, until, affected)


def _affected(name: str, around: Surroundings) -> str:
    subject = around.evidences.catalog.subjects.get(name)
    if subject is None:
        return f"{name} is not in the catalog any more"
    senders, receivers = (", ".join(names) or "nobody" for names in (subject.sent_by, subject.received_by))
    return f"{name} is sent by {senders} and received by {receivers}"
