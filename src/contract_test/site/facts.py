"""From the catalog, the ledger and results to the one object that every page is made of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from contract_test.data.contract import About, Catalog, Subject
from contract_test.data.errors import HistoryError, UnreachableError
from contract_test.files.accepted import accepted_by, read_accepted
from contract_test.files.catalog import load_catalog
from contract_test.files.git_history import added_versions, is_shallow
from contract_test.files.lock import read_lock
from contract_test.files.reader_files import FOLDER, read_readers
from contract_test.files.toml import read_toml
from contract_test.site.data import ChangelogEntry, ChannelData, FindingData, ServiceData, SiteData, SubjectData
from contract_test.site.evidence import Evidence, read_evidence
from contract_test.site.parts import Output, Part, Sources, Work, made_parts
from contract_test.site.search import Entry
from contract_test.site.writing import Pages, SiteFolder, Written, write_pages

_VERSION = re.compile(r"(?:^|/)([^/]+)/v([1-9][0-9]*)\.json$")


Progress = Callable[[Iterator[Part], int], Iterator[Part]]


def build_site(
    sources: Sources, output: Output | None = None, progress: Progress = lambda parts, _: parts
) -> tuple[SiteData, Written | None]:
    """Read and compare everything, and write the pages if there is an output. `progress` is told of some subjects each.

    Raises ContractTestError with the place of what cannot be read or written.
    """
    root = sources.contracts
    catalog = load_catalog(root, schemas_when_asked=True)
    evidence = read_evidence(sources.ledger, sources.results)
    folder = None if output is None else SiteFolder(output.folder)
    work = Work(
        catalog, tuple(read_readers(root / FOLDER)), frozenset(read_lock(root)),
        tuple(accepted_by(read_accepted(root), "compat")), sources, output,
    )  # fmt: skip
    subjects: dict[str, SubjectData] = {}
    findings: list[FindingData] = []
    entries: list[Entry] = []
    pages = Pages()
    for part in progress(made_parts(work), len(catalog.subjects)):
        subjects |= part.subjects
        findings += part.findings
        entries += part.entries
        pages = pages + part.pages
    notes: list[str] = []
    changelog = _changelog(root, catalog, notes)
    data = SiteData(
        subjects,
        _services(catalog, evidence),
        _channels(catalog, evidence),
        dict(sorted(catalog.owners.items())),
        changelog,
        tuple(findings),
        tuple(notes),
    )
    if output is None or folder is None:
        return data, None
    from contract_test.site.layout import Layout
    from contract_test.site.pages import shared_pages

    pages = pages + write_pages(output.folder, shared_pages(data, Layout(output.title), entries))
    return data, folder.finish(pages)


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
    known = {(name, version) for name, subject in catalog.subjects.items() for version in subject.contracts}
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
