"""Evidence: whether a version of a service accepts what another version writes, and how that is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from contract_test.data.contract import Catalog, Contract
from contract_test.data.deployment import ServiceVersion, Verification, combined
from contract_test.data.result import OperationKind
from contract_test.data.verdict import ABSENT
from contract_test.gate.past_contracts import PastContracts
from contract_test.gate.proofs import Proof, Proofs

Status = Literal["yes", "no", "unknown"]
_VERIFY = (
    "git checkout {0} && pytest --contracts --contracts-report result.json && "
    "contract-test publish-verification result.json --service-version {0} --push"
)


@dataclass(frozen=True, order=True)
class Written:
    """What a writer sends: a version of a subject, by the digest of its content; "" if that is not known."""

    subject: str
    version: int
    digest: str = ""


@dataclass(frozen=True)
class Evidence:
    """Whether a reader accepts what is written, by which kind of evidence, and in words.

    `command` settles what is unknown. `pointer` leads to the place where the reader rejects the witness.
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
    accepted: str = ""

    @property
    def brief(self) -> str:
        """Where and why the reader rejects a message, if there is one; else the sentence."""
        return self.rejected or self.sentence


class Evidences:
    """What is known of service versions: their verifications, and what follows for the messages between them."""

    def __init__(
        self,
        catalog: Catalog,
        verifications: Callable[[ServiceVersion], list[Verification]],
        contracts: PastContracts,
        proofs: Proofs,
    ) -> None:
        self.catalog = catalog
        self._read, self._contracts, self._proofs = verifications, contracts, proofs
        self._known: dict[ServiceVersion, Verification | None] = {}
        self._dirty: set[ServiceVersion] = set()
        self._accepts: dict[tuple[ServiceVersion, Written], Evidence] = {}

    def of(self, version: ServiceVersion) -> Verification | None:
        """Return what a service version proved in all its runs, or None."""
        if version not in self._known:
            found = self._read(version)
            self._known[version] = combined(found)
            if found and self._known[version] is None:
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
        command = _VERIFY.format(version.version)
        if known is None:
            why = "was verified with changed files only" if version in self._dirty else "was never verified"
            return Evidence("unknown", "not-verified", f"{version} {why}", command=command)
        ran = any((each.operation, each.subject) == (operation, subject) for each in known.operations)
        if ran or not known.partial:
            return None
        sentence = f"{version} was verified in part, and not what it {operation} of {subject}"
        return Evidence("unknown", "partial", sentence, command=command)

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
        digest = written.digest or pinned.get(written.version, "")
        ran = known.operation("consumes", written.subject, written.version)
        ran = ran if ran is not None and pinned.get(written.version) == digest else None
        failures = [each for each in ran.failures if not each.accepted] if ran else []
        if ran and failures:
            first = failures[0]
            failure = f"{first.check}: {first.sentence}"
            return Evidence("no", "recorded-message-fails", failure, first.check, place=first.place)
        accepted = next((each.accepted for each in ran.failures), "") if ran else ""
        evidence = self._proved(reader, known, written, digest)
        replayed = ran is not None and ran.recorded > 0
        if evidence.status == "unknown" and evidence.kind != "contract-missing" and replayed and ran is not None:
            sentence = f"every recorded message passed ({ran.recorded}), which is weaker than a proof"
            return Evidence("yes", "replayed", sentence, accepted=accepted)
        return Evidence(**{**vars(evidence), "accepted": accepted}) if accepted else evidence

    def _proved(self, reader: ServiceVersion, known: Verification, written: Written, digest: str) -> Evidence:
        pinned = known.known(written.subject)
        label = f"v{written.version}"
        if not pinned:
            sentence = f"{reader} holds no contract of {written.subject}, and the catalog says that it receives it"
            return Evidence("unknown", "contract-missing", sentence, command="Verify it with the present contracts.")
        if pinned.get(written.version) == digest:
            return Evidence("yes", "proved", f"it knows {label} itself")
        writer = self._contracts.find(written.subject, written.version, digest) if digest else None
        if writer is None:
            sentence = f"the schema of {written.subject} {label} ({digest[:12] or 'unknown'}) is not in git's history"
            return Evidence("unknown", "contract-missing", sentence, command="git fetch --unshallow")
        tried = self._versions_that_read(written, sorted(pinned, reverse=True))
        if not tried:
            sentence = f"its package holds {_listed(pinned)}, and not {label}, which `decode` rejects"
            return Evidence("no", "version-unknown", sentence, "version-unknown")
        found: list[tuple[Contract, Proof]] = []
        for version in tried:
            own = self._contracts.find(written.subject, version, pinned[version])
            if own is None:
                sentence = (
                    f"the schema of {written.subject} v{version} ({pinned[version][:12]}) is not in git's history"
                )
                return Evidence("unknown", "contract-missing", sentence, command="git fetch --unshallow")
            proof = self._proofs.compare(writer, own)
            if proof.status == "compatible":
                return Evidence("yes", "proved", f"its v{version} accepts every message of {label}")
            found.append((own, proof))
        return self._rejected(known, written, found)

    def _versions_that_read(self, written: Written, newest_first: list[int]) -> list[int]:
        """Return the reader's versions that may read a message, as `decode` chooses among them."""
        if written.version in newest_first:
            return [written.version]
        subject = self.catalog.subjects.get(written.subject)
        codecs = {channel.codec for channel in subject.all_channels} if subject else set()
        names_version = bool(codecs & {"cloudevents"}) or (subject is not None and subject.version is not None)
        if not names_version:
            return newest_first
        return newest_first[:1] if written.version > newest_first[0] else []

    def _rejected(self, known: Verification, written: Written, found: list[tuple[Contract, Proof]]) -> Evidence:
        """Return the evidence where no version of the reader is proved to accept everything."""
        broken = (
            proof
            for _, proof in found
            if proof.status == "incompatible" and self._proofs.all_reject([own for own, _ in found], proof.witness)
        )
        proof = next(broken, None)
        if proof is None:
            sentence = next((each.sentence for _, each in found if each.status == "unknown"), "")
            command = f"contract-test compat {written.subject} --budget 30"
            return Evidence("unknown", "undecided", sentence or "neither proved nor disproved", command=command)
        shown = proof.rule, proof.pointer, proof.witness, proof.rejected
        ran = [known.operation("consumes", written.subject, each) for each in known.known(written.subject)]
        if proof.pointer and any(each and each.unwatched and proof.pointer in each.unnoticed for each in ran):
            sentence = f"{proof.sentence}; the service decodes with other code, and passes with {proof.pointer} broken"
            return Evidence("yes", "never-read", sentence, *shown)
        return Evidence("no", "witness", proof.sentence, *shown)


def _listed(versions: dict[int, str]) -> str:
    return ", ".join(f"v{each}" for each in sorted(versions))
