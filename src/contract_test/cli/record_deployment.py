"""`contract-test record-deployment`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.ledger_options import (
    environment_option,
    ledger_options,
    record,
    service_version,
    version_option,
)
from contract_test.cli.running import CLEAN
from contract_test.data.deployment import Deployment
from contract_test.files.ledger import Ledger, checked_name, now


@click.command("record-deployment")
@click.argument("service")
@version_option
@environment_option
@click.option("--beside", is_flag=True, help="A rollout began: the versions before it still run.")
@ledger_options(writes=True)
def command(service: str, version: str, environment: str, contracts: Path, ledger: Ledger, *, beside: bool) -> int:
    """Record that a version of SERVICE runs in an environment.

    It replaces the versions before it, unless a rollout began. When the rollout is over, record it again without
    --beside.
    """
    del contracts
    of, where = service_version(service, version), checked_name("an environment", environment)
    record(ledger, Deployment(of.service, of.version, where, now(), beside=beside))
    return CLEAN
