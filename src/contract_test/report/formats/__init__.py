"""Findings in every format: one module and one row each."""

from __future__ import annotations

from collections.abc import Callable

from contract_test.data.finding import Report
from contract_test.report.formats.github import as_github
from contract_test.report.formats.json import as_json
from contract_test.report.formats.junit import as_junit
from contract_test.report.formats.markdown import as_markdown
from contract_test.report.formats.sarif import as_sarif
from contract_test.report.formats.text import as_text

FORMATS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "sarif": as_sarif,
    "github": as_github,
    "markdown": as_markdown,
}
