"""`contract-test deployments`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from contract_test.cli.ledger_options import ledger_options, opened
from contract_test.cli.running import CLEAN, contracts_option, note
from contract_test.gate.deployed_versions import deployed_now
from contract_test.report.gate import deployments_as_text


@click.command("deployments")
@click.argument("environment", required=False, default="", metavar="[ENV]")
@contracts_option
@ledger_options(writes=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    environment: str, contracts: Path, place: Path | None, ledger_branch: str, form: str, *, fetch: bool
) -> int:
    """Show which versions run where, since when, and against which contracts they were verified."""
    ledger = opened(place, contracts, ledger_branch, fetch=fetch)
    rows = deployed_now(ledger, environment)
    if form == "json":
        click.echo(json.dumps({"format": 1, "deployments": [row.as_json() for row in rows]}, indent=2))
    else:
        click.echo(deployments_as_text(rows), nl=False)
    if not rows:
        note(f"nothing is recorded{f' of {environment}' if environment else ''} in {ledger.place}")
    return CLEAN
