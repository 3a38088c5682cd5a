"""Findings in every format: one function and one row each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from contract_test.data.finding import Finding
from contract_test.data.verdict import ABSENT, Incompatibility, Verdict
from contract_test.report.inert import printable, workflow_data, workflow_property

FORMAT = 1


def as_text(findings: Sequence[Finding]) -> str:
    """One line a finding: where, by which rule, what; under it the details, and what to do."""
    return "".join(
        "".join(
            f"{printable(line)}\n" for line in (_head(each), *(f"    {line}" for line in (*each.details, each.advice)))
        )
        for each in findings
    )


def as_json(findings: Sequence[Finding]) -> str:
    """`{"format": 1, "findings": [{id, file, pointer, rule, severity, sentence, advice}]}`.

    A comparison's rows also have direction, writer, reader, details, recorded and verdict; what
    stands in a line of a file has `line`.
    """
    return json.dumps({"format": FORMAT, "findings": [_row(each) for each in findings]}, indent=2) + "\n"


def as_junit(findings: Sequence[Finding]) -> str:
    """One test case a finding; a warning is a case that passed, with its text."""
    errors = sum(each.severity == "error" for each in findings)
    suite = ET.Element("testsuite", name="contract-test", tests=str(len(findings)), failures=str(errors))
    for each in findings:
        name = " ".join(filter(None, (each.direction, each.rule, each.pointer)))
        case = ET.SubElement(suite, "testcase", classname=_safe(each.file), name=_safe(name))
        inner = ET.SubElement(case, "failure" if each.severity == "error" else "system-out")
        inner.text = _safe("\n".join((f"{each.place}: {each.sentence}", *each.details, each.advice)))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def as_sarif(findings: Sequence[Finding]) -> str:
    """SARIF 2.1.0, for code scanning."""
    results = [
        {
            "ruleId": each.rule,
            "level": "note" if each.accepted else each.severity,
            "message": {"text": "\n".join(printable(line) for line in (_told(each), *each.details, each.advice))},
            "locations": [{"physicalLocation": _location(each)}],
        }
        | ({"suppressions": [{"kind": "external", "justification": each.accepted}]} if each.accepted else {})
        for each in findings
    ]
    rules = [
        {
            "id": rule,
            "shortDescription": {"text": rule.replace("-", " ")},
            "help": {"text": next(each.advice for each in findings if each.rule == rule)},
        }
        for rule in sorted({each.rule for each in findings})
    ]
    run = {"tool": {"driver": {"name": "contract-test", "rules": rules}}, "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands: annotations in a pull request."""
    return "".join(
        f"::{'notice' if each.accepted else each.severity} file={workflow_property(each.file)}{f',line={each.line}' if each.line else ''},"
        f"title={workflow_property(each.rule)}::"
        f"{workflow_data(chr(10).join((_told(each), *each.details, each.advice)))}\n"
        for each in findings
    )


FORMATS: dict[str, Callable[[Sequence[Finding]], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "sarif": as_sarif,
    "github": as_github,
}


_ALWAYS = ("file", "pointer", "rule", "severity", "sentence", "advice")
_COMPARED = ("direction", "writer", "reader", "details", "recorded")


def _head(each: Finding) -> str:
    severity = {"error": "", "accepted": f"accepted {each.accepted}: "}.get(each.severity, f"{each.severity}: ")
    return "  ".join(filter(None, (each.place, each.direction, each.rule, f"{severity}{each.sentence}")))


def _told(each: Finding) -> str:
    return " ".join(filter(None, (f"{each.pointer or '/'}:", each.direction, each.sentence)))


def _location(each: Finding) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(each.file, errors="replace")}}
    return place | ({"region": {"startLine": each.line}} if each.line else {})


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
    return {"status": verdict.status, **witness, "incompatibilities": reasons, "cause": verdict.cause}


def _safe(text: str) -> str:
    """What XML 1.0 can hold."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
