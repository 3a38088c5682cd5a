"""Matrix: versions of the writers of a subject beside versions of its readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contract_test.data.contract import Contract, Subject
from contract_test.data.deployment import ServiceVersion
from contract_test.data.errors import NoContractsYetError, NothingFoundError
from contract_test.files.catalog import load_catalog
from contract_test.files.git_history import contracts_at, is_no_recording, schema_commits
from contract_test.files.ledger import Ledger
from contract_test.files.lock import digest
from contract_test.gate.evidence import Evidence, Evidences
from contract_test.gate.proofs import Written


@dataclass(frozen=True)
class Cell:
    """What a reader does with everything that a writer sends of a subject: the worst of it."""

    writer: ServiceVersion
    reader: ServiceVersion
    written: Written
    evidence: Evidence

    @property
    def words(self) -> str:
        """One of "proved", "replayed", "breaks", "breaks the schema, never read", "unknown"."""
        if self.evidence.status == "yes":
            return "breaks the schema, never read" if self.evidence.kind == "never-read" else self.evidence.kind
        return "breaks" if self.evidence.status == "no" else "unknown"


def matrix_of(subject: Subject, ledger: Ledger, evidences: Evidences, last: int) -> list[Cell]:
    """Return a cell for each pair of the newest verified versions of writers and readers, `last` of each service."""

    def newest(services: Sequence[str], deals_with: Callable[[ServiceVersion], frozenset[str]]) -> list[ServiceVersion]:
        found = []
        for service in services:
            known = [ServiceVersion(service, each) for each in ledger.verified_versions(service)]
            timed = [
                (run.time, each) for each in known if (run := evidences.of(each)) and subject.name in deals_with(each)
            ]
            found += [each for _, each in sorted(timed)[-last:]]
        return found

    readers = newest(subject.received_by, evidences.receives)
    writers = newest(subject.sent_by, evidences.sends)
    return [_cell(writer, reader, subject.name, evidences) for writer in writers for reader in readers]


def _cell(writer: ServiceVersion, reader: ServiceVersion, subject: str, evidences: Evidences) -> Cell:
    unproved = evidences.unproved(writer, "produces", subject)
    if unproved is not None:
        return Cell(writer, reader, Written(subject, 0), unproved)
    found = [(evidences.accepts(reader, each), each) for each in evidences.writes(writer, subject)]
    order = ("no", "unknown", "yes")
    worst, written = min(found, key=lambda pair: (order.index(pair[0].status), pair[0].kind == "proved"))
    return Cell(writer, reader, written, worst)


@dataclass(frozen=True)
class Turn:
    """The commit of the contracts from which on a reader does not accept the newest version of a subject."""

    reader: ServiceVersion
    commit: str
    written: Written
    evidence: Evidence


def first_bad(subject: Subject, reader: ServiceVersion, evidences: Evidences) -> Turn | None:
    """Return the commit that turned the newest version of a subject from one that a reader accepts into one it breaks.

    The history of the contracts is halved until two commits stand next to each other. None if the present version is
    accepted, or no commit is known with one that was.
    """
    root = evidences.catalog.root
    commits = schema_commits(root)
    if not commits:
        raise NothingFoundError(
            "git knows no commit that changed the contracts", place=str(root), advice="Commit them."
        )
    good, bad = len(commits), 0
    turn = _at(commits[bad], subject.name, reader, evidences)
    if turn is None or turn.evidence.status != "no":
        return None
    while good - bad > 1:
        middle = (good + bad) // 2
        found = _at(commits[middle], subject.name, reader, evidences)
        if found is not None and found.evidence.status == "no":
            bad, turn = middle, found
        else:
            good = middle
    return turn


def _at(commit: str, name: str, reader: ServiceVersion, evidences: Evidences) -> Turn | None:
    """Return what a reader does with the newest version at a commit; None if there was none."""
    try:
        with contracts_at(commit, evidences.catalog.root, is_no_recording) as folder:
            subject = load_catalog(folder, []).subjects.get(name)
            if subject is None:
                return None
            contract: Contract = subject.newest
            written = Written(name, contract.version, digest(contract))
            evidences.remember(contract)
            return Turn(reader, commit, written, evidences.accepts(reader, written))
    except (NoContractsYetError, NothingFoundError):
        return None
