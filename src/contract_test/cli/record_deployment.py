"""`contract-test record-deployment`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.ledger_options import (
    environment_option,
    ledger_options,
    opened,
    service_version,
    version_option,
)
from contract_test.cli.running import CLEAN, contracts_option, note
from contract_test.data.deployment import Deployment
from contract_test.files.ledger import checked_name, now


@click.command("record-deployment")
@click.argument("service")
@version_option
@environment_option
@click.option("--beside", is_flag=True, help="A rollout began: the versions before it still run.")
@contracts_option
@ledger_options(writes=True)
def command(
    service: str,
    service_version_text: str,
    environment: str,
    contracts: Path,
    place: Path | None,
    ledger_branch: str,
    *,
    beside: bool,
    push: bool,
) -> int:
    """Record that a version of SERVICE runs in an environment.

    It replaces the versions before it, unless a rollout began. When the rollout is over, record it again without
    --beside.
    """
    of = service_version(service, service_version_text)
    ledger = opened(place, contracts, ledger_branch, push=push)
    entry = Deployment(of.service, of.version, checked_name("an environment", environment), now(), beside=beside)
    recorded = ledger.record(entry)
    if recorded.time != entry.time:
        note(f"this clock is behind the newest entry: recorded at {recorded.time.isoformat()}")
    note(f"{of} deployed in {environment}, recorded in {ledger.place}")
    return CLEAN
