"""Names that contracts and the catalog declare are no secrets, however long they are: no message is left out."""

import json

from click.testing import CliRunner
from redis import Redis

from contract_test.cli import infer, lint, record, scan

ADDRESS = "queue:Booking-Requests-Inbound-V2-prod-eu1"
CATALOG = f"""
[channels.bookings]
protocol = "redis-list"
address = "{ADDRESS}"
codec = "cloudevents"

[subjects."booking.requested"]
channel = "bookings"
type = "OrderPlacedV2IntegrationEvent"
sent_by = ["web"]
received_by = ["desk"]
"""
TEXT = {"type": "string"}
ITEM = {"type": "object", "properties": {"productName": TEXT, "stockKeepingUnitIdentifierV2": TEXT}}
GROUP = {"type": "object", "properties": {"lineItems": {"type": "array", "items": ITEM}}}
SCHEMA = {
    "type": "object",
    "properties": {
        "shippingAddressLine1PostalCodeV2": TEXT,
        "shippingGroups": {"type": "array", "items": GROUP},
        "x9Kf2Lq8Zt4Wv7Rb3Nm6": {"enum": ["Kx8Jq2Wz7Rt5Vb9Nm3Lp"]},
    },
}


def message(number):
    line = {"productName": "Wool socks", "stockKeepingUnitIdentifierV2": f"SKU-{number:020x}-EU"}
    data = {
        "shippingAddressLine1PostalCodeV2": "10115",
        "shippingGroups": [{"lineItems": [line] * (number % 4)}] * (number % 3),
    } | ({"x9Kf2Lq8Zt4Wv7Rb3Nm6": "Kx8Jq2Wz7Rt5Vb9Nm3Lp"} if number % 2 else {})
    context = {"specversion": "1.0", "id": f"booking-a61967e0-cf7e-4d6a-ac16-{number:012x}", "source": "/web"}
    return json.dumps(context | {"type": "OrderPlacedV2IntegrationEvent", "data": data})


def run(command, *words):
    result = CliRunner().invoke(command.command, list(map(str, words)), standalone_mode=False)
    assert result.exception is None, result.exception
    return result


def test_every_message_is_recorded_and_nothing_is_found(tmp_path, redis_url, monkeypatch):
    monkeypatch.setenv("CONTRACT_TEST_SCRUB_KEY", "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40")
    contracts = tmp_path / "contracts"
    (contracts / "booking.requested").mkdir(parents=True)
    (contracts / "catalog.toml").write_text(CATALOG)
    (contracts / "booking.requested" / "v1.json").write_text(json.dumps(SCHEMA))
    with Redis.from_url(redis_url) as redis:
        redis.rpush(ADDRESS, *map(message, range(60)))

    recorded = run(record, redis_url, "--channel", "bookings", "--contracts", contracts, "--per-shape", 60)

    assert (recorded.return_value, "not kept" in recorded.stdout) == (0, False), recorded.stdout
    kept = (contracts / "booking.requested" / "recordings" / "v1.jsonl").read_text()
    assert len(kept.splitlines()) == 60 - 10, "fifty of a shape and more are kept only if they show something new"
    assert "/shippingGroups/0/lineItems/0/productName" in kept
    assert run(scan, contracts / "booking.requested" / "recordings", "--contracts", contracts).stdout == ""
    assert "leak-" not in run(lint, "--contracts", contracts).stdout


def test_every_name_is_inferred(tmp_path, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(ADDRESS, *map(message, range(0, 60, 2)))

    inferred = run(
        infer, redis_url, "--key", ADDRESS, "--subject", "booking.requested", "--contracts", tmp_path / "contracts"
    )

    for name in ("shippingAddressLine1PostalCodeV2", "productName", "stockKeepingUnitIdentifierV2"):
        assert f'"{name}": {{' in inferred.stdout
