"""Findings for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from contract_test.data.finding import Finding
from contract_test.data.verdict import ABSENT, Incompatibility, Verdict

FORMAT = 1

_ALWAYS = ("file", "pointer", "rule", "severity", "sentence", "advice")
_COMPARED = ("direction", "writer", "reader", "details", "recorded")


def as_json(findings: Sequence[Finding]) -> str:
    """Return `{"format": 1, "findings": [{id, file, pointer, rule, severity, sentence, advice}]}`.

    A comparison's rows also have direction, writer, reader, details, recorded and verdict; what
    stands in a line of a file has `line`.
    """
    return json.dumps({"format": FORMAT, "findings": [_row(each) for each in findings]}, indent=2) + "\n"


def _row(each: Finding) -> dict[str, Any]:
    row = {"id": each.id} | {name: getattr(each, name) for name in _ALWAYS}
    row |= {"accepted": each.accepted} if each.accepted else {}
    row |= {"line": each.line} if each.line else {}
    row |= {name: getattr(each, name) for name in _COMPARED if getattr(each, name)}
    return row if each.verdict is None else row | {"verdict": _verdict(each.verdict)}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON; what is absent is left out, because null is a value."""
    reasons = [
        {name: value for name in Incompatibility.__slots__ if (value := getattr(reason, name)) is not ABSENT}
        for reason in verdict.incompatibilities
    ]
    witness = {"witness": verdict.witness} if verdict.has_witness else {}
    more = {"unexplained": verdict.unexplained} if verdict.unexplained else {}
    return {"status": verdict.status, **witness, "incompatibilities": reasons, "cause": verdict.cause, **more}
