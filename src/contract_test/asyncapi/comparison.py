"""Whether an AsyncAPI document agrees with contracts, or with another document: a verdict for each operation."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from contract_test.asyncapi.documents import Place
from contract_test.asyncapi.importing import Described, Proposal, origin_of, propose, staged
from contract_test.compat.plan import compare_pair
from contract_test.compat.snapshot import Pair, Snapshot, snapshots_of
from contract_test.data.contract import Catalog, Channel, Subject, class_name
from contract_test.data.errors import ContractTestError, NothingFoundError
from contract_test.data.finding import Finding, Report
from contract_test.data.texts import inert, listed

_NOTHING = Catalog(Path("/nonexistent/contracts"), {}, {})
_WORD = {"send": "sends", "receive": "receives"}
_MATTERS = {"send": "FORWARD", "receive": "BACKWARD"}
"""The direction in which a service breaks others: by what it sends, and by what it does not read any more."""


def refusal(error: ContractTestError) -> Finding:
    """Return what is refused as a finding."""
    file, _, pointer = error.place.partition(":")
    return Finding(inert(file), inert(pointer), "asyncapi-refused", inert(error.problem), inert(error.advice))


def check(path: Path, contracts: Catalog, service: str | None = None) -> Report:
    """Return where a document and the contracts disagree. Each operation is compared in both directions."""
    with ExitStack() as stack:
        document = _document(path, stack, service)
        comparison = _Comparison(document, snapshots_of(contracts))
        for each in document.proposal.operations:
            comparison.check(each, contracts)
        comparison.check_missing(contracts)
        return comparison.report("asyncapi check")


def diff(older: Path, newer: Path) -> Report:
    """Return what changed from one document to another, and whom it breaks.

    A service must still read what it receives, and others what it sends. The other direction of each is a warning.
    """
    with ExitStack() as stack:
        before, after = _document(older, stack, None), _document(newer, stack, None)
        comparison = _Comparison(after, before.snapshots)
        comparison.add_refused(before)
        comparison.compare_operations(before)
        return comparison.report("asyncapi diff")


@dataclass(frozen=True)
class _Document:
    name: str
    proposal: Proposal
    catalog: Catalog
    snapshots: dict[str, dict[int, Snapshot]]

    def channel_of(self, operation: Described) -> Channel | None:
        return self.catalog.channels.get(operation.channel)


def _document(path: Path, stack: ExitStack, service: str | None) -> _Document:
    proposal = propose(path, _NOTHING, service)
    catalog = stack.enter_context(staged(proposal, _NOTHING))
    if not proposal.operations and not proposal.refused:
        advice = "Add operations, which say who sends and who receives."
        raise NothingFoundError("no operation with a message", place=str(path), advice=advice)
    snapshots = snapshots_of(catalog)
    named = {
        subject: {number: replace(each, label=f"{each.label} in {path.name}") for number, each in versions.items()}
        for subject, versions in snapshots.items()
    }
    return _Document(str(path), proposal, catalog, named)


class _Comparison:
    """What is found between a document, as the newer side, and the contracts or an older document."""

    def __init__(self, document: _Document, others: dict[str, dict[int, Snapshot]]) -> None:
        self._document, self._others = document, others
        self._found: list[Finding] = []
        self._notes: list[str] = []
        self._pairs: dict[tuple[str, str, str], tuple[Pair, set[str], list[str]]] = {}
        self.add_refused(document)

    def add_refused(self, document: _Document) -> None:
        """Add what could not be read in a document."""
        self._found += map(refusal, document.proposal.refused)
        self._notes += document.proposal.notes

    def report(self, command: str) -> Report:
        """Compare every pair, and return all findings."""
        compared = []
        for pair, severities, operations in self._pairs.values():
            outcome = compare_pair(pair)
            compared.append(replace(outcome.compared(pair), note=outcome.note or f"{listed(operations)}"))
            severity = "error" if "error" in severities else "warning"
            self._found += [self._placed(each, severity, operations) for each in outcome.findings]
        return Report(command, self._found, compared, self._notes)

    def _placed(self, finding: Finding, severity: str, operations: Sequence[str]) -> Finding:
        """Return a finding at its place in the document."""
        name = Path(finding.file)
        root = self._document.catalog.root
        details = (*finding.details, *(f"operation: {each}" for each in operations))
        finding = replace(finding, severity=severity, details=details)
        if not name.is_relative_to(root):
            return finding
        origins = self._document.proposal.origins.get(name.relative_to(root).as_posix())
        place = origin_of(origins, finding.pointer) if origins else Place(Path(self._document.name))
        return replace(finding, file=str(place.path), pointer=place.pointer)

    def check(self, each: Described, contracts: Catalog) -> None:
        """Compare an operation with the contracts."""
        service, action = each.operation.service, each.operation.action
        named = f"{service} {_WORD[action]} {each.subject}"
        subject = _subject(contracts, each.subject)
        if subject is None:
            advice = "Import it with `contract-test asyncapi import`, or correct the name."
            self._add(each.operation.place, "asyncapi-unknown-subject", f"{named}, which no contract describes", advice)
            return
        services = subject.sent_by if action == "send" else subject.received_by
        if service not in services:
            key = "sent_by" if action == "send" else "received_by"
            problem = f"{named}. In the catalog, {key} is {listed(list(services)) or 'empty'}"
            advice = f"Add it to {key}, or correct the document. --service NAME gives the service another name."
            self._add(each.operation.place, "asyncapi-unknown-operation", problem, advice)
        channel = self._document.channel_of(each)
        if channel and not any(_agree(channel, other) for other in subject.channels):
            theirs = listed([_told(other) for other in subject.channels]) or "no channel"
            problem = f"{named} on {_told(channel)}. In the catalog, it is on {theirs}"
            self._add(each.operation.place, "asyncapi-channel-differs", problem, "Correct the side that is wrong.")
        for number in each.versions:
            self._compare(each, number, subject, {"BACKWARD": "error", "FORWARD": "error"}, named)

    def check_missing(self, contracts: Catalog) -> None:
        """Add what the catalog says of the document's services and the document does not."""
        known = {
            (each.operation.service, each.operation.action, each.subject) for each in self._document.proposal.operations
        }
        declared = {(service, action, class_name(subject)) for service, action, subject in known}
        places = {
            each.operation.service: Place(each.operation.place.path) for each in self._document.proposal.operations
        }
        for service, place in {**self._document.proposal.services, **places}.items():
            for action, subjects in (("send", contracts.sent_by(service)), ("receive", contracts.received_by(service))):
                for subject in subjects:
                    names = {class_name(subject.name), class_name(subject.type or subject.name)}
                    if not any((service, action, name) in declared for name in names):
                        problem = (
                            f"in the catalog, {service} {_WORD[action]} {subject.name}. The document does not say so"
                        )
                        advice = "Add the operation to the document, or remove the service from the catalog's row."
                        self._add(place, "asyncapi-missing-operation", problem, advice)

    def compare_operations(self, before: _Document) -> None:
        """Compare the operations of two documents."""
        old = {_identity(each): each for each in before.proposal.operations}
        new = {_identity(each): each for each in self._document.proposal.operations}
        for key, each in old.items():
            named = f"{each.operation.service} {_WORD[each.operation.action]} {each.subject}"
            now = new.get(key)
            if now is None:
                problem = f"{named}: the operation is gone"
                place = Place(Path(self._document.name))
                self._add(place, "asyncapi-operation-removed", problem, "Keep it until no other service relies on it.")
                continue
            channel, channel_now = before.channel_of(each), self._document.channel_of(now)
            if channel and channel_now and not _agree(channel_now, channel):
                problem = f"{named}: {_told(channel)} → {_told(channel_now)}"
                advice = "Use both channels until every service has moved."
                self._add(now.operation.place, "asyncapi-channel-differs", problem, advice)
            matters = _MATTERS[each.operation.action]
            severities = {name: "error" if name == matters else "warning" for name in ("BACKWARD", "FORWARD")}
            for number in now.versions:
                self._compare(now, number, before.catalog.subjects[each.subject], severities, named)
        added = [
            f"{each.operation.service} {_WORD[each.operation.action]} {each.subject}"
            for key, each in new.items()
            if key not in old
        ]
        self._notes += [f"added: {each}" for each in added]

    def _compare(self, each: Described, number: int, subject: Subject, severities: dict[str, str], named: str) -> None:
        mine = self._document.snapshots.get(each.subject, {}).get(number)
        others = self._others[subject.name]
        if mine is None:
            return  # refused
        equal = [other for other in others.values() if other.contract.schema == mine.contract.schema]
        other = others.get(number) if each.own else None
        other = other or (equal[0] if equal else others[max(others)])
        for direction, severity in severities.items():
            writer, reader = (other, mine) if direction == "BACKWARD" else (mine, other)
            key = (subject.name, f"{writer.label} {reader.label}", direction)
            _, known, operations = self._pairs.setdefault(key, (Pair(writer, reader, direction, subject), set(), []))
            known.add(severity)
            if named not in operations:
                operations.append(named)

    def _add(self, place: Place, rule: str, problem: str, advice: str) -> None:
        self._found.append(Finding(inert(str(place.path)), inert(place.pointer), rule, inert(problem), inert(advice)))


def _subject(contracts: Catalog, name: str) -> Subject | None:
    """Return the subject of a name, of a type on the wire, or whose class has the same name."""
    if name in contracts.subjects:
        return contracts.subjects[name]
    wanted = class_name(name)
    subjects = contracts.subjects.values()
    return next((each for each in subjects if wanted in (class_name(each.type or ""), class_name(each.name))), None)


def _agree(mine: Channel, other: Channel) -> bool:
    """Return whether two channels are one. `json` in a document is often only what nobody changed."""
    codecs_agree = mine.codec == "json" or (mine.codec, mine.mode) == (other.codec, other.mode)
    return (mine.protocol, mine.address) == (other.protocol, other.address) and codecs_agree


def _told(channel: Channel) -> str:
    return f"{channel.protocol} {channel.address} ({channel.codec})"


def _identity(each: Described) -> tuple[str, str, str]:
    """By what an operation is known in another version of a document, whose title may change."""
    service = each.operation.service if each.own else ""
    return service, each.operation.action, each.subject
