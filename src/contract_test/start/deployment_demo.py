"""The end of the demo: whether the next version of a producer may be deployed, and which version to go back to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from contract_test.data.deployment import Deployment, ServiceVersion, Verification
from contract_test.data.result import PinnedContract
from contract_test.data.verdict import ABSENT
from contract_test.files.catalog import load_catalog
from contract_test.files.ledger import DirectoryLedger, now
from contract_test.files.lock import digest
from contract_test.gate.answer import Answer, Gate
from contract_test.gate.opening import open_gate
from contract_test.gate.publication import verification_of

SUBJECT = "delivery.requested"
ENVIRONMENT = "production"


@dataclass(frozen=True)
class DeploymentsResult:
    """What the gate answered: before the reader was deployed, and after it; and the version to go back to."""

    before: Answer
    after: Answer
    target: ServiceVersion | None

    @property
    def is_right(self) -> bool:
        """True if it was no at first, or only after the reader, and then yes."""
        return self.before.status in ("no", "after") and self.after.status == "yes" and self.target is not None


def deploy_in_order(folder: Path, contracts: Path, reports: Mapping[str, Path]) -> DeploymentsResult:
    """Record feed and transport as they were verified; then ask about a feed 2.0 that sends what transport cannot read.

    `reports` are the reports of `pytest --contracts` by service.
    """
    ledger = DirectoryLedger(folder / "ledger")
    first = {service: _verified(path) for service, path in reports.items()}
    for verification in first.values():
        ledger.publish(verification)
        ledger.record(_deployed(verification.service, "1.0"))
    _write_next_version(contracts)
    ledger.publish(_next_version(first["feed"], contracts, sent=(2,)))
    ledger.publish(_next_version(first["transport"], contracts))

    def gate() -> Gate:
        return open_gate(contracts, ledger, ENVIRONMENT, now())

    feed = ServiceVersion("feed", "2.0")
    before = gate().answer(feed)
    ledger.record(_deployed("transport", "2.0"))
    after = gate().answer(feed)
    ledger.record(_deployed("feed", "2.0"))
    return DeploymentsResult(before, after, gate().rollback("feed").target)


def show_deployments(result: DeploymentsResult, say: Callable[[str], None]) -> None:
    """Show what was asked and answered, a line each."""
    steps = ", then ".join(map(str, result.before.steps))
    say("   may feed 2.0, which asks for deliveries by mail, be deployed?")
    check = result.before.blocking[0]
    say(f"   no: {check.sentence} ({check.why})")
    if check.evidence.witness is not ABSENT:
        say(f"      message   {json.dumps(check.evidence.witness)}")
        say(f"      rejected  {check.evidence.rejected}")
    say(f"   {f'yes, after {steps}' if steps else 'and in no order'}")
    say(f"   with transport 2.0 deployed: {result.after.status}")
    say(f"   with feed 2.0 deployed, roll back to: {result.target or 'none'}")


def _verified(report: Path) -> Verification:
    version = json.loads(report.read_bytes())["service_version"]
    return replace(verification_of(report, version or "1.0", now()), version="1.0", dirty=False)


def _deployed(service: str, version: str) -> Deployment:
    return Deployment(service, version, ENVIRONMENT, now())


def _write_next_version(contracts: Path) -> None:
    schema = json.loads((contracts / SUBJECT / "v1.json").read_bytes())
    schema["properties"]["kind"]["enum"].append("mail")
    (contracts / SUBJECT / "v2.json").write_text(json.dumps(schema), encoding="utf-8")


def _next_version(first: Verification, contracts: Path, sent: tuple[int, ...] = ()) -> Verification:
    """Return what a 2.0 proves that also knows the new version, and sends it if it sends the subject."""
    contract = load_catalog(contracts).subjects[SUBJECT].contracts[2]
    known = next(each for each in first.contracts if each.subject == SUBJECT)
    pinned = PinnedContract(SUBJECT, 2, digest(contract), sends=known.sends, receives=known.receives)
    operations = tuple(
        replace(each, version=2, sent=sent)
        if sent and (each.operation, each.subject) == ("produces", SUBJECT)
        else each
        for each in first.operations
    )
    return replace(first, version="2.0", time=now(), contracts=(*first.contracts, pinned), operations=operations)
