"""Findings for people."""

from __future__ import annotations

from collections.abc import Sequence

from contract_test.data.finding import Finding
from contract_test.report.inert import printable

WHOLE = "(the whole message)"


def as_text(findings: Sequence[Finding]) -> str:
    """Return one line a finding: where, by which rule, what; under it the details, and what to do."""
    return "".join(
        "".join(
            f"{printable(line)}\n" for line in (_head(each), *(f"    {line}" for line in (*each.details, each.advice)))
        )
        for each in findings
    )


def _head(each: Finding) -> str:
    severity = {"error": "", "accepted": f"accepted {each.accepted}: "}.get(each.severity, f"{each.severity}: ")
    whole = not each.pointer and each.verdict is not None and each.verdict.incompatibilities
    place = f"{each.place}:{WHOLE}" if whole else each.place
    return "  ".join(filter(None, (place, each.direction, each.rule, f"{severity}{each.sentence}")))


def sentence_of(each: Finding) -> str:
    """Return the pointer, the direction and the sentence of a finding, on one line."""
    return " ".join(filter(None, (f"{each.pointer or WHOLE}:", each.direction, each.sentence)))
