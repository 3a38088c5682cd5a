"""`contract-test record-undeployment`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.ledger_options import environment_option, ledger_options, record
from contract_test.cli.running import CLEAN
from contract_test.data.deployment import Deployment
from contract_test.files.ledger import Ledger, checked_name, now


@click.command("record-undeployment")
@click.argument("service")
@environment_option
@click.option(
    "--service-version",
    "version",
    default="",
    metavar="VERSION",
    help="The version that ended.  [default: every version]",
)
@ledger_options(writes=True)
def command(service: str, environment: str, version: str, contracts: Path, ledger: Ledger) -> int:
    """Record that SERVICE, or one version of it, does not run in an environment any more.

    Its messages may still be in flight, for as long as its channels keep them.
    """
    del contracts
    name, where = checked_name("a service's name", service), checked_name("an environment", environment)
    of = checked_name("a version of a service", version) if version else ""
    record(ledger, Deployment(name, of, where, now(), "undeployed"))
    return CLEAN
