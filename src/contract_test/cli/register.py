"""`contract-test register`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, note
from contract_test.compat.parallel import compare_pairs
from contract_test.compat.plan import plan_subjects
from contract_test.data.finding import Report
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import register
from contract_test.files.settings import read_package
from contract_test.lint.contracts import check_contract
from contract_test.lint.registration import check_lock
from contract_test.report.formats.text import as_text

SECONDS_PER_PAIR = 2.0


@click.command("register")
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@contracts_option
def command(contracts: Path, subjects: tuple[str, ...]) -> int:
    """Add versions of the named subjects, or of all subjects, to contracts.lock.

    A registered version must never change. If a version has errors, or if a registered version was changed or removed,
    nothing is registered and the exit code is 1. If a version breaks an earlier one, a warning is printed.
    """
    catalog = load_catalog(contracts)
    wanted = [each for each in catalog.contracts if not subjects or each.subject in subjects]
    broken = [finding for each in wanted for finding in check_contract(each) if finding.severity == "error"]
    broken += check_lock(catalog, subjects)
    if broken:
        click.echo(as_text(Report("register", broken)), nl=False)
        note("nothing was registered because of the errors above")
        return FINDINGS
    fresh = register(catalog, list(subjects))
    for contract in fresh:
        click.echo(f"registered {contract.name}")
    _warn_incompatible(contracts, {contract.name for contract in fresh})
    note(f"{len(fresh)} new in {contracts / 'contracts.lock'}")
    return CLEAN


def _warn_incompatible(contracts: Path, fresh: set[str]) -> None:
    """Warn about registered versions that break earlier ones, while they can still be removed."""
    pairs = [pair for pair in plan_subjects(contracts).pairs if pair.newer.contract.name in fresh]
    outcomes = compare_pairs(pairs, "closed-writer", SECONDS_PER_PAIR, read_package(contracts.resolve().parent))
    for pair, outcome in zip(pairs, outcomes, strict=True):
        if outcome.status in ("incompatible", "unknown"):
            name, lock = pair.newer.contract.subject, contracts / "contracts.lock"
            note(
                f"warning: {name} {pair.newer.label} is {outcome.status} with {pair.older.label} under "
                f"{pair.direction}. See `contract-test compat {name}`. While nobody uses it, you can remove its line "
                f"from {lock}"
            )
