"""`contract-test lint` hints at what only some producers get wrong, and no hint is a finding."""

import json

import pytest
from click.testing import CliRunner

from contract_test.cli import lint

CATALOG = '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."order.placed"]\nchannel = "c"\n'
TIME = {"type": "string", "format": "date-time"}


@pytest.fixture
def run(tmp_path):
    def run(*versions):
        folder = tmp_path / "contracts" / "order.placed"
        folder.mkdir(parents=True, exist_ok=True)
        for number, at in enumerate(versions, 1):
            schema = {"type": "object", "properties": {"at": at, "other": {"type": "string"}}}
            (folder / f"v{number}.json").write_text(json.dumps(schema))
        (folder.parent / "catalog.toml").write_text(CATALOG)
        options = ["--contracts", str(folder.parent)]
        return CliRunner().invoke(lint.command, options, standalone_mode=False)

    return run


@pytest.mark.parametrize("at", [TIME, {**TIME, "type": ["string", "null"]}, {**TIME, "pattern": "Z$"}])
def test_a_time_that_allows_the_year_1_is_a_hint(run, at):
    result = run(at)
    assert "hint: 0001-01-01T00:00:00Z is valid in order.placed v1 /properties/at. Go writes it" in result.stderr
    assert result.return_value == 0
    assert "0001-01-01" not in result.stdout


@pytest.mark.parametrize("at", [{**TIME, "pattern": "^[12]"}, {**TIME, "const": "2026-01-01T00:00:00Z"}])
def test_a_time_that_refuses_the_year_1_is_none(run, at):
    assert "hint" not in run(at).stderr


def test_an_older_version_cannot_be_changed_and_is_not_looked_at(run):
    assert "hint" not in run(TIME, {**TIME, "pattern": "^[12]"}).stderr
