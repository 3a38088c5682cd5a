"""Findings for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from contract_test.data.finding import Finding
from contract_test.report.inert import printable

WHOLE = "(the whole message)"
MAX_LISTED_PLACES = 10


def as_text(findings: Sequence[Finding]) -> str:
    """Return one line a finding: where, by which rule, what. Under it are the details, and what to do.

    Warnings of one kind are one line with the places under it, of which only the first ones are listed. So are accepted
    findings.
    """
    groups: dict[object, list[Finding]] = {}
    for place, each in enumerate(findings):
        alone = each.severity not in ("warning", "accepted") or each.details or each.direction
        kind = (each.severity, each.rule, each.accepted or each.advice)
        groups.setdefault(place if alone else kind, []).append(each)
    lines = (line for group in groups.values() for line in (_single(*group) if len(group) == 1 else _group(group)))
    return "".join(f"{printable(line)}\n" for line in lines)


def _single(each: Finding) -> Iterator[str]:
    whole = not each.pointer and each.verdict is not None and each.verdict.incompatibilities
    yield _head(each, f"{each.place}:{WHOLE}" if whole else each.place)
    yield from (f"    {line}" for line in (*each.details, each.advice))


def _group(group: Sequence[Finding]) -> Iterator[str]:
    first = group[0]
    same = all(each.sentence == first.sentence for each in group)
    yield _head(first if same else replace(first, sentence=""), f"{len(group)} places").rstrip(": ")
    for each in sorted(group, key=lambda each: (each.file, each.line, each.pointer))[:MAX_LISTED_PLACES]:
        yield f"    {each.place}" if same else f"    {each.place}  {each.sentence}"
    if len(group) > MAX_LISTED_PLACES:
        yield f"    and {len(group) - MAX_LISTED_PLACES} more, which --format json lists"
    if first.severity != "accepted":
        yield f"    {first.advice}"


def _head(each: Finding, place: str) -> str:
    severity = {"error": "", "accepted": f"accepted {each.accepted}: "}.get(each.severity, f"{each.severity}: ")
    return "  ".join(filter(None, (place, each.direction, each.rule, f"{severity}{each.sentence}")))


def sentence_of(each: Finding) -> str:
    """Return the pointer, the direction and the sentence of a finding, on one line."""
    accepted = f"accepted {each.accepted}:" if each.accepted else ""
    return " ".join(filter(None, (f"{each.pointer or WHOLE}:", each.direction, accepted, each.sentence)))
