"""Whether a document says what the contracts say, or what an older document said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contract_test.cli.asyncapi import command

CONTRACTS = Path(__file__).parents[2] / "contracts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(CONTRACTS, tmp_path / "contracts", ignore=shutil.ignore_patterns("recordings", ".*"))
    run("export", "--contracts", tmp_path / "contracts", "--bundle", "--output", tmp_path / "old.json")
    return tmp_path


def run(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(command, [str(each) for each in arguments], standalone_mode=False)
    assert result.exception is None, result.output
    return result.return_value, json.loads(result.stdout) if "json" in arguments else {}


def changed(folder: Path, change: str) -> Path:
    document = json.loads((folder / "old.json").read_text())
    schemas, operations = document["components"]["schemas"], document["operations"]
    if change == "enum":
        schemas["message.liked.v2"]["properties"]["reaction"]["enum"].append("angry")
    elif change == "required":
        schemas["message.liked.v2.Person"]["required"].append("locale")
    elif change == "address":
        document["channels"]["transport"]["address"] = "other"
    elif change == "removed":
        del operations["feed.send.delivery.requested"]
    elif change == "service":
        operations["feed.receive.message.liked"]["x-service"] = "feeds"
    (folder / "new.json").write_text(json.dumps(document))
    return folder / "new.json"


def test_an_export_agrees_with_its_contracts_and_with_itself(folder):
    code, report = run("check", folder / "old.json", "--contracts", folder / "contracts", "--format", "json")
    assert (code, report["findings"]) == (0, [])
    assert {each["status"] for each in report["pairs"]} == {"compatible"}
    assert len(report["pairs"]) == 10

    code, report = run("diff", folder / "old.json", folder / "old.json", "--format", "json")
    assert (code, report["findings"]) == (0, [])


@pytest.mark.parametrize(
    ("change", "rule", "direction", "witness"),
    [
        ("enum", "enum-value-added", "FORWARD", lambda message: message["reaction"] == "angry"),
        ("required", "required-property-added", "BACKWARD", lambda message: "locale" not in message["liker"]),
    ],
)
def test_a_disagreement_has_a_witness_and_its_place_in_the_document(folder, change, rule, direction, witness):
    path = changed(folder, change)

    for arguments in (["check", path, "--contracts", folder / "contracts"], ["diff", folder / "old.json", path]):
        code, report = run(*arguments, "--format", "json")

        assert code == 1
        found = [each for each in report["findings"] if each["rule"] == rule]
        assert {each["direction"] for each in found} == {direction}
        assert found[0]["file"] == str(path)
        assert found[0]["pointer"].startswith("/components/schemas/message.liked.v2")
        assert witness(found[0]["witness"])
        assert "operation: feed receives message.liked" in found[0]["details"]


@pytest.mark.parametrize(
    ("change", "check", "diff"),
    [
        ("address", {"asyncapi-channel-differs"}, {"asyncapi-channel-differs"}),
        ("removed", {"asyncapi-missing-operation"}, {"asyncapi-operation-removed"}),
        ("service", {"asyncapi-unknown-operation", "asyncapi-missing-operation"}, {"asyncapi-operation-removed"}),
    ],
)
def test_what_only_one_side_has_is_found(folder, change, check, diff):
    path = changed(folder, change)

    code, report = run("check", path, "--contracts", folder / "contracts", "--format", "json")
    assert code == 1
    assert {each["rule"] for each in report["findings"]} == check

    code, report = run("diff", folder / "old.json", path, "--format", "json")
    assert code == 1
    assert {each["rule"] for each in report["findings"]} == diff


def test_the_direction_that_breaks_nobody_is_a_warning(tmp_path):
    def document(action: str, maximum: int) -> dict[str, Any]:
        payload = {"type": "object", "properties": {"n": {"type": "integer", "maximum": maximum}}}
        return {
            "asyncapi": "3.0.0",
            "info": {"title": "shop", "version": "1"},
            "channels": {"c": {"address": "c", "messages": {"made": {"payload": payload}}}},
            "operations": {"o": {"action": action, "channel": {"$ref": "#/channels/c"}}},
        }

    for action, codes in (("send", [0, 1]), ("receive", [1, 0])):
        found = []
        for before, after in ((9, 5), (5, 9)):  # narrower, and wider
            (tmp_path / "old.json").write_text(json.dumps(document(action, before)))
            (tmp_path / "new.json").write_text(json.dumps(document(action, after)))
            code, report = run("diff", tmp_path / "old.json", tmp_path / "new.json", "--format", "json")
            found.append(code)
            assert [each["severity"] for each in report["findings"]] == ["error" if code else "warning"]
        assert found == codes
