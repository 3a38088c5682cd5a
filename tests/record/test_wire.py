"""`verify` and `record` read a message as `decode` does, whatever its data looks like."""

import json

import pytest
from click.testing import CliRunner

from contract_test.cli.record import command as record_command
from contract_test.cli.verify import command as verify_command
from contract_test.files.catalog import load_catalog
from contract_test.files.recordings import read_recording
from contract_test.recordings.messages import data_of
from contract_test.recordings.provenance import provenance_of

CATALOG = """
[channels.events]
protocol = "kafka"
address = "events"
codec = "cloudevents"
mode = "binary"
without_data = "allow"
[channels.jobs]
protocol = "redis-list"
address = "jobs"
codec = "resque"
[subjects."spec.seen"]
channel = "events"
id = "/id"
[subjects."job.seen"]
channel = "jobs"
id = "/id"
"""
PUBLIC = {"type": "string", "x-sensitivity": "public"}
SCHEMA = {
    "type": "object",
    "required": ["id", "specversion"],
    "additionalProperties": False,
    "properties": {"id": PUBLIC, "specversion": PUBLIC},
}
DATA = {"id": "x1", "specversion": "1.0"}
CONTEXT = {"ce_specversion": "1.0", "ce_id": "x1", "ce_source": "/sp", "ce_type": "spec.seen"}


@pytest.fixture
def contracts(tmp_path):
    for subject in ("spec.seen", "job.seen"):
        (tmp_path / "contracts" / subject).mkdir(parents=True)
        (tmp_path / "contracts" / subject / "v1.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "contracts" / "catalog.toml").write_text(CATALOG)
    return tmp_path / "contracts"


def record_of(payload, headers=CONTEXT, offset=1):
    """A record as `kcat -J` prints it."""
    flat = [each for pair in headers.items() for each in pair]
    record = {"topic": "events", "partition": 0, "offset": offset, "key": None, "headers": flat}
    return json.dumps(record | {"payload": payload})


def run(command, contracts, channel, lines):
    path = contracts.parent / "traffic.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return CliRunner().invoke(
        command, [str(path), "--channel", channel, "--contracts", str(contracts)], standalone_mode=False
    )


@pytest.mark.parametrize(
    ("channel", "subject", "line"),
    [
        ("events", "spec.seen", record_of(json.dumps(DATA))),
        ("jobs", "job.seen", json.dumps({"class": "job.seen", "args": [DATA]})),
    ],
)
def test_data_with_a_field_specversion_is_recorded_as_data(contracts, channel, subject, line):
    assert run(verify_command, contracts, channel, [line]).return_value == 0
    result = run(record_command, contracts, channel, [line])
    assert result.return_value == 0
    catalog = load_catalog(contracts)
    (interaction,) = read_recording(catalog.subjects[subject].contracts[1])
    assert data_of(interaction, catalog.channels[channel]) == DATA
    assert provenance_of(interaction, catalog).id == "x1"


def test_messages_without_data_are_counted_apart(contracts):
    lines = [record_of(json.dumps(DATA)), record_of(None, offset=2), record_of("", offset=3)]
    result = run(verify_command, contracts, "events", lines)
    assert "channel events: 3 read, 0 drifted, 2 without data" in result.stdout
    assert result.return_value == 0
    result = run(record_command, contracts, "events", lines)
    assert "1 kept, 0 dropped, 1 shape, 0 drifted, 2 without data" in result.output


def test_a_context_that_cannot_be_written_again_is_drift(contracts):
    event = {"specversion": "1.0", "id": "x1", "source": "/sp", "type": "spec.seen", "data": DATA, "odd": {"a": 1}}
    result = run(verify_command, contracts, "events", [json.dumps(event)])
    assert result.return_value == 1
    assert "/odd" in result.stdout
    assert "as CloudEvents allows" in result.stdout
