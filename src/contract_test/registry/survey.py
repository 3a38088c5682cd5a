"""What git has and what a registry has, version by version."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from contract_test.data.contract import Catalog, Contract, Subject
from contract_test.data.errors import CatalogError, SchemaError
from contract_test.data.finding import Finding
from contract_test.files.lock import changed_versions, read_lock
from contract_test.registry.client import Reference, Registered, Registry
from contract_test.registry.documents import ContractId, content_key, document_of, parsed
from contract_test.registry.naming import Naming, registry_names
from contract_test.registry.result import Status, Step

REQUESTS_AT_ONCE = 8


@dataclass
class Copy:
    """A contract, and its copy under one subject of a registry, if it is registered."""

    contract: Contract
    is_locked: bool
    is_changed: bool
    registered: Registered | None = None


@dataclass
class SubjectCopies:
    """A subject of the catalog under one name in a registry, and its mode there: that of all subjects if it is new.

    `unknown` are the registry's versions that are no version in git, and `unreadable` those that cannot be parsed.
    """

    subject: Subject
    name: str
    mode: str
    exists: bool
    copies: list[Copy] = field(default_factory=list)
    unknown: list[Registered] = field(default_factory=list)
    unreadable: list[tuple[Registered, SchemaError]] = field(default_factory=list)

    @property
    def newest(self) -> int:
        """The highest version number in the registry, or 0."""
        found = [each.registered.version for each in self.copies if each.registered]
        return max(
            [*found, *(each.version for each in self.unknown), *(each.version for each, _ in self.unreadable)],
            default=0,
        )


@dataclass
class Survey:
    """Everything that one command compares. `left` are the names of the registry's subjects that git does not know."""

    catalog: Catalog
    subjects: list[SubjectCopies] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def located(self, contract: ContractId) -> tuple[str, int]:
        """Return the registry's subject and version of a contract. Raises CatalogError if it is not registered."""
        for each in self.subjects:
            for copy in each.copies:
                if (copy.contract.subject, copy.contract.version) == contract and copy.registered:
                    return each.name, copy.registered.version
        name, version = contract
        advice = "Register it first: name its subject, too, or none, which means all."
        raise CatalogError(f"it refers to {name} v{version}, which is not in the registry", advice=advice)


def step_of(subject: SubjectCopies, copy: Copy, status: Status) -> Step:
    """Return what is said of a version."""
    found = copy.registered
    version, number = (found.version, found.id) if found else (None, None)
    return Step(copy.contract.name, subject.name, status, version, number, subject.mode)


def read_versions(registry: Registry, subject: str) -> list[Registered]:
    """Return every version of a subject."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        return list(pool.map(lambda number: registry.version(subject, number), registry.versions(subject)))


def survey(registry: Registry, catalog: Catalog, chosen: Collection[str], naming: Naming) -> Survey:
    """Read a registry beside the subjects of a catalog that are `chosen`, or all if none is."""
    if unknown := sorted(set(chosen) - catalog.subjects.keys()):
        known = ", ".join(catalog.subjects)
        raise CatalogError(f"no subject {unknown[0]!r}", place=str(catalog.root), advice=f"Known: {known}.")
    found = Survey(catalog)
    in_registry = set(registry.subjects())
    names = _names(found, naming)
    locked, changed = read_lock(catalog.root), {each.name for each in changed_versions(catalog)}
    for subject in _referred_first(catalog):
        for name in names[subject.name] if not chosen or subject.name in chosen else ():
            copies = SubjectCopies(subject, name, registry.mode(name), name in in_registry)
            found.subjects.append(copies)
            for version, contract in sorted(subject.contracts.items()):
                is_locked = (subject.name, version) in locked
                copies.copies.append(Copy(contract, is_locked, is_changed=contract.name in changed))
            if name in in_registry:
                _match(found, copies, read_versions(registry, name))
    found.left = sorted(in_registry - {name for each in names.values() for name in each})
    return found


def _names(found: Survey, naming: Naming) -> dict[str, tuple[str, ...]]:
    """Return each subject's names; none, and a finding, for those that would share one with another subject."""
    names = {each.name: registry_names(each, naming) for each in found.catalog.subjects.values()}
    users: dict[str, list[str]] = {}
    for subject, own in names.items():
        for name in own:
            users.setdefault(name, []).append(subject)
    for name, subjects in users.items():
        if len(subjects) > 1:
            sentence = f"{', '.join(subjects)} would all be the subject {name} of the registry"
            advice = "Name them by their records: --naming topic-record, or --naming record."
            place = f'[subjects."{subjects[0]}"]'
            found.findings.append(
                Finding(str(found.catalog.root / "catalog.toml"), place, "registry-name-shared", sentence, advice)
            )
            names |= dict.fromkeys(subjects, ())
    return names


def _referred_first(catalog: Catalog) -> list[Subject]:
    """Return the subjects in an order in which each comes after those that it refers to, where there is one."""
    graph: dict[str, set[str]] = {name: set() for name in catalog.subjects}
    for contract in catalog.contracts:
        with suppress(SchemaError):
            document = document_of(catalog, contract, draft_07=False)
            graph[contract.subject] |= {target for _, (target, _) in document.references} - {contract.subject}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError:
        order = list(graph)
    return [catalog.subjects[name] for name in order]


def _match(found: Survey, copies: SubjectCopies, versions: list[Registered]) -> None:
    """Find the copy of each contract among the versions of its subject, by content: as it is, or in draft-07."""
    by_content: dict[str, list[Registered]] = {}
    for each in versions:
        try:
            by_content.setdefault(content_key(parsed(each), each.references), []).append(each)
        except SchemaError as error:
            copies.unreadable.append((each, error))
    matched: set[str] = set()
    for draft_07 in (False, True):
        for copy in copies.copies:
            if copy.registered is None and (not draft_07 or by_content.keys() - matched):
                key = _key(found, copy.contract, draft_07=draft_07)
                if key in by_content:
                    copy.registered = by_content[key][0]
                    matched.add(key)
    copies.unknown = [each for key, same in by_content.items() if key not in matched for each in same]


def _key(found: Survey, contract: Contract, *, draft_07: bool) -> str | None:
    """Return the content of a contract's copy, or None if it cannot have one yet."""
    try:
        document = document_of(found.catalog, contract, draft_07=draft_07)
        references = [Reference(name, *found.located(target)) for name, target in document.references]
    except (CatalogError, SchemaError):
        return None
    return content_key(document.schema, references)
