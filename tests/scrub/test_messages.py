"""What stands around the data: attributes, headers and keys say what the catalog says, and no more."""

import json

import pytest

from contract_test.data.interaction import Tapped
from contract_test.files.catalog import load_catalog
from contract_test.record.message_scrubber import Scrubber
from envelopes import Wire

CATALOG = """
[channels.events]
protocol = "kafka"
address = "events"
codec = "cloudevents"

[subjects."order.placed"]
channel = "events"
key = "/order"
id = "/order"
caused_by = "causedby"
sent_by = ["shop"]
received_by = ["billing"]
"""
SCHEMA = {
    "type": "object",
    "required": ["order"],
    "properties": {"order": {"type": ["integer", "string"], "maximum": 9999999, "pattern": "^(SE|NO)[0-9]{4,9}[!#]$"}},
}


@pytest.fixture
def scrubbed(tmp_path):
    (tmp_path / "order.placed").mkdir()
    (tmp_path / "order.placed" / "v1.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "catalog.toml").write_text(CATALOG)
    catalog = load_catalog(tmp_path)
    scrubber = Scrubber(catalog, catalog.channels["events"], b"a key for tests")
    contract = catalog.subjects["order.placed"].contracts[1]

    def scrub(order: object, key: str | None = None, headers: tuple = (), **attributes: object):
        event = {"specversion": "1.0", "type": "order.placed", "source": "/shop", "id": "e-1", "data": {"order": order}}
        wire = Wire(json.dumps(event | attributes).encode(), key, headers)
        return scrubber.interaction(Tapped(wire, {"offset": 1}), contract, {"order": order})

    return scrub


@pytest.mark.parametrize("order", [4711, 1234567, "SE123456789!", "NO4711#"])
def test_key_and_id_repeat_the_data_whatever_became_of_it(scrubbed, order):
    made = scrubbed(order, key=str(order), id=str(order))
    now = str(made.payload["data"]["order"])
    assert made.key == made.payload["id"] == now
    assert now != str(order)
    assert type(made.payload["data"]["order"]) is type(order)


def test_a_key_of_its_own_is_masked(scrubbed):
    made = scrubbed(1, key="ana@" + "gmail.com")
    assert made.key.endswith(".test")


def test_attributes_that_the_catalog_says_stay(scrubbed):
    known = {
        "dataschema": "urn:contract:order.placed:v1",
        "datacontenttype": "application/json",
        "time": "2026-03-01T12:00:00Z",
    }
    made = scrubbed(1, **known).payload
    assert {name: made[name] for name in (*known, "source", "type", "specversion")} == known | {
        "source": "/shop", "type": "order.placed", "specversion": "1.0",
    }  # fmt: skip


def test_every_other_one_goes(scrubbed):
    made = scrubbed(
        1, source="https://ana:pw@shop.internal/x", dataschema="https://ana:pw@shop.internal/order/v1.json",
        datacontenttype="application/json; owner=ana", subject="Ana", causedby="Ana", anaskey="Ana", number=4915112345678,
    ).payload  # fmt: skip
    assert made["dataschema"] == "urn:contract:order.placed:v1"
    assert made["datacontenttype"] == "application/json"
    assert made["subject"] == made["causedby"] != "Ana"
    assert "anaskey" not in made
    text = json.dumps(made)
    assert not [each for each in ("ana", "Ana", "pw@", "internal", "4915112345678") if each in text]


def test_headers_are_attributes_or_left_out(scrubbed):
    headers = (
        ("authorization", "Bearer abc"), ("content-type", "application/json; owner=ana"), ("ce_source", "/ana"),
        ("ce_causedby", "Ana"), ("ce_anaskey", "Ana"), ("traceparent", "00-ana"),
    )  # fmt: skip
    made = scrubbed(1, headers=headers).headers
    assert made["content-type"] == "application/json"
    assert len(made) == 4
    assert "ana" not in json.dumps(dict(made)).lower()
