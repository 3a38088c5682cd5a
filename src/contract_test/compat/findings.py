"""Breaks: what is found of a pair of versions: where, what changed, which message, whom it hurts, what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from contract_test.compare import RULES, Rule
from contract_test.compare.instance_paths import with_empty_names
from contract_test.compat.affected import READ_FIELD_REMOVED, affected, breaking, readers_to_upgrade, who_breaks
from contract_test.compat.binding_changes import (
    CHANNEL_ADDED,
    CHANNEL_CHANGED,
    CODEC_CHANGED,
    KEY_CHANGED,
    MODE_RELAXED,
    WIRE_TYPE_CHANGED,
)
from contract_test.compat.first_lines import place_in_newer, what_changed
from contract_test.compat.migration import Migration
from contract_test.compat.snapshot import Pair, RecordedMessage, Snapshot
from contract_test.data.contract import Subject
from contract_test.data.finding import Finding, OtherChange
from contract_test.data.verdict import ABSENT, Incompatibility, Verdict
from contract_test.schema.walk import escape, unescape
from envelopes import Violation
from envelopes.validation import CompiledSchema, excerpt, find_violation, find_violations

OWN_RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "unknown",
            "Neither a proof of compatibility nor a breaking message was found.",
            "Simplify the schema at the place that is named, or allow more time with --budget.",
        ),
        Rule(
            "recorded-message-breaks",
            "The contracts are compatible, but the reader rejects a recorded message because of a field that its own "
            "version does not declare.",
            "Declare the field in the version that sends it, or give the new field another name.",
        ),
        Rule(
            "version-removed",
            "A version was removed, but a service may still send it.",
            "Restore the file, and remove it when no service sends or reads it any more.",
        ),
        Rule(
            "upcaster-fails",
            "The package's upcaster does not convert every message of the old version to the new one.",
            "Change the upcaster so that it accepts every message of the old version and depends only on that message.",
        ),
        Rule(
            "schema-invalid",
            "A schema is not valid, so it cannot be compared.",
            "Run `contract-test lint` and fix what it reports.",
        ),
        Rule(
            "older-version-invalid",
            "A version could not be used at the git ref, so nothing is known about what its writers send.",
            "Compare with a ref at which the file is valid, or accept the finding with a date.",
        ),
        READ_FIELD_REMOVED,
        CHANNEL_ADDED,
        CHANNEL_CHANGED,
        CODEC_CHANGED,
        WIRE_TYPE_CHANGED,
        KEY_CHANGED,
        MODE_RELAXED,
    )
}
"""What `compat` finds beside the incompatibilities of `RULES`."""

_UNDO_TOO = "Do the same for the other changes that reject the message."


def removed(
    subject: Subject, then: Mapping[int, Snapshot], now: Mapping[int, Snapshot], ref: str, root: Path
) -> Iterator[Finding]:
    """Yield a finding for each version that was there at a git ref and is gone."""
    for version in sorted(then.keys() - now.keys()):
        path = root / then[version].contract.path.relative_to(then[version].files.root)
        rule = OWN_RULES["version-removed"]
        sentence = f"v{version} was there at {ref} and is gone"
        yield Finding(
            path.as_posix(),
            "",
            rule.id,
            sentence,
            rule.fix,
            explanation=rule.explanation,
            affected=tuple(_services(subject)),
            subject=subject.name,
            key=f"{rule.id}:{subject.name}:v{version}",
        )


def recorded_witnesses(pair: Pair) -> list[RecordedMessage]:
    """Return the recorded messages that the writer's version accepts and the reader's rejects."""
    if not pair.writer.recorded:
        return []
    writer, reader = pair.writer.validator, pair.reader.validator
    if writer is None or reader is None:
        return []
    return [
        RecordedMessage(each.place, json.loads(json.dumps(each.data, default=_number)))
        for each in pair.writer.recorded
        if writer.is_valid(each.data) and not reader.is_valid(each.data)
    ]


def _number(value: Decimal) -> int | float:
    """A number that was recorded with more digits than a double holds, as it is shown."""
    return int(value) if value == value.to_integral_value() else float(value)


def of_reason(
    pair: Pair, verdict: Verdict, reason: Incompatibility | None, recorded: Sequence[RecordedMessage]
) -> Finding:
    """Return one incompatibility of a verdict as a finding; without a reason, the verdict itself."""
    if reason is None:
        rule = OWN_RULES["unknown"] if verdict.status == "unknown" else RULES["not-included"]
        pointer, sentence = "", verdict.cause or rule.explanation
    else:
        rule = RULES[reason.rule]
        pointer, sentence = place_in_newer(pair, reason), what_changed(pair, reason)
    file, inside = pair.newer.place_of(pointer, exactly=rule.id in ("property-removed", "property-added"))
    shown = _shown(pair, verdict, reason, recorded)
    together = tuple(_other_change(pair, line, file) for line in reason.together) if reason else ()
    return Finding(
        file,
        inside,
        rule.named(pair.direction),
        sentence,
        f"{_advice(pair, rule)} {_UNDO_TOO}" if together else _advice(pair, rule),
        direction=pair.direction,
        explanation=rule.explanation,
        together=together,
        affected=(
            *who_breaks(pair, reason),
            *(affected(pair, reason) if reason else ()),
        ),
        breaks=breaking(pair, reason),
        **_compared(pair),
        witness=shown.data,
        rejected=shown.rejected,
        rejected_at=shown.rejected_at,
        recorded=shown.place,
        verdict=verdict,
        key=_key(pair, rule, _anchor(pair, reason) if reason else inside),
    )


def _other_change(pair: Pair, line: str, file: str) -> OtherChange:
    """A change that rejects the same message, `RULE at POINTER: WHAT`, with its place in the reader's files."""
    reader = pair.reader
    rule, _, rest = line.partition(" at ")
    pointer, _, what = rest.partition(": ")
    if rule == "required-property-added" and what.startswith("not set → "):
        name = what.removeprefix("not set → ")
        around, what = pointer.removesuffix("/required"), f"{name}: absent → required"
        pointer = f"{around}/properties/{escape(name)}" if reader.declares(around, name) else pointer
    other, inside = reader.place_of(pointer, exactly=True)
    rule = RULES[rule].named(pair.direction) if rule in RULES else rule
    return OtherChange(rule, (inside or "(the whole message)") if other == file else f"{other}:{inside}", what)


def _key(pair: Pair, rule: Rule, pointer: str = "") -> str:
    """The id of a finding: it holds nothing that depends on a git ref, a witness or a text."""
    if pair.subject is None:
        return ""
    versions = ">".join(f"v{side.contract.version}" for side in (pair.writer, pair.reader))
    return f"{rule.id}:{pair.subject.name}:{versions}:{pair.direction.lower()}:{pointer}"


def _anchor(pair: Pair, reason: Incompatibility) -> str:
    """The pointer by which a reason is known: the one that leads further, with the name of a property."""
    mine, theirs = reason.reader_pointer, reason.writer_pointer
    pointer = max((mine, theirs) if pair.newer is pair.reader else (theirs, mine), key=lambda each: each.count("/"))
    side = pair.reader if pointer == mine else pair.writer
    _, inside = side.place_of(pointer, exactly=True)
    if reason.rule == "required-property-added" and isinstance(reason.after, str):
        around = inside.removesuffix(f"/properties/{escape(reason.after)}").removesuffix("/required")
        return f"{around}/required/{escape(reason.after)}"
    return inside


def _advice(pair: Pair, rule: Rule) -> str:
    """Return what to change in the newer version, because a registered one stays as it is."""
    advice = rule.advice(pair.direction)
    if pair.newer is pair.reader or rule.id in OWN_RULES or pair.subject is None:
        return advice
    left = readers_to_upgrade(pair)
    if pair.subject.received_by and not left:
        return advice
    readers = f"every reader ({', '.join(left)})" if left else "every reader"
    return f"{advice} Or deploy {pair.newer.label} to {readers} before a service sends it."


@dataclass(frozen=True)
class _Shown:
    """The message that shows a break, the place of its recording ("" of a generated one), and why it is rejected."""

    data: Any
    place: str = ""
    violation: Violation | None = None

    @property
    def rejected(self) -> str:
        """Where the reader rejects it, and why."""
        return "" if self.violation is None else _told(self.violation)

    @property
    def rejected_at(self) -> str | None:
        """The pointer of that."""
        return None if self.violation is None else self.violation.pointer


def _shown(pair: Pair, verdict: Verdict, reason: Incompatibility | None, recorded: Sequence[RecordedMessage]) -> _Shown:
    """The message that shows one reason: a recorded one that breaks at the same place before a generated one."""
    reader = pair.reader.validator
    if reason is None or reason.witness is ABSENT:
        if recorded:
            return _of_recorded(pair, recorded[0])
        if len(verdict.incompatibilities) > 1:  # it may be another one that the verdict's witness breaks for
            return _Shown(ABSENT)
        return _Shown(verdict.witness, violation=_first(reader, verdict.witness))
    wanted = _at(reason.rejected_at, _violations(reader, reason.witness))
    if wanted is None:
        return _Shown(reason.witness)
    violations = [(each, {found.pointer: found for found in _violations(reader, each.data)}) for each in recorded]
    fitting = [(each, found) for each, found in violations if wanted.pointer in found]
    if fitting:
        each, found = min(fitting, key=lambda both: len(both[1]))
        return _Shown(each.data, each.place, found[wanted.pointer])
    return _Shown(reason.witness, violation=wanted)


def _at(pointer: str | None, violations: Iterator[Violation]) -> Violation | None:
    """The violation at a place in a message, or the first one."""
    listed = list(violations)
    return next((each for each in listed if each.pointer == pointer), listed[0] if listed else None)


def _of_recorded(pair: Pair, recorded: RecordedMessage) -> _Shown:
    return _Shown(recorded.data, recorded.place, _first(pair.reader.validator, recorded.data))


def _first(reader: CompiledSchema | None, witness: Any) -> Violation | None:
    return next(_violations(reader, witness), None)


def _told(found: Violation) -> str:
    return f"{found.pointer or '(the whole message)'}: expected {found.expected}, found {found.found}"


def _violations(reader: CompiledSchema | None, witness: Any) -> Iterator[Violation]:
    """Where and why a reader rejects a message, as `decode` says it: the most telling first."""
    if reader is None or witness is ABSENT:
        return
    with suppress(ValueError):  # a generated text that no JSON text can carry
        first = find_violation(reader, witness)
        found = [
            *([] if first is None else [first]),
            *(each for each in find_violations(reader, witness) if each != first),
        ]
        yield from (_with_empty_names(each, witness) for each in found)


def _with_empty_names(found: Violation, witness: Any) -> Violation:
    """A violation whose pointer also has the empty names that the validator leaves out."""
    steps = [unescape(step) for step in found.pointer.split("/")[1:]]
    full = with_empty_names(steps, witness, lambda value: excerpt(value) == found.found)
    return replace(found, pointer="".join(f"/{escape(str(step))}" for step in full))


def of_recording(pair: Pair, verdict: Verdict, recorded: RecordedMessage) -> Finding:
    """Return a recorded message that breaks although the contracts are compatible."""
    rule = OWN_RULES["recorded-message-breaks"]
    shown = _of_recorded(pair, recorded)
    return Finding(
        pair.newer.file,
        "",
        rule.id,
        shown.rejected or rule.explanation,
        rule.fix,
        direction=pair.direction,
        explanation=rule.explanation,
        affected=tuple(who_breaks(pair)),
        breaks=breaking(pair),
        **_compared(pair),
        witness=shown.data,
        rejected=shown.rejected,
        rejected_at=shown.rejected_at,
        recorded=recorded.place,
        verdict=replace(verdict, witness=recorded.data),
        key=_key(pair, rule),
    )


def of_upcaster(pair: Pair, kept: Migration) -> Finding:
    """Return an upcaster that does not keep what it is there to keep."""
    rule = OWN_RULES["upcaster-fails"]
    return Finding(
        pair.newer.file,
        "",
        rule.id,
        kept.problem,
        rule.fix,
        direction=pair.direction,
        explanation=rule.explanation,
        affected=tuple(who_breaks(pair)),
        breaks=breaking(pair),
        **_compared(pair),
        key=_key(pair, rule),
    )


def _compared(pair: Pair) -> dict[str, Any]:
    """Which pair a finding is about, as keyword arguments of `Finding`."""
    subject = pair.subject.name if pair.subject else ""
    return {"subject": subject, "writer": pair.writer.label, "reader": pair.reader.label}


def _services(subject: Subject | None) -> Sequence[str]:
    if subject is None:
        return ()
    senders, receivers = (
        ", ".join(names) or "nobody in the catalog" for names in (subject.sent_by, subject.received_by)
    )
    return (f"{subject.name} is sent by {senders} and received by {receivers}",)


def distinct(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    """Return the findings without repetition: two incompatibilities that read the same are one."""
    kept: dict[tuple[str, str, str], Finding] = {}
    for each in findings:
        kept.setdefault((each.place, each.rule, each.sentence), each)
    return tuple(kept.values())
