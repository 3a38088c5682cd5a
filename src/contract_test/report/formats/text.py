"""Findings for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from contract_test.data.finding import Finding, Report
from contract_test.report.causes import Cause, by_rule, causes_of
from contract_test.report.finding_lines import WHOLE, breaks_of, lines_of, unexplained_lines
from contract_test.report.inert import log_line

MAX_LISTED_PLACES = 10


def as_text(report: Report) -> str:
    """Return one line a finding: where, by which rule, what. Under it are the details, and what to do.

    Findings with one cause are one finding, which lists the subjects that it reaches. Causes of one rule in one file
    have one heading, and a line each. Warnings of one kind are one line with the places under it, of which only the
    first ones are listed. So are accepted findings.
    """
    groups: dict[object, list[list[Cause]]] = {}
    for number, group in enumerate(by_rule(causes_of(report.findings))):
        each = group[0].first
        alone = each.severity not in ("warning", "accepted") or each.explanation or each.details
        groups.setdefault(number if alone else (each.severity, each.rule, each.accepted or each.advice), []).append(
            group
        )
    lines: list[str] = []
    before: Sequence[Cause] = ()
    for same in groups.values():
        lines += _causes(same[0], before) if len(same) == 1 else _places(same)
        before = same[0]
    return "".join(f"{log_line(line)}\n" for line in (*lines, *unexplained_lines(report)))


def _causes(causes: Sequence[Cause], before: Sequence[Cause]) -> Iterator[str]:
    first = causes[0].first
    breaks = breaks_of(each for cause in causes for each in cause.findings)
    if len(causes) == 1:
        whole = not first.pointer and first.verdict is not None and first.verdict.incompatibilities
        yield _head(first, f"{first.place}:{WHOLE}" if whole else first.place, breaks)
    else:
        yield _head(replace(first, sentence=f"{len(causes)} places"), first.file, breaks)
    yield from (f"    {line}" for line in lines_of(causes, before))


def _places(same: Sequence[Sequence[Cause]]) -> Iterator[str]:
    group = [each for causes in same for cause in causes for each in cause.findings]
    first = group[0]
    alike = all(each.sentence == first.sentence for each in group)
    yield _head(first if alike else replace(first, sentence=""), f"{len(group)} places").rstrip(": ")
    for each in sorted(group, key=lambda each: (each.file, each.line, each.pointer))[:MAX_LISTED_PLACES]:
        yield f"    {each.place}" if alike else f"    {each.place}  {each.sentence}"
    if len(group) > MAX_LISTED_PLACES:
        yield f"    and {len(group) - MAX_LISTED_PLACES} more, which --format json lists"
    if first.severity != "accepted":
        yield f"    {first.advice}"


def _head(each: Finding, place: str, breaks: str = "") -> str:
    severity = {"error": "", "accepted": f"accepted {each.accepted}: "}.get(each.severity, f"{each.severity}: ")
    return "  ".join(filter(None, (place, each.direction, each.rule, f"{severity}{each.sentence}", breaks)))
