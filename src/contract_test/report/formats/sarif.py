"""Findings as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from contract_test.data.finding import Finding, Report
from contract_test.data.texts import printable
from contract_test.report.causes import Cause, causes_of
from contract_test.report.finding_lines import lines_of, sentence_of
from contract_test.report.inert import json_escaped
from contract_test.report.workspace import in_workspace


def as_sarif(report: Report) -> str:
    """Return SARIF 2.1.0, for code scanning."""
    results = [_result(cause) for cause in causes_of(report.findings)]
    rules = [
        {
            "id": rule,
            "shortDescription": {"text": rule.replace("-", " ")},
            "help": {"text": next(each.advice for each in report.findings if each.rule == rule)},
        }
        for rule in sorted({each.rule for each in report.findings})
    ]
    driver = {"name": "contract-test", "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json_escaped(json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)) + "\n"


def _result(cause: Cause) -> dict[str, Any]:
    each = cause.first
    lines = (sentence_of(each), *lines_of([cause]))
    result = {
        "ruleId": each.rule,
        "level": "note" if each.accepted else each.severity,
        "message": {"text": "\n".join(printable(line) for line in lines)},
        "locations": [_location(each)],
        "partialFingerprints": {"findingId/v1": each.id},
        "properties": {"findings": [finding.id for finding in cause.findings]},
    }
    return result | ({"suppressions": [{"kind": "external", "justification": each.accepted}]} if each.accepted else {})


def _location(each: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(in_workspace(each.file), errors="replace")}}
    if each.position is not None:
        place["region"] = {"startLine": each.position.line, "startColumn": each.position.column}
    logical = {"logicalLocations": [{"fullyQualifiedName": printable(each.pointer)}]} if each.pointer else {}
    return {"physicalLocation": place, **logical}
