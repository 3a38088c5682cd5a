"""Two hundred secrets of fifteen kinds go through the recorder, everywhere in a message: none reaches a disk or a log."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scrub.planted import Planted, files_below, found, secrets

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


@pytest.fixture
def contracts(tmp_path):
    folder = tmp_path / "contracts" / "person.changed"
    folder.mkdir(parents=True)
    (folder / "v1.json").write_text(json.dumps(SCHEMA))
    (folder.parent / "catalog.toml").write_text(CATALOG)
    (tmp_path / "tmp").mkdir()
    return folder.parent


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
    secret, by_form = planted.text, planted.kind != "name and street"
    inner = json.dumps({"token": secret, "list": [{secret: 1}]})
    who = {"person_id": f"p-{number}"}
    digits = "".join(filter(str.isdigit, secret))[:16]
    return [
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


def record(contracts: Path, source: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    temporary = str(contracts.parent / "tmp")
    environment = os.environ | {
        "TMPDIR": temporary,
        "PYTHONFAULTHANDLER": "1",
        "CONTRACT_TEST_SCRUB_KEY": "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40",
    }
    words = command or ("record", str(source), "--channel", "events", "--contracts", str(contracts))
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", "from contract_test.cli import main; main()", *words],
        env=environment, cwd=temporary, capture_output=True, check=False, timeout=280,
    )  # fmt: skip


def nothing_of(planted: list[Planted], contracts: Path, *outputs: bytes) -> None:
    for path, content in files_below(contracts, contracts.parent / "tmp"):
        assert found(planted, content) == [], path.relative_to(contracts.parent)
    for output in outputs:
        assert found(planted, output) == []


def test_no_secret_reaches_a_disk_or_a_log(contracts, tmp_path):
    planted = secrets(200, seed=7)
    source = tmp_path / "stream.jsonl"
    source.write_text("\n".join(line for number, each in enumerate(planted) for line in everywhere(each, number)))
    assert len({each.kind for each in planted}) == 15

    run = record(contracts, source)

    assert run.returncode == 1, run.stderr.decode()
    assert b"Traceback" not in run.stderr
    nothing_of(planted, contracts, run.stdout, run.stderr)
    for place in (b"/payload/data/label", b"/payload/data/paymentMethods/*/labelOfCardV2"):
        assert b":" + place + b"\n" in run.stdout, "secrets in a public field are found by the scanner and reported"
    kept = (contracts / "person.changed" / "recordings" / "v1.jsonl").read_bytes().splitlines()
    assert len(kept) > 20
    assert (contracts / ".recorder" / "events.quarantine.jsonl").stat().st_size > 1000
    for command in ("scan", "lint", "verify"):
        extra = (str(source), "--channel", "events") if command == "verify" else ()
        validated = record(contracts, source, command, *extra, "--contracts", str(contracts))
        assert validated.returncode == (1 if command == "verify" else 0), (
            validated.stdout.decode() + validated.stderr.decode()
        )
        nothing_of(planted, contracts, validated.stdout, validated.stderr)


def test_a_schema_that_is_inferred_holds_no_secret(contracts, tmp_path):
    planted = secrets(60, seed=10)
    source = tmp_path / "stream.jsonl"
    source.write_text("\n".join(line for number, each in enumerate(planted) for line in everywhere(each, number)[:-3]))

    for words in ([], ["--write"]):
        target = (
            "--topic",
            "events2",
            "--subject",
            "person.found",
            "--type",
            "person.changed",
            "--contracts",
            str(contracts),
        )
        run = record(contracts, source, "infer", str(source), *target, *words)

        assert run.returncode == 0, run.stderr.decode()
        nothing_of(planted, contracts, run.stdout, run.stderr)
    schema = (contracts / "person.found" / "v1.json").read_bytes()
    for name in (b"customerAuthToken", b"userApiKeyV2", b"billingIbanNumber", b"paymentMethods"):
        assert b'"%s"' % name in schema, "the names of fields are no secrets"


def test_a_scan_finds_the_secrets_under_any_name_and_shows_none(contracts, tmp_path):
    planted = [each for each in secrets(60, seed=11) if each.kind != "name and street"]
    source = tmp_path / "found.jsonl"
    lines = [
        {"customerAuthToken": each.text, "groups": [{"billingIbanNumber": [{"userApiKeyV2": each.text}]}]}
        for each in planted
    ]
    source.write_text("\n".join(map(json.dumps, lines)))

    run = record(contracts, source, "scan", str(source), "--contracts", str(contracts))

    assert run.returncode == 1
    for output in (run.stdout, run.stderr):
        assert found(planted, output) == []
    for number, each in enumerate(planted, start=1):
        for pointer in ("customerAuthToken", "groups/0/billingIbanNumber/0/userApiKeyV2"):
            assert f"{source}:{number}:/{pointer}  leak-" in run.stdout.decode(), each.kind


def test_a_run_that_fails_shows_no_secret(contracts, tmp_path):
    planted = secrets(30, seed=8)
    source = tmp_path / "stream.jsonl"
    source.write_text("\n".join(line for number, each in enumerate(planted) for line in everywhere(each, number)))
    (contracts / "person.changed" / "recordings").write_text("no directory")

    run = record(contracts, source)

    assert run.returncode == 3, run.stderr.decode()
    assert b"Traceback" not in run.stderr
    nothing_of(planted, contracts, run.stdout, run.stderr)


def test_the_search_finds_what_is_there():
    """The test's own scanner, tested: each secret in the forms in which it could come out."""
    for each in secrets(30, seed=9):
        for form in (
            each.text,
            each.core[:64],
            base64.b64encode(f"xy{each.text}".encode()).decode(),
            each.text.encode().hex(),
        ):
            assert found([each], json.dumps({"a": form}).encode()), (each.kind, form)
