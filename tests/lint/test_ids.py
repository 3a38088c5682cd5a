"""Ids of findings stay the same as long as the finding does: they name rule, subject, version and pointer, and no text."""

import json

import pytest
from click.testing import CliRunner

from contract_test.cli import lint

CATALOG = '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."order.placed"]\nchannel = "c"\n'
ITEM = {"type": "object", "properties": {"name": {"type": "string"}}}
GOOD = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "map": {"type": "object", "additionalProperties": ITEM}},
}


@pytest.fixture
def contracts(tmp_path):
    (tmp_path / "contracts" / "order.placed" / "recordings").mkdir(parents=True)
    (tmp_path / "contracts" / "catalog.toml").write_text(CATALOG)
    write(tmp_path / "contracts", json.dumps(GOOD))
    return tmp_path / "contracts"


def write(contracts, text, name="order.placed/v1.json"):
    (contracts / name).parent.mkdir(exist_ok=True)
    (contracts / name).write_text(text)


def record(contracts, *payloads):
    rows = (
        {"format": 1, "channel": "c", "subject": "order.placed", "version": 1, "payload": each} for each in payloads
    )
    (contracts / "order.placed" / "recordings" / "v1.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def ids(contracts, rule):
    result = CliRunner().invoke(
        lint.command, ["--contracts", str(contracts), "--format", "json"], standalone_mode=False
    )
    assert result.exception is None, result.exception
    return {each["id"] for each in json.loads(result.stdout)["findings"] if each["rule"] == rule}


def test_a_text_that_is_no_json_is_named_without_its_line(contracts):
    write(contracts, "{")
    first = ids(contracts, "schema")
    write(contracts, "\n\n {,")
    assert ids(contracts, "schema") == first == {"schema:order.placed:v1:"}


def test_a_recording_that_breaks_its_contract_is_named_by_the_field(contracts):
    found = []
    for payloads in (
        [{"id": "x", "map": {"ana": {"name": 1}}}],
        [{"id": "y"}, {"id": "x", "map": {"x": {}, "bo": {"name": 2}}}],
    ):
        record(contracts, *payloads)
        found.append(ids(contracts, "recording-invalid"))
    assert found == [{"recording-invalid:order.placed:v1 recording:/map/*/name"}] * 2


def test_a_wrong_line_of_a_recording_is_named_without_the_line(contracts):
    path = contracts / "order.placed" / "recordings" / "v1.jsonl"
    path.write_text("{\n")
    first = ids(contracts, "recording")
    path.write_text("\n\n[]\n")
    assert ids(contracts, "recording") == first == {"recording:order.placed:v1 recording:"}


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("example-invalid", {"examples": [1]}, {"examples": ["other"]}),
        ("integer-unbounded", {"properties": {"n": {"type": "integer"}}}, {"properties": {"n": {"type": ["integer"]}}}),
        ("type-not-stated", {"properties": {"n": {}}}, {"properties": {"n": {"title": "another text"}}}),
        ("format-not-asserted", {"properties": {"n": {"type": "string", "format": "a"}}},
         {"properties": {"n": {"type": "string", "format": "b"}}}),
        ("public-person", {"properties": {"mail": {"type": "string", "x-sensitivity": "public"}}},
         {"title": "X", "properties": {"mail": {"type": "string", "x-sensitivity": "public", "maxLength": 3}}}),
        ("schema-invalid", {"properties": {"n": {"type": "strin"}}}, {"properties": {"n": {"type": "txt"}}}),
    ],
)  # fmt: skip
def test_an_id_does_not_depend_on_what_is_written_there(contracts, rule, before, after):
    found = []
    for schema in (before, after):
        write(contracts, json.dumps({"type": "object", **schema}))
        found.append(ids(contracts, rule))
    assert found[0] == found[1]
    assert found[0]


def test_two_shared_files_of_one_name_have_two_ids(contracts):
    for folder in ("bills", "parcels"):
        write(contracts, "{", f"{folder}/address.json")
        reference = {"type": "object", "properties": {"to": {"$ref": f"../{folder}/address.json"}}}
        write(contracts, json.dumps(reference), f"{folder}.sent/v1.json")
        with (contracts / "catalog.toml").open("a") as catalog:
            catalog.write(f'[subjects."{folder}.sent"]\nchannel = "c"\ntype = "{folder}"\n')
    assert len(ids(contracts, "schema")) == 2
