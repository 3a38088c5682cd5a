"""Findings as GitHub workflow commands."""

from __future__ import annotations

from collections import Counter

from contract_test.data.finding import Report
from contract_test.data.texts import counted
from contract_test.report.causes import Cause, causes_of
from contract_test.report.finding_lines import lines_of, sentence_of
from contract_test.report.inert import workflow_command
from contract_test.report.workspace import in_workspace

MAX_WITHOUT_SUMMARY = 10
"""GitHub shows so many annotations of a step. If there are more, the first one is a summary."""


def as_github(report: Report) -> str:
    """Return workflow commands: annotations in a pull request, at the line and the column of each cause."""
    summary = _summary(report) if len(report.findings) > MAX_WITHOUT_SUMMARY else ""
    return summary + "".join(map(_command, causes_of(report.findings)))


def _command(cause: Cause) -> str:
    each = cause.first
    level = "notice" if each.accepted else each.severity
    place = {"file": in_workspace(each.file)}
    if each.position is not None:
        place |= {"line": str(each.position.line), "col": str(each.position.column)}
    text = "\n".join((sentence_of(each), *lines_of([cause])))
    return workflow_command(level, text, **place, title=each.rule)


def _summary(report: Report) -> str:
    severities = Counter(each.severity for each in report.findings)
    rules = Counter(each.rule for each in report.findings if each.severity == "error") or Counter(
        each.rule for each in report.findings
    )
    counts = [f"{severities['accepted']} accepted"] if severities["accepted"] else []
    counts = [*(counted(severities[name], name) for name in ("error", "warning") if severities[name]), *counts]
    lines = [
        f"{counted(len(report.findings), 'finding')}: {', '.join(counts)}",
        *(f"{rule}: {count}" for rule, count in rules.most_common()),
        "GitHub shows only the first annotations. The log of this step has all of them.",
    ]
    level = "error" if severities["error"] else "warning" if severities["warning"] else "notice"
    return workflow_command(level, "\n".join(lines), title=f"contract-test {report.command}")
