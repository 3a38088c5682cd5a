"""`contract-test record-undeployment`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.ledger_options import environment_option, ledger_options, opened, service_version
from contract_test.cli.running import CLEAN, contracts_option, note
from contract_test.data.deployment import Deployment
from contract_test.files.ledger import checked_name, now


@click.command("record-undeployment")
@click.argument("service")
@environment_option
@click.option(
    "--service-version",
    "service_version_text",
    metavar="VERSION",
    help="The version that ended.  [default: every version]",
)
@contracts_option
@ledger_options(writes=True)
def command(
    service: str,
    environment: str,
    service_version_text: str | None,
    contracts: Path,
    place: Path | None,
    ledger_branch: str,
    *,
    push: bool,
) -> int:
    """Record that SERVICE, or one version of it, does not run in an environment any more.

    Its messages may still be in flight, for as long as its channels keep them.
    """
    if service_version_text:
        service_version(service, service_version_text)
    name, where = checked_name("a service's name", service), checked_name("an environment", environment)
    ledger = opened(place, contracts, ledger_branch, push=push)
    ledger.record(Deployment(name, service_version_text or "", where, now(), "undeployed"))
    note(f"{service} {service_version_text or ''} undeployed in {environment}, recorded in {ledger.place}")
    return CLEAN
