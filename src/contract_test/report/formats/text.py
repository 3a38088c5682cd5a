"""Findings for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from contract_test.data.finding import Finding, Report
from contract_test.report.finding_lines import WHOLE, lines_of, unexplained_lines
from contract_test.report.inert import printable

MAX_LISTED_PLACES = 10


def as_text(report: Report) -> str:
    """Return one line a finding: where, by which rule, what. Under it are the details, and what to do.

    Warnings of one kind are one line with the places under it, of which only the first ones are listed. So are accepted
    findings.
    """
    groups: dict[object, list[Finding]] = {}
    for place, each in enumerate(report.findings):
        alone = each.severity not in ("warning", "accepted") or each.explanation or each.details or each.direction
        kind = (each.severity, each.rule, each.accepted or each.advice)
        groups.setdefault(place if alone else kind, []).append(each)
    lines = [line for group in groups.values() for line in (_single(*group) if len(group) == 1 else _group(group))]
    lines += unexplained_lines(report)
    return "".join(f"{printable(line)}\n" for line in lines)


def _single(each: Finding) -> Iterator[str]:
    whole = not each.pointer and each.verdict is not None and each.verdict.incompatibilities
    yield _head(each, f"{each.place}:{WHOLE}" if whole else each.place)
    yield from (f"    {line}" for line in lines_of(each))


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
