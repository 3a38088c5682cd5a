"""Compat: whether versions may be deployed next to each other, which message breaks, and what is to be done.

A plan says who is compared with whom; `judge` compares one pair of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from contract_test.data.contract import Catalog, Subject
from contract_test.data.errors import CatalogError, ContractTestError, InvalidSchemaError
from contract_test.data.finding import Finding
from contract_test.data.verdict import ABSENT, Incompatibility, Verdict
from contract_test.files.catalog import load_catalog
from contract_test.files.history import contracts_at
from contract_test.files.readers import FOLDER, read_readers
from contract_test.schema.compare import RULES, Rule, compare, pairs_for
from contract_test.schema.compare.keyword_rules import change
from contract_test.use_cases.affected import affected
from contract_test.use_cases.migrate import Migration, migrate
from contract_test.use_cases.sides import Recorded, Side, side_of_file, sides_of
from envelopes import find_violation

ContentModel = Literal["closed-writer", "as-written"]

OWN_RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "unknown",
            "It is neither proved that the reader accepts every message, nor is one found that breaks.",
            "Write the schema simpler where it says why, or give the pair more time with --budget.",
        ),
        Rule(
            "recorded-message-breaks",
            "The contracts are compatible, and yet the reader rejects a recorded message: it holds what its own "
            "version does not declare.",
            "Declare the field in the version that sends it, or call the new one by another name.",
        ),
        Rule(
            "version-removed",
            "A version is gone: whoever still sends it is no longer understood.",
            "Restore the file, and take it away when nobody sends or reads it any more.",
        ),
        Rule(
            "upcaster-fails",
            "The package's upcaster does not bring every message of the old version to the new one.",
            "Let it take every message of the old version, and depend on nothing but that message.",
        ),
        Rule(
            "schema-invalid",
            "A schema is not valid, so nothing can be said of it.",
            "See what `contract-test lint` says of it.",
        ),
    )
}
"""What `compat` finds beside the incompatibilities of `RULES`."""


@dataclass(frozen=True)
class Pair:
    """What `writer` sends must be readable by `reader`; `subject` is None for two files."""

    writer: Side
    reader: Side
    direction: str
    subject: Subject | None = None

    @property
    def newer(self) -> Side:
        """The side that is new: where something can still be changed."""
        return self.reader if self.direction == "BACKWARD" else self.writer


@dataclass
class Plan:
    """The pairs to compare, what is wrong before any comparison, and what a reader of the result should know."""

    pairs: list[Pair] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    single: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What became of one pair."""

    status: Literal["compatible", "migrated", "incompatible", "unknown"]
    findings: tuple[Finding, ...] = ()
    note: str = ""
    """For "migrated": what keeps the reader from breaking."""


def plan_subjects(root: Path, subject: str | None = None, mode: str | None = None) -> Plan:
    """Every subject, or one, against its own earlier versions."""
    plan = Plan()
    catalog = _load(root, plan)
    all_sides = sides_of(catalog, read_readers(root / FOLDER))
    for each in _chosen(catalog, subject):
        asked = mode or each.compatibility
        sides = list(all_sides[each.name].values())
        if asked == "NONE":
            plan.not_compared.append(each.name)
        elif len(sides) == 1:
            plan.single.append(each.name)
        else:
            plan.pairs += [Pair(pair.writer, pair.reader, pair.direction, each) for pair in pairs_for(asked, sides)]
    return plan


def plan_files(older: Path, newer: Path, mode: str, contracts: Path) -> Plan:
    """Two schema files, wherever they are."""
    sides = side_of_file(older, contracts), side_of_file(newer, contracts)
    pairs = [Pair(pair.writer, pair.reader, pair.direction) for pair in pairs_for(mode, sides)]
    return Plan(pairs, not_compared=[] if pairs else [str(newer)])


def plan_against(root: Path, ref: str, subject: str | None = None, mode: str | None = None) -> Plan:
    """Every version that is new or changed since a git ref, against those that were there."""
    plan = Plan()
    catalog = _load(root, plan)
    with contracts_at(ref, root) as folder:
        broken: list[ContractTestError] = []
        before = load_catalog(folder, broken)
        for error in broken:
            place = error.place.removeprefix(f"{folder}/")
            plan.notes.append(f"not compared, because it could not be used at {ref}: {place}: {error.problem}")
        readers = read_readers(root / FOLDER)
        sides, sides_before = sides_of(catalog, readers), sides_of(before, readers, ref, f"{ref}:{root.as_posix()}")
        subjects = {**before.subjects, **catalog.subjects}
        for each in _chosen(replace(catalog, subjects=subjects), subject):
            old = before.subjects.get(each.name)
            then, now = sides_before.get(each.name, {}), sides.get(each.name, {})
            asked = mode or each.compatibility
            if old and mode is None and old.compatibility != asked:
                plan.notes.append(f"{each.name}: the mode was {old.compatibility} at {ref}, and is {asked} here")
            if asked == "NONE":
                plan.not_compared.append(each.name)
                continue
            plan.findings += _removed(each, then, now, ref, root)
            pairs = list(_pairs_against(each, then, now, asked))
            plan.pairs += pairs
            if not pairs:
                (plan.unchanged if then else plan.single).append(each.name)
            for pair in pairs:  # while the copy is there
                _ = pair.writer.recorded
    return plan


def judge(
    pair: Pair, content_model: ContentModel = "closed-writer", budget: float = 2.0, package: str = "envelopes"
) -> Outcome:
    """Compare one pair as `decode` reads. Each incompatibility is a finding, with the whole verdict.

    BACKWARD is kept by migration where the upcasters of `package` bring every message to the reader's version.
    """
    reader = pair.reader.bundle
    writer = pair.writer.bundle.beside(reader)
    try:
        verdict = compare(
            writer.schema,
            reader.schema,
            formats="assertion",
            content_model=content_model,
            budget=budget,
            resources={**writer.resources, **reader.resources},
        )
    except InvalidSchemaError as error:
        broken = pair.writer if error.side == "writer" else pair.reader
        file, pointer = broken.place_of(error.pointer)
        return Outcome("unknown", (Finding(file, pointer, "schema-invalid", error.problem, error.advice),))
    except Exception as error:  # noqa: BLE001 - whatever fails in one pair, the others are judged
        cause = f"the comparison failed, please report it: {type(error).__name__}: {error}"
        verdict = Verdict("unknown", cause=cause)
    recorded = _recorded_witness(pair)
    if recorded is not None:
        if verdict.status == "compatible":
            return Outcome("incompatible", (_of_recording(pair, verdict, recorded),))
        verdict = replace(verdict, status="incompatible", witness=recorded.data, cause="")
    kept = None
    if verdict.status != "unknown" and pair.direction == "BACKWARD" and pair.subject:
        kept = migrate(pair.subject.name, pair.writer, pair.reader, package)
    if verdict.status == "compatible":
        return Outcome("incompatible", (_of_upcaster(pair, kept),)) if kept and kept.problem else Outcome("compatible")
    if kept and pair.subject and not kept.problem:
        labels = f"{pair.writer.label} → {pair.reader.label}"
        return Outcome("migrated", note=f"{pair.subject.name} {labels}: BACKWARD is kept by migration: {kept}")
    reasons = verdict.incompatibilities or (None,)
    findings = (_finding(pair, verdict, reason, recorded) for reason in reasons)
    if kept:
        failed = f"the upcaster does not keep it: {kept.problem}"
        findings = (replace(each, details=(*each.details, failed)) for each in findings)
    return Outcome(verdict.status, _distinct(findings))


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


def _pairs_against(subject: Subject, then: Mapping[int, Side], now: Mapping[int, Side], mode: str) -> Iterator[Pair]:
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
        for sides in earlier.values():
            for older in sides:
                for pair in pairs_for(mode, (older, newer)):
                    yield Pair(pair.writer, pair.reader, pair.direction, subject)


def _removed(
    subject: Subject, then: Mapping[int, Side], now: Mapping[int, Side], ref: str, root: Path
) -> Iterator[Finding]:
    for version in sorted(then.keys() - now.keys()):
        path = root / then[version].contract.path.relative_to(then[version].files.root)
        rule = OWN_RULES["version-removed"]
        sentence = f"v{version} was there at {ref} and is gone"
        details = (rule.explanation, *_services(subject))
        yield Finding(path.as_posix(), "", rule.id, sentence, rule.fix, details=details)


def _recorded_witness(pair: Pair) -> Recorded | None:
    """A recorded message that the writer's version accepts and the reader's rejects."""
    if not pair.writer.recorded:
        return None
    writer, reader = pair.writer.validator, pair.reader.validator
    if writer is None or reader is None:
        return None
    for each in pair.writer.recorded:
        if writer.is_valid(each.data) and not reader.is_valid(each.data):
            return Recorded(each.place, json.loads(json.dumps(each.data, default=_number)))
    return None


def _number(value: Decimal) -> int | float:
    """A number that was recorded with more digits than a double holds, as it is shown."""
    return int(value) if value == value.to_integral_value() else float(value)


def _finding(pair: Pair, verdict: Verdict, reason: Incompatibility | None, recorded: Recorded | None) -> Finding:
    if reason is None:
        rule = OWN_RULES["unknown"] if verdict.status == "unknown" else RULES["not-included"]
        pointer, sentence = "", verdict.cause or rule.explanation
    else:
        rule = RULES[reason.rule]
        pointer, sentence = _pointed(pair, reason)
    file, inside = pair.newer.place_of(pointer)
    return Finding(
        file,
        inside,
        rule.id,
        sentence,
        rule.fix,
        direction=pair.direction,
        details=(
            *_details(pair, rule, verdict.witness, recorded),
            *(affected(pair.reader, pair.writer, reason) if reason else ()),
        ),
        writer=pair.writer.label,
        reader=pair.reader.label,
        recorded=recorded.place if recorded else "",
        verdict=verdict,
    )


def _pointed(pair: Pair, reason: Incompatibility) -> tuple[str, str]:
    """Where an incompatibility stands in the newer schema, and what changed from the writer to the reader."""
    pointer = reason.reader_pointer if pair.newer is pair.reader else reason.writer_pointer
    if reason.rule != "required-property-added" or not isinstance(reason.after, str):
        return pointer, change(reason.before, reason.after) or RULES[reason.rule].explanation
    step = reason.after.replace("~", "~0").replace("/", "~1")
    declared = reason.writer_pointer.endswith(f"/properties/{step}")
    around = reason.reader_pointer.removesuffix("/required")
    if pair.newer is pair.reader and pair.reader.declares(around, reason.after):
        pointer = f"{around}/properties/{step}"
    return pointer, f"{reason.after}: {'optional' if declared else 'absent'} → required"


def _of_recording(pair: Pair, verdict: Verdict, recorded: Recorded) -> Finding:
    rule = OWN_RULES["recorded-message-breaks"]
    return Finding(
        pair.newer.file,
        "",
        rule.id,
        _violation(pair.reader, recorded.data) or rule.explanation,
        rule.fix,
        direction=pair.direction,
        details=_details(pair, rule, recorded.data, recorded),
        writer=pair.writer.label,
        reader=pair.reader.label,
        recorded=recorded.place,
        verdict=replace(verdict, witness=recorded.data),
    )


def _of_upcaster(pair: Pair, kept: Migration) -> Finding:
    rule = OWN_RULES["upcaster-fails"]
    return Finding(
        pair.newer.file,
        "",
        rule.id,
        kept.problem,
        rule.fix,
        direction=pair.direction,
        details=(rule.explanation, *_services(pair.subject)),
        writer=pair.writer.label,
        reader=pair.reader.label,
    )


def _details(pair: Pair, rule: Rule, witness: Any, recorded: Recorded | None) -> tuple[str, ...]:
    lines = [f"{rule.explanation} Reader: {pair.reader.label}. Writer: {pair.writer.label}."]
    if witness is not ABSENT:
        lines.append(f"breaks: {json_line(witness)}")
        lines.append(f"recorded: {recorded.place}" if recorded else "made up: no recorded message breaks")
        violation = _violation(pair.reader, witness)
        if violation:
            lines.append(f"rejected at {violation}")
    return (*lines, *_services(pair.subject))


def _violation(reader: Side, witness: Any) -> str:
    """Where and why the reader rejects a message, as `decode` says it."""
    try:
        violation = find_violation(reader.validator, witness) if reader.validator else None
    except ValueError:  # a made-up text that no JSON text can carry
        return ""
    return str(violation or "")


def _services(subject: Subject | None) -> Sequence[str]:
    if subject is None:
        return ()
    senders, receivers = (
        ", ".join(names) or "nobody in the catalog" for names in (subject.sent_by, subject.received_by)
    )
    return (f"{subject.name} is sent by {senders}; received by {receivers}",)


def _distinct(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    """Two incompatibilities that read the same are one finding."""
    kept: dict[tuple[str, str, str], Finding] = {}
    for each in findings:
        kept.setdefault((each.place, each.rule, each.sentence), each)
    return tuple(kept.values())


def json_line(value: Any) -> str:
    """A JSON value in one line that does nothing to a terminal: what cannot be printed is escaped, as JSON has it."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
