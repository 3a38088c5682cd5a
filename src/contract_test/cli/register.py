"""`contract-test register`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, note
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import register
from contract_test.report.findings import as_text
from contract_test.use_cases.lint import check_contract, check_lock


@click.command("register")
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@contracts_option
def command(contracts: Path, subjects: tuple[str, ...]) -> int:
    """Add versions to contracts.lock: of the named subjects, or of all. From then on they never change.

    A version with errors is not registered, and nothing is where a registered one changed or is gone. Exits 1 then.
    """
    catalog = load_catalog(contracts)
    wanted = [each for each in catalog.contracts if not subjects or each.subject in subjects]
    broken = [finding for each in wanted for finding in check_contract(each) if finding.severity == "error"]
    broken += check_lock(catalog, subjects)
    if broken:
        click.echo(as_text(broken), nl=False)
        note("nothing was registered")
        return FINDINGS
    fresh = register(catalog, list(subjects))
    for contract in fresh:
        click.echo(f"registered {contract.name}")
    note(f"{len(fresh)} new in {contracts / 'contracts.lock'}")
    return CLEAN
