"""`contract-test lint` and `register`: each rule on one right and one wrong directory."""

import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_test.cli import lint, register
from contract_test.data.finding import Finding
from contract_test.report.findings import FORMATS

ROOT = Path(__file__).parents[2]
GOOD = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "at": {"type": "string", "format": "date-time"}},
    "examples": [{"id": "x"}],
}


@pytest.fixture
def contracts(tmp_path):
    """A directory with one good subject; a function changes it."""
    directory = tmp_path / "contracts"

    def write(schema=GOOD, subject="order.placed", version=1, catalog=None):
        path = directory / subject / f"v{version}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
        (directory / "catalog.toml").write_text(
            catalog
            or '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."order.placed"]\nchannel = "c"\n'
        )
        return directory

    write()
    return write


def run(directory, *options):
    return CliRunner().invoke(lint.command, ["--contracts", str(directory), *options], standalone_mode=False)


def findings(directory):
    result = run(directory, "--format", "json")
    document = json.loads(result.stdout)
    assert document["format"] == 1
    assert result.return_value == int(any(each["severity"] == "error" for each in document["findings"]))
    assert all(each["advice"] and each["file"] for each in document["findings"])
    return {(each["rule"], each["severity"]): each for each in document["findings"]}


def test_the_repositorys_own_contracts_are_clean():
    result = run(ROOT / "contracts", "--strict")
    assert (result.return_value, result.stdout) == (0, "")


def with_property(**schema):
    return GOOD | {"properties": {**GOOD["properties"], **schema}}


@pytest.mark.parametrize(
    ("rule", "severity", "pointer", "schema"),
    [
        ("schema-invalid", "error", "/properties/id/type", with_property(id={"type": "strnig"})),
        ("schema-invalid", "error", "/properties/id/pattern", with_property(id={"type": "string", "pattern": "("})),
        ("schema", "error", "/properties/id/$ref", with_property(id={"$ref": "http://example.org/x"})),
        ("schema", "error", "", {"$ref": "#"}),
        ("accepts-nothing", "error", "", GOOD | {"not": {"type": "object"}}),
        ("example-invalid", "error", "/examples/0", GOOD | {"examples": [{"id": 1}]}),
        (
            "example-invalid",
            "error",
            "/properties/id/examples/1",
            with_property(id={"type": "string", "examples": ["a", 1]}),
        ),
        ("default-invalid", "warning", "/properties/n/default", with_property(n={"type": "string", "default": 1})),
        ("type-not-stated", "warning", "/properties/x", with_property(x={"description": "anything"})),
        ("type-not-stated", "warning", "", {"properties": {"id": {"type": "string"}}}),
        ("integer-unbounded", "warning", "/properties/n", with_property(n={"type": "integer", "minimum": 0})),
        ("time-without-format", "warning", "/properties/sent_at", with_property(sent_at={"type": "string"})),
        (
            "public-person",
            "warning",
            "/properties/workEmail/x-sensitivity",
            with_property(workEmail={"type": "string", "x-sensitivity": "public"}),
        ),
        (
            "pattern-class",
            "warning",
            "/properties/id/pattern",
            with_property(id={"type": "string", "pattern": r"^\d+$"}),
        ),
        (
            "format-not-asserted",
            "warning",
            "/properties/id/format",
            with_property(id={"type": "string", "format": "iri"}),
        ),
    ],
)
def test_a_rule_finds_its_place(contracts, rule, severity, pointer, schema):
    found = findings(contracts(schema))
    assert (rule, severity) in found, found
    assert found[rule, severity]["pointer"] == pointer
    assert found[rule, severity]["file"].endswith("order.placed/v1.json")


def test_a_good_directory_has_no_errors_and_says_what_is_not_registered(contracts):
    assert set(findings(contracts())) == {("not-registered", "warning")}


@pytest.mark.parametrize(
    "schema",
    [
        with_property(n={"type": "integer", "minimum": 0, "maximum": 10}),
        with_property(x=True, y={"enum": [1]}, z={"anyOf": [{"type": "null"}, {"type": "string"}]}),
        with_property(sent_at={"type": "string", "pattern": "^[0-9]+$"}, other={"type": "string", "pattern": r"^\\d$"}),
    ],
)
def test_what_is_fine_is_not_remarked(contracts, schema):
    assert set(findings(contracts(schema))) == {("not-registered", "warning")}


def test_names_and_the_sequence_of_versions(contracts):
    contracts(subject="OrderPaid")
    contracts(subject="order.placed", version=3)
    found = findings(contracts())
    assert found["subject-name", "error"]["file"].endswith("OrderPaid")
    assert "v2 is missing" in found["version-gap", "error"]["sentence"]
    assert ("no-channel", "warning") in found


def test_every_broken_file_is_told_and_not_only_the_first(contracts):
    contracts("{", subject="a")
    contracts('{"a":1,"a":2}', subject="b")
    result = run(contracts())
    assert "a/v1.json:1:2" in result.stdout
    assert "stands twice" in result.stdout


def test_a_registered_version_never_changes(contracts, tmp_path):
    directory = contracts()
    added = CliRunner().invoke(register.command, ["--contracts", str(directory)], standalone_mode=False)
    assert (added.return_value, added.stdout) == (0, "registered order.placed v1\n")
    assert findings(directory) == {}
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (directory / "order.placed" / "v1.json").write_text(json.dumps(GOOD, indent=4))
    assert findings(directory) == {}, "layout does not count"
    found = findings(contracts(with_property(id={"type": "integer", "minimum": 0, "maximum": 9})))
    changed = found["registered-version-changed", "error"]
    assert "/properties/id/type: 'string' → 'integer'" in changed["sentence"]
    assert "v2.json" in changed["advice"]
    (directory / "order.placed" / "v1.json").rename(directory / "order.placed" / "v2.json")
    assert ("registered-version-gone", "error") in findings(directory)


def test_what_has_errors_is_not_registered(contracts):
    directory = contracts(GOOD | {"examples": [1]})
    refused = CliRunner().invoke(register.command, ["--contracts", str(directory)], standalone_mode=False)
    assert refused.return_value == 1
    assert not (directory / "contracts.lock").exists()


@pytest.mark.parametrize(
    ("catalog", "said"),
    [
        ("[channels.c]\n", "protocol is missing"),
        ('[channels.c]\nprotocol = "amqp"\naddress = "c"\ncodec = "json"\n', "'amqp'"),
        ('[subjects."order.placed"]\nchannel = "d"\n', "no channel 'd'"),
        ('[subjects."order.placed"]\nkeys = "/x"\n', "'keys' is not known"),
        ('[subjects."order.placed"]\nkey = "x"\n', "a JSON pointer"),
        ('[subjects."order.paid"]\n', "has no version"),
        ('[subjects."order.placed"]\ncompatibility = "SOME"\n', "'SOME'"),
        ("[subjects\n", "not TOML"),
        ("[subject.x]\n", "'subject' is not known"),
    ],
)
def test_a_wrong_catalog_is_told_with_what_it_takes(contracts, catalog, said):
    result = run(contracts(catalog=catalog))
    assert result.return_value == 1
    assert said in result.stdout
    assert "catalog.toml" in result.stdout


def test_an_empty_directory_is_never_clean(tmp_path):
    result = run(tmp_path)
    assert result.return_value == 1
    assert "no contracts found" in result.stdout


HOSTILE = Finding("a\nb.json", "/\x1b[31m::error::", "rule,x:y", "<script>\x00%\n\u202e", "::set-output name=x::\r\n")


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_texts_are_inert_in_every_format(name):
    text = FORMATS[name]([HOSTILE])
    assert "\x1b" not in text
    assert "\x00" not in text
    if name == "json":
        assert json.loads(text)["findings"][0]["sentence"] == HOSTILE.sentence
    elif name == "sarif":
        assert json.loads(text)["version"] == "2.1.0"
    elif name == "junit":
        assert ET.fromstring(text).attrib["failures"] == "1"
    elif name == "github":
        assert len(text.splitlines()) == 1
        assert text.startswith("::error file=a%0Ab.json,title=rule%2Cx%3Ay::")
    else:
        assert len(text.splitlines()) == 2
