"""`contract-test can-i-deploy`."""

from __future__ import annotations

import click

from contract_test.cli.ledger_options import gate_options, service_version, version_option
from contract_test.cli.running import CLEAN, FINDINGS, note
from contract_test.data.texts import counted
from contract_test.files.ledger import Ledger
from contract_test.gate.answer import Gate
from contract_test.report.gate import ANSWERS


@click.command("can-i-deploy")
@click.argument("service")
@version_option
@click.option("--to-environment", "environment", required=True, metavar="ENV", help="The environment.")
@gate_options
@click.option("--format", "form", type=click.Choice(list(ANSWERS)), default="text", show_default=True)
def command(service: str, version: str, gate: Gate, ledger: Ledger, form: str) -> int:
    """Decide whether a version of SERVICE may be deployed now.

    It must read every message that may be in flight, and every deployed reader must read what it sends. The answer is
    yes, no, yes after other deployments, or unknown. The exit code is 0 for yes, and 1 for every other answer.
    """
    answer = gate.answer(service_version(service, version))
    click.echo(ANSWERS[form](answer), nl=False)
    note(f"{counted(len(answer.checks), 'check')}, {len(answer.blocking)} in the way, by {ledger.place}")
    return CLEAN if answer.status == "yes" else FINDINGS
