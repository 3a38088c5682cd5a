"""A channel of one contract, messages with a secret at every kind of place, and commands that run on them."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from scrub.planted import Planted, files_below, found

CATALOG = """
[channels.events]
protocol = "kafka"
address = "events"
codec = "cloudevents"

[subjects."person.changed"]
channel = "events"
key = "/person_id"
id = "/person_id"
sent_by = ["web"]
received_by = ["feed"]
"""
TEXT = {"type": "string"}
FORMLESS = (
    "name and street", "diagnosis", "machine", "passport", "session id", "phone number", "customer number",
    "personal number", "account number", "latitude", "salary",
)  # fmt: skip
"""Kinds that have no form, so that no scanner can know them."""
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["person_id"],
    "properties": {
        "person_id": TEXT,
        "note": TEXT,
        "list": {"type": "array", "items": TEXT},
        "map": {"type": "object", "additionalProperties": TEXT},
        "maps": {"type": "object", "patternProperties": {"^.": {"type": "object"}}},
        "nested": {"type": "string", "contentMediaType": "application/json"},
        "coded": {"type": "string", "contentEncoding": "base64"},
        "link": {"type": "string", "format": "uri"},
        "either": {"anyOf": [{"type": "string"}, {"type": "object"}]},
        "number": {"type": "integer"},
        "amount": {"type": "number"},
        "maybe_time": {"anyOf": [{"type": "string", "format": "date-time"}, TEXT]},
        "label": {"type": "string", "maxLength": 300, "x-sensitivity": "public"},
        "customerAuthToken": TEXT,
        "userApiKeyV2": TEXT,
        "billingIbanNumber": TEXT,
        "paymentMethods": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "userApiKeyV2": TEXT,
                    "billingIbanNumber": TEXT,
                    "labelOfCardV2": {"type": "string", "x-sensitivity": "public"},
                    "accountHolders": {"type": "array", "items": {"properties": {"customerAuthToken": TEXT}}},
                },
            },
        },
    },
}


def write_contracts(folder: Path) -> Path:
    """Write the contract to a folder. Return its contracts directory."""
    contracts = folder / "contracts"
    (contracts / "person.changed").mkdir(parents=True)
    (contracts / "person.changed" / "v1.json").write_text(json.dumps(SCHEMA))
    (contracts / "catalog.toml").write_text(CATALOG)
    (folder / "tmp").mkdir()
    return contracts


def event(data: object, **attributes: object) -> dict:
    context = {"specversion": "1.0", "type": "person.changed", "source": "/web", "id": "e-1"}
    return context | {"dataschema": "urn:contract:person.changed:v1", "data": data} | attributes


def kcat(payload: object, key: str | None = None, headers: tuple[str, ...] = ()) -> str:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return json.dumps(
        {"topic": "events", "partition": 0, "offset": 7, "key": key, "headers": list(headers), "payload": text}
    )


def everywhere(planted: Planted, number: int) -> list[str]:
    """Messages with a secret at every kind of place, valid and not.

    In the field that the contract calls public only what a scanner can know by its form: what is public is kept.
    """
    secret, number_of, by_form = planted.text, planted.number, planted.kind not in FORMLESS
    inner = json.dumps({"token": secret, "list": [{secret: 1}]})
    who = {"person_id": f"p-{number}"}
    digits = "".join(filter(str.isdigit, secret))[:16]
    numbers = [
        event(who | {"amount": number_of, "maps": {"of": {"n": [number_of]}}, "undeclared": {"deep": [number_of]}}),
        event(who | {"number": number_of, "either": {"of": number_of}}),
        event(who | {"note": number_of}, ext=number_of),
    ]
    return [
        *([] if number_of is None else map(kcat, numbers)),
        kcat(event(who | {"note": secret, "list": ["x", f"look: {secret}!"]}), key=secret),
        kcat(event(who | {"map": {secret: "x", "k": secret}, "maps": {secret: {"in": secret}}})),
        kcat(event(who | {"nested": inner, "coded": base64.b64encode(inner.encode()).decode()})),
        kcat(event(who | {"coded": base64.b64encode(secret.encode()).decode(), "either": {secret: [secret]}})),
        kcat(event(who | {"link": f"https://x.internal/a?token={base64.urlsafe_b64encode(secret.encode()).decode()}"})),
        kcat(event(who | {"maybe_time": secret, "undeclared": {"deep": secret}, secret: True})),
        kcat(event(who | {"number": int("9" + (digits or "0"))}, subject=secret, id=secret, source=f"/{secret}"), secret),
        kcat(event(who, myextension=secret, ext={"deep": [secret]})),
        kcat(event({"person_id": secret}), key=secret, headers=("authorization", secret, "ce_trace", secret, secret, "x")),
        kcat(who | {"note": secret}, secret, (
            "ce_specversion", "1.0", "ce_type", "person.changed", "ce_source", f"/{secret}", "ce_id", secret,
            "content-type", f"application/json; x={secret}", "ce_secret", secret)),
        *([kcat(event(who | {"label": secret}))] if by_form else []),
        *([kcat(event(who | {"paymentMethods": [{}, {"labelOfCardV2": secret}]}))] if by_form else []),
        kcat(event(who | {"customerAuthToken": secret, "userApiKeyV2": secret, "billingIbanNumber": secret})),
        kcat(event(who | {"paymentMethods": [{"accountHolders": [{"customerAuthToken": secret}] * 2, "userApiKeyV2": secret}]})),
        kcat(event(who | {"paymentMethods": [{"sessionTokenV3": secret, "apiKeys": [{"userApiKeyV2": secret}, [secret]]}]})),
        kcat(event(who | {"paymentMethods": [{f"customerAuthToken{secret}": 1, "userApiKeyV2": {secret: [secret]}}]})),
        kcat(event(who | {"paymentMethods": [{"billingIbanNumber": [secret]}, secret], "customerAuthToken": {"v": secret}})),
        kcat(event(who | {"number": secret, "note": secret, "map": {secret: 1}})),
        kcat(event(who | {"note": secret}, dataschema="urn:contract:person.changed:v7")),
        kcat(event(who | {"note": secret}, type=secret)),
        kcat(event(who | {"note": secret}, time=secret)),
        kcat(event([secret])),
        kcat(f'{{"note": "{secret}'),
        kcat(secret),
        secret.replace("\n", " "),
    ]  # fmt: skip


KEEP_EVERYTHING = """
from contract_test.files import quarantine
from contract_test.record import novelty
novelty.MAX_RECORDED = novelty.MAX_RECORDED_EARLY = quarantine.MAX_QUARANTINED = 1_000_000
quarantine.MAX_PER_REASON = quarantine.MAX_PER_REASON_WITHOUT_CONTRACT = 1_000_000
"""
"""Lets a run write every message, where it would keep a few of each shape."""


def run_command(contracts: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[bytes]:
    temporary = str(contracts.parent / "tmp")
    environment = os.environ | {
        "TMPDIR": temporary,
        "PYTHONFAULTHANDLER": "1",
        "CONTRACT_TEST_SCRUB_KEY": "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40",
    }
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", f"{before}\nfrom contract_test.cli import main; main()", *words, "--contracts", str(contracts)],
        env=environment, cwd=temporary, capture_output=True, check=False,
    )  # fmt: skip


def nothing_of(planted: list[Planted], contracts: Path, *outputs: bytes) -> None:
    for path, content in files_below(contracts, contracts.parent / "tmp"):
        assert found(planted, content) == [], path.relative_to(contracts.parent)
    for output in outputs:
        assert found(planted, output) == []
