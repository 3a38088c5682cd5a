"""`contract-test scan`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, format_option, note
from contract_test.data.contract import Catalog
from contract_test.data.errors import ContractTestError
from contract_test.data.finding import Report
from contract_test.data.texts import counted
from contract_test.files.accepted import accepted_by, mark_accepted, read_accepted, with_accepted
from contract_test.files.catalog import load_catalog
from contract_test.files.positions import with_positions
from contract_test.lint.scan import scan
from contract_test.report.formats import FORMATS


@click.command("scan")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@contracts_option
@format_option
def command(paths: tuple[Path, ...], contracts: Path, form: str) -> int:
    """Look for secrets and personal data in files, by default in all recordings under contracts/.

    The scanner is independent of the scrubber. It recognizes keys, tokens, passwords, addresses, phone numbers, payment
    cards and long random texts, also inside base64, JSON in texts and web addresses. A finding shows the place and
    never the text. The exit code is 1 if there are findings. Accept what is no secret with a [[scan]] entry in
    contracts/accepted.toml.
    """
    findings, count = scan(paths or (contracts,), _catalog(contracts))
    accepted, today = accepted_by(read_accepted(contracts), "scan"), datetime.now(UTC).date()
    findings = mark_accepted(findings, accepted, today) if paths else with_accepted(findings, accepted, today)
    click.echo(FORMATS[form](Report("scan", with_positions(findings))), nl=False)
    errors = sum(each.severity == "error" for each in findings)
    waived = sum(each.severity == "accepted" for each in findings)
    note(f"{counted(errors, 'finding')} in {counted(count, 'file')}" + (f", {waived} accepted" if waived else ""))
    return FINDINGS if errors else CLEAN


def _catalog(contracts: Path) -> Catalog | None:
    """Return the catalog. Files can be scanned without contracts, too."""
    try:
        return load_catalog(contracts)
    except ContractTestError:
        return None
