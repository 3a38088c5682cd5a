"""`contract-test deployments`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.ledger_options import ledger_options
from contract_test.cli.running import CLEAN, note
from contract_test.files.ledger import Ledger
from contract_test.gate.deployed_versions import deployed_now
from contract_test.report.gate import deployments_as_json, deployments_as_text


@click.command("deployments")
@click.argument("environment", required=False, default="", metavar="[ENV]")
@ledger_options(writes=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(environment: str, contracts: Path, ledger: Ledger, form: str) -> int:
    """Show which versions run where, since when, and against which contracts they were verified."""
    del contracts
    rows = deployed_now(ledger, environment)
    click.echo(deployments_as_json(rows) if form == "json" else deployments_as_text(rows), nl=False)
    if not rows:
        note(f"nothing is recorded{f' of {environment}' if environment else ''} in {ledger.place}")
    return CLEAN
