"""`contract-test publish-verification`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.ledger_options import ledger_options, service_version, version_option
from contract_test.cli.running import CLEAN, note
from contract_test.files.ledger import Ledger, now
from contract_test.gate.publication import verification_of


@click.command("publish-verification")
@click.argument("report", type=click.Path(path_type=Path))
@version_option
@click.option("--branch", default="", metavar="NAME", help="The branch of the service's repository.")
@ledger_options(writes=True)
def command(report: Path, version: str, branch: str, contracts: Path, ledger: Ledger) -> int:
    """Add what a run of `pytest --contracts` proved to the ledger.

    REPORT is the file of `pytest --contracts --contracts-report result.json`. A partial run is published as one and
    proves only what it ran. A run with changed files proves nothing of the commit.
    """
    del contracts
    found = verification_of(report, version, now(), branch)
    of = service_version(found.service, found.version)
    click.echo(ledger.publish(found))
    remarks = [
        found.partial,
        "files differed from the commit, so it proves nothing of it" if found.dirty else "",
        "the run failed" if found.problems or any(each.failed for each in found.operations) else "",
    ]
    note(": ".join(filter(None, [f"verification of {of} in {ledger.place}", "; ".join(filter(None, remarks))])))
    return CLEAN
