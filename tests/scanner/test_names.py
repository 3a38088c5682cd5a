"""Real names are no secrets, and random tokens are: measured on names of installed packages and on generated tokens."""

import ast
import json
import random
import string
import sysconfig
from pathlib import Path

import pytest

from contract_test.scanner import leaks_in_line, leaks_in_text

ALPHABETS = {
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "base32": string.ascii_uppercase + "234567",
    "base32 in small letters": string.ascii_lowercase + "234567",
    "base36": string.ascii_lowercase + string.digits,
    "base62": string.ascii_letters + string.digits,
    "base64": string.ascii_letters + string.digits + "+/",
    "base64url": string.ascii_letters + string.digits + "-_",
}


def names_of_packages(count: int) -> list[str]:
    """Identifiers and module paths of at least 20 characters, also joined as topics and as camelCase."""
    found: dict[str, None] = {}
    for root in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}:
        for path in sorted(Path(root).rglob("*.py"))[3::21]:
            found[path.relative_to(root).with_suffix("").as_posix()] = None
            try:
                tree = ast.parse(path.read_bytes())
            except (SyntaxError, ValueError):
                continue
            for node in ast.walk(tree):
                name = getattr(node, "name", None) or getattr(node, "attr", None) or getattr(node, "id", None)
                if isinstance(name, str) and name.isascii():
                    found[name] = None
                    found["".join(word[:1].upper() + word[1:] for word in name.split("_"))] = None
                    found[name.replace("_", "-")] = None
    names = [name for name in found if len(name) >= 20]
    assert len(names) >= count
    return random.Random(7).sample(names, count)


def test_real_names_are_not_reported():
    names = names_of_packages(4000)
    reported = [name for name in names if leaks_in_text(name)]
    assert len(reported) <= len(names) / 1000, reported


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("length", [*range(20, 27), 28, 32, 40, 43, 64])
def test_random_tokens_are_reported(alphabet, length):
    source = random.Random(f"{alphabet} {length}")
    tokens = ["".join(source.choices(ALPHABETS[alphabet], k=length)) for _ in range(1000)]
    missed = [token for token in tokens if not leaks_in_text(token)]
    assert len(missed) <= 10, missed


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("around", ["customerAuthToken{}", "queue:booking-{}-requests", "/shippingGroups/{}/name"])
def test_a_random_token_behind_a_name_is_reported(alphabet, around):
    source = random.Random(alphabet)
    tokens = [around.format("".join(source.choices(ALPHABETS[alphabet], k=32))) for _ in range(300)]
    missed = [token for token in tokens if not leaks_in_text(token)]
    assert len(missed) <= 15, missed


@pytest.mark.parametrize(
    "name",
    [
        "shippingAddressLine1PostalCodeV2",
        "OrderPlacedV2IntegrationEvent",
        "queue:Booking-Requests-Inbound-V2-prod-eu1",
        "/shippingGroups/0/lineItems/0/productName",
        "customerLoyaltyProgrammeTier2Discount",
        "SHIPMENT_STATUS_OUT_FOR_DELIVERY_V2",
        "acme-prod.eu-west-1.warehouse-replenishment-requests.v3",
        "com.acme.booking.events.v2.BookingRequestedIntegrationEventV2",
        "arn:aws:sns:eu-central-1:123456789012:orders-inbound-v2",
        "App\\Jobs\\SendBookingConfirmationEmailV2",
        "iso3166Alpha2CountryCodeOfOrigin",
        "/var/lib/kafka/data/__consumer_offsets-49/00000000000000000000.log",
        "booking-a61967e0-cf7e-4d6a-ac16-8f3a50589357-confirmed",
        "https://docs.acme.test/reference/openapi3/how-to-migrate-from-v1-to-v2",
        "20261123T070323841560Z",
    ],
)
def test_a_name_or_a_pointer_is_not_reported(name):
    assert leaks_in_text(name) == []
    assert leaks_in_line(json.dumps({name: 1, "masked": [name]}).encode()) == []


def test_only_undeclared_keys_and_values_are_reported():
    token = "aB3dE5gH7jK9mN2" + "pQ4sT6vX8"
    line = b'{"%s": {"x": "%s"}, "masked": ["/%s/x"]}' % ((token.encode(),) * 3)
    assert leaks_in_line(line, frozenset([token])) == []
    assert {leak.pointer for leak in leaks_in_line(line)} == {"", "/*/x", "/masked/0"}
