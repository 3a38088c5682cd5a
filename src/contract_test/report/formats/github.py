"""Findings as GitHub workflow commands."""

from __future__ import annotations

from collections.abc import Sequence

from contract_test.data.finding import Finding
from contract_test.report.formats.text import sentence_of
from contract_test.report.inert import workflow_data, workflow_property


def as_github(findings: Sequence[Finding]) -> str:
    """Return workflow commands: annotations in a pull request."""
    return "".join(map(_command, findings))


def _command(each: Finding) -> str:
    place = f"file={workflow_property(each.file)}{f',line={each.line}' if each.line else ''}"
    text = workflow_data("\n".join((sentence_of(each), *each.details, each.advice)))
    level = "notice" if each.accepted else each.severity
    return f"::{level} {place},title={workflow_property(each.rule)}::{text}\n"
