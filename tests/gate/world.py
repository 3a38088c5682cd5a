"""A contracts directory, a ledger and what was deployed, written down as a test needs it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contract_test.data.deployment import Deployment, ServiceVersion, Verification, VerifiedOperation
from contract_test.data.result import PinnedContract
from contract_test.files.catalog import load_catalog
from contract_test.files.ledger import DirectoryLedger
from contract_test.files.lock import digest
from contract_test.gate.answer import Answer
from contract_test.gate.opening import open_gate

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def message(*required: str, **properties: object) -> dict:
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
ORDER = {
    1: message("id", id=TEXT, total=NUMBER),
    2: message("id", id=TEXT, total=TEXT),  # breaks readers of v1, and v1 breaks its own
    3: message("id", id=TEXT, total={"type": ["integer", "string"]}),  # reads both
}
"""v1 and v2 reject each other's messages; v3 reads both of them and writes what neither reads."""


def catalog(
    retention: str = 'retention = "P1D"\n',
    protocol: str = "redis-list",
    codec: str = "cloudevents",
    more: str = "",
    **keys: str,
) -> str:
    """A catalog of one subject; `more` is put before it, and `keys` are more keys of the subject."""
    subject = '[subjects."order.placed"]\nchannel = "orders"\nid = "/id"\nsent_by = ["shop"]\nreceived_by = ["mailer", "stats"]\n'
    return (
        more
        + f'[channels.orders]\nprotocol = "{protocol}"\naddress = "orders"\ncodec = "{codec}"\n{retention}\n'
        + subject
        + "".join(f"{key} = {value}\n" for key, value in keys.items())
    )


class World:
    """Services with verifications and deployments; the clock is set by `at`, in days before now."""

    def __init__(self, root: Path, text: str | None = None, schemas: Mapping[int, dict] = ORDER) -> None:
        self.contracts = root / "contracts"
        self.ledger = DirectoryLedger(root / "ledger")
        self.write(text or catalog(), schemas)

    def write(self, text: str, schemas: Mapping[int, dict], subject: str = "order.placed") -> None:
        (self.contracts / subject).mkdir(parents=True, exist_ok=True)
        (self.contracts / "catalog.toml").write_text(text)
        for version, schema in schemas.items():
            (self.contracts / subject / f"v{version}.json").write_text(json.dumps(schema))

    def verify(
        self, service: str, version: str, knows: Sequence[int], *, emits: Sequence[int] = (), subject: str = "order.placed",
        operations: Sequence[VerifiedOperation] | None = None, sends: bool | None = None, receives: bool | None = None,
        **more: object,
    ) -> Verification:  # fmt: skip
        found = load_catalog(self.contracts).subjects[subject]
        sends = service in found.sent_by if sends is None else sends
        receives = service in found.received_by if receives is None else receives
        pinned = tuple(
            PinnedContract(subject, each, digest(found.contracts[each]), sends=sends, receives=receives)
            for each in knows
        )
        if operations is None:
            operations = [VerifiedOperation(subject, each, "produces", 1, sent=(each,)) for each in emits]
            operations += [VerifiedOperation(subject, each, "consumes", 1) for each in knows if receives]
        verification = Verification(service, version, more.pop("time", NOW), pinned, tuple(operations), **more)
        self.ledger.publish(verification)
        return verification

    def deploy(
        self, service: str, version: str, days_ago: float = 10, *, beside: bool = False, environment: str = "prod"
    ) -> None:
        self.ledger.record(Deployment(service, version, environment, NOW - timedelta(days=days_ago), beside=beside))

    def undeploy(self, service: str, version: str = "", days_ago: float = 1) -> None:
        self.ledger.record(Deployment(service, version, "prod", NOW - timedelta(days=days_ago), "undeployed"))

    def gate(self, **more: object):
        assumed = [ServiceVersion(*each.split("=")) for each in more.pop("assume", ())]
        environment = more.pop("environment", "prod")
        return open_gate(self.contracts, self.ledger, environment, more.pop("now", NOW), assumed=assumed, **more)

    def ask(self, service: str, version: str, **more: object) -> Answer:
        return self.gate(**more).answer(ServiceVersion(service, version))
