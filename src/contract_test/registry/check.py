"""Where a registry and git differ, and where the registry's verdict and the proof disagree."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from contract_test.compare import pairs_for
from contract_test.compat.parallel import compare_pairs
from contract_test.compat.snapshot import Pair, Snapshot, snapshots_of
from contract_test.data.compatibility_modes import MODES
from contract_test.data.contract import Catalog
from contract_test.data.errors import CatalogError, SchemaError
from contract_test.data.finding import Finding
from contract_test.files.proof_cache import ProofCache
from contract_test.registry.client import RefusedError, Registered, Registry
from contract_test.registry.documents import body_of, document_of, parsed
from contract_test.registry.naming import KEY, Naming
from contract_test.registry.push import finding_of
from contract_test.registry.result import RegistryResult
from contract_test.registry.survey import Copy, SubjectCopies, Survey, step_of, survey
from contract_test.schema.walk import draft_of

SECONDS_PER_PAIR = 2.0


def check(
    registry: Registry, catalog: Catalog, chosen: Collection[str], naming: Naming, proofs: ProofCache
) -> RegistryResult:
    """Compare a registry with git. Nothing is changed."""
    found = survey(registry, catalog, chosen, naming)
    notes: list[str] = []
    findings = [*found.findings, *(finding for each in found.subjects for finding in _differences(each))]
    if not chosen:
        for name in found.left:
            kind = registry.version(name, registry.versions(name)[-1]).kind
            if kind != "JSON" or (naming != "record" and name.endswith(KEY)):
                notes.append(f"{name} was left: {'it describes keys' if kind == 'JSON' else kind}")
                continue
            rule, sentence = "registry-subject-unknown", f"subject {name!r} of the registry is in no catalog row"
            advice = "Pull it with `contract-test registry pull`, or accept the finding in accepted.toml."
            findings.append(
                Finding(str(catalog.root / "catalog.toml"), "", rule, sentence, advice, key=f"{rule}:{name}")
            )
    snapshots = snapshots_of(catalog)
    without = [each.name for each in found.subjects if each.exists and each.mode == "NONE"]
    if without:
        notes.append(f"the mode is NONE, so the registry refuses nothing, and was not asked: {', '.join(without)}")
    for each in found.subjects:
        if each.mode != "NONE":
            findings += _disagreements(registry, found, each, snapshots[each.subject.name], proofs)
    steps = [
        step_of(each, copy, "registered" if copy.registered else "new")
        for each in found.subjects
        for copy in each.copies
    ]
    return RegistryResult("registry check", registry.url, steps, findings, notes)


def _differences(subject: SubjectCopies) -> Iterator[Finding]:
    ids, name = subject.subject.schema_ids, subject.name
    for copy in subject.copies:
        found, version = copy.registered, copy.contract.version
        if found is None and copy.is_locked:
            advice = "Register it with `contract-test registry push`."
            yield finding_of(copy, "registry-version-missing", f"{name} in the registry does not have it", advice)
        elif found and ids.get(version) != found.id:
            has = f"the id {ids[version]}" if version in ids else "no id"
            sentence = f"{name} version {found.version} has the id {found.id}, and the catalog {has} for it"
            advice = "`contract-test registry push` adds a missing id. Remove a wrong one from schema_ids first."
            yield finding_of(copy, "registry-id-differs", sentence, advice)
        if copy.is_changed:
            yield finding_of(copy, "registered-version-changed", "it is not what contracts.lock holds", "Restore it.")
    numbers = [each.registered.version for each in subject.copies if each.registered]
    if numbers != sorted(numbers):
        sentence = f"{name} has the versions in another order: {', '.join(map(str, numbers))}"
        yield finding_of(subject.copies[-1], "registry-order", sentence, "The registry's last version is its newest.")
    for each in subject.unknown:
        sentence = f"{name} version {each.version}, id {each.id}, has no version in git with the same content"
        advice = "Somebody registered it without git. `contract-test registry pull` into another directory writes it."
        yield _of_registry(subject, "registry-version-unknown", each.version, sentence, advice)
    for each, error in subject.unreadable:
        sentence = f"{name} version {each.version} cannot be read: {error.problem}"
        yield _of_registry(subject, "registry-schema-unreadable", each.version, sentence, "Delete it there.")
    mode = subject.subject.compatibility
    if subject.exists and subject.mode not in (mode, "NONE"):
        sentence = f"the mode of {name} is {subject.mode} in the registry and {mode} in the catalog"
        advice = "`contract-test registry push --set-mode catalog` sets it."
        yield finding_of(subject.copies[-1], "registry-mode-differs", sentence, advice, "warning")


def _of_registry(subject: SubjectCopies, rule: str, version: int, sentence: str, advice: str) -> Finding:
    key = f"{rule}:{subject.name}:v{version}"
    return Finding(str(subject.copies[-1].contract.path.parent), "", rule, sentence, advice, key=key)


def _disagreements(
    registry: Registry, found: Survey, subject: SubjectCopies, snapshots: dict[int, Snapshot], proofs: ProofCache
) -> Iterator[Finding]:
    """Yield each version about which the registry says something else than the proof, beside the version before it."""
    mode = subject.mode.removesuffix("_TRANSITIVE")
    for older, newer in zip(subject.copies, subject.copies[1:], strict=False):
        if older.registered is None:
            continue
        names = f"v{newer.contract.version} after v{older.contract.version} in mode {subject.mode}"
        try:
            what = f"{newer.contract.name} as {subject.name}"
            body = _body(found, older.registered, newer)
            why = registry.refusal(subject.name, older.registered.version, body, what)
        except (CatalogError, SchemaError, RefusedError) as error:
            sentence = f"the registry cannot judge {names}: {error.problem}"
            yield finding_of(newer, "registry-cannot-judge", sentence, "`contract-test compat` judges it.", "warning")
            continue
        sides = snapshots[older.contract.version], snapshots[newer.contract.version]
        pairs = [Pair(each.writer, each.reader, each.direction, subject.subject) for each in pairs_for(mode, sides)]
        outcomes = list(compare_pairs(pairs if mode in MODES else [], "closed-writer", SECONDS_PER_PAIR, cache=proofs))
        statuses = {each.status for each in outcomes}
        if why and statuses == {"compatible"}:
            sentence, advice = f"it would refuse {names}; no reader can break", f"Its reason: {why}"
        elif why and "incompatible" not in statuses:
            sentence, advice = f"it would refuse {names}; the proof does not know", f"Its reason: {why}"
        elif not why and "incompatible" in statuses:
            sentence = f"it would accept {names}; a reader can break"
            advice = f"`contract-test compat {subject.subject.name}` shows the message."
        else:
            continue
        yield finding_of(newer, "registry-disagrees", sentence, advice, "warning")


def _body(found: Survey, older: Registered, newer: Copy) -> dict[str, Any]:
    """Return what the registry has of a version, or would be given in the form of the version before it."""
    if newer.registered:
        return body_of(newer.registered.text, newer.registered.references)
    draft_07 = draft_of(parsed(older)) == "draft-07"
    return document_of(found.catalog, newer.contract, draft_07=draft_07).body(found.located)
