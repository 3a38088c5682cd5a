"""Deployed versions: what runs where now, and which verification it has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contract_test.data.deployment import ServiceVersion, combined
from contract_test.files.ledger import Ledger
from contract_test.gate.timeline import timeline_of


@dataclass(frozen=True)
class DeployedVersion:
    """One row: `contracts` is the digest of the contracts that it was verified against, `verified` how."""

    environment: str
    of: ServiceVersion
    since: datetime
    contracts: str = ""
    verified: str = "never verified"


def deployed_now(ledger: Ledger, environment: str = "") -> list[DeployedVersion]:
    """Return a row for each version that is deployed, by environment and service."""
    deployments = ledger.deployments(environment)
    rows = []
    for name in sorted({each.environment for each in deployments}):
        timeline = timeline_of(name, deployments)
        present = [each for each in timeline.intervals if each.until is None]
        rows += [_row(ledger, name, each.of, each.since) for each in sorted(present, key=lambda each: each.of)]
    return rows


def _row(ledger: Ledger, environment: str, of: ServiceVersion, since: datetime) -> DeployedVersion:
    runs = ledger.verifications(of)
    known = combined(runs)
    if known is None:
        return DeployedVersion(
            environment,
            of,
            since,
            verified="files differed from the commit" if any(each.dirty for each in runs) else "never verified",
        )
    verified = known.partial or (
        "failed" if known.problems or any(each.failed for each in known.operations) else "verified"
    )
    return DeployedVersion(environment, of, since, known.digest, verified)
