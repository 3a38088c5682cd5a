"""The text report of `lint`: warnings of one kind are one finding to read, and words for people are none."""

import json

import pytest
from click.testing import CliRunner

from contract_test.cli import lint

NAMES = [f"total{number:02}" for number in range(14)]
WORDS = (
    "owner", "owners", "team", "contact", "contacts", "maintainer", "since", "note", "notes", "comment", "example", "tags",
    "summary", "deprecated", "deprecatedSince", "$comment", "title", "description", "examples", "replacedBy", "x-anything",
    "dataOwner", "tsType",
)  # fmt: skip


@pytest.fixture
def contracts(tmp_path):
    folder = tmp_path / "contracts"
    (folder / "order.placed").mkdir(parents=True)
    (folder / "catalog.toml").write_text(
        '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."order.placed"]\nchannel = "c"\n'
    )
    return folder


def lint_of(contracts, schema, *options):
    (contracts / "order.placed" / "v1.json").write_text(json.dumps({"type": "object", **schema}))
    result = CliRunner().invoke(lint.command, ["--contracts", str(contracts), *options], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.stdout


def test_warnings_of_one_kind_have_one_heading_and_a_limit(contracts):
    schema = {"properties": {name: {"type": "integer"} for name in NAMES}}

    lines = lint_of(contracts, schema).splitlines()

    (start,) = [number for number, line in enumerate(lines) if "integer-unbounded" in line]
    assert lines[start] == (
        "14 places  integer-unbounded  warning: integers beyond 2^53 - 1 are valid, but many readers round them"
    )
    path = contracts / "order.placed" / "v1.json"
    assert lines[start + 1 : start + 11] == [f"    {path}:/properties/{name}" for name in NAMES[:10]]
    assert lines[start + 11] == "    and 4 more, which --format json lists"
    assert lines[start + 12].startswith('    Add "minimum"')


def test_other_formats_list_every_place(contracts):
    schema = {"properties": {name: {"type": "integer"} for name in NAMES}}
    for form in ("json", "github", "sarif", "junit"):
        assert all(f"/properties/{name}" in lint_of(contracts, schema, "--format", form) for name in NAMES)


def test_errors_are_listed_one_by_one(contracts):
    for version in (2, 3):
        (contracts / "order.placed" / f"v{version}.json").write_text('{"type": "object", "description": 1}')
    assert lint_of(contracts, {"description": 1}).count("schema-invalid") == 3


def test_accepted_findings_of_one_kind_are_grouped_too(contracts):
    schema = {"properties": {name: {"type": "integer"} for name in NAMES}}
    lint_of(contracts, schema, "--baseline", "--reason", "taken over")

    assert "14 places  integer-unbounded  accepted taken over: integers beyond" in lint_of(contracts, schema)


@pytest.mark.parametrize("word", WORDS)
def test_words_for_people_are_no_findings(contracts, word):
    value = ["x"] if word == "examples" else True if word == "deprecated" else "x"
    schema = {"properties": {"id": {"type": "string", word: value}}, word: value if word != "examples" else [{}]}
    assert "unknown-keyword" not in lint_of(contracts, schema)
