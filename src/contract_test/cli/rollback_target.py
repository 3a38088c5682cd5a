"""`contract-test rollback-target`."""

from __future__ import annotations

import click

from contract_test.cli.ledger_options import environment_option, gate_options
from contract_test.cli.running import CLEAN, FINDINGS
from contract_test.files.ledger import Ledger, checked_name
from contract_test.gate.answer import Gate
from contract_test.report.gate import rollback_as_json, rollback_as_text


@click.command("rollback-target")
@click.argument("service")
@environment_option
@gate_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(service: str, gate: Gate, ledger: Ledger, form: str) -> int:
    """Print the newest earlier version of SERVICE that can be deployed again.

    It reads everything that was written since, and every deployed reader reads what it sends. The exit code is 1 if
    there is none.
    """
    del ledger
    found = gate.rollback(checked_name("a service's name", service))
    click.echo(rollback_as_json(found) if form == "json" else rollback_as_text(found), nl=False)
    return FINDINGS if found.target is None else CLEAN
