"""Secrets of seventy kinds go through the recorder, everywhere in a message: none reaches a disk or a log."""

import base64
import json

import pytest
from scrub.planted import KINDS, found, secrets
from scrub.planted_runs import FORMLESS, everywhere, nothing_of, run_command, write_contracts

pytestmark = pytest.mark.timeout(1200)  # on a busy machine


@pytest.fixture
def contracts(tmp_path):
    return write_contracts(tmp_path)


def test_no_secret_reaches_a_disk_or_a_log(contracts, tmp_path):
    planted = secrets(3 * len(KINDS), seed=7)
    source = tmp_path / "stream.jsonl"
    source.write_text("\n".join(line for number, each in enumerate(planted) for line in everywhere(each, number)))
    assert len(KINDS) >= 50

    run = run_command(contracts, "record", str(source), "--channel", "events")

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
        validated = run_command(contracts, command, *extra)
        assert validated.returncode == (1 if command == "verify" else 0), (
            validated.stdout.decode() + validated.stderr.decode()
        )
        nothing_of(planted, contracts, validated.stdout, validated.stderr)


def test_fields_whose_pattern_leaves_no_other_form_than_that_of_a_secret_are_counted(contracts, tmp_path):
    path = contracts / "person.changed" / "v1.json"
    schema = json.loads(path.read_text())
    key = {"type": "string", "pattern": "^AKIA[A-Z2-7]{16}$"}
    schema["properties"] |= {"key": key, "old_key": key | {"x-sensitivity": "secret"}}
    schema["properties"] |= {"id_of_key": key | {"x-sensitivity": "public"}, "wide": {"pattern": "^[A-Z0-9]{20}$"}}
    path.write_text(json.dumps(schema))
    source = tmp_path / "stream.jsonl"
    source.write_text(everywhere(secrets(1, seed=3)[0], 0)[0])

    run = run_command(contracts, "record", str(source), "--channel", "events")

    line = next(each for each in run.stdout.decode().splitlines() if "look like secrets" in each)
    assert line.startswith(
        "person.changed v1: pseudonyms look like secrets to public scanners: 2 fields; contract-test lint"
    )


def test_a_schema_that_is_inferred_holds_no_secret(contracts, tmp_path):
    planted = secrets(len(KINDS), seed=10)
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
        )
        run = run_command(contracts, "infer", str(source), *target, *words)

        assert run.returncode == 0, run.stderr.decode()
        nothing_of(planted, contracts, run.stdout, run.stderr)
    schema = (contracts / "person.found" / "v1.json").read_bytes()
    for name in (b"customerAuthToken", b"userApiKeyV2", b"billingIbanNumber", b"paymentMethods"):
        assert b'"%s"' % name in schema, "the names of fields are no secrets"


def test_a_scan_finds_the_secrets_under_any_name_and_shows_none(contracts, tmp_path):
    planted = [each for each in secrets(len(KINDS), seed=11) if each.kind not in FORMLESS]
    source = tmp_path / "found.jsonl"
    lines = [
        {"customerAuthToken": each.text, "groups": [{"billingIbanNumber": [{"userApiKeyV2": each.text}]}]}
        for each in planted
    ]
    source.write_text("\n".join(map(json.dumps, lines)))

    run = run_command(contracts, "scan", str(source))

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

    run = run_command(contracts, "record", str(source), "--channel", "events")

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
