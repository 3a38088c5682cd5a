"""Evidence: whether a version of a service accepts what another version writes, and how that is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from contract_test.data.contract import Catalog, Contract
from contract_test.data.deployment import ServiceVersion, Verification, combined
from contract_test.data.result import OperationKind
from contract_test.data.verdict import ABSENT
from contract_test.files.proof_cache import ProofCache
from contract_test.gate.past_contracts import PastContracts
from contract_test.gate.proofs import Proof, Proofs, Written

Status = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class Evidence:
    """Whether a reader accepts what is written, by which kind of evidence, and in words.

    `command` settles what is unknown, in the repository of the service `where` if there is one. `pointer` leads to the
    place where the reader rejects the witness.
    """

    status: Status
    kind: str
    sentence: str
    rule: str = ""
    pointer: str = ""
    witness: Any = ABSENT
    rejected: str = ""
    place: str = ""
    command: str = ""
    where: str = ""
    accepted: str = ""

    @property
    def brief(self) -> str:
        """Where and why the reader rejects a message, if there is one; else the sentence."""
        return self.rejected or self.sentence


@dataclass(frozen=True)
class Commands:
    """What settles an unknown: the options that name the ledger where this runs, and the question with more time."""

    publish_options: str = ""
    again: str = ""


class Evidences:
    """What is known of service versions: their verifications, and what follows for the messages between them."""

    def __init__(
        self,
        catalog: Catalog,
        verifications: Callable[[ServiceVersion], list[Verification]],
        cache: ProofCache,
        budget: float = 2.0,
        commands: Commands = Commands(),
    ) -> None:
        self.catalog = catalog
        self._read, self._commands, self._contracts = verifications, commands, PastContracts(catalog)
        undeclared = [each.name for each in catalog.subjects.values() if each.sends_undeclared]
        self._proofs = Proofs(cache, self._contracts, budget, undeclared)
        self._known: dict[ServiceVersion, Verification | None] = {}
        self._dirty: set[ServiceVersion] = set()
        self._accepts: dict[tuple[ServiceVersion, Written], Evidence] = {}

    def of(self, version: ServiceVersion) -> Verification | None:
        """Return what a service version proved in all its runs, or None."""
        if version not in self._known:
            found = self._read(version)
            self._known[version] = combined(found)
            if any(each.dirty for each in found):
                self._dirty.add(version)
        return self._known[version]

    def sends(self, version: ServiceVersion) -> frozenset[str]:
        """Return the subjects that a service version sends: as it was verified, or else as the catalog says."""
        known = self.of(version)
        return known.sends if known else frozenset(each.name for each in self.catalog.sent_by(version.service))

    def receives(self, version: ServiceVersion) -> frozenset[str]:
        """Return the subjects that a service version receives."""
        known = self.of(version)
        return known.receives if known else frozenset(each.name for each in self.catalog.received_by(version.service))

    def writes(self, version: ServiceVersion, subject: str) -> list[Written]:
        """Return what a service version sends of a subject: what it was seen to emit, or else its newest version.

        Empty if it was never verified.
        """
        known = self.of(version)
        pinned = known.known(subject) if known else {}
        if known is None or not pinned:
            return []
        operations = (known.operation("produces", subject, each) for each in pinned)
        emitted = {sent for operation in operations if operation for sent in operation.sent if sent in pinned}
        return [Written(subject, each, pinned[each]) for each in sorted(emitted or {max(pinned)})]

    def unproved(self, version: ServiceVersion, operation: OperationKind, subject: str) -> Evidence | None:
        """Return that nothing is known of an operation of a service version, and how to change that; None if it is."""
        known = self.of(version)
        if known is None:
            why = "was verified with changed files only" if version in self._dirty else "was never verified"
            return self.unverified(version, "not-verified", f"{version} {why}")
        ran = any((each.operation, each.subject) == (operation, subject) for each in known.operations)
        if ran or not known.partial:
            return None
        sentence = f"{version} was verified in part, and not what it {operation} of {subject}"
        return self.unverified(version, "partial", sentence)

    def unverified(self, version: ServiceVersion, kind: str, sentence: str) -> Evidence:
        """Return that a whole and green run of a service version is missing."""
        command = (
            f"git checkout {version.version} && pytest --contracts --contracts-report result.json && contract-test "
            f"publish-verification result.json --service-version {version.version} {self._commands.publish_options}"
        )
        return Evidence("unknown", kind, sentence, command=command.rstrip(), where=version.service)

    def remember(self, contract: Contract) -> None:
        """Let a contract of another commit be found by its digest."""
        self._contracts.add(contract)

    def accepts(self, reader: ServiceVersion, written: Written) -> Evidence:
        """Return whether a service version accepts what is written."""
        key = reader, written
        if key not in self._accepts:
            self._accepts[key] = self._judged(reader, written)
        return self._accepts[key]

    def _judged(self, reader: ServiceVersion, written: Written) -> Evidence:
        known, unproved = self.of(reader), self.unproved(reader, "consumes", written.subject)
        if known is None or unproved is not None:
            assert unproved is not None, "nothing is known"
            return unproved
        pinned = known.known(written.subject)
        written = replace(written, digest=written.digest or pinned.get(written.version, ""))
        read_as = self._versions_that_read(written, sorted(pinned, reverse=True))
        is_known = pinned.get(written.version) == written.digest
        tested = written.version if is_known else next(iter(read_as), 0)
        ran = known.operation("consumes", written.subject, tested)
        failures = [each for each in ran.failures if not each.accepted] if ran else []
        if failures:
            first = failures[0]
            failure = f"{first.check}: {first.sentence}"
            return Evidence("no", "recorded-message-fails", failure, first.check, place=first.place)
        if ran and ran.unwatched and is_known:
            sentence = f"it decodes with other code, and every message passed ({ran.recorded + ran.made}): no proof"
            evidence = Evidence("yes", "replayed", sentence)
        else:
            evidence = self._proved(reader, known, written, read_as)
        accepted = next((each.accepted for each in ran.failures), "") if ran else ""
        return replace(evidence, accepted=accepted) if accepted else evidence

    def _proved(self, reader: ServiceVersion, known: Verification, written: Written, read_as: list[int]) -> Evidence:
        pinned = {
            number: Written(written.subject, number, each) for number, each in known.known(written.subject).items()
        }
        label = f"v{written.version}"
        if pinned.get(written.version) == written:
            return _brought(known, written)
        tried = [pinned[number] for number in read_as]
        if not tried:
            listed = ", ".join(f"v{number}" for number in sorted(pinned))
            sentence = f"its package holds {listed}, and not {label}, which `decode` rejects"
            witness = self._proofs.compare(written, None).witness
            return Evidence("no", "version-unknown", sentence, "version-unknown", witness=witness)
        proofs: list[Proof] = []
        for own in tried:
            proof = self._proofs.compare(written, own)
            if proof.status == "missing":
                command = self._contracts.fetch_command
                return Evidence("unknown", "contract-missing", proof.sentence, command=command)
            if proof.status == "compatible" and own is tried[0]:
                return Evidence("yes", "proved", f"its v{own.version} accepts every message of {label}")
            if proof.status == "compatible":
                sentence = (
                    f"it reads some messages of {label} as v{tried[0].version} and others as an older version, down to "
                    f"v{own.version}, and no test of it has seen that. Give it a package that holds {label}"
                )
                return self.unverified(reader, "read-differently", sentence)
            proofs.append(proof)
        return self._rejected(known, written, tried, proofs)

    def _versions_that_read(self, written: Written, newest_first: list[int]) -> list[int]:
        """Return the reader's versions that may read a message, as `decode` chooses among them."""
        if written.version in newest_first:
            return [written.version]
        subject = self.catalog.subjects.get(written.subject)
        codecs = {channel.codec for channel in subject.all_channels} if subject else set()
        names_version = bool(codecs & {"cloudevents"}) or (subject is not None and subject.version is not None)
        if not names_version:
            return newest_first
        return newest_first[:1] if newest_first and written.version > newest_first[0] else []

    def _rejected(self, known: Verification, written: Written, tried: list[Written], proofs: list[Proof]) -> Evidence:
        """Return the evidence where no version of the reader is proved to accept everything."""

        def broken() -> Iterator[Proof]:
            for proof in proofs:
                only = len(tried) == 1 or self._proofs.all_reject(tried, proof.witness)
                if proof.status == "incompatible" and only:
                    yield proof

        proof = next(broken(), None)
        if proof is None:
            sentence = next((each.sentence for each in proofs if each.status == "unknown"), "")
            return Evidence(
                "unknown", "undecided", sentence or "neither proved nor disproved", command=self._commands.again
            )
        shown = proof.rule, proof.pointer, proof.witness, proof.rejected
        ran = [known.operation("consumes", written.subject, each) for each in known.known(written.subject)]
        if proof.pointer and any(each and each.unwatched and proof.pointer in each.unnoticed for each in ran):
            sentence = f"{proof.sentence}; the service decodes with other code, and passes with {proof.pointer} broken"
            return Evidence("yes", "never-read", sentence, *shown)
        return Evidence("no", "witness", proof.sentence, *shown)


def _brought(known: Verification, written: Written) -> Evidence:
    """Return that a message of a known version is accepted, unless upcasters fail to bring it to the newest one."""
    sentence = f"it knows v{written.version} itself"
    upcast = known.upcast(written.subject, written.version)
    if upcast is None:
        return Evidence("yes", "proved", sentence)
    if upcast.problem:
        return Evidence("no", "upcaster-fails", f"{sentence}, but {upcast.problem}", "upcaster-fails")
    return Evidence("yes", "upcast", f"{sentence}; {upcast.tried}")
