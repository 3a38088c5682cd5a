"""Findings as GitHub workflow commands."""

from __future__ import annotations

from contract_test.data.finding import Finding, Report
from contract_test.report.finding_lines import lines_of, sentence_of
from contract_test.report.inert import workflow_data, workflow_property


def as_github(report: Report) -> str:
    """Return workflow commands: annotations in a pull request."""
    return "".join(map(_command, report.findings))


def _command(each: Finding) -> str:
    place = f"file={workflow_property(each.file)}{f',line={each.line}' if each.line else ''}"
    text = workflow_data("\n".join((sentence_of(each), *lines_of(each))))
    level = "notice" if each.accepted else each.severity
    return f"::{level} {place},title={workflow_property(each.rule)}::{text}\n"
