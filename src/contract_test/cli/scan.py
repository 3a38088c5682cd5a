"""`contract-test scan`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, format_option, note
from contract_test.data.errors import ContractTestError
from contract_test.data.texts import counted
from contract_test.files.catalog import load_catalog
from contract_test.lint.scan import scan
from contract_test.report.formats import FORMATS
from contract_test.schema.declared import declared_names


@click.command("scan")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@contracts_option
@format_option
def command(paths: tuple[Path, ...], contracts: Path, form: str) -> int:
    """Look for secrets and personal data in files, by default in all recordings under contracts/.

    The scanner is independent of the scrubber. It recognizes keys, tokens, passwords, addresses, phone numbers, payment
    cards and long random texts, also inside base64, JSON in texts and web addresses. A finding shows the place and
    never the text. The exit code is 1 if there are findings.
    """
    findings, count = scan(paths or (contracts,), _public(contracts))
    click.echo(FORMATS[form](findings), nl=False)
    note(f"{counted(len(findings), 'finding')} in {counted(count, 'file')}")
    return FINDINGS if findings else CLEAN


def _public(contracts: Path) -> frozenset[str]:
    """Return the declared names. Files can be scanned without contracts, too."""
    try:
        return declared_names(load_catalog(contracts))
    except ContractTestError:
        return frozenset()
