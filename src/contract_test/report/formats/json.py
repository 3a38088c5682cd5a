"""Findings for other programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from contract_test.data.finding import Finding, Report
from contract_test.data.verdict import ABSENT, ComparedPair, Incompatibility, Verdict
from contract_test.report.inert import json_escaped

FORMAT = 2

_ALWAYS = ("file", "pointer", "rule", "severity", "sentence", "advice")
_SOMETIMES = (
    "accepted", "subject", "direction", "writer", "reader", "explanation", "recorded", "rejected", "affected",
    "breaks", "details", "pair",
)  # fmt: skip


def as_json(report: Report) -> str:
    """Return `{"format": 2, "findings": […], "pairs": […], "verdicts": {…}, "notes": […]}`, in ASCII.

    Each pair that was compared is listed, also if it is compatible. A verdict with reasons is held once. Its key is the
    `pair` of the findings that it belongs to.
    """
    verdicts = {each.pair: each.verdict for each in report.findings if each.verdict is not None}
    document = {
        "format": FORMAT,
        "findings": [_finding(each) for each in report.findings],
        "pairs": [_pair(each) for each in report.pairs],
        "verdicts": {pair: verdict_as_data(verdict) for pair, verdict in verdicts.items()},
        "notes": list(report.notes),
    }
    return json_escaped(json.dumps(document, indent=2)) + "\n"


def _finding(each: Finding) -> dict[str, Any]:
    row = {"id": each.id} | {name: getattr(each, name) for name in _ALWAYS}
    row |= {name: getattr(each, name) for name in _SOMETIMES if getattr(each, name)}
    row |= {"together": [asdict(other) for other in each.together]} if each.together else {}
    row |= asdict(each.position) if each.position else {}
    return row if each.witness is ABSENT else row | {"witness": each.witness}


def _pair(each: ComparedPair) -> dict[str, Any]:
    names = ("id", "subject", "writer", "reader", "direction", "status", "note")
    return {name: getattr(each, name) for name in names if getattr(each, name)}


def verdict_as_data(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON. What is absent is left out, because null is a value."""
    reasons = [
        {name: value for name in Incompatibility.__slots__ if (value := getattr(reason, name)) is not ABSENT}
        for reason in verdict.incompatibilities
    ]
    witness = {"witness": verdict.witness} if verdict.has_witness else {}
    more = {"unexplained": verdict.unexplained} if verdict.unexplained else {}
    return {"status": verdict.status, **witness, "incompatibilities": reasons, "cause": verdict.cause, **more}
