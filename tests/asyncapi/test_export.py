"""Contracts as AsyncAPI documents that AsyncAPI's own parser accepts, and that can be read back."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import jsonschema_rs
import pytest
from asyncapi.contracts_with_odd_names import write_contracts
from asyncapi.official_parser import parse
from click.testing import CliRunner
from contract_kinds import KINDS

from contract_test.cli.asyncapi import command
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import digest
from contract_test.schema.bundle import value_at

_NOT_READABLE = re.compile(r'\$(dynamic|recursive)Ref|"default": {"\$ref"|"\$ref": ([{t]|"[^#]|"#[a-z])')
CONTRACTS = Path(__file__).parents[2] / "contracts"


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(command, [str(each) for each in arguments], standalone_mode=False)
    assert result.exception is None, result.output
    assert result.return_value == code, result.output
    return result.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(CONTRACTS, tmp_path / "contracts", ignore=shutil.ignore_patterns("recordings", ".*"))
    return tmp_path


def contracts_of_all_kinds(root: Path) -> Path:
    """Write a contract for each kind of schema that AsyncAPI tools can read."""
    texts = [json.dumps(kind.schema) for kind in KINDS.values()]
    readable = [text for text in texts if not _NOT_READABLE.search(text)]
    assert len(readable) > len(texts) * 2 / 3
    for number, text in enumerate(readable):
        path = root / f"kind{number}.made" / "v1.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return root


def exported(contracts: Path, path: Path, *options: str) -> Path:
    run("export", "--contracts", contracts, "--output", path, *options)
    return path


def test_the_official_parser_accepts_every_export(folder):
    odd = write_contracts(folder / "odd")
    kinds = contracts_of_all_kinds(folder / "kinds")
    paths = [
        exported(contracts, folder / f"{contracts.name}-{number}.{suffix}", *options)
        for contracts in (folder / "contracts", odd, kinds)
        for number, (suffix, options) in enumerate((("json", []), ("yaml", ["--bundle"])))
    ]
    paths += [
        exported(folder / "contracts", folder / f"{name}.json", "--service", name)
        for name in ("web", "feed", "transport")
    ]

    parsed = parse(paths)

    assert [each.errors for each in parsed] == [[]] * len(paths)
    assert parsed[0].messages == [
        "message.posted",
        "message.liked",
        "message.liked",
        "message.unliked",
        "delivery.requested",
    ]
    assert parsed[-1].messages == ["delivery.requested"]


def test_the_official_parser_refuses_a_broken_export(folder):
    path = exported(folder / "contracts", folder / "a.json")
    document = json.loads(path.read_text())
    document["operations"]["web.send.message.liked"]["action"] = "emit"
    path.write_text(json.dumps(document))

    assert parse([path])[0].errors


@pytest.mark.parametrize("suffix", ["json", "yaml"])
@pytest.mark.parametrize(
    ("make", "options"),
    [
        (write_contracts, []),
        (write_contracts, ["--bundle"]),
        (write_contracts, ["--bundle", "--service", "plain"]),
        (contracts_of_all_kinds, []),
        (contracts_of_all_kinds, ["--bundle"]),
    ],
)
def test_export_import_and_export_give_the_same_bytes(tmp_path, make, options, suffix):
    first, second = tmp_path / "first", tmp_path / "second"
    make(first / "contracts")
    document = exported(first / "contracts", first / f"asyncapi.{suffix}", *options)

    run("import", document, "--contracts", second / "contracts", "--write")

    again = exported(second / "contracts", second / f"asyncapi.{suffix}", *options)
    assert again.read_bytes() == document.read_bytes()
    before, after = (
        {each.name: digest(each) for each in load_catalog(folder / "contracts").contracts} for folder in (first, second)
    )
    assert after.items() <= before.items()
    assert after


@pytest.mark.parametrize(("message", "bad"), [("message.liked.v2", "/data"), ("delivery.requested.v1", "/args/0/data")])
def test_a_payload_describes_what_is_on_the_wire(folder, message, bad):
    path = exported(folder / "contracts", folder / "a.json", "--bundle")
    components = json.loads(path.read_text())["components"]
    reference = f"#/components/messages/{message}/payload/schema"
    contract = jsonschema_rs.validator_for({"components": components, "$ref": reference})
    subject, _, version = message.rpartition(".")
    lines = (CONTRACTS / subject / "recordings" / f"{version}.jsonl").read_text().splitlines()

    payloads = [json.loads(line)["payload"] for line in lines]

    assert payloads
    assert all(contract.is_valid(each) for each in payloads)
    data = value_at(payloads[0], bad)
    data["caused_by"] = data["message_id"] = 7
    assert not contract.is_valid(payloads[0])


def test_a_document_of_one_service_has_its_own_operations(folder):
    path = exported(folder / "contracts", folder / "feed.json", "--service", "feed")

    document = json.loads(path.read_text())

    actions = {key: each["action"] for key, each in document["operations"].items()}
    assert actions == {
        "feed.receive.message.posted": "receive",
        "feed.receive.message.liked": "receive",
        "feed.receive.message.unliked": "receive",
        "feed.send.delivery.requested": "send",
    }
    assert document["info"]["title"] == "feed"
    payload = document["components"]["messages"]["message.liked.v2"]["payload"]
    assert payload["schemaFormat"] == "application/schema+json;version=draft-2020-12"
    assert payload["schema"]["properties"]["data"] == {"$ref": "contracts/message.liked/v2.json"}


def test_definitions_of_a_bundle_are_components(folder):
    path = exported(folder / "contracts", folder / "a.json", "--bundle")

    components = json.loads(path.read_text())["components"]

    schema = components["schemas"]["message.liked.v2"]
    assert "$defs" not in schema
    assert schema["properties"]["liker"] == {"$ref": "#/components/schemas/message.liked.v2.Person"}
    assert components["schemas"]["message.liked.v2.Person"]["title"] == "Person"


def test_a_service_that_does_nothing_is_an_error(folder):
    result = CliRunner().invoke(
        command, ["export", "--contracts", str(folder / "contracts"), "--service", "fed", "--output", "-"]
    )

    assert "no subject is sent or received by 'fed'" in str(result.exception)
    assert "Known services: feed, transport, web." in str(result.exception)


BY_ID = {"$id": "https://acme.example/a", "$defs": {"x": {"$anchor": "here"}}, "$ref": "#here"}
DATA = {"properties": {"a": {"const": {"$ref": "#/b"}}}}


@pytest.mark.parametrize(
    ("schema", "option", "problem"),
    [
        (BY_ID, None, "$ref '#here' is resolved by an $id or an $anchor"),
        (DATA, None, "something is named $ref"),
        (DATA, "--bundle", "something is named $ref"),
        ({"$dynamicRef": "#x", "$defs": {"y": {"$dynamicAnchor": "x"}}}, "--bundle", "depends on how it is reached"),
    ],
)
def test_what_no_asyncapi_tool_can_read_is_refused(tmp_path, schema, option, problem):
    (tmp_path / "a.b").mkdir()
    (tmp_path / "a.b" / "v1.json").write_text(json.dumps(schema))
    options = [option] if option else []

    result = CliRunner().invoke(command, ["export", "--contracts", str(tmp_path), "--output", "-", *options])

    assert problem in str(result.exception)


def test_a_bundle_refers_by_path_to_what_has_an_anchor(tmp_path):
    (tmp_path / "a.b").mkdir()
    (tmp_path / "a.b" / "v1.json").write_text(json.dumps(BY_ID))

    document = json.loads(run("export", "--contracts", tmp_path, "--bundle", "--output", "-"))

    assert document["components"]["schemas"]["a.b.v1"]["$ref"] == "#/components/schemas/a.b.v1.x"
