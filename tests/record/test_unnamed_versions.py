"""Messages that name no version are checked against the newest version that accepts them."""

import json

import pytest

from contract_test.data.interaction import Tapped
from contract_test.files.catalog import load_catalog
from contract_test.files.recordings import wire_of
from contract_test.record.message_scrubber import Scrubber
from contract_test.record.validator import ContractsCatalog
from envelopes import Wire

GUID = ("__value_schema_id", b"\x01" + bytes(range(16)))


@pytest.mark.parametrize(("codec", "headers"), [("json", []), ("confluent", [GUID])])
def test_the_newest_version_that_accepts_it_is_found(codec, headers, tmp_path):
    (tmp_path / "order.placed").mkdir()
    for version, field in [(1, "count"), (2, "number")]:
        schema = {"type": "object", "properties": {field: {"type": "integer"}}, "required": [field]}
        (tmp_path / "order.placed" / f"v{version}.json").write_text(json.dumps(schema))
    (tmp_path / "catalog.toml").write_text(
        f'[channels.orders]\nprotocol = "kafka"\naddress = "orders"\ncodec = "{codec}"\n'
        '[subjects."order.placed"]\nchannel = "orders"\n'
    )
    catalog = load_catalog(tmp_path)
    contracts, channel = ContractsCatalog(catalog), catalog.channels["orders"]

    versions = [
        contracts.read(Wire(json.dumps({field: 1}).encode(), None, headers), channel).version
        for field in ("count", "number")
    ]

    assert versions == [1, 2]


def test_a_guid_is_recorded_as_the_schema_id_that_names_the_same(tmp_path):
    (tmp_path / "order.placed").mkdir()
    (tmp_path / "order.placed" / "v1.json").write_text(
        '{"type": "object", "properties": {"count": {"type": "integer"}}}'
    )
    (tmp_path / "catalog.toml").write_text(
        '[channels.orders]\nprotocol = "kafka"\naddress = "orders"\ncodec = "confluent"\n'
        '[subjects."order.placed"]\nchannel = "orders"\nschema_ids = { 1 = 7 }\n'
    )
    catalog = load_catalog(tmp_path)
    channel, contract = catalog.channels["orders"], catalog.contracts[0]
    scrubber = Scrubber(catalog, channel, bytes(32))

    recorded = scrubber.interaction(Tapped(Wire(b'{"count": 1}', None, [GUID]), {}), contract, {"count": 1})

    assert recorded.prefix == "0000000007"
    assert bytes(wire_of(recorded)) == b'\x00\x00\x00\x00\x07{"count":' + str(recorded.payload["count"]).encode() + b"}"
