"""Compat: whether versions may be deployed next to each other, which message breaks, and what is to be done.

A plan says who is compared with whom; `compare_pair` compares one pair of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from contract_test.compare import compare, pairs_for, stricter
from contract_test.compat.affected import removed_reads, removed_unknown
from contract_test.compat.binding_changes import changed_bindings, relaxed_mode
from contract_test.compat.findings import (
    OWN_RULES,
    distinct,
    of_reason,
    of_recording,
    of_upcaster,
    recorded_witnesses,
    removed,
)
from contract_test.compat.migration import migrate
from contract_test.compat.snapshot import Pair, Snapshot, snapshot_of_file, snapshots_of
from contract_test.compat.undeclared_fields import ContentModel, content_model_for, reading_of_true
from contract_test.data.contract import Catalog, Subject
from contract_test.data.errors import CatalogError, ContractTestError, InvalidSchemaError, NoContractsYetError
from contract_test.data.finding import Finding
from contract_test.data.verdict import ComparedPair, Verdict
from contract_test.files.catalog import load_catalog
from contract_test.files.git_history import commit_of, contracts_at, merge_base
from contract_test.files.reader_files import FOLDER, read_readers


@dataclass
class Plan:
    """The pairs to compare, what is wrong before any comparison, and what a reader of the result should know."""

    pairs: list[Pair] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    single: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    catalog: Catalog | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one pair."""

    status: Literal["compatible", "migrated", "incompatible", "unknown"]
    findings: tuple[Finding, ...] = ()
    note: str = ""
    """For "migrated": what keeps the reader from breaking."""
    proved: Verdict | None = None
    """What the comparison of the schemas said."""

    def compared(self, pair: Pair) -> ComparedPair:
        """Return what a report says of the pair."""
        subject = pair.subject.name if pair.subject else ""
        return ComparedPair(subject, pair.writer.label, pair.reader.label, pair.direction, self.status, self.note)


def plan_subjects(root: Path, subject: str | None = None, mode: str | None = None) -> Plan:
    """Return every subject, or one, against its own earlier versions."""
    plan = Plan()
    catalog = plan.catalog = _load(root, plan)
    broken = {Path(each.file).parent.name for each in plan.findings}
    all_sides = snapshots_of(catalog, read_readers(root / FOLDER))
    for each in _chosen(catalog, subject):
        asked = mode or each.compatibility
        snapshots = list(all_sides[each.name].values())
        if asked == "NONE" and subject:
            raise CatalogError(
                f"{subject} is not compared, because its mode is NONE",
                place=str(catalog.root),
                advice="Choose what to compare with --mode, or give it another mode in catalog.toml.",
            )
        if asked == "NONE":
            plan.not_compared.append(each.name)
        elif len(snapshots) == 1 and each.name in broken:
            plan.notes.append(f"nothing to compare with: of {each.name} only {snapshots[0].label} can be used")
        elif len(snapshots) == 1:
            plan.single.append(each.name)
        else:
            plan.pairs += [Pair(pair.writer, pair.reader, pair.direction, each) for pair in pairs_for(asked, snapshots)]
    plan.findings += removed_reads(plan.pairs)
    plan.notes += removed_unknown(plan.pairs)
    return plan


def plan_files(older: Path, newer: Path, mode: str, contracts: Path) -> Plan:
    """Return two schema files, wherever they are."""
    snapshots = snapshot_of_file(older, contracts), snapshot_of_file(newer, contracts)
    pairs = [Pair(pair.writer, pair.reader, pair.direction) for pair in pairs_for(mode, snapshots)]
    return Plan(pairs, not_compared=[] if pairs else [str(newer)])


def plan_against(root: Path, ref: str, subject: str | None = None, mode: str | None = None) -> Plan:
    """Return every version that is new or changed since a git ref, against those that were there.

    What changed at the ref since this branch left it is no change of this branch, and is told in a note.
    """
    plan = Plan()
    catalog = plan.catalog = _load(root, plan)
    try:
        with contracts_at(ref, root) as folder:
            _plan_since(plan, catalog, folder, ref, subject, mode)
    except NoContractsYetError:
        plan.notes.append(f"there were no contracts at {ref}: all of them are new, and there is nothing to compare")
        return plan
    base = merge_base(root, ref)
    if plan.findings and base != commit_of(root, ref):
        since_base = Plan()
        _load(root, since_base)
        with contextlib.suppress(NoContractsYetError), contracts_at(base, root) as folder:
            _plan_since(since_base, catalog, folder, ref, subject, mode)
        theirs = [each for each in plan.findings if each not in since_base.findings]
        plan.findings = [each for each in plan.findings if each not in theirs]
        if theirs:
            names = ", ".join(sorted({Path(each.file).parent.name for each in theirs}))
            plan.notes.append(
                f"{names}: changed at {ref} since this branch left it; merge it to compare with that, too"
            )
    return plan


def plan_between(before: Catalog, after: Catalog, ref: str) -> Plan:
    """Return every version that is new or changed in `after`, against those in `before`, the contracts at a git ref."""
    plan = Plan()
    _plan_changes(plan, before, after, ref, None, None)
    return plan


def _plan_since(plan: Plan, catalog: Catalog, folder: Path, ref: str, subject: str | None, mode: str | None) -> None:
    """Add to a plan what is new or changed since the contracts in `folder`, which are those of `ref`."""
    broken: list[ContractTestError] = []
    before = load_catalog(folder, broken)
    for error in broken:
        place = error.place.removeprefix(f"{folder}/")
        sentence = f"not compared, because it could not be used at {ref}: {error.problem}"
        rule = OWN_RULES["older-version-invalid"]
        file, _, pointer = place.partition(":")
        plan.findings.append(Finding(f"{catalog.root.as_posix()}/{file}", pointer, rule.id, sentence, rule.fix))
    _plan_changes(plan, before, catalog, ref, subject, mode)


def _plan_changes(
    plan: Plan, before: Catalog, catalog: Catalog, ref: str, subject: str | None, mode: str | None
) -> None:
    root = catalog.root
    readers = read_readers(root / FOLDER)
    snapshots, snapshots_before = (
        snapshots_of(catalog, readers),
        snapshots_of(before, readers, ref, f"{ref}:{root.as_posix()}"),
    )
    subjects = {**before.subjects, **catalog.subjects}
    for each in _chosen(replace(catalog, subjects=subjects), subject):
        old = before.subjects.get(each.name)
        then, now = snapshots_before.get(each.name, {}), snapshots.get(each.name, {})
        asked = mode or stricter(old.compatibility if old else "NONE", each.compatibility)
        if old and each.name in catalog.subjects:
            plan.findings += relaxed_mode(old, each, ref, root)
        if asked == "NONE":
            plan.not_compared.append(each.name)
            continue
        if old and each.name in catalog.subjects:
            plan.findings += changed_bindings(old, each, ref, root)
        plan.findings += removed(each, then, now, ref, root)
        pairs = list(_pairs_against(each, then, now, asked))
        plan.pairs += pairs
        if not pairs:
            (plan.unchanged if then else plan.single).append(each.name)
        for pair in pairs:  # while the copy is there
            _ = pair.writer.recorded
    plan.findings += removed_reads(plan.pairs)
    plan.notes += removed_unknown(plan.pairs)


def compare_pair(
    pair: Pair,
    content_model: ContentModel = "closed-writer",
    budget: float = 2.0,
    package: str | None = None,
    *,
    known: Verdict | None = None,
) -> Outcome:
    """Compare one pair as `decode` reads. Each incompatibility is a finding, with the whole verdict.

    BACKWARD is kept by migration where the upcasters of `package` bring every message to the reader's version. If the
    verdict is `known`, the schemas are not compared again.
    """
    try:
        verdict = known or _compared(pair, content_model, budget)
    except InvalidSchemaError as error:
        broken = pair.writer if error.side == "writer" else pair.reader
        file, pointer = broken.place_of(error.pointer)
        return Outcome("unknown", (Finding(file, pointer, "schema-invalid", error.problem, error.advice),))
    except Exception as error:  # noqa: BLE001 - whatever fails in one pair, the others are judged
        cause = f"the comparison failed, please report it: {type(error).__name__}: {error}"
        verdict = Verdict("unknown", cause=cause)
    return replace(_told(pair, verdict, content_model, package), proved=verdict)


def _compared(pair: Pair, content_model: ContentModel, budget: float) -> Verdict:
    reader = pair.reader.bundle
    writer = pair.writer.bundle.beside(reader)
    verdict = compare(
        writer.schema,
        reader.schema,
        formats="assertion",
        content_model=content_model_for(pair, content_model),
        budget=budget,
        newer="reader" if pair.newer is pair.reader else "writer",
        resources={**writer.resources, **reader.resources},
    )
    return _in_files(verdict, writer.originals)


def _told(pair: Pair, verdict: Verdict, content_model: ContentModel, package: str | None) -> Outcome:
    """The outcome of a pair by what its schemas say, its recorded messages and its upcasters."""
    recorded = recorded_witnesses(pair)
    if recorded:
        if verdict.status == "compatible":
            return Outcome("incompatible", (of_recording(pair, verdict, recorded[0]),))
        verdict = replace(verdict, status="incompatible", witness=recorded[0].data, cause="")
    kept = None
    if verdict.status != "unknown" and pair.direction == "BACKWARD" and pair.subject:
        kept = migrate(pair.subject.name, pair.writer, pair.reader, package)
    if verdict.status == "compatible":
        return Outcome("incompatible", (of_upcaster(pair, kept),)) if kept and kept.problem else Outcome("compatible")
    if kept and pair.subject and not kept.problem:
        labels = f"{pair.writer.label} → {pair.reader.label}"
        return Outcome("migrated", note=f"{pair.subject.name} {labels}: BACKWARD is kept by migration: {kept}")
    reasons = verdict.incompatibilities or (None,)
    findings = distinct(of_reason(pair, verdict, reason, recorded) for reason in reasons)
    failed = f"the upcaster does not keep it: {kept.problem}" if kept else ""
    for_each = [line for line in (reading_of_true(pair, content_model), failed) if line]
    findings = tuple(replace(each, details=(*each.details, *for_each)) for each in findings)
    return Outcome(verdict.status, findings)


def _in_files(verdict: Verdict, originals: Mapping[str, str]) -> Verdict:
    """The verdict with the writer's pointers into files by the URIs that these have in its own bundle."""

    def original(pointer: str) -> str:
        uri, hash_sign, inside = pointer.partition("#")
        return f"{originals[uri]}{hash_sign}{inside}" if uri in originals else pointer

    reasons = (replace(each, writer_pointer=original(each.writer_pointer)) for each in verdict.incompatibilities)
    return replace(verdict, incompatibilities=tuple(reasons)) if originals else verdict


def _load(root: Path, plan: Plan) -> Catalog:
    broken: list[ContractTestError] = []
    catalog = load_catalog(root, broken)
    for error in broken:
        file, _, pointer = error.place.partition(":")
        plan.findings.append(Finding(file, pointer, "schema-invalid", error.problem, error.advice))
    return catalog


def _chosen(catalog: Catalog, subject: str | None) -> list[Subject]:
    if subject is None:
        return list(catalog.subjects.values())
    if subject not in catalog.subjects:
        known = ", ".join(catalog.subjects) or "none"
        raise CatalogError(f"no subject {subject!r}", place=str(catalog.root), advice=f"Known: {known}.")
    return [catalog.subjects[subject]]


def _pairs_against(
    subject: Subject, then: Mapping[int, Snapshot], now: Mapping[int, Snapshot], mode: str
) -> Iterator[Pair]:
    """Each version that is new or changed, with those before it: all of them, or the nearest, as the mode says."""
    changed = {
        version: new
        for version, new in now.items()
        if version not in then or then[version].contract.resources != new.contract.resources
    }
    for version, newer in changed.items():
        earlier = {number: [old] for number, old in then.items() if number <= version}
        for number, new in changed.items():
            if number < version:
                earlier.setdefault(number, []).append(new)
        if earlier and not mode.endswith("_TRANSITIVE"):
            nearest = max(earlier)
            earlier = {nearest: earlier[nearest]}
        for snapshots in earlier.values():
            for older in snapshots:
                for pair in pairs_for(mode, (older, newer)):
                    yield Pair(pair.writer, pair.reader, pair.direction, subject)
