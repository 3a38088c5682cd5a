"""`contract-test lint`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, format_option, max_age_option, note
from contract_test.data.texts import counted
from contract_test.lint.contracts import lint
from contract_test.report.findings import FORMATS


@click.command("lint")
@contracts_option
@format_option
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@max_age_option(None)
def command(contracts: Path, form: str, max_age: timedelta | None, *, strict: bool) -> int:
    """Check that contracts/ is well-formed, locked and named properly.

    Errors: schemas that are invalid, accept nothing or never end, registered versions that changed, gaps in the
    versions, examples that break their schema. Warnings, with a fix each: what readers in other languages may take in
    another way. Exits 1 on errors.
    """
    findings = lint(contracts, max_age)
    if strict:
        findings = [replace(finding, severity="error") for finding in findings]
    click.echo(FORMATS[form](findings), nl=False)
    errors = sum(finding.severity == "error" for finding in findings)
    note(f"{counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}")
    return FINDINGS if errors else CLEAN
