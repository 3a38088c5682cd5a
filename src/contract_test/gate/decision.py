"""Decision: every message that a version would read or write in an environment, and whether its reader accepts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Literal

from contract_test.data.deployment import ServiceVersion
from contract_test.data.finding import Finding
from contract_test.gate.evidence import Evidence, Evidences
from contract_test.gate.proofs import Written
from contract_test.gate.timeline import Timeline

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

    def direction(self, candidate: ServiceVersion) -> str:
        """Return what the candidate does: "reads", "writes", or "itself" between its own old and new instances."""
        if self.writer and self.writer.service == self.reader.service:
            return "itself"
        return "reads" if self.reader == candidate else "writes"

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
        where = f"in the repository of {found.where}: " if found.where else ""
        advice = "Deploy a version of the reader that accepts it first, or send a compatible version."
        return Finding(
            f"{subject}/v{self.written.version}.json" if subject else str(self.reader),
            found.pointer,
            rule,
            f"{self.sentence}: {found.sentence}" if subject else found.sentence,
            f"{where}{found.command}" if found.command else advice,
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
    """What an answer depends on, beside the timeline: what was counted, and the findings that somebody accepted.

    `horizons` say how long a message of a subject may be met; None: for ever.
    """

    evidences: Evidences
    now: datetime
    horizons: Mapping[str, timedelta | None]
    standing: Sequence[Standing] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)


def checks_of(candidate: ServiceVersion, timeline: Timeline, around: Surroundings) -> Iterator[Check]:
    """Yield every check that the deployment of a version depends on, each once."""
    seen: set[tuple[Written, ServiceVersion | None, ServiceVersion]] = set()
    for each in chain(_own(candidate, around), _met(candidate, timeline, around)):
        key = each.written, each.writer, each.reader
        if key not in seen:
            seen.add(key)
            accepted = around.accepted.get(each.finding.id, "") if around.accepted and each.status != "yes" else ""
            yield replace(each, accepted=accepted) if accepted else each


def _own(candidate: ServiceVersion, around: Surroundings) -> Iterator[Check]:
    """Yield what the candidate's own run says: that it never ran, that it was red, or that it emits other messages."""
    evidences = around.evidences
    known, unverified = evidences.of(candidate), evidences.unproved(candidate, "consumes", "")
    nothing = Written("", 0)
    if known is None and unverified is not None:
        yield Check(nothing, None, candidate, "", unverified)
    for problem in known.problems if known else ():
        evidence = evidences.unverified(candidate, "run-failed", f"its run failed: {problem}")
        yield Check(nothing, None, candidate, "", evidence)
    for each in known.operations if known else ():
        first = next((failure for failure in each.failures if not failure.accepted), None)
        if known and each.operation == "produces" and first:
            sentence = f"what it emits is not as it was recorded: {first.check}: {first.sentence}"
            written = Written(each.subject, each.version, known.known(each.subject).get(each.version, ""))
            evidence = Evidence("no", "recorded-message-fails", sentence, first.check, place=first.place)
            yield Check(written, candidate, candidate, "its own test", evidence)


def _met(candidate: ServiceVersion, timeline: Timeline, around: Surroundings) -> Iterator[Check]:
    """Yield a check for everything that the candidate may meet on its channels, and for everybody who may meet its own.

    Its own instances count on both sides, because old and new ones run at once during its rollout.
    """
    evidences, here = around.evidences, timeline.environment
    if evidences.of(candidate) is None:
        return
    services = sorted({*timeline.services, candidate.service})
    for name in sorted(evidences.receives(candidate)):
        for service in services:
            deployed = timeline.deployed(service)
            present = timeline.in_flight(service, around.horizons.get(name), around.now)
            present = {**present, candidate.version: None} if service == candidate.service else present
            for version, until in present.items():
                writer = ServiceVersion(service, version)
                if name in evidences.sends(writer):
                    why = _why(writer, candidate, until, here, is_deployed=version in deployed)
                    yield from _between(writer, candidate, name, why, around, until)
        for each in around.standing:
            if each.written.subject == name:
                why = f"{each.count} of them stand on the channel, by {each.place}"
                evidence = evidences.accepts(candidate, each.written)
                yield Check(each.written, None, candidate, why, evidence, affected=_affected(name, around))
    for name in sorted(evidences.sends(candidate)):
        for service in services:
            for version in timeline.deployed(service):
                reader = ServiceVersion(service, version)
                if name in evidences.receives(reader):
                    yield from _between(candidate, reader, name, f"{reader} is deployed in {here}", around)


def _why(
    writer: ServiceVersion, candidate: ServiceVersion, until: datetime | None, environment: str, *, is_deployed: bool
) -> str:
    if writer == candidate:
        return "it will send it itself"
    if is_deployed:
        return f"{writer} is deployed in {environment}"
    if until is None:
        return f"{writer} was deployed in {environment}, and no retention says how long its messages stay"
    return f"{writer} was deployed in {environment}; its messages may be in flight until {until:%Y-%m-%d %H:%M} UTC"


def _between(
    writer: ServiceVersion,
    reader: ServiceVersion,
    subject: str,
    why: str,
    around: Surroundings,
    until: datetime | None = None,
) -> Iterator[Check]:
    """Yield a check for each version of a subject that a writer sends."""
    evidences, affected = around.evidences, _affected(subject, around)
    unproved = evidences.unproved(writer, "produces", subject)
    if unproved is not None:
        yield Check(Written(subject, 0), writer, reader, why, unproved, until, affected)
        return
    for written in evidences.writes(writer, subject):
        yield Check(written, writer, reader, why, evidences.accepts(reader, written), until, affected)


def _affected(name: str, around: Surroundings) -> str:
    subject = around.evidences.catalog.subjects.get(name)
    if subject is None:
        return f"{name} is not in the catalog any more"
    senders, receivers = (", ".join(names) or "nobody" for names in (subject.sent_by, subject.received_by))
    owners = around.evidences.catalog.owned((*subject.sent_by, *subject.received_by))
    owned = (f"; {service} is owned by {owner}" for service, owner in owners.items())
    return f"{name} is sent by {senders} and received by {receivers}{''.join(owned)}"
