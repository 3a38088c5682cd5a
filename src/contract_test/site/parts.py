"""The subjects of a site, a few at a time: read, compared, and written as pages. Many are shared among processes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from contract_test.compare import pairs_for
from contract_test.compat.parallel import in_processes
from contract_test.compat.snapshot import snapshots_of
from contract_test.data.contract import Catalog, Channel
from contract_test.data.finding import Finding
from contract_test.data.result import Reader
from contract_test.files.accepted import Acceptance, mark_accepted
from contract_test.files.ledger import Ledger
from contract_test.files.proof_cache import user_cache
from contract_test.site.comparisons import Compared, Pairs, compare_all, direction
from contract_test.site.data import FieldRow, FindingData, SubjectData, VersionPair
from contract_test.site.fields import field_changes, field_rows, subject_fields
from contract_test.site.search import Entry
from contract_test.site.versions import value_object_source, version_data
from contract_test.site.writing import Pages, write_pages

SUBJECTS_AT_ONCE = 100
MIN_SUBJECTS_FOR_PROCESSES = 200
"""Fewer subjects than this are done before another process has started."""
_NUMBER = re.compile(r"v([0-9]+)")


@dataclass(frozen=True)
class Output:
    """The directory of the pages, and the name that each of them has."""

    folder: Path
    title: str


@dataclass(frozen=True)
class Sources:
    """Where everything is read from. An acceptance that ended before `today` does not count."""

    contracts: Path
    today: date
    ledger: Ledger | None = None
    results: tuple[Path, ...] = ()
    package: str | None = None
    pairs: Pairs = "near"
    budget: float = 2.0


@dataclass(frozen=True)
class Work:
    """Subjects of a catalog, with what is known about them. Pages are written if there is an output."""

    catalog: Catalog
    readers: tuple[Reader, ...]
    registered: frozenset[tuple[str, int]]
    accepted: tuple[Acceptance, ...]
    sources: Sources
    output: Output | None

    def of(self, names: Sequence[str]) -> Work:
        """Return the same for some of the subjects."""
        subjects = {name: self.catalog.subjects[name] for name in names}
        return replace(
            self,
            catalog=replace(self.catalog, subjects=subjects),
            readers=tuple(each for each in self.readers if each.subject in subjects),
            registered=frozenset(each for each in self.registered if each[0] in subjects),
            sources=replace(self.sources, ledger=None),
        )


@dataclass(frozen=True)
class Part:
    """What is known of some subjects, their findings, their fields in the search index, and their pages."""

    subjects: Mapping[str, SubjectData]
    findings: tuple[FindingData, ...]
    entries: tuple[Entry, ...] = ()
    pages: Pages = field(default_factory=Pages)


def made_parts(work: Work) -> Iterator[Part]:
    """Yield all subjects, some at a time, in the order of their names."""
    names = sorted(work.catalog.subjects)
    parts = (work.of(names[start : start + SUBJECTS_AT_ONCE]) for start in range(0, len(names), SUBJECTS_AT_ONCE))
    if len(names) < MIN_SUBJECTS_FOR_PROCESSES:
        yield from map(made_part, parts)
    else:
        yield from in_processes(made_part, parts)


def made_part(work: Work) -> Part:
    """Read, compare and write some subjects."""
    catalog, sources = work.catalog, work.sources
    compared: dict[str, list[Compared]] = defaultdict(list)
    snapshots = snapshots_of(catalog, work.readers)
    for name, each in compare_all(catalog, snapshots, sources.pairs, sources.budget, sources.package, user_cache()):
        compared[name].append(each)
    subjects, findings = _subjects(work, compared), _findings(work, compared)
    if work.output is None:
        return Part(subjects, findings)
    from contract_test.site.layout import Layout
    from contract_test.site.subject_pages import SubjectPages

    layout = Layout(work.output.title)
    made = [SubjectPages(layout, each) for each in subjects.values()]
    pages = write_pages(work.output.folder, (page for each in made for page in each))
    return Part(subjects, findings, tuple(entry for each in made for entry in each.entries), pages)


def _subjects(work: Work, compared: Mapping[str, Sequence[Compared]]) -> dict[str, SubjectData]:
    catalog, source, readers = work.catalog, value_object_source(work.sources.package), work.readers
    mine: dict[str, list[Reader]] = defaultdict(list)
    for reader in readers:
        mine[reader.subject].append(reader)
    found = {}
    for name, subject in sorted(catalog.subjects.items()):
        rows = {version: field_rows(each) for version, each in sorted(subject.contracts.items())}
        listed = {version: each or () for version, each in rows.items()}
        versions = [
            version_data(subject.contracts[version], each, dict(catalog.channels), work.registered, source)
            for version, each in rows.items()
        ]
        found[name] = SubjectData(
            name,
            subject.about,
            _names(subject.channels),
            _names(subject.retry),
            _names(subject.dead_letter),
            subject.compatibility,
            subject.key or "",
            subject.sent_by,
            subject.received_by,
            tuple(versions),
            tuple(_pair(each, listed) for each in compared.get(name, ())),
            subject_fields(subject, listed, mine[name]),
        )
    return found


def _names(channels: Iterable[Channel]) -> tuple[str, ...]:
    return tuple(each.name for each in channels)


def _pair(each: Compared, rows: Mapping[int, Sequence[FieldRow]]) -> VersionPair:
    return VersionPair(
        each.older,
        each.newer,
        field_changes(rows[each.older], rows[each.newer]),
        direction(each.backward, each.older, each.newer),
        direction(each.forward, each.newer, each.older),
    )


def _findings(work: Work, compared: Mapping[str, Sequence[Compared]]) -> tuple[FindingData, ...]:
    """Return the findings of the pairs that the mode of each subject asks about."""
    found: dict[str, Finding] = {}
    for name, subject in sorted(work.catalog.subjects.items()):
        pairs = pairs_for(subject.compatibility, [*map(_Numbered, sorted(subject.contracts))])
        asked = {(each.writer.version, each.reader.version, each.direction) for each in pairs}
        for each in compared.get(name, ()):
            if (each.older, each.newer, "BACKWARD") in asked:
                found |= {finding.id: finding for finding in each.backward.findings}
            if (each.newer, each.older, "FORWARD") in asked:
                found |= {finding.id: finding for finding in each.forward.findings}
    marked = mark_accepted(found.values(), work.accepted, work.sources.today)
    return tuple(_finding(each, work.catalog) for each in marked)


@dataclass(frozen=True)
class _Numbered:
    version: int


def _finding(each: Finding, catalog: Catalog) -> FindingData:
    owners = dict.fromkeys(str(owner) for name in each.breaks if (owner := catalog.owner_of(name)))
    writer, reader = (int(_NUMBER.match(label)[1]) for label in (each.writer, each.reader))  # type: ignore[index]  # labels are v1, v2 …
    return FindingData(
        each.id,
        each.severity,
        each.subject,
        writer,
        reader,
        each.rule,
        each.pointer,
        each.sentence,
        each.advice,
        each.accepted,
        each.breaks,
        tuple(owners),
    )
