"""`contract-test rollback-target`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.can_i_deploy import assume_option, standing_option
from contract_test.cli.ledger_options import assumed_versions, environment_option, ledger_options, opened
from contract_test.cli.running import CLEAN, FINDINGS, contracts_option
from contract_test.files.ledger import checked_name, now
from contract_test.gate.opening import open_gate
from contract_test.report.gate import rollback_as_json, rollback_as_text


@click.command("rollback-target")
@click.argument("service")
@environment_option
@standing_option
@assume_option
@contracts_option
@ledger_options(writes=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    service: str,
    environment: str,
    standing: tuple[Path, ...],
    assume: tuple[str, ...],
    contracts: Path,
    place: Path | None,
    ledger_branch: str,
    form: str,
    *,
    fetch: bool,
) -> int:
    """Print the newest earlier version of SERVICE that can be deployed again.

    It reads everything that was written since, and every deployed reader reads what it sends. The exit code is 1 if
    there is none.
    """
    ledger = opened(place, contracts, ledger_branch, fetch=fetch)
    found = open_gate(
        contracts,
        ledger,
        checked_name("an environment", environment),
        now(),
        assumed=assumed_versions(assume),
        standing=standing,
    ).gate.rollback(checked_name("a service's name", service))
    click.echo(rollback_as_json(found) if form == "json" else rollback_as_text(found), nl=False)
    return FINDINGS if found.target is None else CLEAN
