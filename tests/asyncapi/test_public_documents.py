"""Documents of AsyncAPI's own tools and of others become contracts, or are refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from ecosystem.sdks import programs

from contract_test.asyncapi.importing import documents_in
from contract_test.cli.asyncapi import command

PUBLIC = Path(__file__).parent / "public"
FOLDERS = ("assets/examples", "tests", "test")
"""Where the packages keep their documents."""


@pytest.fixture(scope="module")
def documents() -> list[Path]:
    packages = sorted(programs.unpacked(PUBLIC).glob("*/package"))
    return [
        each
        for package in packages
        for name in FOLDERS
        if (package / name).is_dir()
        for each in documents_in(package / name)
    ]


def run(*arguments: str) -> tuple[object, str]:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert result.exception is None, (arguments, result.exception)
    return result.return_value, result.stdout


def test_most_public_documents_are_imported_and_come_back_byte_by_byte(documents, tmp_path):
    imported, without_reason = [], []
    for number, path in enumerate(documents):
        first, again = tmp_path / f"{number}", tmp_path / f"{number}-again"
        code, output = run("import", str(path), "--contracts", str(first / "contracts"), "--write", "--format", "json")
        findings = json.loads(output)["findings"]
        if bool(code) != bool(findings) or not all(each["sentence"] and each["advice"] for each in findings):
            without_reason.append(path.name)
        if not any(first.glob("contracts/*/v*.json")):
            without_reason += [] if findings else [path.name]
            continue
        imported.append(path)
        for folder in (first, again):
            run(
                "export",
                "--contracts",
                str(folder / "contracts"),
                "--bundle",
                "--output",
                str(folder / "asyncapi.json"),
            )
            if folder is first:
                run("import", str(first / "asyncapi.json"), "--contracts", str(again / "contracts"), "--write")
        assert (again / "asyncapi.json").read_bytes() == (first / "asyncapi.json").read_bytes(), path.name

    assert without_reason == []
    assert len(documents) >= 30
    assert len(imported) >= len(documents) * 2 / 3, sorted(
        {each.name for each in documents} - {each.name for each in imported}
    )
