"""`contract-test publish-verification`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.ledger_options import ledger_options, opened, service_version, version_option
from contract_test.cli.running import CLEAN, contracts_option, note
from contract_test.files.ledger import now
from contract_test.gate.publication import verification_of


@click.command("publish-verification")
@click.argument("report", type=click.Path(path_type=Path))
@version_option
@click.option("--branch", default="", metavar="NAME", help="The branch of the service's repository.")
@contracts_option
@ledger_options(writes=True)
def command(
    report: Path,
    service_version_text: str,
    branch: str,
    contracts: Path,
    place: Path | None,
    ledger_branch: str,
    *,
    push: bool,
) -> int:
    """Add what a run of `pytest --contracts` proved to the ledger.

    REPORT is the file of `pytest --contracts --contracts-report result.json`. A partial run is published as one and
    proves only what it ran. A run with changed files proves nothing of the commit.
    """
    verification = verification_of(report, service_version_text, now(), branch)
    of = service_version(verification.service, verification.version)
    ledger = opened(place, contracts, ledger_branch, push=push)
    path = ledger.publish(verification)
    click.echo(path)
    remarks = "; ".join(
        filter(
            None,
            (
                verification.partial,
                "files differed from the commit, so it proves nothing of it" if verification.dirty else "",
                "the run failed"
                if verification.problems or any(each.failed for each in verification.operations)
                else "",
            ),
        )
    )
    note(f"verification of {of} in {ledger.place}" + (f": {remarks}" if remarks else ""))
    return CLEAN
