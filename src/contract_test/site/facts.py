"""From the catalog, the ledger and results to the one object that every page is made of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from contract_test.compare import pairs_for
from contract_test.compat.snapshot import snapshots_of
from contract_test.data.contract import About, Catalog, Channel, Subject
from contract_test.data.errors import HistoryError, UnreachableError
from contract_test.data.finding import Finding
from contract_test.data.result import Reader
from contract_test.files.accepted import accepted_by, mark_accepted, read_accepted
from contract_test.files.catalog import load_catalog
from contract_test.files.git_history import added_versions, is_shallow
from contract_test.files.ledger import Ledger
from contract_test.files.lock import read_lock
from contract_test.files.proof_cache import user_cache
from contract_test.files.reader_files import FOLDER, read_readers
from contract_test.files.toml import read_toml
from contract_test.site.comparisons import Compared, Pairs, compare_all, direction
from contract_test.site.data import (
    ChangelogEntry,
    ChannelData,
    FieldRow,
    FindingData,
    ServiceData,
    SiteData,
    SubjectData,
    VersionPair,
)
from contract_test.site.evidence import Evidence, read_evidence
from contract_test.site.fields import field_changes, field_rows, subject_fields
from contract_test.site.versions import value_object_source, version_data

_VERSION = re.compile(r"(?:^|/)([^/]+)/v([1-9][0-9]*)\.json$")
_NUMBER = re.compile(r"v([0-9]+)")


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


def site_data(sources: Sources) -> SiteData:
    """Read and compare everything. Raises ContractTestError with the place of what cannot be read."""
    root = sources.contracts
    catalog = load_catalog(root)
    evidence = read_evidence(sources.ledger, sources.results)
    readers = read_readers(root / FOLDER)
    by_subject: dict[str, list[Compared]] = defaultdict(list)
    snapshots = snapshots_of(catalog, readers)
    package, cache = sources.package, user_cache()
    for name, compared in compare_all(catalog, snapshots, sources.pairs, sources.budget, package, cache):
        by_subject[name].append(compared)
    notes: list[str] = []
    changelog = _changelog(root, catalog, notes)
    return SiteData(
        _subjects(catalog, by_subject, readers, package),
        _services(catalog, evidence),
        _channels(catalog, evidence),
        dict(sorted(catalog.owners.items())),
        changelog,
        _findings(catalog, by_subject, sources.today),
        tuple(notes),
    )


def _subjects(
    catalog: Catalog, compared: Mapping[str, Sequence[Compared]], readers: Sequence[Reader], package: str | None
) -> dict[str, SubjectData]:
    registered, source = read_lock(catalog.root), value_object_source(package)
    mine: dict[str, list[Reader]] = defaultdict(list)
    for reader in readers:
        mine[reader.subject].append(reader)
    found = {}
    for name, subject in sorted(catalog.subjects.items()):
        rows = {version: field_rows(each) for version, each in sorted(subject.contracts.items())}
        listed = {version: each or () for version, each in rows.items()}
        versions = [
            version_data(subject.contracts[version], each, dict(catalog.channels), registered, source)
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


def _services(catalog: Catalog, evidence: Evidence) -> dict[str, ServiceData]:
    sends, receives = (_by_service(catalog.subjects.values(), name) for name in ("sent_by", "received_by"))
    names = sorted({*catalog.services, *evidence.deployed, *evidence.verified})
    return {
        name: ServiceData(
            name,
            catalog.about_services.get(name, About()),
            tuple(sends[name]),
            tuple(receives[name]),
            evidence.deployed.get(name, ()),
            evidence.verified.get(name),
        )
        for name in names
    }


def _by_service(subjects: Iterable[Subject], attribute: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for subject in subjects:
        for service in getattr(subject, attribute):
            found[service].append(subject.name)
    for each in found.values():
        each.sort()
    return found


def _channels(catalog: Catalog, evidence: Evidence) -> dict[str, ChannelData]:
    tables = read_toml(catalog.root / "catalog.toml").get("channels", {})
    subjects: dict[str, list[str]] = defaultdict(list)
    for subject in catalog.subjects.values():
        for channel in subject.all_channels:
            subjects[channel.name].append(subject.name)
    return {
        name: ChannelData(
            name,
            catalog.about_channels.get(name, About()),
            channel.protocol,
            channel.address,
            channel.codec,
            channel.delivery or "",
            str(tables[name].get("retention", "")),
            channel.expires_after or "",
            tuple(sorted(subjects[name])),
            evidence.seen.get(name),
        )
        for name, channel in sorted(catalog.channels.items())
    }


def _changelog(root: Path, catalog: Catalog, notes: list[str]) -> tuple[ChangelogEntry, ...]:
    """Return the commits that added versions which are still there, the newest first."""
    try:
        commits = added_versions(root)
        if is_shallow(root):
            notes.append(
                "This is a shallow clone. The changelog begins with its oldest commit, which seems to add everything "
                "before it. Fetch the whole history for more: git fetch --unshallow."
            )
    except HistoryError:
        notes.append("The contracts are in no git repository, so there is no changelog.")
        return ()
    except UnreachableError:
        notes.append("Git is not installed, so there is no changelog.")
        return ()
    known = {(each.subject, each.version) for each in catalog.contracts}
    found = []
    for commit, time, title, files in commits:
        added = [(match[1], int(match[2])) for file in files if (match := _VERSION.search(file))]
        there = tuple(sorted({each for each in added if each in known}))
        known -= set(there)
        if there:
            found.append(ChangelogEntry(commit[:12], time[:10], title, there))
    if known and found:
        left = sorted(known)
        notes.append(f"Not committed yet: {', '.join(f'{name} v{version}' for name, version in left[:10])}.")
    return tuple(found)


def _findings(catalog: Catalog, compared: Mapping[str, Sequence[Compared]], today: date) -> tuple[FindingData, ...]:
    """Return the findings of the pairs that the mode of each subject asks about."""
    found: dict[str, Finding] = {}
    for name, subject in sorted(catalog.subjects.items()):
        pairs = pairs_for(subject.compatibility, [*map(_Numbered, sorted(subject.contracts))])
        asked = {(each.writer.version, each.reader.version, each.direction) for each in pairs}
        for each in compared.get(name, ()):
            if (each.older, each.newer, "BACKWARD") in asked:
                found |= {finding.id: finding for finding in each.backward.findings}
            if (each.newer, each.older, "FORWARD") in asked:
                found |= {finding.id: finding for finding in each.forward.findings}
    entries = accepted_by(read_accepted(catalog.root), "compat")
    return tuple(_finding(each, catalog) for each in mark_accepted(found.values(), entries, today))


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
